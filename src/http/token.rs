//! `POST /token` ([RFC 6749 §3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2)).

use super::{Refusal, call::Call, respond::NoStore};
use crate::flows::{self, issue::Issued};

pub(super) async fn token(call: Call) -> Result<NoStore<Issued>, Refusal> {
    let authorization = call.authorization.as_deref();
    Ok(NoStore(flows::token::token(&call.app, authorization, &call.proof, &call.params).await?))
}
