//! `GET` and `POST /userinfo`
//! ([OpenID Connect Core §5.3](https://openid.net/specs/openid-connect-core-1_0.html#UserInfo)).

use std::sync::Arc;

use axum::extract::State;
use serde_json::{Map, Value};

use super::{
    bearer::{Bearer, Challenge},
    respond::NoStore,
};
use crate::flows::{self, App};

pub(super) async fn userinfo(
    State(app): State<Arc<App>>,
    Bearer(token): Bearer,
) -> Result<NoStore<Map<String, Value>>, Challenge> {
    Ok(NoStore(flows::userinfo::userinfo(&app, token.expose()).await?))
}
