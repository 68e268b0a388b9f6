//! The server's clock in the hands of those who call it.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use signet_client::{Clock, Timestamp};
use tokio::sync::Semaphore;

/// The clock of the server. Whoever waits by it goes on when the gate is opened, and time has passed.
#[derive(Clone)]
pub(crate) struct Hand {
    hand: Arc<AtomicI64>,
    gate: Arc<Semaphore>,
}

impl Hand {
    pub(super) fn new(hand: Arc<AtomicI64>) -> Self {
        Self { hand, gate: Arc::new(Semaphore::new(0)) }
    }

    /// Let whoever waits go on.
    pub(crate) fn opens(&self) {
        self.gate.add_permits(1);
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        Timestamp(self.hand.load(Ordering::Relaxed))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.now().0.unsigned_abs())
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let this = self.clone();
        Box::pin(async move {
            this.gate.acquire().await.unwrap().forget();
            this.hand.fetch_add(i64::try_from(duration.as_secs()).unwrap(), Ordering::Relaxed);
        })
    }
}
