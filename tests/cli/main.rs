//! The command line from outside: the real program, on a database of its own for each test. Where
//! `TEST_POSTGRES` is set, everything that uses a database runs again there.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test makes it fail")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests read where PostgreSQL is, and make schemas of their own there"
)]

mod api_keys;
mod clients;
mod configuration;
mod reference;
mod resources;
mod roles;
#[path = "../support/schema.rs"]
mod schema;
mod support;
mod usage;
mod users;
