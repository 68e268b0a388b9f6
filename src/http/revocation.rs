//! `POST /revoke` ([RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)).

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};

use super::{Refusal, authorization};
use crate::{
    edge::Body,
    flows::{self, App},
    protocol::Params,
};

pub(super) async fn revoke(
    State(app): State<App>,
    headers: HeaderMap,
    Body(body): Body,
) -> Result<StatusCode, Refusal> {
    let params = Params::parse(&body)?;

    flows::revocation::revoke(&app, authorization(&headers), &params).await?;

    Ok(StatusCode::OK)
}
