//! Where a token is found in the published status lists
//! ([Token Status List §4](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#section-4)).

use sha2::{Digest, Sha256};

/// The number of a bit in the endless row of status lists. One place belongs to one grant, or to some of a
/// client's own tokens, and is never given to anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusPlace(i64);

impl StatusPlace {
    /// How many places one list has: 128 KiB of bits, nearly all of which are zero.
    pub const LIST: i64 = 1 << 20;

    /// How many places a client has for its own tokens, and how many a node takes at a time for the
    /// grants that it makes. A list holds a whole number of such blocks, so that none lies in two.
    pub const BLOCK: i64 = 1 << 12;

    /// The place with this number, which is none below zero.
    #[must_use]
    pub fn new(number: i64) -> Option<Self> {
        (number >= 0).then_some(Self(number))
    }

    /// The place at this index of this list.
    #[must_use]
    pub fn at(list: i64, index: i64) -> Option<Self> {
        let first = list.checked_mul(Self::LIST)?;
        (list >= 0 && (0..Self::LIST).contains(&index)).then(|| Self(first + index))
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> i64 {
        self.0
    }

    /// Which list it lies in.
    #[must_use]
    pub fn list(self) -> i64 {
        self.0 / Self::LIST
    }

    /// Where in that list.
    #[must_use]
    pub fn index(self) -> i64 {
        self.0 % Self::LIST
    }

    /// The place so many further on.
    #[must_use]
    pub fn plus(self, places: i64) -> Self {
        Self(self.0.saturating_add(places))
    }

    /// Of the block that begins here, the place of the token with this `jti`. Tokens share places: a
    /// client that has one of its own tokens revoked loses one in four thousand others with it.
    #[must_use]
    pub fn of_token(self, jti: &str) -> Self {
        let hash = Sha256::digest(jti);
        let number = i64::from(u16::from_be_bytes([hash[0], hash[1]]));
        self.plus(number % Self::BLOCK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_an_index_in_a_list() {
        let place = StatusPlace::at(3, 7).unwrap();
        assert_eq!((place.list(), place.index()), (3, 7));
        assert_eq!(StatusPlace::new(place.number()), Some(place));
        for (list, index) in [(-1, 0), (0, -1), (0, StatusPlace::LIST), (i64::MAX, 0)] {
            assert_eq!(StatusPlace::at(list, index), None);
        }
    }

    #[test]
    fn a_block_lies_in_one_list_and_its_tokens_lie_in_it() {
        assert_eq!(StatusPlace::LIST % StatusPlace::BLOCK, 0);
        let first = StatusPlace::new(StatusPlace::LIST - StatusPlace::BLOCK).unwrap();
        for jti in 0..1000 {
            let place = first.of_token(&jti.to_string());
            assert!(place >= first && place.list() == first.list());
        }
    }
}
