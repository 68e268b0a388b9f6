//! A client that proves to hold a key, and whoever pretends to.

use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use signet_jwt::{ProofOf, PublicKey};

use super::{Credentials, Server, Signer, code_form, text};

/// A key, and the server whose endpoints its holder calls.
pub(crate) struct Prover<'a> {
    server: &'a Server,
    pub(crate) key: Signer,
    count: AtomicU64,
}

impl<'a> Prover<'a> {
    pub(crate) fn new(server: &'a Server) -> Self {
        Self { server, key: Signer::new(), count: AtomicU64::new(0) }
    }

    /// What tokens are bound to.
    pub(crate) fn jkt(&self) -> String {
        PublicKey::from_jwk(&self.key.jwk).unwrap().thumbprint().to_string()
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.jwk })
    }

    /// The claims of a proof for this request, with a name of its own.
    pub(crate) fn claims(&self, method: &str, path: &str, token: Option<&str>) -> Value {
        let jti = format!("proof {}", self.count.fetch_add(1, Ordering::Relaxed));
        let (htu, now) = (format!("{}{path}", self.server.issuer), self.server.app.clock.now());
        let mut claims = json!({ "jti": jti, "htm": method, "htu": htu, "iat": now });
        if let Some(token) = token {
            claims["ath"] = json!(super::challenge_of(token));
        }
        claims
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        self.key.sign_as(&self.header(), claims)
    }

    /// A proof for the token endpoint.
    pub(crate) fn proof(&self) -> String {
        self.proof_with(|_| {})
    }

    /// A proof for the token endpoint with other claims.
    pub(crate) fn proof_with(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.claims("POST", "/token", None);
        change(&mut claims);
        self.sign(&claims)
    }

    /// A proof for userinfo beside this token.
    pub(crate) fn proof_for(&self, method: &str, token: &str) -> String {
        self.sign(&self.claims(method, "/userinfo", Some(token)))
    }

    /// Ask for a token of the client `machine`.
    pub(crate) async fn asks(&self) -> (StatusCode, Value) {
        self.server.machine_with(&[&self.proof()]).await
    }

    /// The tokens of ada, who has just signed in to the public client.
    pub(crate) async fn tokens(&self) -> Value {
        let request = super::request_with("client_id", "spa");
        let code = self.server.browser().code(&request).await;
        let (status, tokens) = self.server.redeem_with(&code, &[&self.proof()]).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }

    /// Refresh as the public client.
    pub(crate) async fn refresh(&self, token: &str) -> (StatusCode, Value) {
        self.server.refresh_with(token, &[&self.proof()]).await
    }

    /// Ask userinfo, as it should be asked.
    pub(crate) async fn userinfo(&self, token: &str) -> Response {
        let request = self.server.http.get(self.server.url("/userinfo"));
        presenting(request, token, &[&self.proof_for("GET", token)]).send().await.unwrap()
    }
}

/// A request with a bound token and these proofs.
pub(crate) fn presenting(request: RequestBuilder, token: &str, proofs: &[&str]) -> RequestBuilder {
    let request = request.header("authorization", format!("DPoP {token}"));
    proofs.iter().fold(request, |request, proof| request.header("dpop", *proof))
}

impl Server {
    /// Post a form to the token endpoint with these proofs.
    pub(crate) async fn token_with(
        &self,
        client: Option<&Credentials>,
        form: &[(&str, &str)],
        proofs: &[&str],
    ) -> (StatusCode, Value) {
        let mut request = self.to("/token").form(form);
        if let Some((id, secret)) = client {
            request = request.basic_auth(id, Some(secret));
        }
        let request = proofs.iter().fold(request, |request, proof| request.header("dpop", *proof));
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// Ask for a token of the client `machine` with these proofs.
    pub(crate) async fn machine_with(&self, proofs: &[&str]) -> (StatusCode, Value) {
        let form = [("grant_type", "client_credentials")];
        self.token_with(Some(&self.machine), &form, proofs).await
    }

    /// Redeem a code of the public client with these proofs.
    pub(crate) async fn redeem_with(&self, code: &str, proofs: &[&str]) -> (StatusCode, Value) {
        let form = [&code_form(code)[..], &[("client_id", "spa")]].concat();
        self.token_with(None, &form, proofs).await
    }

    /// Refresh as the public client with these proofs.
    pub(crate) async fn refresh_with(&self, token: &str, proofs: &[&str]) -> (StatusCode, Value) {
        let form =
            [("grant_type", "refresh_token"), ("client_id", "spa"), ("refresh_token", token)];
        self.token_with(None, &form, proofs).await
    }

    /// A proof for the token endpoint by the library that clients use.
    pub(crate) fn proof_by(&self, key: &signet_jwt::ProofKey, jti: &str) -> String {
        let (uri, now) = (format!("{}/token", self.issuer), self.app.clock.now());
        let of = ProofOf { method: "POST", uri: &uri, access_token: None, nonce: None, jti, now };
        key.prove(&of).unwrap()
    }

    /// How many proofs are remembered.
    pub(crate) async fn proofs(&self) -> i64 {
        let tables = self.app.store.report().await.unwrap();
        tables.iter().find(|table| table.name == "proofs").unwrap().rows
    }
}

/// The access token of an answer.
pub(crate) fn access_token(tokens: &Value) -> &str {
    text(tokens, "access_token")
}
