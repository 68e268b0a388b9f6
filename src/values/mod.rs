//! The words of the protocol as types. A value that exists is valid.
//!
//! Architecture invariant: nothing here is async, reads a clock or draws randomness.

mod binding;
mod context;
#[cfg(test)]
mod fixtures;
mod identifiers;
mod person;
mod pkce;
mod role;
mod secret;
mod status;
mod token;
mod uri;
mod user_code;

pub use binding::Binding;
pub use context::{Acr, Amr, Authentication, MaxAge, Prompt, Prompts};
pub use identifiers::{
    ApiKeyId, ClientId, CodeId, DeviceId, FamilyId, GroupId, RevocationId, RoleId, SessionId,
    UserId,
};
pub use person::{Address, Email, Password, PasswordHash, Profile, Username, keeps_the_line};
pub use pkce::{CodeChallenge, CodeVerifier};
pub use role::{GroupName, Permission, Role, RoleAddress};
pub use secret::{Secret, TokenHash};
pub use signet_jwt::{Algorithm, Audience, Invalid, Issuer, KeyId, Scope, Thumbprint, Timestamp};
pub use status::StatusPlace;
pub use token::{
    ApiKey, AuthorizationCode, BrowserToken, ClientSecret, DeviceCode, RefreshToken, SessionToken,
};
pub use uri::{PostLogoutUri, RedirectUri, Resource, WebUri};
pub use user_code::UserCode;
