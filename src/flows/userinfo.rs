//! Tell a client about the person who let it ask.

use serde_json::{Map, Value};

use super::{App, Result, access_token::live_token};
use crate::protocol::{ErrorCode::InvalidToken, userinfo};

/// Answer a userinfo request with this access token.
pub async fn userinfo(app: &App, token: &str) -> Result<Map<String, Value>> {
    let now = app.clock.now();
    let claims = live_token(app, token, now)?;
    let person = userinfo::decide(&claims, app.issuer())?;

    let user = app.store.user(person).await?.filter(|user| user.disabled_at.is_none());
    let client = app.directory.client(&claims.client_id).await?;
    let client = client.filter(|client| client.disabled_at.is_none());
    match (user, client) {
        (Some(user), Some(_)) => Ok(userinfo::answer(&user, &claims)),
        _ => Err(InvalidToken.because("the person or the client is gone or disabled").into()),
    }
}
