//! How often somebody may do what costs us something: counted in memory, by each node for itself, in
//! tables that do not grow beyond a bound however many strangers come.

use std::{
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use moka::sync::Cache;

use crate::values::Timestamp;

/// How many are counted at a time. Whoever comes least often is forgotten first.
const MOST_COUNTED: u64 = 100_000;

/// So many times in so many seconds, for each of many.
pub struct Pace<K> {
    counts: Cache<K, Window>,
    most: u32,
    seconds: i64,
}

/// A while in which somebody is counted.
#[derive(Clone, Copy, Debug)]
struct Window {
    since: Timestamp,
    count: u32,
}

impl<K: Hash + Eq + Send + Sync + 'static> Pace<K> {
    /// `most` times in `seconds`.
    #[must_use]
    pub fn new(most: u32, seconds: u32) -> Self {
        let counts = Cache::builder()
            .max_capacity(MOST_COUNTED)
            .time_to_live(Duration::from_secs(seconds.into()))
            .build();
        Self { counts, most, seconds: seconds.into() }
    }

    /// Count it, and say whether that was within the limit.
    pub fn admits(&self, key: K, now: Timestamp) -> bool {
        let counted = self.counts.entry(key).and_upsert_with(|before| {
            let before =
                before.map(moka::Entry::into_value).filter(|window| self.lasts(window, now));
            let before = before.unwrap_or(Window { since: now, count: 0 });
            Window { count: before.count.saturating_add(1), ..before }
        });
        counted.into_value().count <= self.most
    }

    /// Whether the limit is reached; nothing is counted.
    pub fn is_used_up(&self, key: &K, now: Timestamp) -> bool {
        let window = self.counts.get(key).filter(|window| self.lasts(window, now));
        window.is_some_and(|window| window.count >= self.most)
    }

    fn lasts(&self, window: &Window, now: Timestamp) -> bool {
        now.since(window.since) < self.seconds
    }
}

/// As whom an address counts: a household or a server has a whole IPv6 network of 64 bits.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).to_canonical(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    #[test]
    fn everybody_is_counted_alone_and_starts_again_after_a_while() {
        let pace = Pace::new(2, 60);
        assert!(pace.admits("ada", NOW) && pace.admits("ada", NOW));
        assert!(pace.is_used_up(&"ada", NOW) && !pace.admits("ada", NOW.plus(59)));
        assert!(pace.admits("bob", NOW) && !pace.is_used_up(&"bob", NOW));
        assert!(!pace.is_used_up(&"ada", NOW.plus(60)) && pace.admits("ada", NOW.plus(60)));
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let network = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(network("192.0.2.1"), "192.0.2.1");
    }
}
