//! Sign-in and kept sessions from outside, against a server that counts what it is asked.

#![cfg(feature = "login")]
#![expect(clippy::unwrap_used, reason = "what goes wrong in a test makes it fail")]
#![expect(clippy::disallowed_methods, reason = "tests start servers and tasks")]

mod browser;
mod device;
mod sessions;
mod support;
