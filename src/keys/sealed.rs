//! What is derived from a master key. Each purpose has a key of its own, so that nothing sealed for one
//! can pass for another.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey},
    constant_time,
    hkdf::{HKDF_SHA256, Prk, Salt},
    hmac,
};

/// The length of a nonce of AES-GCM, in bytes; it travels before what is sealed.
const NONCE: usize = 12;

/// What a sealed thing is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A private signing key, at rest.
    SigningKey,
    /// A request that waits in somebody's browser.
    Request,
}

/// A key that everything else rests on.
pub(super) struct MasterKey {
    signing_keys: RandomizedNonceKey,
    requests: RandomizedNonceKey,
    refresh_tokens: hmac::Key,
    dpop_nonces: hmac::Key,
    user_codes: hmac::Key,
}

impl MasterKey {
    /// The master key of these bytes.
    ///
    /// # Panics
    /// Never: the derived keys have the length that the cipher takes.
    pub(super) fn new(bytes: &[u8; 32]) -> Self {
        let root = Salt::new(HKDF_SHA256, b"signet master key 1").extract(bytes);
        let aead = |info| {
            RandomizedNonceKey::new(&AES_256_GCM, &derive(&root, info))
                .expect("the key has the length that the cipher takes")
        };
        let mac = |info| hmac::Key::new(hmac::HMAC_SHA256, &derive(&root, info));
        Self {
            signing_keys: aead("signing keys"),
            requests: aead("requests"),
            refresh_tokens: mac("refresh tokens"),
            dpop_nonces: mac("dpop nonces"),
            user_codes: mac("user codes"),
        }
    }

    pub(super) fn seal(&self, purpose: Purpose, context: &str, plain: &[u8]) -> Vec<u8> {
        let mut text = plain.to_vec();
        let nonce = self
            .key(purpose)
            .seal_in_place_append_tag(Aad::from(context), &mut text)
            .expect("what we seal is far from the cipher's limit");
        let mut sealed = nonce.as_ref().to_vec();
        sealed.extend(text);
        sealed
    }

    pub(super) fn open(&self, purpose: Purpose, context: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.split_at_checked(NONCE)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let plain = self.key(purpose).open_in_place(nonce, Aad::from(context), &mut text).ok()?;
        Some(plain.to_vec())
    }

    pub(super) fn mac(&self, message: &[u8]) -> [u8; 24] {
        tag(&self.refresh_tokens, message)
    }

    pub(super) fn dpop_nonce(&self, slot: i64) -> [u8; 24] {
        tag(&self.dpop_nonces, &slot.to_be_bytes())
    }

    pub(super) fn verifies(&self, message: &[u8], mac: &[u8; 24]) -> bool {
        constant_time::verify_slices_are_equal(&self.mac(message), mac).is_ok()
    }

    /// What stands for a user code where it is kept.
    pub(super) fn user_code(&self, code: &[u8]) -> [u8; 32] {
        let mut mac = [0; 32];
        mac.copy_from_slice(hmac::sign(&self.user_codes, code).as_ref());
        mac
    }

    fn key(&self, purpose: Purpose) -> &RandomizedNonceKey {
        match purpose {
            Purpose::SigningKey => &self.signing_keys,
            Purpose::Request => &self.requests,
        }
    }
}

fn tag(key: &hmac::Key, message: &[u8]) -> [u8; 24] {
    let tag = hmac::sign(key, message);
    let mut mac = [0; 24];
    mac.copy_from_slice(&tag.as_ref()[..24]);
    mac
}

fn derive(root: &Prk, info: &str) -> [u8; 32] {
    let mut key = [0; 32];
    root.expand(&[info.as_bytes()], hmac::HMAC_SHA256)
        .and_then(|okm| okm.fill(&mut key))
        .expect("32 bytes are within what HKDF gives");
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_for_the_same_purpose_and_context_only() {
        let master = MasterKey::new(&[1; 32]);
        let sealed = master.seal(Purpose::SigningKey, "k1", b"private");
        assert_eq!(master.open(Purpose::SigningKey, "k1", &sealed).unwrap(), b"private");
        assert!(master.open(Purpose::SigningKey, "k2", &sealed).is_none());
        assert!(master.open(Purpose::Request, "k1", &sealed).is_none());
        assert!(MasterKey::new(&[2; 32]).open(Purpose::SigningKey, "k1", &sealed).is_none());
        assert!(master.open(Purpose::SigningKey, "k1", &sealed[..11]).is_none());
    }

    #[test]
    fn only_the_master_key_tells_which_user_code_is_meant() {
        let kept = MasterKey::new(&[1; 32]).user_code(b"WDJBMJHT");
        assert_eq!(MasterKey::new(&[1; 32]).user_code(b"WDJBMJHT"), kept);
        assert_ne!(MasterKey::new(&[1; 32]).user_code(b"WDJBMJHV"), kept);
        assert_ne!(MasterKey::new(&[2; 32]).user_code(b"WDJBMJHT"), kept);
    }

    #[test]
    fn only_the_master_key_vouches_for_a_refresh_token() {
        let master = MasterKey::new(&[1; 32]);
        let mac = master.mac(b"family 1 app");
        assert!(master.verifies(b"family 1 app", &mac));
        assert!(!master.verifies(b"family 2 app", &mac));
        assert!(!master.verifies(b"family 1 other", &mac));
        assert!(!MasterKey::new(&[2; 32]).verifies(b"family 1 app", &mac));
    }

    #[test]
    fn a_nonce_is_of_its_time_and_of_its_master_key() {
        let master = MasterKey::new(&[1; 32]);
        assert_eq!(master.dpop_nonce(7), MasterKey::new(&[1; 32]).dpop_nonce(7));
        assert_ne!(master.dpop_nonce(7), master.dpop_nonce(8));
        assert_ne!(master.dpop_nonce(7), MasterKey::new(&[2; 32]).dpop_nonce(7));
        assert_ne!(master.dpop_nonce(7), master.mac(&7_i64.to_be_bytes()));
    }
}
