//! API keys, each exchanged once for a token that is verified offline from then on
//! ([RFC 8693 §2](https://www.rfc-editor.org/rfc/rfc8693#section-2)).

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64},
};
use http::{HeaderMap, StatusCode, header};
use moka::future::Cache;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::{sync::Semaphore, time::timeout};
use url::form_urlencoded::byte_serialize;

use crate::{clock::SharedClock, fetch::Fetch, keys::KeyCache};

/// How many keys are held, good and bad.
const MOST: u64 = 100_000;

/// How many exchanges are on their way at once. Strangers can make up as many keys as they like, and shall
/// not make this API a burden on the server.
const AT_ONCE: usize = 32;

/// How long an exchange waits for its turn.
const PATIENCE: Duration = Duration::from_secs(2);

/// For how long a key that was refused is refused without asking again.
const REFUSED_FOR: Duration = Duration::from_secs(5);

/// For how long a failure is an answer.
const FAILED_FOR: Duration = Duration::from_secs(1);

/// No key is believed for longer without asking, in seconds.
const LONGEST: u64 = 3600;

/// A token is exchanged anew so long before it ends.
const MARGIN: Duration = Duration::from_secs(5);

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const SUBJECT: &str = "urn:signet:params:oauth:token-type:api-key";

/// The length of a key: `sgk_`, 64 characters, and 8 of checksum.
const LENGTH: usize = 76;
const CHECKSUM: usize = 8;

/// Why a key is not exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyError {
    /// It is not a key, not good any more, or not good here.
    Refused,
    /// It is used too often; in so many seconds it may be used again.
    TooOften(u32),
    /// The server cannot be asked.
    Unavailable,
}

/// Where keys become tokens.
#[derive(Clone)]
pub(crate) struct Exchange(Arc<Inner>);

struct Inner {
    authorization: String,
    audience: String,
    keys: KeyCache,
    fetch: Fetch,
    clock: SharedClock,
    known: Cache<Asked, Outcome>,
    places: Semaphore,
}

/// A key, by its hash, and where it was used: it may be good here and not there.
type Asked = ([u8; 32], Option<IpAddr>);

#[derive(Clone)]
struct Outcome {
    token: Result<Arc<str>, KeyError>,
    until: Duration,
}

#[derive(Deserialize)]
struct Exchanged {
    access_token: String,
    #[serde(default)]
    expires_in: u64,
}

#[derive(Deserialize)]
struct Refused {
    error: String,
}

impl Exchange {
    /// The client that this API is at the server asks for tokens of this audience.
    pub(crate) fn new(
        (id, secret): (&str, &str),
        audience: String,
        keys: KeyCache,
        fetch: Fetch,
        clock: SharedClock,
    ) -> Self {
        let held_for = Duration::from_secs(LONGEST);
        let known = Cache::builder().max_capacity(MOST).time_to_live(held_for).build();
        let authorization = basic(id, secret);
        let places = Semaphore::new(AT_ONCE);
        Self(Arc::new(Inner { authorization, audience, keys, fetch, clock, known, places }))
    }

    /// The token that a key is good for, when it is used from there. Of many who ask at once, one asks
    /// the server.
    pub(crate) async fn token(
        &self,
        key: &str,
        address: Option<IpAddr>,
    ) -> Result<Arc<str>, KeyError> {
        if !is_well_formed(key) {
            return Err(KeyError::Refused);
        }
        let inner = &self.0;
        let asked = (Sha256::digest(key).into(), address);
        let over = |outcome: &Outcome| inner.clock.elapsed() >= outcome.until;
        let entry = inner.known.entry(asked);
        entry.or_insert_with_if(inner.ask(key, address), over).await.into_value().token
    }
}

impl Inner {
    async fn ask(&self, key: &str, address: Option<IpAddr>) -> Outcome {
        // Not for longer than the token says, counted from before it was made.
        let now = self.clock.elapsed();
        match self.exchange(key, address).await {
            Ok(Exchanged { access_token, expires_in }) => {
                let lifetime = Duration::from_secs(expires_in.min(LONGEST));
                let until = now + lifetime.saturating_sub(MARGIN);
                Outcome { token: Ok(access_token.into()), until }
            }
            Err(error) => {
                let pause = match error {
                    KeyError::Refused => REFUSED_FOR,
                    KeyError::TooOften(seconds) => Duration::from_secs(seconds.into()),
                    KeyError::Unavailable => FAILED_FOR,
                };
                Outcome { token: Err(error), until: now + pause }
            }
        }
    }

    async fn exchange(&self, key: &str, address: Option<IpAddr>) -> Result<Exchanged, KeyError> {
        let place = timeout(PATIENCE, self.places.acquire()).await;
        let _place = place.map_err(|_| KeyError::Unavailable)?;
        let metadata = self.keys.metadata().await.ok_or(KeyError::Unavailable)?;
        let endpoint = metadata.token_endpoint.as_deref().ok_or(KeyError::Unavailable)?;

        let address = address.map(|address| address.to_string());
        let mut form = vec![
            ("grant_type", GRANT),
            ("subject_token_type", SUBJECT),
            ("subject_token", key),
            ("audience", &self.audience),
        ];
        form.extend(address.as_deref().map(|address| ("client_address", address)));

        match self.fetch.form(endpoint, &self.authorization, &form).await {
            Ok((StatusCode::OK, _, body)) => serde_json::from_slice(&body).map_err(|_| {
                tracing::error!("the answer to an exchange of an api key is not one");
                KeyError::Unavailable
            }),
            Ok((status, headers, body)) => Err(refused(status, &headers, &body)),
            Err(error) => {
                tracing::warn!(%error, "an api key could not be exchanged");
                Err(KeyError::Unavailable)
            }
        }
    }
}

/// What an error means for the key. One that is about this API itself is for its operators to hear.
fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> KeyError {
    let error =
        serde_json::from_slice(body).map_or_else(|_| String::new(), |Refused { error }| error);
    match (status.as_u16(), error.as_str()) {
        (429, _) => KeyError::TooOften(retry_after(headers)),
        (503, _) => KeyError::Unavailable,
        (400, "invalid_grant" | "invalid_scope" | "invalid_request") => KeyError::Refused,
        (status, error) => {
            tracing::error!(status, error, "this API may not exchange api keys");
            KeyError::Unavailable
        }
    }
}

/// In how many seconds to come again; a minute at most.
fn retry_after(headers: &HeaderMap) -> u32 {
    let later =
        headers.get(header::RETRY_AFTER).and_then(|later| later.to_str().ok()?.parse().ok());
    later.unwrap_or(5).clamp(1, 60)
}

/// Whether a text can be a key, by its checksum: garbage does not get as far as the server.
fn is_well_formed(key: &str) -> bool {
    let Some((body, checksum)) = key.split_at_checked(LENGTH - CHECKSUM) else {
        return false;
    };
    let rest = body.strip_prefix("sgk_");
    let is_url = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    rest.is_some_and(is_url) && BASE64.encode(&Sha256::digest(body)[..6]) == checksum
}

/// RFC 6749 §2.3.1: each half is encoded like a form before they are put together.
fn basic(id: &str, secret: &str) -> String {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", BASE64_STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret))))
}

// What it holds are secrets.
impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Exchange")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> String {
        let body = format!("sgk_{}", "a".repeat(64));
        format!("{body}{}", BASE64.encode(&Sha256::digest(&body)[..6]))
    }

    #[test]
    fn only_what_has_the_form_and_the_checksum_of_a_key_is_sent_to_the_server() {
        assert!(is_well_formed(&key()));
        for bad in [
            String::new(),
            "sgk_".to_owned(),
            key().replace("sgk_", "sgx_"),
            key().replacen('a', "b", 1),
            format!("{}a", key()),
            key()[..75].to_owned(),
            "\u{e9}".repeat(38),
        ] {
            assert!(!is_well_formed(&bad), "{bad}");
        }
    }

    /// RFC 6749 §2.3.1.
    #[test]
    fn a_secret_with_any_character_survives_the_header() {
        let header = basic("a:b", "c d%é");
        let header = BASE64_STANDARD.decode(header.strip_prefix("Basic ").unwrap()).unwrap();
        assert_eq!(header, b"a%3Ab:c+d%25%C3%A9");
    }

    #[test]
    fn an_error_about_the_key_refuses_it_and_one_about_this_api_does_not() {
        let of = |status: u16, error: &str| {
            let body = format!(r#"{{"error":"{error}"}}"#);
            refused(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
        };
        assert_eq!(of(400, "invalid_grant"), KeyError::Refused);
        assert_eq!(of(400, "invalid_scope"), KeyError::Refused);
        assert_eq!(of(429, "temporarily_unavailable"), KeyError::TooOften(5));
        assert_eq!(of(503, "temporarily_unavailable"), KeyError::Unavailable);
        assert_eq!(of(401, "invalid_client"), KeyError::Unavailable);
        assert_eq!(of(400, "unauthorized_client"), KeyError::Unavailable);
        assert_eq!(of(400, "invalid_target"), KeyError::Unavailable);
        let proxy = refused(StatusCode::BAD_GATEWAY, &HeaderMap::new(), b"<html>");
        assert_eq!(proxy, KeyError::Unavailable);
    }
}
