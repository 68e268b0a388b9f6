//! What nobody can guess.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};

/// A word of 192 random bits, as `jti`, `state` and the like need it.
pub(crate) fn word() -> String {
    BASE64.encode(bytes::<24>())
}

/// Random bytes.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has randomness");
    bytes
}

/// Somewhere between two per cents of a span, so that many who start together do not go on together.
pub(crate) fn between(span: Duration, least: u32, most: u32) -> Duration {
    let part = u64::from(u32::from_be_bytes(bytes())) * u64::from(most - least);
    let part = u32::try_from(part >> 16).unwrap_or(u32::MAX);
    // In parts of a per cent that are as fine as 16 bits.
    (span / 100).saturating_mul(least) + (span / 100).saturating_mul(part) / (1 << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_between_is_between_and_differs() {
        let span = Duration::from_mins(15);
        let drawn: Vec<_> = (0..1000).map(|_| between(span, 75, 90)).collect();
        assert!(drawn.iter().all(|one| (675..=810).contains(&one.as_secs())));
        assert!(drawn.iter().any(|one| one.as_secs() < 710));
        assert!(drawn.iter().any(|one| one.as_secs() > 775));
        assert!(
            between(Duration::from_secs(u64::from(u32::MAX)), 75, 90).as_secs() > 3_000_000_000
        );
    }

    #[test]
    fn words_differ() {
        assert_ne!(word(), word());
        assert_eq!(word().len(), 32);
    }
}
