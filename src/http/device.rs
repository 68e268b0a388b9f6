//! `POST /device_authorization`
//! ([RFC 8628 §3.1](https://www.rfc-editor.org/rfc/rfc8628#section-3.1)).

use axum::http::{HeaderMap, header};

use super::{Refusal, call::Call, respond::NoStore};
use crate::{
    edge::CurrentRequest,
    flows::device::{self, Begun},
};

pub(super) async fn authorize(headers: HeaderMap, call: Call) -> Result<NoStore<Begun>, Refusal> {
    let authorization = call.authorization.as_deref();
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("");
    let from = CurrentRequest::get().map(|request| request.address());
    Ok(NoStore(device::begin(&call.app, authorization, &call.params, from, agent).await?))
}
