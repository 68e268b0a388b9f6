//! `GET` and `POST /userinfo`
//! ([OpenID Connect Core §5.3](https://openid.net/specs/openid-connect-core-1_0.html#UserInfo)).

use std::sync::Arc;

use axum::extract::State;
use serde_json::{Map, Value};

use super::{
    access_token::{AccessToken, Challenge},
    respond::NoStore,
};
use crate::flows::{self, App};

pub(super) async fn userinfo(
    State(app): State<Arc<App>>,
    AccessToken { presented, proof, method }: AccessToken,
) -> Result<NoStore<Map<String, Value>>, Challenge> {
    let answer = flows::userinfo::userinfo(&app, &presented, &proof, method.as_str()).await;
    answer.map(NoStore).map_err(|error| Challenge::Refused(presented.scheme, error))
}
