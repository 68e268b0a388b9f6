//! What an API says of itself
//! ([RFC 9728](https://www.rfc-editor.org/rfc/rfc9728)).

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use signet_jwt::{Algorithm, Issuer, Scope};
use url::Url;

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The metadata of a protected resource, and whether they are published.
#[derive(Debug)]
pub(crate) struct Resource {
    place: Option<Place>,
    metadata: Value,
    published: AtomicBool,
}

#[derive(Debug)]
struct Place {
    url: String,
    path: String,
}

impl Resource {
    pub(crate) fn new(audience: &str, issuer: &Issuer, scopes: &Scope) -> Self {
        let mut metadata = json!({
            "resource": audience,
            "authorization_servers": [issuer.as_str()],
            "bearer_methods_supported": ["header"],
            "dpop_signing_alg_values_supported": Algorithm::ALL.map(Algorithm::as_str),
        });
        if !scopes.is_empty() {
            metadata["scopes_supported"] = scopes.iter().collect();
        }
        Self { place: Place::of(audience), metadata, published: AtomicBool::new(false) }
    }

    /// From now on challenges say where the metadata are. None if the API has no address to have them at.
    pub(crate) fn publish(&self) -> Option<&str> {
        let place = self.place.as_ref()?;
        self.published.store(true, Ordering::Relaxed);
        Some(&place.path)
    }

    /// Where the metadata are published, if they are.
    pub(crate) fn published_at(&self) -> Option<String> {
        let published = self.published.load(Ordering::Relaxed);
        self.place.as_ref().filter(|_| published).map(|place| place.url.clone())
    }

    pub(crate) fn metadata(&self) -> &Value {
        &self.metadata
    }
}

impl Place {
    /// RFC 9728 §3.1: between the host and the path.
    fn of(audience: &str) -> Option<Self> {
        let url = Url::parse(audience).ok()?;
        if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
            return None;
        }
        let path = match url.path() {
            "/" => WELL_KNOWN.to_owned(),
            path => format!("{WELL_KNOWN}{path}"),
        };
        Some(Self { url: format!("{}{path}", url.origin().ascii_serialization()), path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(audience: &str) -> Option<String> {
        let issuer = "https://id.example.com".parse().unwrap();
        let resource = Resource::new(audience, &issuer, &Scope::empty());
        assert_eq!(resource.published_at(), None);
        resource.publish();
        resource.published_at()
    }

    #[test]
    fn metadata_are_between_the_host_and_the_path() {
        for (audience, url) in [
            ("https://api.test", "https://api.test/.well-known/oauth-protected-resource"),
            ("https://api.test/", "https://api.test/.well-known/oauth-protected-resource"),
            (
                "https://api.test:1/mcp",
                "https://api.test:1/.well-known/oauth-protected-resource/mcp",
            ),
        ] {
            assert_eq!(published(audience).as_deref(), Some(url));
        }
        assert_eq!(published("urn:orders"), None);
    }
}
