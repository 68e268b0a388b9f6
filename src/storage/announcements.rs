//! The word that something has changed, where the engine can spread it: PostgreSQL's `NOTIFY`. Nobody
//! relies on it. It saves nodes the rest of a second that they would wait before looking.

use sqlx::{PgConnection, postgres::PgListener};

use super::{Engine, Result, Store};

/// The channel on which nodes of one database hear of each other.
const CHANNEL: &str = "signet_changes";

/// What a node hears of the others.
#[derive(Debug)]
pub struct Announcements(PgListener);

impl Store {
    /// Begin to listen, if this engine has anything to hear.
    pub async fn announcements(&self) -> Result<Option<Announcements>> {
        let Engine::Postgres { pool, announces: true } = &self.engine else { return Ok(None) };
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(Some(Announcements(listener)))
    }
}

/// Tell the other nodes, as soon as this transaction commits.
pub(super) async fn announce(connection: &mut PgConnection) -> Result<()> {
    sqlx::query("notify signet_changes").execute(connection).await?;
    Ok(())
}

impl Announcements {
    /// Wait until somebody has changed something. False when nothing will be heard any more.
    pub async fn next(&mut self) -> bool {
        self.0.recv().await.is_ok()
    }
}
