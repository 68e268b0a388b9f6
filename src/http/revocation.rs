//! `POST /revoke` ([RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)).

use axum::http::StatusCode;

use super::{Refusal, call::Call};
use crate::flows::revocation;

pub(super) async fn revoke(call: Call) -> Result<StatusCode, Refusal> {
    let authorization = call.authorization.as_deref();
    revocation::revoke(&call.app, authorization, &call.params).await?;
    Ok(StatusCode::OK)
}
