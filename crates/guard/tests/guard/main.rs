//! The guard against a server that is made for it, good and bad.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api_keys;
mod bound;
mod keys;
mod layer;
mod revocation;
mod support;
mod tokens;
