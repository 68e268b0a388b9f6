//! Trade an API key or an access token for a token that does less.

use super::{
    App, Result,
    access_token::live_token,
    api_key::{self, Bearer},
    dpop,
    events::Event,
    issue::{self, Held, Issued, Place},
    role,
};
use crate::{
    model::User,
    protocol::{
        ErrorCode::InvalidRequest,
        access_token::AccessClaims,
        client_auth::AuthenticatedClient,
        exchange::{self, ExchangeRequest, SubjectToken, no_key},
    },
    values::{ApiKey, Secret, Timestamp},
};

/// Answer a token exchange request.
pub async fn exchange(
    app: &App,
    client: &AuthenticatedClient,
    request: &ExchangeRequest,
) -> Result<Issued> {
    let now = app.clock.now();
    let issued = match &request.subject {
        SubjectToken::ApiKey(key) => for_key(app, client, request, key, now).await?,
        SubjectToken::AccessToken(token) => for_token(app, client, request, token, now).await?,
    };
    Ok(issued.in_exchange(exchange::ACCESS_TOKEN))
}

async fn for_key(
    app: &App,
    client: &AuthenticatedClient,
    request: &ExchangeRequest,
    key: &ApiKey,
    now: Timestamp,
) -> Result<Issued> {
    let Bearer { record, user, owned } = api_key::bearer(app, key, now).await?;
    let apis = app.directory.apis();

    let entitlement =
        exchange::decide_key(request, client, &record, owned.as_ref(), &apis.catalogue, now)?;
    let authority = role::authority(app, &entitlement, user.as_ref()).await?;

    dpop::spend(app, client.possession()).await?;

    let place = match record.status_place {
        Some(place) => place,
        None => app.statuses.place(&app.store).await?,
    };
    if !app.store.use_api_key(&record, place, now).await? {
        return Err(no_key().into());
    }

    Event::ApiKeyExchanged { key: record.id, client: client.id() }.emit();
    let held = Held { place: Some(Place::OfGrant(place)), authority, refresh_token: None };
    issue::mint(app, &entitlement, user.as_ref(), held, now).await
}

async fn for_token(
    app: &App,
    client: &AuthenticatedClient,
    request: &ExchangeRequest,
    token: &Secret<String>,
    now: Timestamp,
) -> Result<Issued> {
    let (subject, user) = alive(app, token, "subject_token", now).await?;
    let actor = match &request.actor {
        Some(token) => Some(alive(app, token, "actor_token", now).await?.0),
        None => None,
    };
    let apis = app.directory.apis();

    let entitlement =
        exchange::decide_token(request, client, &subject, actor.as_deref(), &apis.catalogue)?;
    let authority = role::authority(app, &entitlement, user.as_ref()).await?;

    dpop::spend(app, client.possession()).await?;

    let place = subject.status.as_ref().and_then(|status| status.place(app.issuer()));
    let held = Held { place: place.map(Place::OfGrant), authority, refresh_token: None };
    issue::mint(app, &entitlement, user.as_ref(), held, now).await
}

/// What a token says that is worth something now, and the person that it speaks of, if it speaks of one.
/// Neither they nor the client that holds it may have been stopped.
async fn alive(
    app: &App,
    token: &Secret<String>,
    name: &str,
    now: Timestamp,
) -> Result<(std::sync::Arc<AccessClaims>, Option<User>)> {
    let dead = || InvalidRequest.because(format!("the {name} is not an access token in force"));
    let claims = live_token(app, token.expose(), now).map_err(|_| dead())?;
    let holder = app.directory.client(&claims.client_id).await?;
    if holder.is_none_or(|holder| holder.disabled_at.is_some()) {
        return Err(dead().into());
    }
    let user = match claims.person() {
        Some(person) => {
            let user = app.store.user(person).await?;
            Some(user.filter(|user| user.disabled_at.is_none()).ok_or_else(dead)?)
        }
        None => None,
    };
    Ok((claims, user))
}
