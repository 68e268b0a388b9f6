//! What an authorization server says of itself
//! ([RFC 8414 §3](https://www.rfc-editor.org/rfc/rfc8414#section-3)).

use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use signet_jwt::Issuer;

use crate::{Error, fetch::Fetch};

/// The parts of the metadata that callers need.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Metadata {
    issuer: String,
    pub(crate) token_endpoint: String,
    #[cfg(feature = "login")]
    pub(crate) authorization_endpoint: Option<String>,
    #[cfg(feature = "login")]
    pub(crate) device_authorization_endpoint: Option<String>,
    #[cfg(feature = "login")]
    pub(crate) revocation_endpoint: Option<String>,
    #[cfg(feature = "login")]
    pub(crate) userinfo_endpoint: Option<String>,
    #[cfg(feature = "login")]
    pub(crate) jwks_uri: Option<String>,
    #[cfg(feature = "login")]
    #[serde(default)]
    pub(crate) code_challenge_methods_supported: Vec<String>,
    #[cfg(feature = "login")]
    #[serde(default)]
    pub(crate) authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Ask the issuer, by the address of RFC 8414 and then by that of OpenID Connect Discovery.
    pub(crate) async fn discover(issuer: &Issuer, fetch: &Fetch) -> Result<Self, Error> {
        let [first, second] = issuer.metadata_addresses();
        if let Some(metadata) = read(issuer, fetch, &first).await? {
            return Ok(metadata);
        }
        let found = read(issuer, fetch, &second).await?;
        found.ok_or(Error::Unreadable { url: first, what: "is not found" })
    }
}

/// The document at this address, if there is one.
async fn read(issuer: &Issuer, fetch: &Fetch, url: &str) -> Result<Option<Metadata>, Error> {
    let answer = fetch.get(url, HeaderMap::new()).await?;
    match answer.status {
        StatusCode::OK => {}
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            return Err(answer.unavailable());
        }
        _ => return Ok(None),
    }
    let metadata: Metadata = serde_json::from_slice(&answer.body)
        .map_err(|_| answer.unreadable("is not the metadata of an authorization server"))?;
    // Whoever could answer for another issuer would be given its secrets (RFC 8414 §3.3).
    if metadata.issuer != issuer.as_str() {
        return Err(answer.unreadable("is the metadata of another issuer"));
    }
    Ok(Some(metadata))
}
