//! What an authorization server says of itself
//! ([RFC 8414 §3](https://www.rfc-editor.org/rfc/rfc8414#section-3)).

use serde::Deserialize;
use signet_jwt::Issuer;

use crate::fetch::{Fetch, FetchError};

/// The parts of the metadata that a guard needs.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Metadata {
    issuer: String,
    pub(crate) jwks_uri: String,
    pub(crate) token_endpoint: Option<String>,
}

/// Why a server is not known. The texts are for the log and for whoever starts the program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DiscoveryError {
    #[error("{url}: {source}")]
    Fetch { url: String, source: FetchError },
    #[error("{url}: it is not the metadata of an authorization server")]
    Unreadable { url: String },
    #[error("{url}: it is the metadata of another issuer")]
    OtherIssuer { url: String },
}

impl Metadata {
    /// Ask the issuer, by the address of RFC 8414 and then by that of OpenID Connect Discovery.
    pub(crate) async fn discover(issuer: &Issuer, fetch: &Fetch) -> Result<Self, DiscoveryError> {
        let [first, second] = issuer.metadata_addresses();
        match read(issuer, fetch, first).await {
            Err(DiscoveryError::Fetch { .. }) => read(issuer, fetch, second).await,
            read => read,
        }
    }
}

async fn read(issuer: &Issuer, fetch: &Fetch, url: String) -> Result<Metadata, DiscoveryError> {
    let document = match fetch.document(&url).await {
        Ok(document) => document,
        Err(source) => return Err(DiscoveryError::Fetch { url, source }),
    };
    let Ok(metadata) = serde_json::from_slice::<Metadata>(&document.body) else {
        return Err(DiscoveryError::Unreadable { url });
    };
    // Whoever could answer for another issuer could sign for it (RFC 8414 §3.3).
    if metadata.issuer != issuer.as_str() {
        return Err(DiscoveryError::OtherIssuer { url });
    }
    Ok(metadata)
}
