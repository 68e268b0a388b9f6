//! API keys and token exchange ([RFC 8693](https://www.rfc-editor.org/rfc/rfc8693)).

use reqwest::StatusCode;
use serde_json::{Value, json};
use signet::{
    flows::admin::{ClientChange, NewApiKey, NewClient, NewResource},
    model::{GrantType, KeyOwner},
    values::ApiKey,
};

use crate::support::{API, Credentials, Server, payload, request_with, text};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const API_KEY: &str = "urn:signet:params:oauth:token-type:api-key";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

on_both_engines! {
    an_api_exchanges_a_key_for_a_short_token_that_can_be_verified_offline
    a_key_of_a_client_speaks_of_the_client_and_is_bounded_by_its_registration
    a_key_gives_what_it_has_and_what_the_api_is
    a_rotated_key_stays_valid_for_its_overlap_alone
    a_key_that_is_revoked_takes_its_tokens_along
    a_key_is_used_from_where_it_may_be_used
    a_key_that_is_looked_up_is_used_from_where_it_may_be_used
    who_ends_an_exchanged_token_ends_no_other
    a_key_is_used_as_often_as_it_allows
    an_api_may_look_a_key_up_instead
    a_client_revokes_its_own_keys_and_no_others
    whoever_finds_a_key_ends_it
    an_agent_acts_for_a_person_and_says_so
    agents_act_one_for_another_up_to_a_depth
    a_client_narrows_its_own_token_without_acting_for_anybody
    a_token_that_was_exchanged_lives_no_longer_than_the_one_before
    a_grant_that_is_revoked_takes_along_what_came_of_it
}

/// The API's own client, which may exchange.
async fn with_exchange(server: &Server, id: &str) {
    let change = ClientChange {
        grants: Some([GrantType::ClientCredentials, GrantType::TokenExchange].into()),
        ..ClientChange::default()
    };
    server.admin().update_client(&id.parse().unwrap(), change).await.unwrap();
    server.follow().await;
}

pub(crate) async fn ready(server: &Server) {
    with_exchange(server, "api").await;
}

pub(crate) fn new_key(owner: KeyOwner) -> NewApiKey {
    NewApiKey {
        owner,
        name: "script".to_owned(),
        scope: "orders:read".parse().unwrap(),
        lifetime: 86_400,
        longest: 86_400,
        addresses: Vec::new(),
        rate_limit: None,
    }
}

pub(crate) async fn key_of_ada(server: &Server) -> ApiKey {
    let new = new_key(KeyOwner::Person(server.ada.id));
    server.admin().create_api_key(new).await.unwrap().1
}

pub(crate) async fn exchange(
    server: &Server,
    client: &Credentials,
    subject: (&str, &str),
    more: &[(&str, &str)],
) -> (StatusCode, Value) {
    let (kind, token) = subject;
    let form = [("grant_type", EXCHANGE), ("subject_token_type", kind), ("subject_token", token)];
    server.post("/token", Some(client), &[&form[..], more].concat()).await
}

async fn for_key(server: &Server, key: &ApiKey) -> (StatusCode, Value) {
    exchange(server, &server.api, (API_KEY, &key.expose()), &[("resource", API)]).await
}

/// An access token of ada's for the API, as the client `web` holds it.
async fn token_of_ada(server: &Server) -> String {
    let change = ClientChange {
        scope: Some("openid email offline_access orders:read orders:write".parse().unwrap()),
        ..ClientChange::default()
    };
    server.admin().update_client(&"web".parse().unwrap(), change).await.unwrap();
    server.follow().await;
    let browser = server.browser();
    let code = browser.code(&request_with("scope", "orders:read orders:write")).await;
    let (status, tokens) = server.redeem(&code).await;
    assert_eq!(status, 200, "{tokens}");
    text(&tokens, "access_token").to_owned()
}

async fn an_api_exchanges_a_key_for_a_short_token_that_can_be_verified_offline(server: Server) {
    ready(&server).await;
    let key = key_of_ada(&server).await;
    let (status, tokens) = for_key(&server, &key).await;
    assert_eq!(status, 200, "{tokens}");
    assert_eq!(tokens["issued_token_type"], ACCESS_TOKEN);
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(300)));
    assert!(tokens.get("refresh_token").is_none() && tokens.get("id_token").is_none());
    let claims = payload(text(&tokens, "access_token"));
    assert_eq!((text(&claims, "sub"), text(&claims, "aud")), (&*server.ada.id.to_string(), API));
    assert_eq!((text(&claims, "scope"), text(&claims, "client_id")), ("orders:read", "api"));
    assert_eq!(text(&claims, "api_key"), key.id().to_string());
    assert!(claims["status"]["status_list"]["idx"].is_u64());
    assert_eq!(server.introspect(&server.api, text(&tokens, "access_token")).await["active"], true);

    let kept = server.app.store.api_key(key.id()).await.unwrap().unwrap();
    assert_eq!(kept.last_used_at, Some(server.app.clock.now()));
}

async fn a_key_of_a_client_speaks_of_the_client_and_is_bounded_by_its_registration(server: Server) {
    ready(&server).await;
    let new = new_key(KeyOwner::Client("machine".parse().unwrap()));
    let (_, key) = server.admin().create_api_key(new).await.unwrap();
    let (_, tokens) = for_key(&server, &key).await;
    let claims = payload(text(&tokens, "access_token"));
    assert_eq!((text(&claims, "sub"), text(&claims, "client_id")), ("machine", "machine"));

    let change =
        ClientChange { scope: Some("orders:write".parse().unwrap()), ..ClientChange::default() };
    server.admin().update_client(&"machine".parse().unwrap(), change).await.unwrap();
    server.follow().await;
    let (status, refusal) = for_key(&server, &key).await;
    assert_eq!((status.as_u16(), text(&refusal, "error")), (400, "invalid_scope"));
}

async fn a_key_gives_what_it_has_and_what_the_api_is(server: Server) {
    ready(&server).await;
    let key = key_of_ada(&server).await.expose();
    let subject = (API_KEY, key.as_str());
    let (_, tokens) = exchange(&server, &server.api, subject, &[]).await;
    assert_eq!(payload(text(&tokens, "access_token"))["aud"], API, "the only one that it is");

    for (more, error) in [
        (("scope", "orders:write"), "invalid_scope"),
        (("scope", "openid"), "invalid_scope"),
        (("resource", "https://no.test/"), "invalid_target"),
        (("audience", "https://no.test/"), "invalid_target"),
        (
            ("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token"),
            "invalid_request",
        ),
        (("client_address", "nowhere"), "invalid_request"),
    ] {
        let (status, refusal) = exchange(&server, &server.api, subject, &[more]).await;
        assert_eq!((status.as_u16(), text(&refusal, "error")), (400, error), "{more:?}");
    }
}

async fn a_rotated_key_stays_valid_for_its_overlap_alone(server: Server) {
    ready(&server).await;
    let before = key_of_ada(&server).await;
    let (_, after) = server.admin().rotate_api_key(before.id(), 60).await.unwrap();
    for key in [&before, &after] {
        assert_eq!(for_key(&server, key).await.0, 200);
    }
    server.wait(60).await;
    assert_eq!(for_key(&server, &before).await.0, 400);
    assert_eq!(for_key(&server, &after).await.0, 200);
    let (_, last) = server.admin().rotate_api_key(before.id(), 0).await.unwrap();
    assert_eq!(for_key(&server, &after).await.0, 400);
    assert_eq!(for_key(&server, &last).await.0, 200);
}

async fn a_key_that_is_revoked_takes_its_tokens_along(server: Server) {
    ready(&server).await;
    let key = key_of_ada(&server).await;
    let (_, tokens) = for_key(&server, &key).await;
    let token = text(&tokens, "access_token");
    server.admin().revoke_api_key(key.id()).await.unwrap();
    server.follow().await;
    assert_eq!(server.introspect(&server.api, token).await, json!({ "active": false }));
    let status = &payload(token)["status"]["status_list"];
    let places = server.app.store.revoked_places(server.app.clock.now()).await.unwrap();
    assert!(places.iter().any(|places| json!(places.first.index()) == status["idx"]));
    let (status, refusal) = for_key(&server, &key).await;
    assert_eq!((status.as_u16(), text(&refusal, "error")), (400, "invalid_request"));
}

async fn a_key_is_used_from_where_it_may_be_used(server: Server) {
    ready(&server).await;
    with_exchange(&server, "machine").await;
    let mut new = new_key(KeyOwner::Person(server.ada.id));
    new.addresses = vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
    let (_, key) = server.admin().create_api_key(new).await.unwrap();
    let key = key.expose();
    let from = async |client, address: Option<&'static str>| {
        let address = address.map(|address| ("client_address", address));
        let more: Vec<_> = [("resource", API)].into_iter().chain(address).collect();
        exchange(&server, client, (API_KEY, &key), &more).await.0.as_u16()
    };
    for address in ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1"] {
        assert_eq!(from(&server.api, Some(address)).await, 200, "{address}");
    }
    for address in [Some("192.0.3.1"), Some("::1"), None] {
        assert_eq!(from(&server.api, address).await, 400, "{address:?}");
    }
    assert_eq!(from(&server.machine, Some("192.0.2.7")).await, 400, "it is not the API");
}

async fn a_key_that_is_looked_up_is_used_from_where_it_may_be_used(server: Server) {
    let mut new = new_key(KeyOwner::Person(server.ada.id));
    new.addresses = vec!["192.0.2.0/24".parse().unwrap()];
    let key = server.admin().create_api_key(new).await.unwrap().1.expose();
    for (address, active) in [(Some("192.0.2.7"), true), (Some("192.0.3.1"), false), (None, false)]
    {
        let address = address.map(|address| ("client_address", address));
        let form: Vec<_> = [("token", key.as_str())].into_iter().chain(address).collect();
        let (_, answer) = server.post("/introspect", Some(&server.api), &form).await;
        assert_eq!(answer["active"], active, "{address:?}");
    }
}

/// An exchanged token is found where the key or the token is that it came of, and its client may be a
/// stranger to both.
async fn who_ends_an_exchanged_token_ends_no_other(server: Server) {
    ready(&server).await;
    let guard = server.guard().await;
    let token = |(_, tokens): (StatusCode, Value)| text(&tokens, "access_token").to_owned();
    let revoke = async |token: &str| {
        let form = [("token", token)];
        assert_eq!(server.post("/revoke", Some(&server.api), &form).await.0, StatusCode::OK);
        server.wait(5).await;
        assert_eq!(server.introspect(&server.api, token).await, json!({ "active": false }));
    };

    let key = key_of_ada(&server).await;
    let (one, other) = (token(for_key(&server, &key).await), token(for_key(&server, &key).await));
    revoke(&one).await;
    guard.verify_token(&other).await.unwrap();
    guard.verify_token(&token(for_key(&server, &key).await)).await.unwrap();

    let before = token_of_ada(&server).await;
    let subject = (ACCESS_TOKEN, before.as_str());
    let derived = exchange(&server, &server.api, subject, &[("resource", API)]).await;
    revoke(&token(derived)).await;
    guard.verify_token(&before).await.unwrap();
    assert_eq!(server.introspect(&server.web, &before).await["active"], true);
}

async fn a_key_is_used_as_often_as_it_allows(server: Server) {
    ready(&server).await;
    let mut new = new_key(KeyOwner::Person(server.ada.id));
    new.rate_limit = Some(2);
    let (_, key) = server.admin().create_api_key(new).await.unwrap();
    let second = server.app.clock.now().0 % 60;
    server.wait(60 - second).await;
    for status in [200, 200, 429, 429] {
        assert_eq!(for_key(&server, &key).await.0, status);
    }
    server.wait(60).await;
    assert_eq!(for_key(&server, &key).await.0, 200);
}

async fn an_api_may_look_a_key_up_instead(server: Server) {
    let key = key_of_ada(&server).await;
    let answer = server.introspect(&server.api, &key.expose()).await;
    assert_eq!((&answer["active"], text(&answer, "scope")), (&json!(true), "orders:read"));
    assert_eq!(text(&answer, "sub"), server.ada.id.to_string());
    assert_eq!(server.introspect(&server.other, &key.expose()).await, json!({ "active": false }));
    server.admin().revoke_api_key(key.id()).await.unwrap();
    assert_eq!(server.introspect(&server.api, &key.expose()).await, json!({ "active": false }));
}

async fn a_client_revokes_its_own_keys_and_no_others(server: Server) {
    ready(&server).await;
    let ada = key_of_ada(&server).await;
    let new = new_key(KeyOwner::Client("machine".parse().unwrap()));
    let (_, own) = server.admin().create_api_key(new).await.unwrap();
    let revoke = async |key: &ApiKey| {
        server.post("/revoke", Some(&server.machine), &[("token", &key.expose())]).await.0.as_u16()
    };
    assert_eq!((revoke(&own).await, revoke(&ada).await), (200, 400));
    assert_eq!(
        (for_key(&server, &own).await.0.as_u16(), for_key(&server, &ada).await.0.as_u16()),
        (400, 200)
    );
    assert_eq!(revoke(&own).await, 200);
}

async fn whoever_finds_a_key_ends_it(server: Server) {
    ready(&server).await;
    let key = key_of_ada(&server).await;
    let stranger = ApiKey::new(key.id(), [7; 32]).expose();
    let report = json!([
        { "token": key.expose(), "type": "signet_api_key", "url": "https://git.test/x", "source": "commit" },
        { "token": stranger, "type": "signet_api_key" },
        { "token": "sgk_nonsense" },
    ]);
    let response = server.to("/api-keys/leaked").json(&report).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let verdicts: Value = response.json().await.unwrap();
    let labels: Vec<_> = verdicts.as_array().unwrap().iter().map(|v| text(v, "label")).collect();
    assert_eq!(labels, ["true_positive", "false_positive", "false_positive"]);
    assert_eq!(verdicts[0]["token_type"], "signet_api_key");
    assert_eq!(for_key(&server, &key).await.0, 400);

    let again = server.to("/api-keys/leaked").json(&report).send().await.unwrap();
    assert_eq!(again.json::<Value>().await.unwrap()[0]["label"], "true_positive");
}

async fn an_agent_acts_for_a_person_and_says_so(server: Server) {
    ready(&server).await;
    let token = token_of_ada(&server).await;
    let more = [("resource", API), ("scope", "orders:read")];
    let (status, tokens) = exchange(&server, &server.api, (ACCESS_TOKEN, &token), &more).await;
    assert_eq!(status, 200, "{tokens}");
    let acting = text(&tokens, "access_token");
    let claims = payload(acting);
    assert_eq!(claims["act"], json!({ "sub": "api", "client_id": "api" }));
    assert_eq!(text(&claims, "sub"), server.ada.id.to_string());
    assert_eq!((text(&claims, "client_id"), text(&claims, "scope")), ("api", "orders:read"));
    let answer = server.introspect(&server.api, acting).await;
    assert_eq!(answer["act"]["sub"], "api");
}

async fn agents_act_one_for_another_up_to_a_depth(server: Server) {
    ready(&server).await;
    let mut token = token_of_ada(&server).await;
    for depth in 1..=5 {
        let (status, answer) = exchange(
            &server,
            &server.api,
            (ACCESS_TOKEN, &token),
            &[
                ("actor_token", &own(&server).await),
                ("actor_token_type", ACCESS_TOKEN),
                ("resource", API),
            ],
        )
        .await;
        if depth == 5 {
            assert_eq!((status.as_u16(), text(&answer, "error")), (400, "invalid_request"));
            return;
        }
        assert_eq!(status, 200, "{answer}");
        text(&answer, "access_token").clone_into(&mut token);
        let mut act = &payload(&token)["act"];
        for _ in 1..depth {
            act = &act["act"];
        }
        assert_eq!((&act["sub"], act.get("act")), (&json!("api"), None));
    }
}

/// A token of the API's own client.
async fn own(server: &Server) -> String {
    let change =
        ClientChange { scope: Some("orders:read".parse().unwrap()), ..ClientChange::default() };
    server.admin().update_client(&"api".parse().unwrap(), change).await.unwrap();
    server.follow().await;
    let form = [("grant_type", "client_credentials")];
    let (status, tokens) = server.post("/token", Some(&server.api), &form).await;
    assert_eq!(status, 200, "{tokens}");
    text(&tokens, "access_token").to_owned()
}

async fn a_client_narrows_its_own_token_without_acting_for_anybody(server: Server) {
    with_exchange(&server, "machine").await;
    let form = [("grant_type", "client_credentials")];
    let (_, tokens) = server.post("/token", Some(&server.machine), &form).await;
    let token = text(&tokens, "access_token");
    let more = [("resource", API), ("scope", "orders:read")];
    let (status, narrowed) = exchange(&server, &server.machine, (ACCESS_TOKEN, token), &more).await;
    assert_eq!(status, 200, "{narrowed}");
    let claims = payload(text(&narrowed, "access_token"));
    assert_eq!((text(&claims, "sub"), text(&claims, "scope")), ("machine", "orders:read"));
    assert!(claims.get("act").is_none());
}

async fn a_token_that_was_exchanged_lives_no_longer_than_the_one_before(server: Server) {
    ready(&server).await;
    let token = token_of_ada(&server).await;
    server.wait(600).await;
    let (_, tokens) =
        exchange(&server, &server.api, (ACCESS_TOKEN, &token), &[("resource", API)]).await;
    assert_eq!(tokens["expires_in"], 300);
    assert_eq!(payload(text(&tokens, "access_token"))["exp"], payload(&token)["exp"]);
}

async fn a_grant_that_is_revoked_takes_along_what_came_of_it(server: Server) {
    ready(&server).await;
    let token = token_of_ada(&server).await;
    let (_, tokens) =
        exchange(&server, &server.api, (ACCESS_TOKEN, &token), &[("resource", API)]).await;
    let acting = text(&tokens, "access_token");
    server.post("/revoke", Some(&server.web), &[("token", &token)]).await;
    assert_eq!(server.introspect(&server.api, acting).await, json!({ "active": false }));
}

/// An API of its own client, at which the API of these tests is a stranger.
pub(crate) async fn another_api(server: &Server) -> Credentials {
    let new = NewClient {
        grants: [GrantType::ClientCredentials, GrantType::TokenExchange].into(),
        ..NewClient::default()
    };
    let client = server.client("stock", new).await;
    let resource = NewResource {
        id: "https://stock.test".parse().unwrap(),
        name: None,
        scope: "stock:read".parse().unwrap(),
        client: Some("stock".parse().unwrap()),
        algorithm: None,
    };
    server.admin().create_resource(resource).await.unwrap();
    server.follow().await;
    client
}
