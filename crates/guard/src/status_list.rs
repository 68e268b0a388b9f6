//! One status list, read
//! ([Token Status List §5.1](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#section-5.1)).

use std::{io::Read, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use flate2::read::ZlibDecoder;
use serde::Deserialize;
use signet_jwt::{Algorithm, Expected, Expiry, Rejected, Timestamp, Typ, Unverified};

use crate::{
    fetch::FetchError,
    keys::{KeyCache, KeysUnavailable},
};

const TYP: &str = "statuslist+jwt";

/// How large a list may become. What is compressed may claim to be anything.
const LARGEST: u64 = 4 * 1024 * 1024;

/// Longer than this a list is not kept, whatever it says.
const LONGEST: i64 = 3600;

/// Why a list is not believed. The texts are for the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Keys(#[from] KeysUnavailable),
    #[error(transparent)]
    Rejected(#[from] Rejected),
    #[error("it is not a status list: {0}")]
    Unreadable(&'static str),
}

/// The states of tokens, each of one, two, four or eight bits.
#[derive(Debug)]
pub(crate) struct StatusList {
    states: Vec<u8>,
    bits: u8,
    ttl: Option<Duration>,
    expires_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    ttl: Option<i64>,
    status_list: Content,
}

#[derive(Deserialize)]
struct Content {
    bits: u8,
    lst: String,
}

impl StatusList {
    /// Read the list that is published here, which is signed with the keys that sign tokens (§8.3).
    pub(crate) async fn read(
        body: &[u8],
        uri: &str,
        keys: &KeyCache,
        now: Timestamp,
    ) -> Result<Self, ListError> {
        let text = std::str::from_utf8(body).map_err(|_| ListError::Unreadable("not text"))?;
        let token = Unverified::parse_within(text, body.len())?;
        let keys = keys.for_token(&token).await?;
        let expected = Expected {
            typ: Typ::Is(TYP),
            issuer: None,
            audience: None,
            algorithms: &Algorithm::ALL,
            // A list may do without `exp`; one that has it is asked each time that it is used.
            expiry: Expiry::Ignored,
            now,
            leeway: 0,
            ahead: 60,
        };
        let list = token.verify::<Claims>(&keys, &expected)?;
        let expires_at = list.expires_at();

        let Claims { sub, ttl, status_list } = list.into_claims();
        if sub != uri {
            return Err(ListError::Unreadable("it is another list"));
        }
        let states = inflate(&status_list.lst)?;
        let ttl = ttl.map(|ttl| Duration::from_secs(ttl.clamp(1, LONGEST).unsigned_abs()));
        Self::new(states, status_list.bits, ttl, expires_at)
    }

    fn new(
        states: Vec<u8>,
        bits: u8,
        ttl: Option<Duration>,
        expires_at: Option<Timestamp>,
    ) -> Result<Self, ListError> {
        if !matches!(bits, 1 | 2 | 4 | 8) {
            return Err(ListError::Unreadable("a state has one, two, four or eight bits"));
        }
        Ok(Self { states, bits, ttl, expires_at })
    }

    /// For how long it may be kept.
    pub(crate) fn ttl(&self) -> Option<Duration> {
        self.ttl
    }

    /// Whether the list may still be believed.
    pub(crate) fn counts_at(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }

    /// The state at a place, if the list has it: the lowest bits of a byte come first (§4.1).
    pub(crate) fn status(&self, index: u64) -> Option<u8> {
        let each = u64::from(8 / self.bits);
        let byte = *self.states.get(usize::try_from(index / each).ok()?)?;
        let shift = u8::try_from(index % each).ok()? * self.bits;
        let mask = u8::MAX >> (8 - self.bits);
        Some((byte >> shift) & mask)
    }
}

fn inflate(text: &str) -> Result<Vec<u8>, ListError> {
    let compressed = BASE64.decode(text).map_err(|_| ListError::Unreadable("not base64url"))?;
    let mut states = Vec::new();
    let mut reader = ZlibDecoder::new(&compressed[..]).take(LARGEST + 1);
    let length = reader.read_to_end(&mut states);
    let length = length.map_err(|_| ListError::Unreadable("not compressed with zlib"))?;
    if length as u64 > LARGEST {
        return Err(ListError::Unreadable("it is too large"));
    }
    Ok(states)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(states: &[u8], bits: u8) -> StatusList {
        StatusList::new(states.to_vec(), bits, None, None).unwrap()
    }

    /// Token Status List §4.1: the examples of one and of two bits.
    #[test]
    fn states_are_read_from_the_lowest_bits_up() {
        let one = list(&[0xb9, 0xa3], 1);
        let states: Vec<u8> = (0..16).map(|index| one.status(index).unwrap()).collect();
        assert_eq!(states, [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]);
        assert_eq!(one.status(16), None);

        let two = list(&[0xc9, 0x44, 0xf9], 2);
        let states: Vec<u8> = (0..12).map(|index| two.status(index).unwrap()).collect();
        assert_eq!(states, [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]);
        assert_eq!(list(&[7], 8).status(0), Some(7));
        assert_eq!(list(&[0x21], 4).status(1), Some(2));
    }

    #[test]
    fn what_no_list_can_be_is_refused() {
        assert!(StatusList::new(vec![], 3, None, None).is_err());
        assert!(StatusList::new(vec![], 0, None, None).is_err());
        for text in ["", "====", "AAAA"] {
            assert!(inflate(text).is_err(), "{text}");
        }
        assert_eq!(list(&[1], 1).status(u64::MAX), None);
    }

    #[test]
    fn a_small_text_does_not_become_a_large_list() {
        use std::io::Write;

        let mut bomb = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        bomb.write_all(&vec![0; 64 << 20]).unwrap();
        assert!(inflate(&BASE64.encode(bomb.finish().unwrap())).is_err());
    }

    #[test]
    fn a_list_counts_until_it_expires() {
        let list = StatusList::new(vec![0], 1, None, Some(Timestamp(10))).unwrap();
        assert!(list.counts_at(Timestamp(9)) && !list.counts_at(Timestamp(10)));
    }
}
