//! Sign-in through the browser of this computer.

use std::collections::HashMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use sha2::{Digest, Sha256};
use signet_client::{
    Error,
    login::{Prompt, SignedIn, Way},
};
use url::Url;

use crate::support::{Server, shown};

/// What the browser was sent to the server with.
struct Visit {
    url: Url,
    asks: HashMap<String, String>,
    signing_in: tokio::task::JoinHandle<Result<SignedIn, Error>>,
}

impl Visit {
    async fn begin(server: &Server) -> Self {
        let (show, told) = shown();
        let login = server.login().resource("https://api.test/");
        let signing_in = tokio::spawn(async move { login.sign_in(Way::Browser, show).await });
        let Prompt::Visit { url } = told.await.unwrap() else { panic!() };
        let url: Url = url.parse().unwrap();
        let asks = url.query_pairs().into_owned().collect();
        Self { url, asks, signing_in }
    }

    /// The browser comes back with these parameters.
    async fn comes_back(&self, parameters: &[(&str, &str)]) -> (u16, String) {
        let mut url: Url = self.asks["redirect_uri"].parse().unwrap();
        url.query_pairs_mut().extend_pairs(parameters);
        let response = reqwest::get(url).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

#[tokio::test]
async fn somebody_signs_in() {
    let server = Server::start().await;
    let visit = Visit::begin(&server).await;
    assert_eq!(visit.url.path(), "/authorize");
    let asks = |name: &str| visit.asks[name].as_str();
    assert_eq!((asks("kept"), asks("client_id"), asks("response_type")), ("yes", "cli", "code"));
    assert_eq!((asks("scope"), asks("resource")), ("openid offline_access", "https://api.test/"));
    let redirect: Url = asks("redirect_uri").parse().unwrap();
    assert_eq!((redirect.host_str(), redirect.path()), (Some("127.0.0.1"), "/callback"));

    let (state, nonce) = (asks("state"), asks("nonce"));
    let back = [("state", state), ("code", nonce), ("iss", server.issuer.as_str())];
    let (status, page) = visit.comes_back(&back).await;
    assert_eq!(status, 200);
    assert!(page.contains("You are signed in") && page.contains("close this window"), "{page}");
    let challenge = asks("code_challenge").to_owned();
    let signed_in = visit.signing_in.await.unwrap().unwrap();
    assert_eq!(signed_in.person().unwrap().subject, "ada-1");

    let asked = &server.asked()[0];
    assert_eq!((&*asked["grant_type"], &*asked["client_id"]), ("authorization_code", "cli"));
    assert_eq!(asked["redirect_uri"], redirect.as_str());
    assert_eq!(BASE64.encode(Sha256::digest(&asked["code_verifier"])), challenge);
}

/// Any page and any program of this computer can send something to the port.
#[tokio::test]
async fn what_is_not_the_answer_does_not_end_the_wait() {
    let server = Server::start().await;
    let visit = Visit::begin(&server).await;
    let iss = server.issuer.as_str();
    let forged = [("state", "guessed"), ("code", "stolen"), ("iss", iss)];
    assert_eq!(visit.comes_back(&forged).await.0, 400);
    assert_eq!(visit.comes_back(&[("code", "stolen")]).await.0, 400);
    let address = visit.asks["redirect_uri"].replace("/callback", "/favicon.ico");
    assert_eq!(reqwest::get(&address).await.unwrap().status(), 404);
    // A connection that is opened ahead and not used holds nobody up.
    let host = Url::parse(&address).unwrap();
    let idle = tokio::net::TcpStream::connect(("127.0.0.1", host.port().unwrap())).await.unwrap();

    let (state, nonce) = (&*visit.asks["state"], &*visit.asks["nonce"]);
    visit.comes_back(&[("state", state), ("code", nonce), ("iss", iss)]).await;
    assert!(visit.signing_in.await.unwrap().unwrap().person().is_some());
    assert_eq!(server.count("authorization_code"), 1);
    drop(idle);
}

/// [RFC 9207 §2.4](https://www.rfc-editor.org/rfc/rfc9207#section-2.4).
#[tokio::test]
async fn an_answer_of_another_server_is_not_redeemed() {
    for iss in [Some("https://evil.test"), None] {
        let server = Server::start().await;
        let visit = Visit::begin(&server).await;
        let mut back = vec![("state", &*visit.asks["state"]), ("code", "a-code")];
        back.extend(iss.map(|iss| ("iss", iss)));
        let (_, page) = visit.comes_back(&back).await;
        assert!(page.contains("You are not signed in"), "{page}");
        let error = visit.signing_in.await.unwrap().unwrap_err();
        assert!(error.to_string().contains("another authorization server"), "{error}");
        assert!(server.asked().is_empty());
    }
}

#[tokio::test]
async fn a_server_that_names_no_issuer_in_answers_is_believed_by_its_state() {
    let server = Server::start().await;
    server.says("authorization_response_iss_parameter_supported", false);
    let visit = Visit::begin(&server).await;
    let (state, nonce) = (&*visit.asks["state"], &*visit.asks["nonce"]);
    visit.comes_back(&[("state", state), ("code", nonce)]).await;
    assert!(visit.signing_in.await.unwrap().unwrap().person().is_some());
}

#[tokio::test]
async fn whoever_says_no_is_not_signed_in() {
    let server = Server::start().await;
    let visit = Visit::begin(&server).await;
    let (state, iss) = (&*visit.asks["state"], server.issuer.as_str());
    visit.comes_back(&[("state", state), ("error", "access_denied"), ("iss", iss)]).await;
    let error = visit.signing_in.await.unwrap().unwrap_err();
    assert!(matches!(error, Error::NotLetIn { .. }), "{error}");
}

/// [RFC 9700 §2.1.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1.1).
#[tokio::test]
async fn a_server_without_pkce_is_not_used() {
    let server = Server::start().await;
    server.says("code_challenge_methods_supported", vec!["plain"]);
    let error = server.login().sign_in(Way::Browser, |_| panic!()).await.unwrap_err();
    assert!(error.to_string().contains("S256"), "{error}");
}

/// [OpenID Connect Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation).
#[tokio::test]
async fn an_id_token_that_is_for_something_else_is_not_believed() {
    for (claim, value) in [
        ("iss", "https://evil.test"),
        ("aud", "another"),
        ("azp", "another"),
        ("nonce", "of-another-sign-in"),
    ] {
        let server = Server::start().await;
        server.claims(claim, value);
        let visit = Visit::begin(&server).await;
        let (state, nonce) = (&*visit.asks["state"], &*visit.asks["nonce"]);
        let back = [("state", state), ("code", nonce), ("iss", server.issuer.as_str())];
        visit.comes_back(&back).await;
        let error = visit.signing_in.await.unwrap().unwrap_err();
        assert!(error.to_string().contains("ID token"), "{claim}: {error}");
    }
}
