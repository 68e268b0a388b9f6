//! What must hold for a client, however it came about
//! ([RFC 7591 §2](https://www.rfc-editor.org/rfc/rfc7591#section-2)).

use std::{fmt, str::FromStr};

use serde_json::Value;
use signet_jwt::KeySet;

use super::{AdminError, refused};
use crate::{
    model::{Client, ClientKind, Credentials, GrantType, SecretHash, SecretMethod},
    values::{ClientId, ClientSecret, Invalid},
};

/// How a client proves who it is: `token_endpoint_auth_method`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthMethod {
    /// Not at all: a public client.
    None,
    /// With a secret in the `Authorization` header.
    SecretBasic,
    /// With a secret in the body.
    SecretPost,
    /// With a signature.
    PrivateKeyJwt,
}

impl AuthMethod {
    /// Every method that this server supports.
    pub const ALL: [Self; 4] =
        [Self::SecretBasic, Self::SecretPost, Self::PrivateKeyJwt, Self::None];

    /// The method as the registry of RFC 7591 spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::SecretBasic => "client_secret_basic",
            Self::SecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }

    /// The method that a client uses now.
    pub(super) fn of(kind: &ClientKind) -> Self {
        match kind {
            ClientKind::Public => Self::None,
            ClientKind::Confidential(Credentials::Secret(SecretMethod::Basic, _)) => {
                Self::SecretBasic
            }
            ClientKind::Confidential(Credentials::Secret(SecretMethod::Post, _)) => {
                Self::SecretPost
            }
            ClientKind::Confidential(Credentials::Keys(_)) => Self::PrivateKeyJwt,
        }
    }
}

impl FromStr for AuthMethod {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let known = Self::ALL.into_iter().find(|method| method.as_str() == text);
        known.ok_or(Invalid("token_endpoint_auth_method"))
    }
}

impl fmt::Display for AuthMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Read the public keys with which a client will sign, a JWK Set. A private key is refused: nobody
/// but the client may have it.
pub fn public_keys(json: &str) -> Result<KeySet, AdminError> {
    const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

    let Ok(set) = serde_json::from_str::<Value>(json) else {
        return refused("the key set is not JSON: give a JWK Set, {\"keys\": […]}");
    };
    let Some(keys) = set.get("keys").and_then(Value::as_array) else {
        return refused("the key set has no member \"keys\": give a JWK Set, {\"keys\": […]}");
    };
    if keys.iter().any(|key| PRIVATE.iter().any(|member| key.get(member).is_some())) {
        return refused(
            "the key set contains a private or shared key, which must never leave the client: \
             give its public keys only",
        );
    }
    match KeySet::parse(json) {
        Ok(keys) if !keys.keys().is_empty() => Ok(keys),
        _ => refused(
            "the key set has no key to verify signatures with: give at least one public RSA \
             (2048 bits or more), P-256 or Ed25519 key, each without \"use\": \"enc\"",
        ),
    }
}

/// The method of a client that is said to be public, or to use `asked`, or neither.
pub(super) fn method(
    public: bool,
    asked: Option<AuthMethod>,
    otherwise: AuthMethod,
) -> Result<AuthMethod, AdminError> {
    match asked {
        None if public => Ok(AuthMethod::None),
        None => Ok(otherwise),
        Some(method) if public && method != AuthMethod::None => refused(format!(
            "a public client cannot use {method}: leave out --public or the method"
        )),
        Some(method) => Ok(method),
    }
}

/// The kind of a client that uses `method`, and its secret if a new one was needed for that.
pub(super) fn kind(
    method: AuthMethod,
    keys: Option<KeySet>,
    current: Option<&ClientKind>,
    new_secret: impl FnOnce() -> ClientSecret,
) -> Result<(ClientKind, Option<ClientSecret>), AdminError> {
    if keys.is_some() && method != AuthMethod::PrivateKeyJwt {
        return refused(format!(
            "the client would never use its keys: its token_endpoint_auth_method must be \
             private_key_jwt for that, not {method}"
        ));
    }
    let send = match method {
        AuthMethod::None => return Ok((ClientKind::Public, None)),
        AuthMethod::SecretBasic => SecretMethod::Basic,
        AuthMethod::SecretPost => SecretMethod::Post,
        AuthMethod::PrivateKeyJwt => {
            let keys = match (keys, current) {
                (Some(keys), _) => keys,
                (None, Some(ClientKind::Confidential(Credentials::Keys(keys)))) => keys.clone(),
                (None, _) => {
                    return refused(
                        "private_key_jwt needs the client's public keys: give --jwks-file",
                    );
                }
            };
            return Ok((ClientKind::Confidential(Credentials::Keys(keys)), None));
        }
    };
    if let Some(ClientKind::Confidential(Credentials::Secret(_, hash))) = current {
        return Ok((ClientKind::Confidential(Credentials::Secret(send, *hash)), None));
    }
    let secret = new_secret();
    let hash = SecretHash { current: secret.hash(), previous: None };
    Ok((ClientKind::Confidential(Credentials::Secret(send, hash)), Some(secret)))
}

/// Whether a new client may have this identifier.
pub(super) fn check_id(id: &ClientId) -> Result<(), AdminError> {
    // RFC 9700 §4.15: a client must not be able to pass for a person.
    if id.resembles_a_subject() {
        return refused(
            "a client id must not look like a person's identifier, which is a UUID: choose a word, \
             or leave it out and one is made",
        );
    }
    if id.as_str().starts_with("https://") {
        return refused(
            "a client id must not begin with https://, which is for clients that publish their \
             own description: choose a word, or leave it out and one is made",
        );
    }
    Ok(())
}

/// Whether the parts of a client fit together.
pub(super) fn check(client: &Client) -> Result<(), AdminError> {
    let redirected = client.may_use(GrantType::AuthorizationCode);
    let redirects = !client.redirect_uris.is_empty();

    if client.grants.is_empty() {
        return refused(
            "a client needs a grant: give --redirect-uri for people to sign in, or --grant \
             client_credentials for a service",
        );
    }
    if client.is_public() && client.may_use(GrantType::ClientCredentials) {
        return refused(
            "a public client has nothing to prove itself with, so it cannot have the \
             client_credentials grant: leave out --public or the grant",
        );
    }
    if client.is_public() && client.may_use(GrantType::TokenExchange) {
        return refused(
            "a public client has nothing to prove itself with, so it cannot have the token exchange \
             grant: leave out --public or the grant",
        );
    }
    if client.is_public() && !client.pkce_required {
        return refused(
            "a public client always needs PKCE: leave out --no-require-pkce, or make the client \
             confidential",
        );
    }
    if redirected && !redirects {
        return refused("the authorization_code grant needs at least one --redirect-uri");
    }
    if redirects && !redirected {
        return refused(
            "redirect URIs are for the authorization_code grant: add --grant authorization_code, \
             or leave them out",
        );
    }
    if client.may_use(GrantType::RefreshToken) && !client.signs_people_in() {
        return refused(
            "the refresh_token grant continues what authorization_code began, or the device grant: \
             add one of those, or leave this one out",
        );
    }
    if client.first_party && !redirected {
        return refused(
            "a first-party client is one that people sign in to: without the authorization_code \
             grant there is no consent to leave out",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    #[test]
    fn a_key_set_holds_public_keys_only() {
        assert_eq!(public_keys(PUBLIC).unwrap().keys().len(), 1);
        let private = PUBLIC.replace("\"kid\"", "\"d\":\"AA\",\"kid\"");
        for (set, reason) in [
            (private.as_str(), "must never leave the client"),
            (r#"{"keys":[{"kty":"oct","k":"AAAA"}]}"#, "must never leave the client"),
            (r#"{"keys":[]}"#, "at least one public"),
            (r#"{"kty":"OKP"}"#, "has no member \"keys\""),
            ("-----BEGIN PUBLIC KEY-----", "is not JSON"),
        ] {
            let refusal = public_keys(set).unwrap_err().to_string();
            assert!(refusal.contains(reason), "{refusal}");
        }
    }

    #[test]
    fn a_client_id_is_neither_a_subject_nor_an_address() {
        assert!(check_id(&"web".parse().unwrap()).is_ok());
        for id in ["018f3c2e-7b1a-7000-8000-0123456789ab", "https://client.example"] {
            assert!(check_id(&id.parse().unwrap()).is_err(), "{id}");
        }
    }

    #[test]
    fn another_way_to_send_a_secret_keeps_the_secret() {
        let made = || ClientSecret::new([7; 32]);
        let (basic, secret) = kind(AuthMethod::SecretBasic, None, None, made).unwrap();
        assert!(secret.is_some());
        let (post, secret) = kind(AuthMethod::SecretPost, None, Some(&basic), made).unwrap();
        assert_eq!((AuthMethod::of(&post), secret.is_some()), (AuthMethod::SecretPost, false));
        let (public, _) = kind(AuthMethod::None, None, Some(&post), made).unwrap();
        let (_, secret) = kind(AuthMethod::SecretPost, None, Some(&public), made).unwrap();
        assert!(secret.is_some());
    }

    #[test]
    fn every_method_survives_its_text() {
        for method in AuthMethod::ALL {
            assert_eq!(method.to_string().parse(), Ok(method));
        }
    }
}
