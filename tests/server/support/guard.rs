//! The API `API`, which has a guard.

use std::{sync::Arc, time::Duration};

use signet::flows::App;
use signet_guard::{Builder, Clock, Guard, Timestamp};

use super::{API, Server};

/// The clock of a server, so that an API lives in the same time.
struct SameClock(Arc<App>);

impl Clock for SameClock {
    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.0.clock.now().0.unsigned_abs())
    }
}

impl Server {
    pub(crate) fn guarding(&self) -> Builder {
        Guard::discover(&self.issuer).audience(API).clock(SameClock(self.app.clone()))
    }

    pub(crate) async fn guard(&self) -> Guard {
        self.guarding().await.unwrap()
    }
}
