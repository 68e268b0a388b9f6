//! One errand at a time, however many want it done.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::timeout};

/// How long whoever has something at hand waits for something better.
const SOON: Duration = Duration::from_secs(1);

/// At most one errand on its way. Whoever wants it done while it is under way waits for that one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flight(Arc<Mutex<Option<watch::Receiver<()>>>>);

/// An errand that is under way.
#[derive(Debug)]
pub(crate) struct UnderWay(watch::Receiver<()>);

impl Flight {
    /// The errand that is under way; if none is and `due` says so, one that begins now. It goes on
    /// when whoever asked for it goes away.
    pub(crate) fn begin<F>(
        &self,
        due: impl FnOnce() -> bool,
        errand: impl FnOnce() -> F,
    ) -> Option<UnderWay>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut flight = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A sender that is gone without having cleared the flight belonged to an errand that panicked.
        if let Some(receiver) = flight.as_ref().filter(|receiver| receiver.has_changed().is_ok()) {
            return Some(UnderWay(receiver.clone()));
        }
        if !due() {
            return None;
        }
        let (done, receiver) = watch::channel(());
        *flight = Some(receiver.clone());
        drop(flight);

        let (this, errand) = (self.clone(), errand());
        #[expect(
            clippy::disallowed_methods,
            reason = "an errand outlives the request that began it"
        )]
        tokio::spawn(async move {
            errand.await;
            *this.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
            drop(done);
        });
        Some(UnderWay(receiver))
    }
}

impl UnderWay {
    /// Wait until it is done, or given up.
    pub(crate) async fn done(mut self) {
        // An error says that the errand is over, which is what is waited for.
        let _ = self.0.changed().await;
    }

    /// Wait until it is done, but not for long: a server that hangs shall not hold up everybody.
    pub(crate) async fn done_soon(self) {
        let _ = timeout(SOON, self.done()).await;
    }
}
