//! A moment as tokens write it: `NumericDate`
//! ([RFC 7519 §2](https://www.rfc-editor.org/rfc/rfc7519#section-2)).

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The moment this many seconds later, or the last one there is.
    #[must_use]
    pub fn plus(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// The moment this many seconds earlier, or the first one there is.
    #[must_use]
    pub fn minus(self, seconds: i64) -> Self {
        Self(self.0.saturating_sub(seconds))
    }

    /// The seconds that have passed since `earlier`; negative if it is in fact later.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_at_the_ends_of_time_saturates() {
        assert_eq!(Timestamp(i64::MAX).plus(1), Timestamp(i64::MAX));
        assert_eq!(Timestamp(i64::MIN).minus(1), Timestamp(i64::MIN));
        assert_eq!(Timestamp(i64::MAX).since(Timestamp(i64::MIN)), i64::MAX);
    }

    #[test]
    fn it_travels_as_a_plain_number() {
        assert_eq!(serde_json::to_string(&Timestamp(1_700_000_000)).unwrap(), "1700000000");
    }
}
