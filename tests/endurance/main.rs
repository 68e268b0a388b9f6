//! The real program under duress: killed in the middle of its work, flooded, on several nodes, and
//! beside a newer version. Where `TEST_POSTGRES` is set, every test runs again there.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test makes it fail")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests start programs and clients, and make schemas of their own where PostgreSQL is"
)]
#![expect(clippy::print_stdout, reason = "the figures are worth a look: --nocapture shows them")]

use tokio::sync::{Mutex, MutexGuard};

use program::Program;
use schema::Schema;

/// Runs each test against a fresh program on either engine, with these settings.
macro_rules! on_both_engines {
    ($($test:ident)*) => { on_both_engines! { with (&[]) $($test)* } };
    (with (&$settings:expr) $($test:ident)*) => {
        mod on_sqlite { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let _alone = crate::alone().await;
                super::$test(crate::start(None, &$settings)).await;
            }
        )* }

        mod on_postgres { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let _alone = crate::alone().await;
                if let Some(schema) = crate::schema::Schema::make() {
                    super::$test(crate::start(Some(schema), &$settings)).await;
                }
            }
        )* }
    };
}

mod client;
mod crash;
mod guard;
mod nodes;
mod overload;
#[path = "../support/program.rs"]
#[expect(dead_code, reason = "it is what the tests with strangers need, too")]
mod program;
mod proxy;
#[path = "../support/schema.rs"]
mod schema;
mod upgrade;

/// One test at a time has the machine: each of them loads it.
async fn alone() -> MutexGuard<'static, ()> {
    static MACHINE: Mutex<()> = Mutex::const_new(());
    MACHINE.lock().await
}

fn start(schema: Option<Schema>, settings: &[&str]) -> Program {
    Program::start_in(tempfile::tempdir().unwrap(), schema, "http", settings)
}
