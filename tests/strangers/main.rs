//! Clients that share no code with us, against the real program: the crates `openidconnect` and
//! `oauth2`, and a verifier of signatures in thirty lines. Where `TEST_POSTGRES` is set, every test
//! runs again there.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test makes it fail")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests start programs, read where PostgreSQL is, and make schemas of their own there"
)]

/// Runs each test against a fresh program on either engine.
macro_rules! on_both_engines {
    ($($test:ident)*) => {
        mod on_sqlite { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(crate::program::Program::start(None)).await;
            }
        )* }

        mod on_postgres { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                if let Some(schema) = crate::schema::Schema::make() {
                    super::$test(crate::program::Program::start(Some(schema))).await;
                }
            }
        )* }
    };
}

mod browser;
mod command_line;
mod oauth2_crate;
mod openidconnect_crate;
#[path = "../support/program.rs"]
mod program;
mod rotation;
#[path = "../support/schema.rs"]
mod schema;
mod serving;
