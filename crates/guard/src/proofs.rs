//! Proofs that were used before ([RFC 9449 §11.1](https://www.rfc-editor.org/rfc/rfc9449#section-11.1)).

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use sha2::{Digest, Sha256};
use signet_jwt::Proof;

/// How many proofs of one window are remembered: some 40 MB of them.
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
    window: u64,
    windows: Mutex<Windows>,
}

#[derive(Debug, Default)]
struct Windows {
    number: u64,
    present: HashSet<[u8; 16]>,
    before: HashSet<[u8; 16]>,
}

impl Proofs {
    /// A memory of proofs that are valid for this many seconds.
    pub(crate) fn new(validity: i64) -> Self {
        Self { window: validity.max(1).unsigned_abs(), windows: Mutex::default() }
    }

    /// Use a proof that is valid now. Memory is counted by a clock that never goes back nor leaps.
    pub(crate) fn use_once(&self, proof: &Proof, elapsed: Duration) -> Use {
        self.use_name(name_of(proof), elapsed.as_secs() / self.window, MOST)
    }

    fn use_name(&self, name: [u8; 16], number: u64, most: usize) -> Use {
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
    fn turn_to(&mut self, number: u64) {
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
