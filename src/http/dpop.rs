//! The nonce for proofs of possession, where one is asked for
//! ([RFC 9449 §8.2](https://www.rfc-editor.org/rfc/rfc9449#section-8.2)).

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderName, HeaderValue},
    response::Response,
};

use crate::{
    edge::no_store,
    flows::{App, dpop},
};

const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// Every answer brings the nonce for the next proof, so that no client that goes on asking has to be
/// refused for it.
pub(super) async fn nonce(State(app): State<Arc<App>>, mut response: Response) -> Response {
    if let Some(nonce) = dpop::nonce(&app) {
        let nonce = HeaderValue::try_from(nonce).expect("base64url may stand in a header");
        response.headers_mut().insert(DPOP_NONCE, nonce);
        no_store(response.headers_mut());
    }
    response
}
