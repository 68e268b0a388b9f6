//! How programs are answered.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::edge::no_store;

/// JSON that nobody keeps: it holds tokens, or speaks of them or of a person.
pub(super) struct NoStore<T>(pub(super) T);

impl<T: Serialize> IntoResponse for NoStore<T> {
    fn into_response(self) -> Response {
        let mut response = Json(self.0).into_response();
        no_store(response.headers_mut());
        response
    }
}
