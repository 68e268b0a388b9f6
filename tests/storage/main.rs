//! The contract of the store: what every method promises, on both engines.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests read where PostgreSQL is, and make schemas of their own there"
)]

use signet::storage::Store;

/// Runs each test on an empty database of either engine.
macro_rules! on_both_engines {
    ($($test:ident)*) => {
        mod on_sqlite { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                crate::engines::on_sqlite(|url| crate::with_store(url, super::$test)).await;
            }
        )* }

        mod on_postgres { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                crate::engines::on_postgres(|url| crate::with_store(url, super::$test)).await;
            }
        )* }
    };
}

mod api_key;
mod authorization_code;
mod client;
mod client_assertion;
mod consent;
mod device;
mod dpop;
mod engines;
mod expire;
mod hang_up;
mod nouns;
mod opening;
mod refresh;
mod resource;
mod revocation;
mod role;
mod role_grant;
mod session;
mod signing_key;
mod status;
mod user;
mod user_group;

async fn with_store<T>(url: String, test: impl FnOnce(Store) -> T)
where
    T: Future<Output = ()>,
{
    let store = Store::open(&url).await.unwrap();
    store.migrate().await.unwrap();
    test(store).await;
}

/// Sixty-four tasks do the same at once: how many of them won?
async fn race<T>(contender: impl Fn(u128) -> T) -> usize
where
    T: Future<Output = bool> + Send + 'static,
{
    let mut tasks: tokio::task::JoinSet<bool> = (1..=64).map(contender).collect();
    let mut winners = 0;
    while let Some(won) = tasks.join_next().await {
        winners += usize::from(won.unwrap());
    }
    winners
}

/// Nouns are compared by how they print: most have no equality, for hashes are never compared so.
#[track_caller]
fn assert_same(one: &impl std::fmt::Debug, other: &impl std::fmt::Debug) {
    assert_eq!(format!("{one:?}"), format!("{other:?}"));
}
