//! A PostgreSQL server that hangs up: it was restarted, or somebody ended its connections.

use signet::storage::{RevocationEntry, Store};
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;

use crate::{
    engines,
    nouns::{NOW, family, id, revocation, with_family, with_shop_and_alice},
};

const ROUNDS: u8 = 20;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_reads_or_writes_while_postgresql_hangs_up_does_not_notice() {
    engines::on_postgres(|url| async move {
        let named = format!("{url}&application_name=hang_up");
        let store = Store::open(&named).await.unwrap();
        store.migrate().await.unwrap();
        with_shop_and_alice(&store).await;
        with_family(&store, &family(7)).await;
        let mut operator = PgConnection::connect(&url).await.unwrap();

        for round in 0..ROUNDS {
            let mut readers: JoinSet<bool> = (0..16).map(|_| reads(store.clone())).collect();
            let ended = sqlx::query_scalar::<_, i64>(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity
                 where application_name = 'hang_up'",
            );
            assert!(ended.fetch_one(&mut operator).await.unwrap() > 0);
            let what = signet::model::Revoked::Token(format!("round {round}"));
            let kept =
                store.revoke(&revocation(u128::from(round) + 100, what, NOW), None).await.unwrap();
            assert_eq!(kept, RevocationEntry::New);
            while let Some(found) = readers.join_next().await {
                assert!(found.unwrap());
            }
        }
        assert_eq!(store.revocations(NOW).await.unwrap().len(), usize::from(ROUNDS));
    })
    .await;
}

/// Whether the family is found, again and again.
async fn reads(store: Store) -> bool {
    for _ in 0..20 {
        if store.family(id(7)).await.unwrap().is_none() {
            return false;
        }
    }
    true
}
