//! Clients ([RFC 6749 §2](https://www.rfc-editor.org/rfc/rfc6749#section-2)).

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use signet_jwt::KeySet;

use crate::values::{
    Algorithm, ClientId, Invalid, PostLogoutUri, RedirectUri, Scope, StatusPlace, Timestamp,
    TokenHash, WebUri,
};

/// An application that asks for tokens.
#[derive(Clone, Debug)]
pub struct Client {
    /// What it calls itself in requests.
    pub id: ClientId,
    /// What people see.
    pub name: String,
    /// Whether it can keep a secret, and which.
    pub kind: ClientKind,
    /// Where authorization responses may go.
    pub redirect_uris: Vec<RedirectUri>,
    /// Where people may go after signing out.
    pub post_logout_redirect_uris: Vec<PostLogoutUri>,
    /// The grants that it may use.
    pub grants: BTreeSet<GrantType>,
    /// The most that it may ever be granted.
    pub scope: Scope,
    /// Whether it belongs to us: consent is not asked for.
    pub first_party: bool,
    /// Whether an authorization request needs a code challenge. Always so for public clients.
    pub pkce_required: bool,
    /// Whether it must prove to hold a key whenever it asks for tokens
    /// ([RFC 9449 §5.2](https://www.rfc-editor.org/rfc/rfc9449#section-5.2)).
    pub dpop_bound: bool,
    /// The algorithm of its ID tokens.
    pub id_token_algorithm: Algorithm,
    /// A page with the client's privacy policy.
    pub policy_uri: Option<WebUri>,
    /// A page with the client's terms of service.
    pub tos_uri: Option<WebUri>,
    /// Since when it may do nothing at all.
    pub disabled_at: Option<Timestamp>,
    /// Where the places of its own tokens begin in the status lists. Storage gives it when the client is
    /// registered.
    pub first_status_place: Option<StatusPlace>,
    /// How often it has been changed: whoever changes it says which state they have read.
    pub revision: i64,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Whether a client can keep a secret
/// ([RFC 6749 §2.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.1)).
#[derive(Clone, Debug)]
pub enum ClientKind {
    /// It cannot: a browser or native app.
    Public,
    /// It can, and proves with these who it is.
    Confidential(Credentials),
}

/// How a confidential client proves who it is.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// A secret, sent in one way only.
    Secret(SecretMethod, SecretHash),
    /// A signature by one of these keys
    /// ([RFC 7523 §2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2)).
    Keys(KeySet),
}

/// The way in which a client sends its secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretMethod {
    /// In the `Authorization` header.
    Basic,
    /// In the body.
    Post,
}

/// What is kept of a client's secret, and for a while of the one before it.
#[derive(Clone, Copy, Debug)]
pub struct SecretHash {
    /// The secret in force.
    pub current: TokenHash,
    /// The secret before it and the end of its validity.
    pub previous: Option<(TokenHash, Timestamp)>,
}

/// A grant type ([RFC 6749 §1.3](https://www.rfc-editor.org/rfc/rfc6749#section-1.3)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// A person's consent, through a code.
    AuthorizationCode,
    /// What was granted before.
    RefreshToken,
    /// The client's own right.
    ClientCredentials,
    /// A person's consent, given on another device
    /// ([RFC 8628](https://www.rfc-editor.org/rfc/rfc8628)).
    #[serde(rename = "urn:ietf:params:oauth:grant-type:device_code")]
    DeviceCode,
    /// Another token, or an API key ([RFC 8693](https://www.rfc-editor.org/rfc/rfc8693)).
    #[serde(rename = "urn:ietf:params:oauth:grant-type:token-exchange")]
    TokenExchange,
}

impl Client {
    /// Whether the client may use this grant.
    #[must_use]
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grants.contains(&grant)
    }

    /// Whether people sign in to it, in its own pages or on another device.
    #[must_use]
    pub fn signs_people_in(&self) -> bool {
        self.may_use(GrantType::AuthorizationCode) || self.may_use(GrantType::DeviceCode)
    }

    /// Whether the client cannot keep a secret.
    #[must_use]
    pub fn is_public(&self) -> bool {
        matches!(self.kind, ClientKind::Public)
    }

    /// The client's `token_endpoint_auth_method`
    /// ([RFC 7591 §2](https://www.rfc-editor.org/rfc/rfc7591#section-2)).
    #[must_use]
    pub fn auth_method(&self) -> &'static str {
        match &self.kind {
            ClientKind::Public => "none",
            ClientKind::Confidential(Credentials::Secret(SecretMethod::Basic, _)) => {
                "client_secret_basic"
            }
            ClientKind::Confidential(Credentials::Secret(SecretMethod::Post, _)) => {
                "client_secret_post"
            }
            ClientKind::Confidential(Credentials::Keys(_)) => "private_key_jwt",
        }
    }
}

impl GrantType {
    /// Every grant that this server supports.
    pub const ALL: [Self; 5] = [
        Self::AuthorizationCode,
        Self::RefreshToken,
        Self::ClientCredentials,
        Self::DeviceCode,
        Self::TokenExchange,
    ];

    /// The grant as `grant_type` spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
            Self::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
            Self::TokenExchange => "urn:ietf:params:oauth:grant-type:token-exchange",
        }
    }
}

impl FromStr for GrantType {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == text).ok_or(Invalid("grant_type"))
    }
}

impl fmt::Display for GrantType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
