//! Tell a client about the person who let it ask.

use serde_json::{Map, Value};

use super::{App, Result, access_token::live_token, dpop};
use crate::protocol::{
    ErrorCode::InvalidToken,
    dpop::{Possession, ProofHeader, check_key},
    userinfo::{self, Presented},
};

/// Answer a userinfo request with this access token and this proof.
pub async fn userinfo(
    app: &App,
    presented: &Presented,
    proof: &ProofHeader,
    method: &str,
) -> Result<Map<String, Value>> {
    let now = app.clock.now();
    let token = presented.token.expose();
    let claims = live_token(app, token, now)?;
    let possession = match presented.needed_key(&claims)? {
        None => Possession::Unproven,
        Some(key) => {
            let possession = dpop::prove(app, proof, method, "/userinfo", Some(token))?;
            check_key(key, &possession)?;
            possession
        }
    };
    let person = userinfo::decide(&claims, app.issuer())?;

    dpop::spend(app, &possession).await?;
    let user = app.store.user(person).await?.filter(|user| user.disabled_at.is_none());
    let client = app.directory.client(&claims.client_id).await?;
    let client = client.filter(|client| client.disabled_at.is_none());
    match (user, client) {
        (Some(user), Some(_)) => Ok(userinfo::answer(&user, &claims)),
        _ => Err(InvalidToken.because("the person or the client is gone or disabled").into()),
    }
}
