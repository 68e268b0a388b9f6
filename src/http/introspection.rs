//! `POST /introspect` ([RFC 7662](https://www.rfc-editor.org/rfc/rfc7662)).

use super::{Refusal, call::Call, respond::NoStore};
use crate::{flows::introspection, protocol::introspection::Answer};

pub(super) async fn introspect(call: Call) -> Result<NoStore<Answer>, Refusal> {
    let authorization = call.authorization.as_deref();
    Ok(NoStore(introspection::introspect(&call.app, authorization, &call.params).await?))
}
