//! The timetable of signing keys: announced, active, retired, forgotten, as a pure function of time.
//! Any number of nodes that read the same rows agree without talking.

use crate::{
    model::{KeyPhase, SigningKeyRecord},
    values::{Algorithm, Timestamp},
};

/// How long a key signs, in seconds: 30 days.
pub const PERIOD: i64 = 30 * 24 * 3600;

/// The longest time for which a key set may be kept, in seconds.
pub const MAX_AGE: i64 = 300;

/// How long a change takes to reach every node, and then some, in seconds.
const PROPAGATION: i64 = 5;

/// How long a key is announced at least before it signs, in seconds.
const LEAD: i64 = MAX_AGE + PROPAGATION;

/// Where a key stands at `now`.
#[must_use]
pub fn phase(key: &SigningKeyRecord, now: Timestamp) -> KeyPhase {
    let past = |time: Option<Timestamp>| time.is_some_and(|time| time <= now);
    if key.revoked_at.is_some() {
        KeyPhase::Revoked
    } else if past(key.forgotten_at) {
        KeyPhase::Forgotten
    } else if past(key.retired_at) {
        KeyPhase::Retired
    } else if key.active_at <= now {
        KeyPhase::Active
    } else {
        KeyPhase::Announced
    }
}

/// Whether a key is in the key set at `now`.
#[must_use]
pub fn is_published(key: &SigningKeyRecord, now: Timestamp) -> bool {
    matches!(phase(key, now), KeyPhase::Announced | KeyPhase::Active | KeyPhase::Retired)
}

/// The key of this algorithm that signs at `now`: the last one that has become active.
#[must_use]
pub fn active(
    keys: &[SigningKeyRecord],
    algorithm: Algorithm,
    now: Timestamp,
) -> Option<&SigningKeyRecord> {
    trusted(keys, algorithm)
        .filter(|key| key.active_at <= now)
        .max_by_key(|key| (key.active_at, key.period))
}

/// The key of this algorithm that becomes active next.
#[must_use]
pub fn next(
    keys: &[SigningKeyRecord],
    algorithm: Algorithm,
    now: Timestamp,
) -> Option<&SigningKeyRecord> {
    trusted(keys, algorithm)
        .filter(|key| key.active_at > now)
        .min_by_key(|key| (key.active_at, key.period))
}

/// The key of this algorithm that was made last.
#[must_use]
pub fn last(keys: &[SigningKeyRecord], algorithm: Algorithm) -> Option<&SigningKeyRecord> {
    trusted(keys, algorithm).max_by_key(|key| key.period)
}

/// The period of the key of this algorithm that is made next: a revoked key keeps its own.
#[must_use]
pub fn next_period(keys: &[SigningKeyRecord], algorithm: Algorithm) -> i64 {
    let of_it = keys.iter().filter(|key| key.algorithm == algorithm);
    of_it.map(|key| key.period).max().unwrap_or(0) + 1
}

/// From when on a key may sign: when every key set that was served without it has expired. Before the
/// first keys no key set was served at all.
#[must_use]
pub fn promotable_at(keys: &[SigningKeyRecord], key: &SigningKeyRecord) -> Timestamp {
    let first = keys.iter().map(|key| key.announced_at).min();
    // A third key may be of the same second, but key sets were served in that second already.
    let is_of_the_first = first == Some(key.announced_at) && key.period <= 2;
    if is_of_the_first { key.announced_at } else { key.announced_at.plus(LEAD) }
}

/// The period and the beginning of the key that must be made now, if one must: there is always one
/// that signs and one that is announced.
#[must_use]
pub fn missing(
    keys: &[SigningKeyRecord],
    algorithm: Algorithm,
    now: Timestamp,
) -> Option<(i64, Timestamp)> {
    let period = next_period(keys, algorithm);
    match (active(keys, algorithm, now), next(keys, algorithm, now)) {
        (None, None) => Some((period, now)),
        (Some(active), None) => {
            // A key that was announced late signs late: nobody's key set may lack it.
            let due = active.active_at.plus(PERIOD);
            Some((period, due.max(now.plus(LEAD))))
        }
        // The next one is about to sign: the one after it is announced before that.
        (_, Some(next)) if next.active_at.since(now) <= LEAD && is_last(keys, next) => {
            Some((period, next.active_at.plus(PERIOD)))
        }
        (_, Some(_)) => None,
    }
}

/// For how many seconds the key set of `now` may be kept: never past the beginning of another key.
#[must_use]
pub fn max_age(keys: &[SigningKeyRecord], now: Timestamp) -> i64 {
    let beginnings = keys.iter().filter(|key| key.revoked_at.is_none()).map(|key| key.active_at);
    beginnings
        .filter(|at| *at > now)
        .map(|at| at.since(now))
        .min()
        .map_or(MAX_AGE, |until| until.min(MAX_AGE))
}

/// When the key set of `now` changes by itself.
#[must_use]
pub fn changes_at(keys: &[SigningKeyRecord], now: Timestamp) -> Option<Timestamp> {
    keys.iter().filter_map(|key| key.forgotten_at).filter(|at| *at > now).min()
}

fn is_last(keys: &[SigningKeyRecord], key: &SigningKeyRecord) -> bool {
    last(keys, key.algorithm).is_some_and(|last| last.kid == key.kid)
}

fn trusted(
    keys: &[SigningKeyRecord],
    algorithm: Algorithm,
) -> impl Iterator<Item = &SigningKeyRecord> {
    keys.iter().filter(move |key| key.algorithm == algorithm && key.revoked_at.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn record(period: i64, announced_at: Timestamp, active_at: Timestamp) -> SigningKeyRecord {
        SigningKeyRecord {
            kid: format!("k{period}").parse().unwrap(),
            algorithm: Algorithm::Rs256,
            period,
            announced_at,
            active_at,
            retired_at: None,
            forgotten_at: None,
            revoked_at: None,
            sealed: Vec::new(),
            public: String::new(),
        }
    }

    fn first_keys() -> Vec<SigningKeyRecord> {
        let next = NOW.plus(PERIOD);
        let mut first = record(1, NOW, NOW);
        first.retired_at = Some(next);
        first.forgotten_at = Some(next.plus(900));
        vec![first, record(2, NOW, next)]
    }

    #[test]
    fn the_first_start_makes_a_key_that_signs_and_one_that_is_announced() {
        assert_eq!(missing(&[], Algorithm::Rs256, NOW), Some((1, NOW)));
        let one = [record(1, NOW, NOW)];
        assert_eq!(missing(&one, Algorithm::Rs256, NOW), Some((2, NOW.plus(PERIOD))));
        assert_eq!(missing(&first_keys(), Algorithm::Rs256, NOW), None);
    }

    #[test]
    fn a_revoked_key_keeps_its_period_and_another_takes_its_turn() {
        let mut keys = first_keys();
        keys[1].revoked_at = Some(NOW);
        assert_eq!(next_period(&keys, Algorithm::Rs256), 3);
        assert_eq!(missing(&keys, Algorithm::Rs256, NOW), Some((3, NOW.plus(PERIOD))));
    }

    #[test]
    fn the_key_after_the_next_is_announced_before_the_next_one_signs() {
        let soon = NOW.plus(PERIOD - LEAD);
        let due = Some((3, NOW.plus(2 * PERIOD)));
        assert_eq!(missing(&first_keys(), Algorithm::Rs256, soon.minus(1)), None);
        assert_eq!(missing(&first_keys(), Algorithm::Rs256, soon), due);
    }

    #[test]
    fn keys_announced_together_with_the_first_may_sign_at_once_and_later_ones_after_the_caches() {
        let mut keys = first_keys();
        assert_eq!(promotable_at(&keys, &keys[1]), NOW);
        keys.push(record(3, NOW, NOW.plus(2 * PERIOD)));
        assert_eq!(promotable_at(&keys, &keys[2]), NOW.plus(MAX_AGE + PROPAGATION));
        keys[2].announced_at = NOW.plus(10);
        assert_eq!(promotable_at(&keys, &keys[2]), NOW.plus(10 + MAX_AGE + PROPAGATION));
    }

    #[test]
    fn a_key_is_announced_then_signs_then_is_trusted_then_is_forgotten() {
        let keys = first_keys();
        let at = |seconds| phase(&keys[0], NOW.plus(seconds));
        assert_eq!(phase(&keys[1], NOW), KeyPhase::Announced);
        assert_eq!(at(0), KeyPhase::Active);
        assert_eq!(at(PERIOD), KeyPhase::Retired);
        assert_eq!(at(PERIOD + 900), KeyPhase::Forgotten);
    }

    #[test]
    fn a_key_set_is_never_kept_past_the_beginning_of_another_key() {
        let keys = first_keys();
        assert_eq!(max_age(&keys, NOW), MAX_AGE);
        assert_eq!(max_age(&keys, NOW.plus(PERIOD - 20)), 20);
        assert_eq!(max_age(&keys, NOW.plus(PERIOD)), MAX_AGE);
    }

    #[test]
    fn a_successor_that_comes_late_still_waits_for_the_caches() {
        let one = [record(1, NOW.minus(2 * PERIOD), NOW.minus(2 * PERIOD))];
        let (_, active_at) = missing(&one, Algorithm::Rs256, NOW).unwrap();
        assert_eq!(active_at, NOW.plus(MAX_AGE + PROPAGATION));
    }
}
