//! Requests to the authorization server, and to nobody else.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, StatusCode, header};
use reqwest::{Client, RequestBuilder, redirect};
use url::{Host, Url};

use crate::Error;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How large an answer may be.
const LARGEST: usize = 256 * 1024;

/// A server may ask for less, but is not left alone for longer than this.
const LONGEST_REST: Duration = Duration::from_hours(1);

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) url: String,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// A client that follows no redirect: secrets go where the metadata says, and not on from there.
#[derive(Clone, Debug)]
pub(crate) struct Fetch(Client);

impl Fetch {
    pub(crate) fn new() -> Result<Self, Error> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(PATIENCE)
            .timeout(PATIENCE)
            .user_agent(concat!("signet-client/", env!("CARGO_PKG_VERSION")))
            .build();
        client.map(Self).map_err(|error| unreachable("the TLS library", error))
    }

    /// A document.
    pub(crate) async fn get(&self, url: &str, headers: HeaderMap) -> Result<Answer, Error> {
        let request = self.0.get(secure(url)?).headers(headers);
        answer(url, request.header(header::ACCEPT, "application/json")).await
    }

    /// A form.
    pub(crate) async fn post(
        &self,
        url: &str,
        headers: HeaderMap,
        form: &[(&str, &str)],
    ) -> Result<Answer, Error> {
        let request = self.0.post(secure(url)?).headers(headers).form(form);
        answer(url, request.header(header::ACCEPT, "application/json")).await
    }
}

impl Answer {
    pub(crate) fn unreadable(&self, what: &'static str) -> Error {
        Error::Unreadable { url: self.url.clone(), what }
    }

    /// The error of a server that is not in a state to answer.
    pub(crate) fn unavailable(&self) -> Error {
        let retry_after = self.headers.get(header::RETRY_AFTER).and_then(|value| {
            // The other form is a date; a server that writes one is asked again in its own time.
            let seconds = value.to_str().ok()?.trim().parse().ok()?;
            Some(Duration::from_secs(seconds).min(LONGEST_REST))
        });
        Error::Unavailable { url: self.url.clone(), status: self.status, retry_after }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

async fn answer(url: &str, request: RequestBuilder) -> Result<Answer, Error> {
    let failed = |error| unreachable(url, error);
    let mut response = request.send().await.map_err(failed)?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if body.len() + chunk.len() > LARGEST {
            return Err(Error::Unreadable {
                url: url.to_owned(),
                what: "answers at too great length",
            });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { url: url.to_owned(), status, headers, body })
}

fn unreachable(url: &str, error: reqwest::Error) -> Error {
    Error::Unreachable { url: url.to_owned(), source: Arc::new(error.without_url()) }
}

/// Secrets and tokens travel only where nobody can read them on the way.
pub(crate) fn secure(url: &str) -> Result<Url, Error> {
    let insecure = || Error::Insecure { url: url.to_owned() };
    let url = Url::parse(url).map_err(|_| insecure())?;
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        _ => Err(insecure()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_travel_only_where_nobody_can_read_them() {
        for url in ["https://id.example.com/token", "http://127.0.0.1:8080/token", "http://[::1]/"]
        {
            assert!(secure(url).is_ok(), "{url}");
        }
        for url in ["http://id.example.com/", "http://127.0.0.1.evil.test/", "file:///etc", "x"] {
            assert!(secure(url).is_err(), "{url}");
        }
    }
}
