//! Documents: answers that need nothing but what a node holds in memory. Verifiers and clients ask for
//! them more often than for anything else, so they are given before any routing.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, Method},
    response::Response,
    routing::get,
};

use crate::flows::App;

/// How a document is written, for a caller who sent these headers.
pub type Write = fn(&App, &HeaderMap) -> Response;

/// The documents, by their paths.
#[derive(Default)]
pub struct Documents(Vec<(String, Write)>);

impl Documents {
    /// The same, and one more at this path.
    #[must_use]
    pub fn document(mut self, path: String, write: Write) -> Self {
        self.0.push((path, write));
        self
    }

    /// The same by way of a router, which knows what else may be asked of a document: its head, and
    /// whether scripts may read it.
    pub fn routes(self) -> Router<Arc<App>> {
        self.0.into_iter().fold(Router::new(), |router, (path, write)| {
            let read =
                async move |State(app): State<Arc<App>>, headers: HeaderMap| write(&app, &headers);
            router.route(&path, get(read))
        })
    }

    /// The document that a request asks for, if it asks for one.
    pub(super) fn answer(&self, app: &App, request: &Request) -> Option<Response> {
        if request.method() != Method::GET {
            return None;
        }
        let path = request.uri().path();
        let (_, write) = self.0.iter().find(|(document, _)| document == path)?;
        Some(write(app, request.headers()))
    }
}
