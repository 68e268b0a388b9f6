//! The clockwork: what happens without being asked. Every node runs all of it; what they do at the
//! same time, they do once.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Notify, task::JoinHandle, time};

use crate::{edge::Tls, flows::App};

/// How often this node looks for what others have changed.
const FOLLOW: Duration = Duration::from_secs(1);

/// How soon this node listens again when it cannot hear the others.
const LISTEN: Duration = Duration::from_secs(30);

/// How often the timetable of keys is looked at.
const TEND_KEYS: Duration = Duration::from_secs(30);

/// How often what has expired is removed.
const EXPIRE: Duration = Duration::from_mins(1);

/// How often the certificate is looked at.
const RENEW: Duration = Duration::from_mins(1);

/// How many rows are removed at a time.
const BATCH: u32 = 500;

/// How many batches of one table are removed at most before it is the next one's turn: as many rows
/// as 4,000 new ones a second make until the next time.
const BATCHES: u32 = 500;

/// Start the clockwork. It stops with the runtime.
pub fn start(app: &Arc<App>) {
    let heard = Arc::new(Notify::new());
    task(listen(app.clone(), heard.clone()));
    every(FOLLOW, heard, app, |app| async move { follow(&app).await });
    every(TEND_KEYS, never(), app, |app| async move {
        if let Err(cause) = app.keys.tend(app.clock.now()).await {
            tracing::error!(cause = ?cause, "the keys could not be tended");
        }
    });
    every(EXPIRE, never(), app, |app| async move {
        if let Err(cause) = app.store.expire(app.clock.now(), BATCH, BATCHES).await {
            tracing::error!(cause = ?cause, "what has expired could not be removed");
        }
    });
}

/// Look for a renewed certificate every minute.
pub fn renew(tls: Arc<Tls>) {
    task(async move {
        loop {
            time::sleep(RENEW).await;
            match tls.renew() {
                Ok(true) => tracing::info!("a renewed certificate is in force"),
                Ok(false) => {}
                Err(cause) => tracing::error!(%cause, "the certificate stays the old one"),
            }
        }
    });
}

/// Take in what other nodes and the command line have changed.
pub async fn follow(app: &App) {
    if let Err(error) = app.directory.follow(&app.keys).await {
        tracing::error!(cause = ?error, "changes could not be followed");
    }
}

/// Wake whoever follows changes as soon as another node tells of one.
async fn listen(app: Arc<App>, heard: Arc<Notify>) {
    loop {
        match app.store.announcements().await {
            Ok(None) => return,
            Ok(Some(mut announcements)) => {
                while announcements.next().await {
                    heard.notify_one();
                }
            }
            Err(cause) => tracing::debug!(cause = ?cause, "other nodes cannot be heard"),
        }
        time::sleep(LISTEN).await;
    }
}

/// Do this again and again: after each period, and whenever there is a call before that.
fn every<F: Future<Output = ()> + Send + 'static>(
    period: Duration,
    call: Arc<Notify>,
    app: &Arc<App>,
    deed: impl Fn(Arc<App>) -> F + Send + 'static,
) {
    let app = app.clone();
    task(async move {
        let mut ticks = time::interval(period);
        ticks.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = call.notified() => {}
            }
            // A deed that panics must not be the last of its kind.
            if let Err(cause) = task(deed(app.clone())).await {
                tracing::error!(cause = ?cause, "the clockwork stumbled");
            }
        }
    });
}

/// A call that does not come.
fn never() -> Arc<Notify> {
    Arc::default()
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that starts tasks")]
fn task(work: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(work)
}
