//! `POST /introspect` ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)).

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

pub(super) async fn introspect(
    State(app): State<App>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<Response, Refusal> {
    let params = Params::parse(&body)?;

    let answer = flows::introspection::introspect(&app, authorization(&headers), &params).await?;

    let mut response = Json(answer.to_json(app.issuer())).into_response();
    no_store(response.headers_mut());
    Ok(response)
}
