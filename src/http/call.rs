//! What a program sends: a form, and perhaps headers that say who it is and what key it holds.

use std::sync::Arc;

use axum::{
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};

use super::Refusal;
use crate::{
    edge::Body,
    flows::App,
    protocol::{Params, dpop::ProofHeader},
};

/// A call of a program.
pub(super) struct Call {
    pub(super) app: Arc<App>,
    pub(super) authorization: Option<String>,
    pub(super) proof: ProofHeader,
    pub(super) params: Params,
}

impl FromRequest<Arc<App>> for Call {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let authorization = authorization(request.headers());
        let proof = proof(request.headers());
        let Body(body) =
            Body::from_request(request, app).await.map_err(IntoResponse::into_response)?;
        let params = Params::parse(&body).map_err(|why| Refusal::from(why).into_response())?;
        Ok(Self { app: app.clone(), authorization, proof, params })
    }
}

/// The `Authorization` header as text. One that is not text is no credential, and nor are two, of which
/// somebody before us may have read the other.
pub(super) fn authorization(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let first = values.next()?;
    let only = if values.next().is_none() { first.to_str().unwrap_or("") } else { "" };
    Some(only.to_owned())
}

/// The `DPoP` header. One that is not text is no proof.
pub(super) fn proof(headers: &HeaderMap) -> ProofHeader {
    ProofHeader::of(headers.get_all("dpop").iter().map(|value| value.to_str().unwrap_or("")))
}
