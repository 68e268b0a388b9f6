//! The crate `oauth2` as a service, and as the API that is handed its token.

use oauth2::{
    AuthUrl, ClientId, ClientSecret, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    IntrospectionUrl, RequestTokenError, RevocationUrl, Scope, StandardRevocableToken,
    TokenIntrospectionResponse, TokenResponse, TokenUrl,
    basic::{BasicClient, BasicErrorResponseType},
    reqwest,
};

use crate::program::{API, Program};

on_both_engines! {
    the_crate_oauth2_gets_introspects_and_revokes_a_token
    the_crate_oauth2_understands_a_refusal
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
