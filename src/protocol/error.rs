//! A refusal, in the words of the specifications: the codes of
//! [RFC 6749 §4.1.2.1 and §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2),
//! [RFC 6750 §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1),
//! [RFC 8707 §2](https://www.rfc-editor.org/rfc/rfc8707#section-2),
//! [RFC 9449 §5 and §8](https://www.rfc-editor.org/rfc/rfc9449#section-5),
//! [RFC 8628 §3.5](https://www.rfc-editor.org/rfc/rfc8628#section-3.5) and
//! [OpenID Connect Core §3.1.2.6](https://openid.net/specs/openid-connect-core-1_0.html#AuthError).

use std::borrow::Cow;

/// Why a caller is refused: a code for its program, and a sentence for its developer that says what
/// to change and never echoes what was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", code.as_str())]
pub struct OAuthError {
    /// The code.
    pub code: ErrorCode,
    /// The sentence.
    pub description: Cow<'static, str>,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $text:literal)*) => {
        /// The closed list of codes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ErrorCode { $($(#[$doc])* $name,)* }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The code as it is sent.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

codes! {
    /// A parameter is missing, repeated, malformed or contradicts another.
    InvalidRequest "invalid_request"
    /// Client authentication failed.
    InvalidClient "invalid_client"
    /// The code or refresh token is unknown, used, expired, revoked or somebody else's.
    InvalidGrant "invalid_grant"
    /// The client may not do this.
    UnauthorizedClient "unauthorized_client"
    /// We do not know this grant.
    UnsupportedGrantType "unsupported_grant_type"
    /// We answer with codes only.
    UnsupportedResponseType "unsupported_response_type"
    /// The scope is malformed or more than may be asked for.
    InvalidScope "invalid_scope"
    /// The resource is unknown or not the client's to ask for.
    InvalidTarget "invalid_target"
    /// The person, or we, said no.
    AccessDenied "access_denied"
    /// We failed.
    ServerError "server_error"
    /// We are busy.
    TemporarilyUnavailable "temporarily_unavailable"
    /// Somebody must sign in, and nobody may be asked.
    LoginRequired "login_required"
    /// Consent must be given, and nobody may be asked.
    ConsentRequired "consent_required"
    /// An account must be chosen, and nobody may be asked.
    AccountSelectionRequired "account_selection_required"
    /// The sign-in cannot be as strong as was demanded.
    UnmetAuthenticationRequirements "unmet_authentication_requirements"
    /// Request objects are not supported.
    RequestNotSupported "request_not_supported"
    /// Request objects by reference are not supported.
    RequestUriNotSupported "request_uri_not_supported"
    /// Registration inside a request is not supported.
    RegistrationNotSupported "registration_not_supported"
    /// The access token is missing, expired, revoked or malformed.
    InvalidToken "invalid_token"
    /// The access token's scope is too small.
    InsufficientScope "insufficient_scope"
    /// The proof that the caller holds a key is missing, wrong, too old or used before.
    InvalidDpopProof "invalid_dpop_proof"
    /// The proof must repeat a nonce of ours, which comes with the answer.
    UseDpopNonce "use_dpop_nonce"
    /// Nobody has answered for the device yet.
    AuthorizationPending "authorization_pending"
    /// Nobody has answered for the device yet, and it asks too often.
    SlowDown "slow_down"
    /// The device code has expired.
    ExpiredToken "expired_token"
}

impl ErrorCode {
    /// The refusal with this code, and its reason.
    pub fn because(self, description: impl Into<Cow<'static, str>>) -> OAuthError {
        OAuthError { code: self, description: description.into() }
    }
}
