//! Signet, an OAuth 2.0 and OpenID Connect authorization server.
//!
//! The modules below are its layers, from the ground up. A module imports only from modules above it
//! in this list; `tests/architecture.rs` keeps it so. A feature has the same file name in every layer
//! that it touches: to change a feature, open its files; to understand a layer, open its folder.

/// The words: newtypes of the protocol. A value that exists is valid.
pub mod values;

/// The nouns: what exists, as plain data.
pub mod model;

/// The rules: what the RFCs decide. Pure.
pub mod protocol;
