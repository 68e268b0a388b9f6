//! Passwords: Argon2id ([RFC 9106](https://www.rfc-editor.org/rfc/rfc9106)) with the parameters that
//! OWASP recommends, on a bounded pool, so that a flood of sign-ins cannot take the memory or the
//! threads of everything else.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{self, Output, ParamsString, Salt},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task,
};

use crate::values::{Password, PasswordHash};

/// KiB of memory for one hash.
const MEMORY: u32 = 19_456;
/// Passes over the memory.
const PASSES: u32 = 2;
/// Lanes that could run in parallel.
const LANES: u32 = 1;
/// Bytes of a hash.
const LENGTH: usize = 32;

/// What an unknown person's password is compared with: no password was ever hashed to it.
static NOBODY: LazyLock<PasswordHash> = LazyLock::new(|| {
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IG5vYm9keSBubw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        .parse()
        .expect("it has the form of a hash")
});

/// A password that could not be hashed, for lack of memory.
#[derive(Debug, thiserror::Error)]
#[error("there is not enough memory to hash a password")]
pub struct NotHashed;

/// More people are waiting for their password to be checked than may wait.
#[derive(Debug, thiserror::Error)]
#[error("too many passwords are being checked")]
pub struct Busy;

/// Whether a password is the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is.
    Right {
        /// Whether it should be hashed anew, since the parameters have changed.
        rehash: bool,
    },
    /// It is not, or there is nobody whose password it could be.
    Wrong,
}

/// Hash a new password with this random salt.
pub fn hash(password: &Password, salt: [u8; 16]) -> Result<PasswordHash, NotHashed> {
    Memory::default().hash(password, salt)
}

/// Whether a hash was made with other parameters than we use now.
#[must_use]
pub fn needs_rehash(hash: &PasswordHash) -> bool {
    let Ok(hash) = phc::PasswordHash::new(hash.as_str()) else { return true };
    let version = hash.version == Some(Version::V0x13.into());
    let length = hash.hash.is_some_and(|output| output.len() == LENGTH);
    let same = |params: &Params| {
        (params.m_cost(), params.t_cost(), params.p_cost()) == (MEMORY, PASSES, LANES)
    };
    !(version && length && Params::try_from(&hash).is_ok_and(|params| same(&params)))
}

/// The pool on which passwords are hashed and checked.
#[derive(Clone, Debug)]
pub struct PasswordHasher {
    /// One permit for each that runs.
    running: Arc<Semaphore>,
    /// One permit for each that runs or waits.
    admitted: Arc<Semaphore>,
    /// The memory of those that do not run: given back to the system it would be lost in the heaps of
    /// many threads.
    idle: Arc<Mutex<Vec<Memory>>>,
}

impl PasswordHasher {
    /// A pool in which `concurrency` passwords are worked on while `queue` more may wait.
    #[must_use]
    pub fn new(concurrency: usize, queue: usize) -> Self {
        Self {
            running: Arc::new(Semaphore::new(concurrency)),
            admitted: Arc::new(Semaphore::new(concurrency + queue)),
            idle: Arc::default(),
        }
    }

    /// Whether this is the password behind the hash. Without a hash, because nobody has that name,
    /// the answer takes as long.
    pub async fn verify(
        &self,
        hash: Option<PasswordHash>,
        password: Password,
    ) -> Result<Verdict, Busy> {
        self.work(move |memory| {
            let right = memory.verify(&password, hash.as_ref().unwrap_or(&NOBODY))?;
            Ok(match hash {
                Some(hash) if right => Verdict::Right { rehash: needs_rehash(&hash) },
                _ => Verdict::Wrong,
            })
        })
        .await?
        .map_err(|NotHashed| Busy)
    }

    /// Hash a new password with this random salt.
    pub async fn hash(&self, password: Password, salt: [u8; 16]) -> Result<PasswordHash, Busy> {
        self.work(move |memory| memory.hash(&password, salt)).await?.map_err(|NotHashed| Busy)
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let admitted = self.admitted.clone().try_acquire_owned().map_err(|_| Busy)?;
        let running = self.running.clone().acquire_owned().await.map_err(|_| Busy)?;

        // The permits go with the work: it goes on when whoever waits for it hangs up.
        let permits: (OwnedSemaphorePermit, OwnedSemaphorePermit) = (admitted, running);
        let pool = self.clone();
        let done = task::spawn_blocking(move || {
            let mut memory = pool.idle().pop().unwrap_or_default();
            let result = work(&mut memory);
            pool.idle().push(memory);
            drop(permits);
            result
        });
        done.await.map_err(|_| Busy)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Memory>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one hash is made in, as large as our parameters ask for and no larger, and used again for the
/// next one.
#[derive(Debug, Default)]
struct Memory(Vec<Block>);

impl Memory {
    fn hash(&mut self, password: &Password, salt: [u8; 16]) -> Result<PasswordHash, NotHashed> {
        let params = Params::new(MEMORY, PASSES, LANES, Some(LENGTH));
        let params = params.expect("the parameters are within the bounds of RFC 9106 §3.1");
        let kept = ParamsString::try_from(&params).map_err(|_| NotHashed)?;
        let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
        let argon2 = Argon2::new(algorithm, version, params);
        let output = self.output(&argon2, password, &salt)?;
        let hash = phc::PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: kept,
            salt: Some(Salt::new(&salt).map_err(|_| NotHashed)?),
            hash: Some(output),
        };
        hash.to_string().parse().map_err(|_| NotHashed)
    }

    /// Whether this password was hashed to this, with whatever parameters. What is not a hash matches
    /// nothing.
    fn verify(&mut self, password: &Password, hash: &PasswordHash) -> Result<bool, NotHashed> {
        let Ok(hash) = phc::PasswordHash::new(hash.as_str()) else { return Ok(false) };
        let (Some(salt), Some(expected)) = (&hash.salt, &hash.hash) else { return Ok(false) };
        let Some(argon2) = argon2_of(&hash) else { return Ok(false) };
        // Outputs are compared in constant time.
        Ok(self.output(&argon2, password, salt)? == *expected)
    }

    fn output(
        &mut self,
        argon2: &Argon2<'_>,
        password: &Password,
        salt: &[u8],
    ) -> Result<Output, NotHashed> {
        let blocks = argon2.params().block_count();
        let mut larger = Vec::new();
        let memory = if blocks > MEMORY as usize { &mut larger } else { &mut self.0 };
        if memory.len() < blocks {
            memory.try_reserve_exact(blocks - memory.len()).map_err(|_| NotHashed)?;
            memory.resize(blocks, Block::new());
        }

        let mut output = [0; Output::MAX_LENGTH];
        let length = argon2.params().output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let output = output.get_mut(..length).ok_or(NotHashed)?;
        argon2
            .hash_password_into_with_memory(password.expose(), salt, output, memory)
            .map_err(|_| NotHashed)?;
        Output::new(output).map_err(|_| NotHashed)
    }
}

/// With the algorithm, the version and the parameters of a hash.
fn argon2_of(hash: &phc::PasswordHash) -> Option<Argon2<'static>> {
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let version = hash.version.map_or(Ok(Version::default()), Version::try_from).ok()?;
    Some(Argon2::new(algorithm, version, Params::try_from(hash).ok()?))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use argon2::{PasswordHasher as _, PasswordVerifier};

    use super::*;

    fn password(text: &str) -> Password {
        text.parse().unwrap()
    }

    fn verify(password: &Password, hash: &PasswordHash) -> bool {
        Memory::default().verify(password, hash).unwrap()
    }

    #[test]
    fn only_the_right_password_is_right() {
        let hash = hash(&password("correct horse"), [7; 16]).unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify(&password("correct horse"), &hash));
        assert!(!verify(&password("correct horsE"), &hash));
        assert!(!needs_rehash(&hash));
    }

    #[test]
    fn nobodys_password_takes_as_long_as_everybodys() {
        assert!(!needs_rehash(&NOBODY), "its parameters are not ours");
        assert!(!verify(&password("nobody"), &NOBODY));
    }

    #[test]
    fn our_hashes_are_those_of_the_library() {
        let salt = [7; 16];
        let argon2 = Argon2::default();
        let theirs: phc::PasswordHash =
            argon2.hash_password_with_salt(b"correct horse", &salt).unwrap();
        let theirs: PasswordHash = theirs.to_string().parse().unwrap();
        assert!(verify(&password("correct horse"), &theirs));
        assert!(!verify(&password("correct horsE"), &theirs));

        let ours = hash(&password("correct horse"), salt).unwrap();
        let ours = phc::PasswordHash::new(ours.as_str()).unwrap();
        assert!(argon2.verify_password(b"correct horse", &ours).is_ok());
    }

    #[test]
    fn memory_that_was_used_before_gives_the_same_hashes_and_does_not_grow() {
        let mut memory = Memory::default();
        let first = memory.hash(&password("correct horse"), [7; 16]).unwrap();
        memory.hash(&password("battery staple"), [8; 16]).unwrap();
        assert_eq!(memory.hash(&password("correct horse"), [7; 16]).unwrap(), first);

        let params = Params::new(2 * MEMORY, 1, 1, None).unwrap();
        let strong = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let strong: phc::PasswordHash =
            strong.hash_password_with_salt(b"correct horse", &[7; 16]).unwrap();
        let strong: PasswordHash = strong.to_string().parse().unwrap();
        assert!(memory.verify(&password("correct horse"), &strong).unwrap());
        assert_eq!(memory.0.len(), MEMORY as usize);
    }

    #[test]
    fn a_hash_with_other_parameters_is_verified_and_made_anew() {
        let params = Params::new(64, 1, 1, None).unwrap();
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let weak: phc::PasswordHash =
            weak.hash_password_with_salt(b"correct horse", &[7; 16]).unwrap();
        let weak: PasswordHash = weak.to_string().parse().unwrap();
        assert!(verify(&password("correct horse"), &weak));
        assert!(needs_rehash(&weak));
    }

    #[test]
    fn what_is_not_a_hash_matches_nothing() {
        let broken: PasswordHash = "$argon2id$broken".parse().unwrap();
        assert!(!verify(&password("correct horse"), &broken));
        assert!(needs_rehash(&broken));
    }

    #[tokio::test]
    async fn nobody_has_no_password() {
        let hasher = PasswordHasher::new(1, 1);
        assert_eq!(hasher.verify(None, password("nobody")).await.unwrap(), Verdict::Wrong);
        let hash = hasher.hash(password("correct horse"), [7; 16]).await.unwrap();
        let verdict = hasher.verify(Some(hash), password("correct horse")).await.unwrap();
        assert_eq!(verdict, Verdict::Right { rehash: false });
    }

    #[expect(clippy::disallowed_methods, reason = "the test waits for what it starts")]
    #[tokio::test]
    async fn more_than_the_queue_holds_are_turned_away() {
        let hasher = PasswordHasher::new(1, 1);
        let (release, blocked) = mpsc::channel::<()>();
        let (running, waiting) = (hasher.clone(), hasher.clone());
        let running = task::spawn(async move { running.work(move |_| blocked.recv()).await });
        let waiting = task::spawn(async move { waiting.work(|_| ()).await });
        while hasher.admitted.available_permits() > 0 {
            task::yield_now().await;
        }

        assert!(hasher.work(|_| ()).await.is_err());

        release.send(()).unwrap();
        assert!(running.await.unwrap().is_ok() && waiting.await.unwrap().is_ok());
        assert!(hasher.work(|_| ()).await.is_ok());
        assert_eq!(hasher.idle().len(), 1, "one at a time needs the memory of one");
    }
}
