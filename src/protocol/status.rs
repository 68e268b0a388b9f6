//! Status lists: which tokens are revoked, for APIs that never ask
//! ([Token Status List](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list)).

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use flate2::{Compression, write::ZlibEncoder};
use serde::{Deserialize, Serialize};

use crate::{
    model::RevokedPlaces,
    values::{Issuer, StatusPlace, Timestamp},
};

/// The `typ` of a status list (§5.1).
pub const TYP: &str = "statuslist+jwt";

/// For how many seconds a list may be kept before it is fetched again. With the second in which every
/// node hears of a revocation, an API that follows it refuses a revoked token within five.
pub const TTL: i64 = 2;

/// For how many seconds a list may be believed by whoever cannot fetch another.
pub const VALIDITY: i64 = 600;

/// Where a token is found: its claim `status` (§6.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// In a status list.
    pub status_list: Reference,
}

/// A place in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Which bit.
    pub idx: i64,
    /// Of which list.
    pub uri: String,
}

/// A published list, as it is signed (§5.1).
#[derive(Debug, Serialize)]
pub struct ListClaims {
    iss: String,
    sub: String,
    iat: Timestamp,
    exp: Timestamp,
    ttl: i64,
    status_list: List,
}

#[derive(Debug, Serialize)]
struct List {
    bits: u8,
    lst: String,
}

/// The places that are revoked and matter still. Every node holds them in memory.
#[derive(Debug, Default)]
pub struct StatusSet {
    places: BTreeMap<StatusPlace, (i64, Timestamp)>,
    /// How often each list has changed here.
    versions: BTreeMap<i64, u64>,
}

impl Status {
    /// The status of the tokens at this place.
    #[must_use]
    pub fn at(place: StatusPlace, issuer: &Issuer) -> Self {
        let uri = list_uri(issuer, place.list());
        Self { status_list: Reference { idx: place.index(), uri } }
    }

    /// The place, if it is one of this issuer's.
    #[must_use]
    pub fn place(&self, issuer: &Issuer) -> Option<StatusPlace> {
        let list = self.status_list.uri.strip_prefix(&list_uri(issuer, ""))?.parse().ok()?;
        StatusPlace::at(list, self.status_list.idx)
    }
}

/// Where a list is published.
pub fn list_uri(issuer: &Issuer, list: impl std::fmt::Display) -> String {
    issuer.join(&format!("/status/{list}"))
}

impl StatusSet {
    /// The set of these.
    pub fn new(places: impl IntoIterator<Item = RevokedPlaces>) -> Self {
        let mut set = Self::default();
        places.into_iter().for_each(|places| set.add(places).map_or((), drop));
        set
    }

    /// Add places. What was added, if that is news.
    pub fn add(&mut self, added: RevokedPlaces) -> Option<RevokedPlaces> {
        let RevokedPlaces { first, count, until } = added;
        let known = self.places.get(&first).copied().unwrap_or((0, until));
        self.places.insert(first, (known.0.max(count), known.1.max(until)));
        if known.0 >= count {
            return None;
        }
        *self.versions.entry(first.list()).or_default() += 1;
        Some(added)
    }

    /// Forget what matters no more, since every token that was found there has expired.
    pub fn forget(&mut self, now: Timestamp) {
        let Self { places, versions } = self;
        places.retain(|first, (_, until)| {
            let matters = *until > now;
            if !matters {
                *versions.entry(first.list()).or_default() += 1;
            }
            matters
        });
    }

    /// How often a list has changed here: the same number means the same list.
    #[must_use]
    pub fn version(&self, list: i64) -> u64 {
        self.versions.get(&list).copied().unwrap_or_default()
    }

    /// The lists in which anything is revoked.
    #[must_use]
    pub fn lists(&self) -> BTreeSet<i64> {
        self.places.keys().map(|first| first.list()).collect()
    }

    /// What is revoked in a list: from which index on how many.
    pub fn revoked_in(&self, list: i64) -> impl Iterator<Item = (i64, i64)> {
        let first = StatusPlace::at(list, 0);
        let places = first.map(|first| self.places.range(first..first.plus(StatusPlace::LIST)));
        places.into_iter().flatten().map(|(first, (count, _))| (first.index(), *count))
    }
}

/// The list of this number as it is to be signed. `revoked` is from which index on how many places are.
///
/// # Panics
/// When memory cannot be written to.
#[must_use]
pub fn list(
    issuer: &Issuer,
    number: i64,
    revoked: impl IntoIterator<Item = (i64, i64)>,
    now: Timestamp,
) -> ListClaims {
    let bytes = usize::try_from(StatusPlace::LIST / 8).expect("a list fits into memory");
    let mut bits = vec![0_u8; bytes];
    for (first, count) in revoked {
        // The least significant bit is the first (§4.1).
        for index in first..first.saturating_add(count).min(StatusPlace::LIST) {
            let index = usize::try_from(index).unwrap_or(0);
            bits[index / 8] |= 1 << (index % 8);
        }
    }
    let mut compressed = ZlibEncoder::new(Vec::new(), Compression::best());
    compressed.write_all(&bits).expect("memory can be written to");
    let lst = BASE64.encode(compressed.finish().expect("memory can be written to"));
    ListClaims {
        iss: issuer.to_string(),
        sub: list_uri(issuer, number),
        iat: now,
        exp: now.plus(VALIDITY),
        ttl: TTL,
        status_list: List { bits: 1, lst },
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::ZlibDecoder;

    use super::*;
    use crate::protocol::fixtures::NOW;

    fn issuer() -> Issuer {
        "https://id.test/t".parse().unwrap()
    }

    fn places(list: i64, index: i64, count: i64, until: Timestamp) -> RevokedPlaces {
        RevokedPlaces { first: StatusPlace::at(list, index).unwrap(), count, until }
    }

    fn bits(claims: &ListClaims) -> Vec<u8> {
        let compressed = BASE64.decode(&claims.status_list.lst).unwrap();
        let mut bits = Vec::new();
        ZlibDecoder::new(&compressed[..]).read_to_end(&mut bits).unwrap();
        bits
    }

    #[test]
    fn a_token_says_where_it_is_found_and_only_our_lists_are_ours() {
        let place = StatusPlace::at(2, 9).unwrap();
        let status = Status::at(place, &issuer());
        assert_eq!(status.status_list.uri, "https://id.test/t/status/2");
        assert_eq!(status.place(&issuer()), Some(place));
        for uri in ["https://evil.test/t/status/2", "https://id.test/t/status/x", "2", ""] {
            let status = Status { status_list: Reference { idx: 9, uri: uri.to_owned() } };
            assert_eq!(status.place(&issuer()), None, "{uri}");
        }
    }

    #[test]
    fn a_list_has_a_bit_for_every_place_the_least_significant_first() {
        let bits = bits(&list(&issuer(), 0, [(0, 1), (9, 1), (16, 8)], NOW));
        assert_eq!(bits.len(), 128 * 1024);
        assert_eq!(bits[..4], [1, 2, 0xff, 0]);
        assert!(bits[4..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_list_in_which_little_is_revoked_is_small() {
        let revoked = (0..1000).map(|number| (number * 1048, 1));
        assert!(list(&issuer(), 0, revoked, NOW).status_list.lst.len() < 8 * 1024);
        assert!(list(&issuer(), 0, [], NOW).status_list.lst.len() < 256);
    }

    #[test]
    fn what_is_added_changes_its_list_alone_and_what_matters_no_more_is_forgotten() {
        let mut set = StatusSet::default();
        assert!(set.add(places(0, 7, 1, NOW.plus(10))).is_some());
        assert!(set.add(places(0, 7, 1, NOW.plus(20))).is_none());
        assert!(set.add(places(1, 0, 1, NOW.plus(5))).is_some());
        assert!(set.add(places(1, 0, 4096, NOW.plus(5))).is_some());
        assert!(set.add(places(1, 0, 1, NOW.plus(5))).is_none());
        assert_eq!((set.version(0), set.version(1), set.version(2)), (1, 2, 0));
        assert_eq!(set.revoked_in(0).collect::<Vec<_>>(), [(7, 1)]);
        assert_eq!(set.revoked_in(1).collect::<Vec<_>>(), [(0, 4096)]);

        set.forget(NOW.plus(10));
        assert_eq!((set.version(0), set.version(1)), (1, 3));
        assert_eq!(set.lists(), BTreeSet::from([0]));
    }
}
