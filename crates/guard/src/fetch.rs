//! The guard's own requests: to the authorization server, and to nobody else.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use reqwest::{Client, RequestBuilder, redirect};
use url::{Host, Url};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How large an answer may be: twice a status list of a million grants of which half are revoked.
const LARGEST: usize = 512 * 1024;

/// For how long a document without a word about it is kept.
const UNSAID: Duration = Duration::from_mins(5);

/// No document is kept for longer, whatever it says.
const LONGEST: Duration = Duration::from_hours(24);

/// No document is fetched more often, whatever it says.
const SHORTEST: Duration = Duration::from_secs(1);

/// Why nothing came back. The texts are for the log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("{0}")]
    Transport(#[from] reqwest::Error),
    #[error("the answer is {0}")]
    Status(StatusCode),
    #[error("the answer is larger than {LARGEST} bytes")]
    TooLarge,
    #[error("the address is neither https nor http on a loopback host")]
    Insecure,
}

/// A document, and for how long it may be kept.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) body: Bytes,
    pub(crate) fresh_for: Duration,
}

/// A client that follows no redirect: an address that leads elsewhere is a mistake or an attack.
#[derive(Clone, Debug)]
pub(crate) struct Fetch(Client);

impl Fetch {
    pub(crate) fn new() -> Result<Self, FetchError> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(PATIENCE)
            .user_agent(concat!("signet-guard/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self(client))
    }

    /// A document that is there.
    pub(crate) async fn document(&self, url: &str) -> Result<Document, FetchError> {
        let request =
            self.0.get(secure(url)?).header(header::ACCEPT, "application/json, */*;q=0.1");
        let (status, headers, body) = answer(request).await?;
        if status != StatusCode::OK {
            return Err(FetchError::Status(status));
        }
        Ok(Document { body, fresh_for: freshness(&headers) })
    }

    /// The answer to a form, whatever its status.
    pub(crate) async fn form(
        &self,
        url: &str,
        authorization: &str,
        form: &[(&str, &str)],
    ) -> Result<(StatusCode, HeaderMap, Bytes), FetchError> {
        let request = self.0.post(secure(url)?).header(header::AUTHORIZATION, authorization);
        answer(request.form(form)).await
    }

    /// An answer that does not end.
    pub(crate) async fn stream(&self, url: &str) -> Result<reqwest::Response, FetchError> {
        let request = self.0.get(secure(url)?).header(header::ACCEPT, "text/event-stream");
        let opened = tokio::time::timeout(PATIENCE, request.send()).await;
        let response = opened.map_err(|_| FetchError::Status(StatusCode::GATEWAY_TIMEOUT))??;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status()));
        }
        Ok(response)
    }
}

async fn answer(request: RequestBuilder) -> Result<(StatusCode, HeaderMap, Bytes), FetchError> {
    let mut response = request.timeout(PATIENCE).send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > LARGEST {
            return Err(FetchError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok((status, headers, body.into()))
}

/// Keys that came over a connection that anybody may have written on prove nothing.
fn secure(url: &str) -> Result<Url, FetchError> {
    let url = Url::parse(url).map_err(|_| FetchError::Insecure)?;
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        _ => Err(FetchError::Insecure),
    }
}

/// For how long a document may be kept ([RFC 9111 §4.2](https://www.rfc-editor.org/rfc/rfc9111#section-4.2)).
fn freshness(headers: &HeaderMap) -> Duration {
    let values = headers.get_all(header::CACHE_CONTROL).into_iter();
    let directives =
        values.filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    let mut said = None;
    for directive in directives.map(|each| each.trim().to_ascii_lowercase()) {
        if matches!(directive.as_str(), "no-store" | "no-cache") {
            return SHORTEST;
        }
        if let Some(seconds) = directive.strip_prefix("max-age=") {
            said = Some(Duration::from_secs(seconds.trim_matches('"').parse().unwrap_or(0)));
        }
    }
    let age = headers.get(header::AGE).and_then(|age| age.to_str().ok()?.parse().ok());
    let age = Duration::from_secs(age.unwrap_or(0));
    said.map_or(UNSAID, |said| said.saturating_sub(age)).clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh_for(headers: &[(&'static str, &'static str)]) -> u64 {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), http::HeaderValue::from_static(value)));
        freshness(&headers.collect()).as_secs()
    }

    #[test]
    fn a_document_is_kept_for_as_long_as_it_says() {
        assert_eq!(fresh_for(&[("cache-control", "public, max-age=300")]), 300);
        assert_eq!(fresh_for(&[("cache-control", "Max-Age=300"), ("age", "100")]), 200);
        assert_eq!(fresh_for(&[("cache-control", "max-age=300, no-cache")]), 1);
        assert_eq!(fresh_for(&[("cache-control", "max-age=0")]), 1);
        assert_eq!(fresh_for(&[("cache-control", "max-age=soon")]), 1);
        assert_eq!(fresh_for(&[("cache-control", "max-age=99999999")]), 86400);
        assert_eq!(fresh_for(&[]), 300);
    }

    #[test]
    fn keys_are_fetched_where_nobody_can_write_on_the_way() {
        for url in ["https://id.example.com/jwks", "http://127.0.0.1:8080/jwks", "http://[::1]/"] {
            assert!(secure(url).is_ok(), "{url}");
        }
        for url in ["http://id.example.com/", "http://127.0.0.1.evil.test/", "file:///etc", "x"] {
            assert!(secure(url).is_err(), "{url}");
        }
    }
}
