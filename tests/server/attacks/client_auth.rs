//! A client is who it proves to be, in the way that it registered.

use reqwest::StatusCode;
use serde_json::json;
use signet::{
    flows::admin::{AuthMethod, ClientChange, NewClient},
    model::GrantType,
};

use super::refused;
use crate::support::{Credentials, Server, Signer, payload, request_with, text, with_people};

on_both_engines! {
    an_unknown_client_is_told_nothing_more
    two_ways_of_authentication_at_once_are_refused
    a_client_authenticates_in_its_registered_way_alone
    a_confidential_client_is_nobody_without_its_secret
    sloppy_basic_credentials_are_refused
    a_name_beside_another_is_refused
    a_grant_that_is_not_registered_is_refused
    a_public_client_has_no_rights_of_its_own
    a_clients_own_token_speaks_of_no_person
    a_client_cannot_be_called_like_a_person
    an_old_secret_dies_when_its_time_is_over
}

const OWN: [(&str, &str); 1] = [("grant_type", "client_credentials")];

fn machine(auth_method: AuthMethod) -> NewClient {
    NewClient {
        grants: [GrantType::ClientCredentials].into(),
        auth_method: Some(auth_method),
        ..NewClient::default()
    }
}

/// [RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2).
async fn an_unknown_client_is_told_nothing_more(server: Server) {
    let post = server.client("post", machine(AuthMethod::SecretPost)).await;
    let answer = async |id: &str, secret: &str, basic: bool| {
        let request = server.to("/token");
        let request = if basic {
            request.basic_auth(id, Some(secret)).form(&OWN)
        } else {
            request.form(&[OWN[0], ("client_id", id), ("client_secret", secret)])
        };
        let response = request.send().await.unwrap();
        let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
        assert!(challenge.starts_with("Basic "), "{challenge}");
        (response.status(), challenge, response.text().await.unwrap())
    };
    let (id, secret) = &server.machine;
    for (id, secret, basic) in [(id, secret, true), (&post.0, &post.1, false)] {
        let unknown = answer("nobody", "x", basic).await;
        assert_eq!(unknown.0, 401);
        assert!(unknown.2.contains("\"invalid_client\""), "{}", unknown.2);
        for wrong in
            ["x", &secret[..secret.len() - 1], &format!("{secret}A"), &secret.to_lowercase()]
        {
            assert_eq!(answer(id, wrong, basic).await, unknown, "{id} {wrong}");
        }
    }
    let (id, secret) = &post;
    let right = [OWN[0], ("client_id", id), ("client_secret", secret)];
    assert_eq!(server.post("/token", None, &right).await.0, 200);
}

/// [RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3).
async fn two_ways_of_authentication_at_once_are_refused(server: Server) {
    let (id, secret) = &server.machine;
    for extra in [
        &[("client_secret", secret.as_str())][..],
        &[("client_secret", "x")],
        &[("client_assertion", "a.b.c"), ("client_assertion_type", "x")],
    ] {
        let form = [&OWN[..], extra].concat();
        refused(&server.post("/token", Some(&server.machine), &form).await, 400, "invalid_request");
    }
    let both =
        [OWN[0], ("client_secret", secret), ("client_assertion", "a.b.c"), ("client_id", id)];
    refused(&server.post("/token", None, &both).await, 400, "invalid_request");
    // RFC 9110 §5.3: one header of this name; which of two would count, another reader may see otherwise.
    let (other, others) = &server.api;
    for [first, second] in [[(id, secret), (other, others)], [(other, others), (id, secret)]] {
        let request = server.to("/token").basic_auth(first.0, Some(first.1)).form(&OWN);
        let request = request.basic_auth(second.0, Some(second.1));
        assert_eq!(request.send().await.unwrap().status(), 401);
    }
    assert_eq!(server.post("/token", Some(&server.machine), &OWN).await.0, 200);
}

/// [OpenID Connect Core §9](https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication).
async fn a_client_authenticates_in_its_registered_way_alone(server: Server) {
    let post = server.client("post", machine(AuthMethod::SecretPost)).await;
    let by_post = async |(id, secret): &Credentials| {
        let form = [OWN[0], ("client_id", id), ("client_secret", secret)];
        server.post("/token", None, &form).await
    };
    refused(&server.post("/token", Some(&post), &OWN).await, 401, "invalid_client");
    assert_eq!(by_post(&post).await.0, 200);
    refused(&by_post(&server.machine).await, 401, "invalid_client");

    // Who has come to sign does not come back with the old secret.
    let keys = Some(signet::flows::admin::public_keys(&Signer::new().set()).unwrap());
    let auth_method = Some(AuthMethod::PrivateKeyJwt);
    let change = ClientChange { keys, auth_method, ..ClientChange::default() };
    server.admin().update_client(&"post".parse().unwrap(), change).await.unwrap();
    server.follow().await;
    refused(&by_post(&post).await, 401, "invalid_client");
    refused(&server.post("/token", Some(&post), &OWN).await, 401, "invalid_client");
}

/// [RFC 6749 §3.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.2.1).
async fn a_confidential_client_is_nobody_without_its_secret(server: Server) {
    let tokens = server.tokens(&server.browser()).await;
    let token = text(&tokens, "refresh_token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", token), ("token", token)];
    for extra in [&[("client_id", "web")][..], &[("client_id", "web"), ("client_secret", "")], &[]]
    {
        for path in ["/token", "/revoke", "/introspect"] {
            let form = [&form[..], extra].concat();
            refused(&server.post(path, None, &form).await, 401, "invalid_client");
        }
    }
    let empty = ("web".to_owned(), String::new());
    refused(&server.post("/token", Some(&empty), &form).await, 401, "invalid_client");
    assert_eq!(server.refresh(token).await.0, 200);
}

/// [RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1).
async fn sloppy_basic_credentials_are_refused(server: Server) {
    use base64::{Engine, prelude::BASE64_STANDARD};

    let (id, secret) = &server.machine;
    let send = async |header: &[u8]| {
        let header = reqwest::header::HeaderValue::from_bytes(header).unwrap();
        let request = server.to("/token").header("authorization", header).form(&OWN);
        request.send().await.unwrap().status()
    };
    let basic = |text: &str| format!("Basic {}", BASE64_STANDARD.encode(text));
    let right = basic(&format!("{id}:{secret}"));
    let encoded = secret.replace('_', "%5F").replace('s', "%73");
    for header in
        [right.clone(), basic(&format!("{id}:{encoded}")), right.replace("Basic", "bAsIc")]
    {
        assert_eq!(send(header.as_bytes()).await, 200, "{header}");
    }
    let text = right.strip_prefix("Basic ").unwrap();
    for header in [
        basic(&format!("{id}{secret}")),
        basic(&format!("{id}:{secret}%")),
        basic(&format!("{id}:{secret}%zz")),
        basic(&format!("{id}:{secret}\n")),
        basic(&format!("{id}:\0{secret}")),
        basic(&format!(" {id}:{secret}")),
        basic(&format!("{id}:{secret} ")),
        basic(":"),
        format!("Basic  {text}"),
        format!("Basic {text} {text}"),
        format!("Basic {}", text.trim_end_matches('=').to_owned() + "===="),
        format!("Bearer {text}"),
        text.to_owned(),
        "Basic".to_owned(),
        "Basic \u{fc}".to_owned(),
    ] {
        assert_eq!(send(header.as_bytes()).await, 401, "{header}");
    }
}

/// [RFC 7521 §4.2](https://www.rfc-editor.org/rfc/rfc7521#section-4.2).
async fn a_name_beside_another_is_refused(server: Server) {
    for (name, status) in [("machine", 200), ("api", 400), ("MACHINE", 400), ("nobody", 400)] {
        let form = [OWN[0], ("client_id", name)];
        let answer = server.post("/token", Some(&server.machine), &form).await;
        assert_eq!(answer.0, status, "{name}");
    }
}

/// [RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2),
/// [RFC 9700 §2.4](https://www.rfc-editor.org/rfc/rfc9700#section-2.4).
async fn a_grant_that_is_not_registered_is_refused(server: Server) {
    for grant in ["authorization_code", "refresh_token"] {
        let form = [("grant_type", grant), ("code", "x"), ("refresh_token", "x")];
        let answer = server.post("/token", Some(&server.machine), &form).await;
        refused(&answer, 400, "unauthorized_client");
    }
    refused(&server.post("/token", Some(&server.web), &OWN).await, 400, "unauthorized_client");
    for grant in ["password", "implicit", "urn:ietf:params:oauth:grant-type:jwt-bearer", "x"] {
        let form = [("grant_type", grant), ("username", "ada"), ("password", "x")];
        let answer = server.post("/token", Some(&server.web), &form).await;
        refused(&answer, 400, "unsupported_grant_type");
    }
    let metadata = server.http.get(server.url("/.well-known/oauth-authorization-server"));
    let metadata: serde_json::Value = metadata.send().await.unwrap().json().await.unwrap();
    let grants = GrantType::ALL.map(GrantType::as_str);
    assert_eq!(metadata["grant_types_supported"], json!(grants));
}

/// [RFC 6749 §4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4).
async fn a_public_client_has_no_rights_of_its_own(server: Server) {
    let form = [OWN[0], ("client_id", "spa")];
    refused(&server.post("/token", None, &form).await, 400, "unauthorized_client");
    let grants = [GrantType::ClientCredentials].into();
    let new = NewClient { public: true, grants, ..NewClient::default() };
    assert!(server.admin().create_client(new).await.is_err());
}

/// [RFC 6749 §4.4.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.4.3).
async fn a_clients_own_token_speaks_of_no_person(server: Server) {
    let both = NewClient {
        grants: [GrantType::AuthorizationCode, GrantType::ClientCredentials].into(),
        ..with_people()
    };
    let both = server.client("both", both).await;
    let form = [OWN[0], ("scope", "openid profile offline_access")];
    refused(&server.post("/token", Some(&both), &form).await, 400, "invalid_scope");
    let form = [OWN[0], ("scope", "openid offline_access orders:read")];
    let (status, tokens) = server.post("/token", Some(&both), &form).await;
    assert_eq!(status, StatusCode::OK, "{tokens}");
    assert_eq!(tokens["scope"], "orders:read");
    assert!(tokens.get("id_token").is_none() && tokens.get("refresh_token").is_none());
    assert_eq!(payload(text(&tokens, "access_token"))["sub"], "both");
    let answer = server.userinfo(text(&tokens, "access_token")).await;
    assert_eq!(answer.status(), 401, "it is meant for the API");
}

/// [RFC 9700 §4.15.1](https://www.rfc-editor.org/rfc/rfc9700#section-4.15.1).
async fn a_client_cannot_be_called_like_a_person(server: Server) {
    let person = server.ada.id.to_string();
    for id in [person.clone(), person.to_uppercase(), person.replace('-', "")] {
        let id = Some(id.parse().unwrap());
        let new = NewClient { id, ..machine(AuthMethod::SecretBasic) };
        assert!(server.admin().create_client(new).await.is_err());
    }
    let answer = server.browser().get("/authorize", &request_with("client_id", &person)).await;
    super::stays(&answer);
}

/// [RFC 6819 §5.2.3.6](https://www.rfc-editor.org/rfc/rfc6819#section-5.2.3.6).
async fn an_old_secret_dies_when_its_time_is_over(server: Server) {
    let (id, node) = ("machine".parse().unwrap(), server.node().await);
    let old = server.machine.clone();
    assert_eq!(node.post("/token", Some(&old), &OWN).await.0, 200);
    let (_, secret) = server.admin().rotate_client_secret(&id, 60).await.unwrap();
    let new = (old.0.clone(), secret.expose().to_owned());
    for (seconds, status) in [(0, 200), (59, 200), (1, 401)] {
        server.wait(seconds).await;
        node.follow().await;
        for server in [&server, &node] {
            assert_eq!(server.post("/token", Some(&old), &OWN).await.0, status);
            assert_eq!(server.post("/token", Some(&new), &OWN).await.0, 200);
        }
    }
    server.admin().rotate_client_secret(&id, 0).await.unwrap();
    for server in [&server, &node] {
        server.follow().await;
        refused(&server.post("/token", Some(&new), &OWN).await, 401, "invalid_client");
    }
}
