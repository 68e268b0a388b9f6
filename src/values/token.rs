//! The secrets that we hand out, each with a text form that a scanner or a reader recognises.

use std::{fmt, str::FromStr};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use sha2::{Digest, Sha256};

use super::{ApiKeyId, CodeId, DeviceId, FamilyId, Invalid, Secret, SessionId, TokenHash};

/// Tokens of 256 random bits beside their row's id: the row is found by the id, and the hash of the
/// secret is compared in it. The random part comes first, so that tokens share no beginning.
macro_rules! row_token {
    ($($(#[$doc:meta])* $name:ident($id:ident), $what:literal;)*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $name {
            secret: Secret<[u8; 32]>,
            id: $id,
        }

        impl $name {
            /// A token for the row `id`, from fresh randomness.
            #[must_use]
            pub fn new(id: $id, secret: [u8; 32]) -> Self {
                Self { secret: Secret::new(secret), id }
            }

            /// The row that the token names.
            #[must_use]
            pub fn id(&self) -> $id {
                self.id
            }

            /// What the row keeps of the secret.
            #[must_use]
            pub fn hash(&self) -> TokenHash {
                TokenHash::of(self.secret.expose())
            }

            /// The token as its holder sees it: 64 characters.
            #[must_use]
            pub fn expose(&self) -> String {
                let mut bytes = [0; 48];
                bytes[..32].copy_from_slice(self.secret.expose());
                bytes[32..].copy_from_slice(&self.id.to_bytes());
                BASE64.encode(bytes)
            }
        }

        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                let bytes = exactly::<48>(text).ok_or(Invalid($what))?;
                let (secret, id) = bytes.split_at(32);
                let secret = secret.try_into().map_err(|_| Invalid($what))?;
                let id = id.try_into().map_err(|_| Invalid($what))?;
                Ok(Self::new($id::from_bytes(id), secret))
            }
        }
    )* };
}

row_token! {
    /// An authorization code
    /// ([RFC 6749 §4.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2)).
    AuthorizationCode(CodeId), "code";
    /// What a device shows while it waits to be let in
    /// ([RFC 8628 §3.2](https://www.rfc-editor.org/rfc/rfc8628#section-3.2)).
    DeviceCode(DeviceId), "device_code";
    /// What a signed-in browser's cookie holds.
    SessionToken(SessionId), "session";
}

/// A refresh token: which family, which generation of it, and a code that only we can compute.
/// Nothing that is stored can be turned into one.
#[derive(Clone, Copy)]
pub struct RefreshToken {
    /// The family that the token continues.
    pub family: FamilyId,
    /// How often the family had been refreshed when the token was made.
    pub generation: i64,
    /// A message authentication code over the two above and the client.
    pub mac: [u8; 24],
}

impl RefreshToken {
    const PREFIX: &'static str = "sgr_";

    /// The token as its client sees it.
    #[must_use]
    pub fn expose(&self) -> String {
        let mut bytes = [0; 48];
        bytes[..16].copy_from_slice(&self.family.to_bytes());
        bytes[16..24].copy_from_slice(&self.generation.to_be_bytes());
        bytes[24..].copy_from_slice(&self.mac);
        format!("{}{}", Self::PREFIX, BASE64.encode(bytes))
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshToken")
            .field("family", &self.family)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

impl FromStr for RefreshToken {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = Invalid("refresh_token");
        let bytes = text.strip_prefix(Self::PREFIX).and_then(exactly::<48>).ok_or(wrong)?;
        let part = |from, to| bytes.get(from..to).ok_or(wrong);
        Ok(Self {
            family: FamilyId::from_bytes(part(0, 16)?.try_into().map_err(|_| wrong)?),
            generation: i64::from_be_bytes(part(16, 24)?.try_into().map_err(|_| wrong)?),
            mac: part(24, 48)?.try_into().map_err(|_| wrong)?,
        })
    }
}

/// An API key: 256 random bits beside its row's id, and a checksum by which a scanner knows a real one
/// without asking anybody.
///
/// `sgk_`, 64 characters of base64url, and 8 more: the first six bytes of the SHA-256 of the 68 characters
/// before them.
#[derive(Clone, Debug)]
pub struct ApiKey {
    secret: Secret<[u8; 32]>,
    id: ApiKeyId,
}

impl ApiKey {
    /// What every key begins with.
    pub const PREFIX: &'static str = "sgk_";

    /// How many characters the checksum has.
    const CHECKSUM: usize = 8;

    /// A key for the row `id`, from fresh randomness.
    #[must_use]
    pub fn new(id: ApiKeyId, secret: [u8; 32]) -> Self {
        Self { secret: Secret::new(secret), id }
    }

    /// The row that the key names.
    #[must_use]
    pub fn id(&self) -> ApiKeyId {
        self.id
    }

    /// What the row keeps of the secret.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(self.secret.expose())
    }

    /// The key as its holder sees it: 76 characters.
    #[must_use]
    pub fn expose(&self) -> String {
        let mut bytes = [0; 48];
        bytes[..32].copy_from_slice(self.secret.expose());
        bytes[32..].copy_from_slice(&self.id.to_bytes());
        let key = format!("{}{}", Self::PREFIX, BASE64.encode(bytes));
        let checksum = Self::checksum(&key);
        key + &checksum
    }

    fn checksum(key: &str) -> String {
        BASE64.encode(&Sha256::digest(key)[..6])
    }
}

impl FromStr for ApiKey {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let wrong = Invalid("api_key");
        let end = text.len().checked_sub(Self::CHECKSUM).ok_or(wrong)?;
        let (key, checksum) = text.split_at_checked(end).ok_or(wrong)?;
        if Self::checksum(key) != checksum {
            return Err(wrong);
        }
        let bytes = key.strip_prefix(Self::PREFIX).and_then(exactly::<48>).ok_or(wrong)?;
        let (secret, id) = bytes.split_at(32);
        let id = ApiKeyId::from_bytes(id.try_into().map_err(|_| wrong)?);
        Ok(Self::new(id, secret.try_into().map_err(|_| wrong)?))
    }
}

/// A client's secret: 256 random bits in characters that need no encoding anywhere.
#[derive(Clone, Debug)]
pub struct ClientSecret(Secret<String>);

impl ClientSecret {
    /// A secret from fresh randomness.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self(Secret::new(format!("sgc_{}", BASE64.encode(random))))
    }

    /// A secret as a client presented it, right or wrong.
    #[must_use]
    pub fn presented(text: String) -> Self {
        Self(Secret::new(text))
    }

    /// What is kept of it.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(self.0.expose().as_bytes())
    }

    /// The secret itself, to be shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// What tells one browser from another before anybody signs in: a sealed request opens only in the
/// browser that it was made for.
#[derive(Clone, Debug)]
pub struct BrowserToken(Secret<[u8; 32]>);

impl BrowserToken {
    /// A token from fresh randomness.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self(Secret::new(random))
    }

    /// What a sealed request remembers of its browser.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(self.0.expose())
    }

    /// The token as the cookie holds it.
    #[must_use]
    pub fn expose(&self) -> String {
        BASE64.encode(self.0.expose())
    }
}

impl FromStr for BrowserToken {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        exactly::<32>(text).map(Self::new).ok_or(Invalid("browser token"))
    }
}

/// The bytes of a text that spells exactly `N` of them, in its one canonical spelling.
fn exactly<const N: usize>(text: &str) -> Option<[u8; N]> {
    BASE64.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_refresh_token_survives_its_text(family: [u8; 16], generation: i64, mac: [u8; 24]) {
            let token = RefreshToken { family: FamilyId::from_bytes(family), generation, mac };
            let again: RefreshToken = token.expose().parse().unwrap();
            prop_assert_eq!(again.expose(), token.expose());
        }

        #[test]
        fn a_secret_that_is_handed_out_survives_its_text(id: [u8; 16], secret: [u8; 32]) {
            let code = AuthorizationCode::new(CodeId::from_bytes(id), secret).expose();
            prop_assert_eq!(code.parse::<AuthorizationCode>().unwrap().expose(), code);
            let device = DeviceCode::new(DeviceId::from_bytes(id), secret).expose();
            prop_assert_eq!(device.parse::<DeviceCode>().unwrap().expose(), device);
            let session = SessionToken::new(SessionId::from_bytes(id), secret).expose();
            prop_assert_eq!(session.parse::<SessionToken>().unwrap().expose(), session);
            let browser = BrowserToken::new(secret).expose();
            prop_assert_eq!(browser.parse::<BrowserToken>().unwrap().expose(), browser);
        }

        #[test]
        fn a_code_with_one_character_changed_is_another_code(id: [u8; 16], secret: [u8; 32], at in 0_usize..64) {
            let code = AuthorizationCode::new(CodeId::from_bytes(id), secret).expose();
            let mut changed = code.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            let (one, other): (AuthorizationCode, AuthorizationCode) =
                (code.parse().unwrap(), changed.parse().unwrap());
            prop_assert!(one.id() != other.id() || !one.hash().matches(&other.hash()));
        }

        #[test]
        fn no_text_is_too_strange_to_refuse(text: String) {
            let _ = text.parse::<AuthorizationCode>();
            let _ = text.parse::<DeviceCode>();
            let _ = text.parse::<SessionToken>();
            let _ = text.parse::<RefreshToken>();
            let _ = text.parse::<BrowserToken>();
        }
    }

    #[test]
    fn a_token_is_printed_without_what_makes_it_valid() {
        let family = FamilyId::from_bytes([1; 16]);
        let token = RefreshToken { family, generation: 3, mac: [201; 24] };
        let printed = format!("{token:?}");
        assert!(printed.contains("generation: 3") && !printed.contains("201"), "{printed}");
        let code = AuthorizationCode::new(CodeId::from_bytes([1; 16]), [201; 32]);
        assert!(!format!("{code:?}").contains("201"));
    }

    #[test]
    fn one_kind_of_token_is_not_another() {
        let code = AuthorizationCode::new(CodeId::from_bytes([1; 16]), [2; 32]).expose();
        assert!(code.parse::<RefreshToken>().is_err());
        assert!(format!("{code}A").parse::<AuthorizationCode>().is_err());
        assert!(code[..63].parse::<AuthorizationCode>().is_err());
    }
}
