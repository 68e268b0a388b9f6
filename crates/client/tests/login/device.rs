//! Sign-in on another screen ([RFC 8628](https://www.rfc-editor.org/rfc/rfc8628)).

use axum::http::StatusCode;
use signet_client::{
    Error,
    login::{Prompt, SignedIn, Way},
};

use crate::support::{Server, shown};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn signs_in(server: &Server) -> Result<SignedIn, Error> {
    server.login().sign_in(Way::Device, |_| {}).await
}

/// The next polls are answered so.
fn polls(server: &Server, errors: &[&str]) {
    // The first form is the one that begins.
    server.answers(axum::Json(serde_json::json!({
        "device_code": "device-1", "user_code": "BC\u{1b}DF", "expires_in": 600, "interval": 5,
        "verification_uri": "https://id.test/device",
    })));
    for error in errors {
        server.refuses(error);
    }
}

#[tokio::test]
async fn a_code_is_shown_and_asked_about_until_it_was_entered() {
    let server = Server::start().await;
    let (show, told) = shown();
    let signed_in = server.login().resource("urn:api").sign_in(Way::Device, show).await.unwrap();
    assert_eq!(signed_in.person().unwrap().name.as_deref(), Some("Ada"));
    let Prompt::Enter { code, url, url_with_code } = told.await.unwrap() else { panic!() };
    assert_eq!((code.as_str(), url), ("BCDF-GHJK", format!("{}/device", server.issuer)));
    assert!(url_with_code.unwrap().ends_with("?user_code=BCDF-GHJK"));
    let asked = server.asked();
    assert_eq!((&*asked[0]["client_id"], &*asked[0]["resource"]), ("cli", "urn:api"));
    assert_eq!((&*asked[1]["device_code"], &*asked[1]["grant_type"]), ("device-1", GRANT));
}

/// [OpenID Connect Core §5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse).
#[tokio::test]
async fn a_name_is_asked_for_and_believed_of_the_same_person() {
    for (told, name) in
        [(Some(("ada-1", "Ada L.")), Some("Ada L.")), (Some(("eve-1", "Eve")), None), (None, None)]
    {
        let server = Server::start().await;
        server.claims("name", serde_json::Value::Null);
        if let Some((sub, name)) = told {
            server.says("userinfo", serde_json::json!({"sub": sub, "name": name}));
        }
        let signed_in = signs_in(&server).await.unwrap();
        assert_eq!(signed_in.person().unwrap().name.as_deref(), name);
    }
}

/// §3.5: five seconds, then ten, then fifteen.
#[tokio::test]
async fn a_hasty_client_slows_down() {
    let server = Server::start().await;
    polls(&server, &["authorization_pending", "slow_down", "authorization_pending", "slow_down"]);
    assert!(signs_in(&server).await.unwrap().person().is_some());
    assert_eq!(server.clock.seconds(), 5 + 5 + 10 + 10 + 15);
    assert_eq!(server.count(GRANT), 5);
}

#[tokio::test]
async fn an_outage_does_not_end_a_sign_in() {
    let server = Server::start().await;
    polls(&server, &[]);
    server.answers(StatusCode::BAD_GATEWAY);
    server.answers((StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "90")]));
    assert!(signs_in(&server).await.unwrap().person().is_some());
    assert_eq!(server.clock.seconds(), 5 + 10 + 90);
}

#[tokio::test]
async fn whoever_says_no_or_nothing_is_not_signed_in() {
    for (error, reason) in [("access_denied", "not allowed"), ("expired_token", "not used in time")]
    {
        let server = Server::start().await;
        polls(&server, &["authorization_pending", error]);
        let error = signs_in(&server).await.unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
    }
    let server = Server::start().await;
    polls(&server, &["authorization_pending"; 200]);
    let error = signs_in(&server).await.unwrap_err();
    assert!(error.to_string().contains("not used in time"), "{error}");
    assert_eq!(server.clock.seconds(), 600);
}

#[tokio::test]
async fn a_code_cannot_write_on_the_terminal() {
    let server = Server::start().await;
    polls(&server, &[]);
    let (show, told) = shown();
    assert!(server.login().sign_in(Way::Device, show).await.unwrap().person().is_some());
    let Prompt::Enter { code, .. } = told.await.unwrap() else { panic!() };
    assert_eq!(code, "BC DF");
}

#[tokio::test]
async fn a_server_without_the_grant_says_so() {
    let server = Server::start().await;
    server.says("device_authorization_endpoint", serde_json::Value::Null);
    let error = signs_in(&server).await.unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
    assert!(server.asked().is_empty());
}
