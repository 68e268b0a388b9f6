//! A token source from outside, against a server that counts what it is asked.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test makes it fail")]
#![expect(clippy::disallowed_methods, reason = "tests start servers and tasks")]

mod authentication;
mod bound;
#[cfg(feature = "middleware")]
mod middleware;
mod outages;
mod sharing;
mod support;
