//! `GET` and `POST /userinfo`
//! ([OpenID Connect Core §5.3](https://openid.net/specs/openid-connect-core-1_0.html#UserInfo)).

use axum::{
    Json,
    extract::{FromRequest, Request, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};

use super::{Refusal, authorization};
use crate::{
    edge::{Body, no_store},
    flows::{self, App},
    protocol::Params,
};

pub(super) async fn get(State(app): State<App>, headers: HeaderMap) -> Result<Response, Refusal> {
    respond(&app, &headers, &Params::default()).await
}

/// A `POST` may be empty, with its token in the header.
pub(super) async fn post(State(app): State<App>, request: Request) -> Result<Response, Response> {
    let headers = request.headers().clone();
    let params = if headers.contains_key(header::CONTENT_TYPE) {
        let Body(body) =
            Body::from_request(request, &()).await.map_err(IntoResponse::into_response)?;
        Params::parse(&body).map_err(|why| Refusal::from(why).into_response())?
    } else {
        Params::default()
    };
    respond(&app, &headers, &params).await.map_err(IntoResponse::into_response)
}

async fn respond(app: &App, headers: &HeaderMap, body: &Params) -> Result<Response, Refusal> {
    let answer = flows::userinfo::userinfo(app, authorization(headers), body).await?;
    let mut response = Json(answer).into_response();
    no_store(response.headers_mut());
    Ok(response)
}
