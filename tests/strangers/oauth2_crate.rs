//! The crate `oauth2` as a service, and as the API that is handed its token.

use oauth2::{
    AuthUrl, ClientId, ClientSecret, DeviceAuthorizationUrl, DeviceCodeErrorResponseType,
    EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IntrospectionUrl, RefreshToken,
    RequestTokenError, RevocationUrl, Scope, StandardDeviceAuthorizationResponse,
    StandardRevocableToken, TokenIntrospectionResponse, TokenResponse, TokenUrl,
    basic::{BasicClient, BasicErrorResponseType},
    reqwest,
};

use crate::{
    browser::answer_for_a_device,
    program::{API, Program},
};

on_both_engines! {
    the_crate_oauth2_gets_introspects_and_revokes_a_token
    the_crate_oauth2_understands_a_refusal
    the_crate_oauth2_waits_until_its_device_is_let_in_or_kept_out
}

type Service = BasicClient<EndpointSet, EndpointNotSet, EndpointSet, EndpointSet, EndpointSet>;

async fn the_crate_oauth2_gets_introspects_and_revokes_a_token(program: Program) {
    let service = service(&program, &program.machine_secret);
    let scope = Scope::new("orders:read".to_owned());
    let request = service.exchange_client_credentials().add_scope(scope);
    let tokens = request.request_async(&behind_tls).await.unwrap();
    assert_eq!(tokens.expires_in().unwrap().as_secs(), 900);
    assert!(tokens.refresh_token().is_none());

    let token = tokens.access_token();
    let answer = service.introspect(token).request_async(&behind_tls).await.unwrap();
    assert!(answer.active());
    assert_eq!(answer.client_id().unwrap().as_str(), "machine");
    assert_eq!(answer.aud().unwrap(), &[API.to_owned()]);

    let revoked = StandardRevocableToken::from(token);
    service.revoke_token(revoked).unwrap().request_async(&behind_tls).await.unwrap();
    let answer = service.introspect(token).request_async(&behind_tls).await.unwrap();
    assert!(!answer.active());
}

async fn the_crate_oauth2_understands_a_refusal(program: Program) {
    let wrong = service(&program, "wrong");
    let refused = wrong.exchange_client_credentials().request_async(&behind_tls).await;
    let Err(RequestTokenError::ServerResponse(refusal)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(refusal.error(), &BasicErrorResponseType::InvalidClient);
    assert!(refusal.error_description().is_some());
}

/// [RFC 8628](https://www.rfc-editor.org/rfc/rfc8628).
async fn the_crate_oauth2_waits_until_its_device_is_let_in_or_kept_out(program: Program) {
    let tv =
        ["client", "create", "--client-id", "tv", "--public", "--scope", "openid offline_access"];
    let device_grant = "urn:ietf:params:oauth:grant-type:device_code";
    let grants = ["--grant", device_grant, "--grant", "refresh_token"];
    program.run(&[&tv[..], &grants].concat(), "");
    let at = |path| format!("{}{path}", program.issuer);
    let url = DeviceAuthorizationUrl::new(at("/device_authorization")).unwrap();
    let tv = BasicClient::new(ClientId::new("tv".to_owned()))
        .set_token_uri(TokenUrl::new(at("/token")).unwrap())
        .set_device_authorization_url(url);

    for action in ["allow", "deny"] {
        let asked = tv.exchange_device_code().add_scope(Scope::new("openid".to_owned()));
        let asked = asked.add_scope(Scope::new("offline_access".to_owned()));
        let codes: StandardDeviceAuthorizationResponse =
            asked.request_async(&behind_tls).await.unwrap();
        let address = codes.verification_uri_complete().unwrap().secret();

        // While it waits, its person answers.
        let wait = |interval: std::time::Duration| {
            assert_eq!(interval.as_secs(), 5);
            answer_for_a_device(address.parse().unwrap(), action)
        };
        let polls = tv.exchange_device_access_token(&codes);
        match polls.request_async(&behind_tls, wait, None).await {
            Ok(tokens) => {
                assert_eq!(action, "allow");
                let token = RefreshToken::new(tokens.refresh_token().unwrap().secret().clone());
                let refreshed = tv.exchange_refresh_token(&token).request_async(&behind_tls).await;
                assert!(refreshed.unwrap().refresh_token().is_some());
            }
            Err(RequestTokenError::ServerResponse(refusal)) => {
                assert_eq!(action, "deny");
                assert_eq!(refusal.error(), &DeviceCodeErrorResponseType::AccessDenied);
            }
            Err(other) => panic!("{other:?}"),
        }
    }
}

fn service(program: &Program, secret: &str) -> Service {
    // The crate revokes over https alone, so that all of it goes through what ends TLS.
    let at = |path| format!("{}{path}", program.issuer.replace("http://", "https://"));
    BasicClient::new(ClientId::new("machine".to_owned()))
        .set_client_secret(ClientSecret::new(secret.to_owned()))
        .set_auth_uri(AuthUrl::new(at("/authorize")).unwrap())
        .set_token_uri(TokenUrl::new(at("/token")).unwrap())
        .set_introspection_url(IntrospectionUrl::new(at("/introspect")).unwrap())
        .set_revocation_url(RevocationUrl::new(at("/revoke")).unwrap())
}

/// What ends TLS in front of the server: it hands on an https request over http.
async fn behind_tls(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let url = request.uri().to_string().replace("https://", "http://");
    let handed_on = http.build()?.request(request.method().clone(), url);
    let handed_on = handed_on.headers(request.headers().clone()).body(request.into_body());
    let response = handed_on.send().await?;

    let mut answer = HttpResponse::new(Vec::new());
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    *answer.body_mut() = response.bytes().await?.to_vec();
    Ok(answer)
}
