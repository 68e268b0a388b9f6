//! The server from outside: real requests to a real port, each test on a database of its own. Where
//! `TEST_POSTGRES` is set, every test runs again there.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test makes it fail")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests start servers, read where PostgreSQL is, and make schemas of their own there"
)]

/// Runs each test against a fresh server on either engine.
macro_rules! on_both_engines {
    ($($test:ident)*) => {
        mod on_sqlite { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                super::$test(crate::support::Server::on_sqlite().await).await;
            }
        )* }

        mod on_postgres { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                if let Some(server) = crate::support::Server::on_postgres().await {
                    super::$test(server).await;
                }
            }
        )* }
    };
}

mod attacks;
mod callers;
mod device;
mod dpop;
mod exchange;
mod flows;
mod guard;
mod pages;
mod races;
mod roles;
mod rotation;
#[path = "../support/schema.rs"]
mod schema;
mod status;
mod support;
