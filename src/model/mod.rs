//! The nouns: what exists, as plain data, with its states as enums. Rules about it live in
//! [`crate::protocol`], its rows in `storage`.
//!
//! Architecture invariant: nothing here is async, reads a clock or draws randomness.

mod api_key;
mod authorization;
mod client;
mod consent;
mod device;
mod refresh;
mod resource;
mod revocation;
mod role;
mod session;
mod signing_key;
mod status;
mod user;

pub use api_key::{ApiKeyRecord, KeyOwner};
pub use authorization::{Authorization, ClaimsRequest, CodeState, IssuedCode};
pub use client::{Client, ClientKind, Credentials, GrantType, SecretHash, SecretMethod};
pub use consent::Consent;
pub use device::{Approval, Asker, DeviceRequest, DeviceState};
pub use refresh::RefreshFamily;
pub use resource::ResourceServer;
pub use revocation::{Change, LONGEST_ACCESS_TOKEN, Revocation, Revoked, TOKEN_RETENTION};
pub use role::{Granted, Holder, RoleRecord, UserGroup};
pub use session::Session;
pub use signing_key::{KeyPhase, SigningKeyRecord};
pub use status::RevokedPlaces;
pub use user::User;
