//! Find out what a token is worth now. An access token costs no look at the database.

use std::net::IpAddr;

use super::{
    App, Error, Result,
    access_token::live_token,
    api_key::{self, Bearer},
    client_auth,
};
use crate::{
    protocol::{
        Params,
        client_auth::AuthenticatedClient,
        exchange::{client_address, may_come_from},
        introspection::{self, Answer},
    },
    values::{ApiKey, RefreshToken, Timestamp},
};

/// Answer an introspection request ([RFC 7662 §2](https://www.rfc-editor.org/rfc/rfc7662#section-2)).
pub async fn introspect(app: &App, authorization: Option<&str>, params: &Params) -> Result<Answer> {
    params.without_repeats()?;
    let now = app.clock.now();
    let caller = client_auth::authenticate(app, authorization, params, "/introspect").await?;
    introspection::admit(&caller)?;
    let token = params.required("token")?;

    if let Ok(key) = token.parse::<ApiKey>() {
        let from = client_address(params)?;
        return api_key(app, &caller, &key, from, now).await;
    }
    match token.parse::<RefreshToken>() {
        Ok(token) => refresh_token(app, &caller, &token, now).await,
        Err(_) => access_token(app, &caller, token, now).await,
    }
}

async fn access_token(
    app: &App,
    caller: &AuthenticatedClient,
    token: &str,
    now: Timestamp,
) -> Result<Answer> {
    let Ok(claims) = live_token(app, token, now) else { return Ok(Answer::Inactive) };
    let holder = app.directory.client(&claims.client_id).await?;
    let enabled = holder.is_some_and(|client| client.disabled_at.is_none());
    let apis = app.directory.apis();

    if enabled && introspection::may_learn_of(&claims, caller, &apis.catalogue) {
        Ok(Answer::Access(claims))
    } else {
        Ok(Answer::Inactive)
    }
}

/// `from` is where the key came from, as the API says that has seen it.
async fn api_key(
    app: &App,
    caller: &AuthenticatedClient,
    key: &ApiKey,
    from: Option<IpAddr>,
    now: Timestamp,
) -> Result<Answer> {
    let Bearer { mut record, owned, .. } = match api_key::bearer(app, key, now).await {
        Ok(bearer) => bearer,
        Err(Error::Refused(_)) => return Ok(Answer::Inactive),
        Err(failure) => return Err(failure),
    };
    if !may_come_from(&record, from) {
        return Ok(Answer::Inactive);
    }
    let held =
        owned.map_or_else(|| record.scope.clone(), |owned| record.scope.intersection(&owned));
    let apis = app.directory.apis();
    let Some(scope) = introspection::scope_to_learn_of(&held, caller, &apis.catalogue) else {
        return Ok(Answer::Inactive);
    };
    record.scope = scope;
    Ok(Answer::Key(app.issuer().clone(), Box::new(record)))
}

async fn refresh_token(
    app: &App,
    caller: &AuthenticatedClient,
    token: &RefreshToken,
    now: Timestamp,
) -> Result<Answer> {
    if !app.keys.is_ours(token, caller.id()) {
        return Ok(Answer::Inactive);
    }
    let family = app.store.family(token.family).await?;
    let alive =
        family.filter(|family| family.is_alive(now) && family.generation == token.generation);
    Ok(alive
        .map_or(Answer::Inactive, |family| Answer::Refresh(app.issuer().clone(), Box::new(family))))
}
