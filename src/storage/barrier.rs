//! The durability barrier: SQLite commits without waiting for the disk, and nobody is told of a commit
//! before it is there. One sync releases everybody who committed before it began, so that a hundred
//! commits at once pay for one.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
};

use tokio::sync::oneshot;

use super::{Result, error::Cause};

type Waiter = oneshot::Sender<bool>;

/// The way past the disk. Cheap to clone; every clone leads past the same one.
#[derive(Clone, Debug)]
pub(super) struct Barrier(mpsc::Sender<Waiter>);

impl Barrier {
    /// The barrier before this database's write-ahead log.
    pub(super) fn before(database: &Path) -> Self {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        let (sender, waiters) = mpsc::channel();
        thread::Builder::new()
            .name("durability".to_owned())
            .spawn(move || stand(Log::Unopened(log.into()), &waiters))
            .expect("the system can start one more thread");
        Self(sender)
    }

    /// Wait until everything that was committed before is on the disk.
    ///
    /// # Errors
    /// When the disk failed, now or at any time before: what it holds is then unknown, and no later
    /// sync would tell (a failed one may drop what it could not write).
    pub(super) async fn pass(&self) -> Result<()> {
        let (waiter, passed) = oneshot::channel();
        self.0.send(waiter).map_err(|_| Cause::NotDurable)?;
        match passed.await {
            Ok(true) => Ok(()),
            _ => Err(Cause::NotDurable.into()),
        }
    }
}

/// The log, opened when there is something in it.
enum Log {
    Unopened(PathBuf),
    Open(File),
}

impl Log {
    fn sync(&mut self) -> io::Result<()> {
        if let Self::Unopened(path) = self {
            let file = File::open(&path)?;
            // The log is a new file: its name has to last as well.
            let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
            *self = Self::Open(file);
        }
        match self {
            Self::Open(file) => file.sync_data(),
            Self::Unopened(_) => Ok(()),
        }
    }
}

/// Let them pass in groups, until nobody can come any more or the disk has failed.
fn stand(mut log: Log, waiters: &mpsc::Receiver<Waiter>) {
    while let Ok(first) = waiters.recv() {
        let group: Vec<Waiter> = std::iter::once(first).chain(waiters.try_iter()).collect();
        let synced = log.sync();
        if let Err(cause) = &synced {
            tracing::error!(%cause, "the disk failed: nothing is written any more");
        }
        for waiter in group {
            // Whoever hung up has no need to know.
            let _ = waiter.send(synced.is_ok());
        }
        if synced.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_committed_passes_and_after_a_failure_nobody_does() {
        let directory = tempfile::tempdir().unwrap();
        let database = directory.path().join("a.db");
        let barrier = Barrier::before(&database);
        std::fs::write(directory.path().join("a.db-wal"), b"frames").unwrap();
        assert!(barrier.pass().await.is_ok());

        let broken = Barrier::before(&directory.path().join("missing.db"));
        assert!(broken.pass().await.is_err());
        std::fs::write(directory.path().join("missing.db-wal"), b"frames").unwrap();
        assert!(broken.pass().await.is_err(), "a disk that failed once is not asked again");
    }
}
