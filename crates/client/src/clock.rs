//! What time it is, and waiting until it is another.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use signet_jwt::Timestamp;

/// A source of time. The system's is what is used unless another is given; a test moves its own.
pub trait Clock: Send + Sync + 'static {
    /// The present, as servers tell it.
    fn now(&self) -> Timestamp;

    /// How long it is since some fixed moment. It never goes back, whatever is done to the system's
    /// clock.
    fn elapsed(&self) -> Duration;

    /// Wait. Only sign-in on another screen does: it asks again after an interval.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// The clock of the system.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// The clock, from now on.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
    }

    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

/// A clock that is shared.
#[derive(Clone)]
pub(crate) struct SharedClock(Arc<dyn Clock>);

/// The present, by both ways of telling it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) now: Timestamp,
    pub(crate) elapsed: Duration,
}

/// A moment to come. It has come when either way of telling time says so: a computer that slept did
/// not count the time, and one whose clock was set back counts it twice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Moment);

impl SharedClock {
    pub(crate) fn new(clock: impl Clock) -> Self {
        Self(Arc::new(clock))
    }

    pub(crate) fn moment(&self) -> Moment {
        Moment { now: self.0.now(), elapsed: self.0.elapsed() }
    }

    #[cfg(feature = "login")]
    pub(crate) async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration).await;
    }
}

impl Moment {
    /// The moment this much later.
    pub(crate) fn plus(self, duration: Duration) -> Deadline {
        let seconds = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        let elapsed = self.elapsed.saturating_add(duration);
        Deadline(Self { now: self.now.plus(seconds), elapsed })
    }
}

impl Deadline {
    pub(crate) fn passed(self, moment: Moment) -> bool {
        moment.now >= self.0.now || moment.elapsed >= self.0.elapsed
    }

    /// The moment as servers tell it.
    pub(crate) fn timestamp(self) -> Timestamp {
        self.0.now
    }
}

impl fmt::Debug for SharedClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedClock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deadline_passes_by_either_clock() {
        let at =
            |now, elapsed| Moment { now: Timestamp(now), elapsed: Duration::from_secs(elapsed) };
        let deadline = at(1000, 0).plus(Duration::from_mins(1));
        assert!(!deadline.passed(at(1059, 59)));
        // The computer slept; the clock was set back.
        assert!(deadline.passed(at(1060, 1)));
        assert!(deadline.passed(at(500, 60)));
    }
}
