//! `GET` and `POST /authorize`
//! ([OpenID Connect Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)).

use axum::{
    extract::RawQuery,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::visit::{AnyForm, Visit};
use crate::{
    flows::authorize::{self, Step},
    protocol::{ErrorCode::InvalidRequest, OAuthError, Params},
};

pub(super) async fn get(visit: Visit, RawQuery(query): RawQuery) -> Response {
    let step = authorize::begin(&visit.app, query.unwrap_or_default(), &visit.visitor).await;
    visit.step(step)
}

/// A form that a client's page posts comes without our cookies, since they are not sent across sites
/// with a `POST`. Where they might have mattered, the browser comes again with a `GET`.
pub(super) async fn post(RawQuery(query): RawQuery, AnyForm(visit, body): AnyForm) -> Response {
    let parameters = format!("{}&{body}", query.unwrap_or_default());
    let params = match Params::parse(&parameters) {
        Ok(params) => params,
        Err(refusal) => return visit.fail(refusal.into()),
    };
    let silent = matches!(params.one("prompt"), Ok(Some("none")));
    match authorize::begin(&visit.app, parameters, &visit.visitor).await {
        Ok(Step::Ask(_)) if !visit.is_known() => visit.come_again("/authorize", &params),
        Ok(Step::Answer(_)) if !visit.is_known() && silent => {
            visit.come_again("/authorize", &params)
        }
        step => visit.step(step),
    }
}

/// A request that is sent to look and not to act would use up what it asks for.
pub(super) async fn head() -> impl IntoResponse {
    (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, POST")])
}

/// The sealed request that a page's address carries.
pub(super) fn carried(query: Option<&str>) -> Result<String, OAuthError> {
    let start =
        || InvalidRequest.because("this page is part of a sign-in: start at the application");
    let params = Params::parse(query.unwrap_or(""))?;
    params.one("request")?.map(str::to_owned).ok_or_else(start)
}
