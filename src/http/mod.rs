//! The face for machines: extract, call one flow, respond. JSON only; no cookies.

mod access_token;
mod api_key;
mod call;
mod device;
mod discovery;
mod dpop;
mod error;
mod health;
mod introspection;
mod jwks;
mod respond;
mod revocation;
mod status;
mod token;
mod userinfo;

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderName, Method},
    middleware::map_response_with_state,
    routing::{get, post},
};
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

use crate::{edge::Documents, flows::App, values::Issuer};

pub use error::Refusal;
use respond::EXPOSED;

/// The documents: what is published for everybody, wherever clients look for it.
#[must_use]
pub fn documents(issuer: &Issuer) -> Documents {
    let path = issuer.path();
    let documents = Documents::default()
        .document(format!("{path}/jwks"), jwks::jwks)
        .document(format!("{path}/.well-known/openid-configuration"), discovery::discovery)
        .document(format!("{path}/.well-known/oauth-authorization-server"), discovery::discovery);
    if path.is_empty() {
        return documents;
    }
    // RFC 8414 §3.1 puts the well-known part before the issuer's path; OpenID Connect puts it behind.
    documents
        .document(format!("/.well-known/openid-configuration{path}"), discovery::discovery)
        .document(format!("/.well-known/oauth-authorization-server{path}"), discovery::discovery)
}

/// Every other route for machines, below the issuer's path, and what may be done with a document beside
/// reading it.
pub fn router(app: Arc<App>) -> Router {
    let path = app.issuer().path().to_owned();
    let open = Router::new()
        .route("/token", post(token::token))
        .route("/userinfo", get(userinfo::userinfo).post(userinfo::userinfo))
        // Those above are called with proofs.
        .route_layer(map_response_with_state(app.clone(), dpop::nonce))
        .route("/device_authorization", post(device::authorize))
        .route("/revoke", post(revocation::revoke))
        .route("/status", get(status::lists))
        .route("/status/events", get(status::events))
        .route("/status/{list}", get(status::list));
    let closed = Router::new()
        .route("/introspect", post(introspection::introspect))
        .route("/api-keys/leaked", post(api_key::leaked));
    let root =
        Router::new().route("/healthz", get(health::alive)).route("/readyz", get(health::ready));

    let below = |routes: Router<Arc<App>>| {
        if path.is_empty() { routes } else { Router::new().nest(&path, routes) }
    };
    let documents = documents(app.issuer()).routes();
    below(open).merge(documents).layer(cors()).merge(below(closed)).merge(root).with_state(app)
}

/// Any origin may call, with whatever headers it needs, and never with cookies: nothing here reads
/// one.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(EXPOSED.split(',').map(HeaderName::from_static).collect::<Vec<_>>())
}
