//! `POST /introspect` ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)).

use serde_json::Value;

use super::{Refusal, call::Call, respond::NoStore};
use crate::flows::introspection;

pub(super) async fn introspect(call: Call) -> Result<NoStore<Value>, Refusal> {
    let authorization = call.authorization.as_deref();
    let answer = introspection::introspect(&call.app, authorization, &call.params).await?;
    Ok(NoStore(answer.to_json(call.app.issuer())))
}
