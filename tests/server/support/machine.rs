//! A client that signs.

use reqwest::StatusCode;
use serde_json::{Value, json};
use signet::{
    flows::admin::{AuthMethod, NewClient, public_keys},
    model::GrantType,
};

use super::{Server, Signer, text};

/// A client that signs, and its key.
pub(crate) struct Machine<'a> {
    server: &'a Server,
    pub(crate) key: Signer,
}

impl<'a> Machine<'a> {
    pub(crate) async fn new(server: &'a Server) -> Self {
        Self { server, key: server.signing("signing").await }
    }

    pub(crate) fn claims(&self, jti: &str) -> Value {
        let now = self.server.app.clock.now().0;
        let aud = &self.server.issuer;
        json!({ "iss": "signing", "sub": "signing", "aud": aud, "jti": jti, "iat": now, "exp": now + 60 })
    }

    /// The usual claims but for one; null leaves it out.
    pub(crate) fn claims_with(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims(name);
        let members = claims.as_object_mut().unwrap();
        members.remove(name);
        if !value.is_null() {
            members.insert(name.to_owned(), value);
        }
        claims
    }

    async fn sends(&self, assertion: &str) -> (StatusCode, Value) {
        self.server.post("/token", None, &assertion_form(assertion)).await
    }

    pub(crate) async fn is_believed(&self, assertion: &str) {
        let (status, answer) = self.sends(assertion).await;
        assert_eq!(status, 200, "{answer}");
    }

    pub(crate) async fn is_refused(&self, assertion: &str) {
        let (status, answer) = self.sends(assertion).await;
        assert_eq!((status.as_u16(), text(&answer, "error")), (401, "invalid_client"), "{answer}");
    }
}

/// A token request with an assertion.
pub(crate) fn assertion_form(assertion: &str) -> [(&str, &str); 3] {
    [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion),
    ]
}

impl Server {
    /// Register a client that signs.
    pub(crate) async fn signing(&self, id: &str) -> Signer {
        let key = Signer::new();
        let new = NewClient {
            grants: [GrantType::ClientCredentials].into(),
            auth_method: Some(AuthMethod::PrivateKeyJwt),
            keys: Some(public_keys(&key.set()).unwrap()),
            ..NewClient::default()
        };
        self.client(id, new).await;
        key
    }
}
