//! Whether the server is alive, and whether it can do its work.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode};

use crate::flows::App;

pub(super) async fn alive() -> &'static str {
    "alive\n"
}

pub(super) async fn ready(State(app): State<Arc<App>>) -> (StatusCode, &'static str) {
    if app.leaving.has_begun() {
        return (StatusCode::SERVICE_UNAVAILABLE, "about to stop\n");
    }
    match app.store.is_reachable().await {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(cause) => {
            tracing::warn!(cause = ?cause, "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
    }
}
