//! `POST /token` ([RFC 6749 §3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2)).

use axum::{
    Json,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};

use super::{Refusal, authorization};
use crate::{
    edge::{Body, no_store},
    flows::{self, App},
    protocol::Params,
};

pub(super) async fn token(
    State(app): State<App>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Refusal> {
    let params = Params::parse(&body)?;

    let issued = flows::token::token(&app, authorization(&headers), &params).await?;

    let mut response = Json(issued).into_response();
    no_store(response.headers_mut());
    Ok(response)
}
