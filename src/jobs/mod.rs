//! The clockwork: what happens without being asked. Every node runs all of it; what they do at the
//! same time, they do once.

use std::time::Duration;

use crate::flows::App;

/// How often this node looks for what others have changed.
const FOLLOW: Duration = Duration::from_secs(1);

/// How often the timetable of keys is looked at.
const TEND_KEYS: Duration = Duration::from_secs(30);

/// How often what has expired is removed.
const EXPIRE: Duration = Duration::from_mins(1);

/// How many rows are removed at a time.
const BATCH: i64 = 500;

/// Start the clockwork. It stops with the runtime.
pub fn start(app: &App) {
    every(FOLLOW, app, |app| async move { follow(&app).await });
    every(TEND_KEYS, app, |app| async move {
        if let Err(cause) = app.keys.tend(app.clock.now()).await {
            tracing::error!(cause = ?cause, "the keys could not be tended");
        }
    });
    every(EXPIRE, app, |app| async move {
        if let Err(cause) = app.store.expire(app.clock.now(), BATCH).await {
            tracing::error!(cause = ?cause, "what has expired could not be removed");
        }
    });
}

/// Take in what other nodes and the command line have changed.
pub async fn follow(app: &App) {
    let followed = match app.directory.follow().await {
        Ok(true) => app.keys.reload().await.map_err(Into::into),
        Ok(false) => Ok(()),
        Err(error) => Err(error),
    };
    if let Err(error) = followed {
        tracing::error!(cause = ?error, "changes could not be followed");
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that starts tasks")]
fn every<F: Future<Output = ()> + Send>(
    period: Duration,
    app: &App,
    deed: impl Fn(App) -> F + Send + 'static,
) {
    let app = app.clone();
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(period);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            deed(app.clone()).await;
        }
    });
}
