//! The deeds: what happens, in order. Load, decide, remember, answer.

pub mod access_token;
pub mod admin;
pub mod api_key;
pub mod app;
pub mod authorization_code;
pub mod authorize;
pub mod client_auth;
pub mod client_credentials;
pub mod device;
pub mod directory;
pub mod dpop;
mod error;
pub mod events;
pub mod exchange;
pub mod introspection;
pub mod issue;
pub mod login;
pub mod logout;
pub mod pace;
pub mod password;
mod pending;
pub mod refresh;
pub mod revocation;
mod role;
pub mod sessions;
pub mod status;
pub mod token;
pub mod userinfo;

pub use app::App;
pub use error::{Cause, Error, Result};
