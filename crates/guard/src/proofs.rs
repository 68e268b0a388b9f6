//! Proofs that were used before ([RFC 9449 §11.1](https://www.rfc-editor.org/rfc/rfc9449#section-11.1)).

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use sha2::{Digest, Sha256};
use signet_jwt::{Proof, Timestamp};

/// How many proofs of one window are remembered: 16 MB of them.
const MOST: usize = 1_000_000;

/// What is known of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    First,
    Again,
    /// So many were used within the window that no more can be told apart.
    Untold,
}

/// The proofs of the present window and of the one before. Each is as long as a proof is valid, so that no
/// proof outlives the memory of it.
#[derive(Debug)]
pub(crate) struct Proofs {
    window: i64,
    windows: Mutex<Windows>,
}

#[derive(Debug, Default)]
struct Windows {
    number: i64,
    present: HashSet<[u8; 16]>,
    before: HashSet<[u8; 16]>,
}

impl Proofs {
    /// A memory of proofs that are valid for this many seconds.
    pub(crate) fn new(validity: i64) -> Self {
        Self { window: validity.max(1), windows: Mutex::default() }
    }

    /// Use a proof that is valid now.
    pub(crate) fn use_once(&self, proof: &Proof, now: Timestamp) -> Use {
        self.use_name(name_of(proof), now.0.div_euclid(self.window), MOST)
    }

    fn use_name(&self, name: [u8; 16], number: i64, most: usize) -> Use {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.turn_to(number);
        if windows.before.contains(&name) || windows.present.contains(&name) {
            return Use::Again;
        }
        if windows.present.len() >= most {
            return Use::Untold;
        }
        windows.present.insert(name);
        Use::First
    }
}

impl Windows {
    /// A clock that goes back forgets nothing.
    fn turn_to(&mut self, number: i64) {
        if number <= self.number {
            return;
        }
        let last = std::mem::take(&mut self.present);
        self.before = if number == self.number + 1 { last } else { HashSet::new() };
        self.number = number;
    }
}

/// Two keys may use the same `jti`.
fn name_of(proof: &Proof) -> [u8; 16] {
    let hash = Sha256::new()
        .chain_update(proof.thumbprint().as_bytes())
        .chain_update(proof.jti())
        .finalize();
    let mut name = [0; 16];
    name.copy_from_slice(&hash[..16]);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: u8) -> [u8; 16] {
        [number; 16]
    }

    #[test]
    fn a_proof_is_remembered_for_as_long_as_it_is_valid() {
        let proofs = Proofs::new(120);
        assert_eq!(proofs.use_name(name(1), 5, MOST), Use::First);
        assert_eq!(proofs.use_name(name(1), 5, MOST), Use::Again);
        assert_eq!(proofs.use_name(name(1), 6, MOST), Use::Again);
        assert_eq!(proofs.use_name(name(1), 4, MOST), Use::Again);
        assert_eq!(proofs.use_name(name(1), 7, MOST), Use::First);
        assert_eq!(proofs.use_name(name(2), 9, MOST), Use::First);
    }

    #[test]
    fn a_memory_that_is_full_says_so_until_the_next_window() {
        let proofs = Proofs::new(120);
        assert_eq!(proofs.use_name(name(1), 5, 1), Use::First);
        assert_eq!(proofs.use_name(name(2), 5, 1), Use::Untold);
        assert_eq!(proofs.use_name(name(2), 6, 1), Use::First);
    }
}
