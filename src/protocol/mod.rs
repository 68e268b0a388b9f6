//! The rules: what the RFCs decide, one file per RFC or grant.
//!
//! Architecture invariant: no IO, no clock, no randomness. Everything arrives as an argument, and a
//! decision leaves.

pub mod access_token;
pub mod authorization_code;
pub mod authorize;
pub mod claims;
pub mod client_auth;
pub mod client_credentials;
pub mod device;
pub mod dpop;
mod entitlement;
mod error;
pub mod exchange;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod id_token;
pub mod introspection;
pub mod logout;
pub mod metadata;
mod params;
pub mod refresh;
pub mod resource;
pub mod revocation;
pub mod role;
pub mod status;
pub mod token;
pub mod userinfo;

pub use entitlement::{Entitlement, IdTokenTerms, Subject, Terms};
pub use error::{ErrorCode, OAuthError};
pub use params::Params;

/// How far two clocks may differ, in seconds.
pub const CLOCK_SKEW: i64 = 30;
