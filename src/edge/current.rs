//! The request that is being answered, for whoever asks what belongs to it: the log, and pages that
//! show its name.

use std::{fmt, net::IpAddr};

use axum::http::{HeaderValue, Method, Uri};

tokio::task_local! {
    static CURRENT: CurrentRequest;
}

/// The name of a request, by which its answer is found in the log.
#[derive(Clone, Debug)]
pub struct RequestId(pub(super) HeaderValue);

impl RequestId {
    /// As it is shown to people.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// A request while it is being answered. Displayed, it is what a line of the log says of it: never the
/// query, since codes and hints travel in it.
#[derive(Clone, Debug)]
pub struct CurrentRequest {
    pub(super) id: RequestId,
    /// Where it came from, as far as proxies that we trust vouch for it.
    pub(super) from: IpAddr,
    pub(super) method: Method,
    pub(super) uri: Uri,
}

impl CurrentRequest {
    /// The request that the running task answers, if it answers one.
    #[must_use]
    pub fn get() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// What it is called.
    #[must_use]
    pub fn id(&self) -> &RequestId {
        &self.id
    }

    /// Where it came from, as far as proxies that we trust vouch for it.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.from
    }

    /// Do this work for it.
    pub(super) fn during<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, work)
    }
}

impl fmt::Display for CurrentRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, from, method, uri } = self;
        write!(f, "request={} from={from} method={method} path={:?}", id.as_str(), uri.path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_task_knows_its_request_and_says_nothing_of_the_query() {
        assert!(CurrentRequest::get().is_none());
        let request = CurrentRequest {
            id: RequestId(HeaderValue::from_static("r-1")),
            from: "192.0.2.1".parse().unwrap(),
            method: Method::GET,
            uri: "/authorize?code=hunter2".parse().unwrap(),
        };
        let line = request.during(async { CurrentRequest::get().unwrap().to_string() }).await;
        assert_eq!(line, r#"request=r-1 from=192.0.2.1 method=GET path="/authorize""#);
    }
}
