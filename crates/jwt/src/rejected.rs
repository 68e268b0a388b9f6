//! Why a token is not accepted.

/// The first check a token failed. The text is for a developer and never repeats the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// It is not a compact JWS over a JSON object.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// It is a token of another type (RFC 8725 §3.11).
    #[error("the token has the wrong type")]
    WrongType,
    /// It is signed in a way that is not accepted here (RFC 8725 §3.1).
    #[error("the token is signed with an algorithm that is not allowed")]
    WrongAlgorithm,
    /// No key answers to its name and algorithm.
    #[error("the token is signed with an unknown key")]
    UnknownKey,
    /// None of the keys made its signature.
    #[error("the signature of the token is not valid")]
    BadSignature,
    /// Its `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// Its `nbf` or `iat` lies ahead.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Its `iss` is another.
    #[error("the token comes from another issuer")]
    WrongIssuer,
    /// Its `aud` names others.
    #[error("the token is meant for another audience")]
    WrongAudience,
    /// It is authentic, but a claim is missing or not what it has to be.
    #[error("the claims of the token are not acceptable: {0}")]
    BadClaims(&'static str),
}
