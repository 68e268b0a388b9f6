//! The arithmetic: percentiles of latencies, and what two costs in a row leave of a rate.

use std::time::Duration;

/// The latency that this share of the sorted latencies does not exceed (nearest rank).
pub(crate) fn percentile(sorted: &[Duration], share: f64) -> Duration {
    let rank = (share * count(sorted.len())).ceil().max(1.0);
    let mut index = 0;
    while count(index + 1) < rank && index + 1 < sorted.len() {
        index += 1;
    }
    sorted.get(index).copied().unwrap_or_default()
}

/// The rate of something that needs one of each.
pub(crate) fn in_a_row(rates: &[f64]) -> f64 {
    1.0 / rates.iter().map(|rate| 1.0 / rate).sum::<f64>()
}

/// The one in the middle, or the mean of the two there.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => 0.0,
        (odd, middle) if odd % 2 == 1 => sorted[middle],
        (_, middle) => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// A count, as a number to reckon with.
pub(crate) fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn milliseconds(latencies: &[u64]) -> Vec<Duration> {
        latencies.iter().copied().map(Duration::from_millis).collect()
    }

    #[test]
    fn a_percentile_is_a_latency_that_occurred() {
        let hundred = milliseconds(&(1..=100).collect::<Vec<_>>());
        assert_eq!(percentile(&hundred, 0.50), Duration::from_millis(50));
        assert_eq!(percentile(&hundred, 0.99), Duration::from_millis(99));
        assert_eq!(percentile(&hundred, 1.0), Duration::from_millis(100));
        assert_eq!(percentile(&milliseconds(&[7]), 0.99), Duration::from_millis(7));
        assert_eq!(percentile(&[], 0.99), Duration::ZERO);
    }

    #[test]
    fn two_costs_in_a_row_add_up() {
        assert!((in_a_row(&[1000.0]) - 1000.0).abs() < 1e-6);
        assert!((in_a_row(&[1000.0, 1000.0]) - 500.0).abs() < 1e-6);
        assert!((in_a_row(&[40_000.0, 10_000.0]) - 8000.0).abs() < 1e-6);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(&[]).abs() < 1e-9);
    }
}
