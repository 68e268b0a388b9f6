//! Trade an authorization code for tokens, once.

use super::{
    App, Result, dpop,
    events::Event,
    issue::{self, Held, Issued, Place},
    revocation::revoke_family,
    role,
};
use crate::{
    config::TokensConfig,
    model::{Authorization, CodeState, RefreshFamily},
    protocol::{
        ErrorCode::InvalidGrant,
        authorization_code::{self, CodeRequest, Decision, not_a_code},
        client_auth::AuthenticatedClient,
        dpop::of_refresh_tokens,
    },
    storage::Redemption,
    values::{FamilyId, StatusPlace, Timestamp},
};

/// Redeem a code.
pub async fn redeem(
    app: &App,
    client: &AuthenticatedClient,
    request: CodeRequest,
) -> Result<Issued> {
    let now = app.clock.now();
    let code = app.store.code(request.code.id()).await?.ok_or_else(not_a_code)?;
    let family = app.random.id::<FamilyId>(now);
    let apis = app.directory.apis();

    let decision =
        authorization_code::decide(&request, client, &code, &apis.catalogue, family, now)?;
    let redeemable = match decision {
        Decision::Redeem(redeemable) => redeemable,
        Decision::Reused(family) => return reused(app, client, family, now).await,
    };
    let session = app.store.session(code.authorization.authentication.session).await?;
    if session.is_none_or(|session| session.ended_at.is_some()) {
        return Err(InvalidGrant.because("the person has signed out since").into());
    }
    let user = app.store.user(code.authorization.user).await?;
    let user = user
        .filter(|user| user.disabled_at.is_none())
        .ok_or_else(|| InvalidGrant.because("the person can no longer sign in"))?;
    let authority = role::authority(app, &redeemable.entitlement, Some(&user)).await?;

    dpop::spend(app, client.possession()).await?;
    let place = app.statuses.place(&app.store).await?;
    let lifetime = Lifetime::of(&app.config.tokens, redeemable.refreshable);
    let kept = begin_family(family, client, code.authorization, place, lifetime, now);
    match app.store.redeem_code(code.id, &kept, now).await? {
        Redemption::Redeemed => {}
        Redemption::Replayed => return replayed(app, client, &request, now).await,
    }

    let refresh_token =
        redeemable.refreshable.then(|| app.keys.refresh_token(family, 0, client.id()));
    let held = Held { place: Some(Place::OfGrant(place)), authority, refresh_token };
    issue::mint(app, &redeemable.entitlement, Some(&user), held, now).await
}

/// Somebody redeemed it between our look and our attempt: what they got must die.
async fn replayed(
    app: &App,
    client: &AuthenticatedClient,
    request: &CodeRequest,
    now: Timestamp,
) -> Result<Issued> {
    match app.store.code(request.code.id()).await?.map(|code| code.state) {
        Some(CodeState::Spent(family)) => reused(app, client, family, now).await,
        _ => Err(not_a_code().into()),
    }
}

async fn reused(
    app: &App,
    client: &AuthenticatedClient,
    family: FamilyId,
    now: Timestamp,
) -> Result<Issued> {
    revoke_family(app, family, now).await?;
    Event::CodeReused { client: client.id(), family }.emit();
    Err(authorization_code::reused().into())
}

/// For how many seconds a grant can be refreshed, or is remembered for its access token alone.
#[derive(Clone, Copy)]
pub(super) struct Lifetime {
    idle: i64,
    absolute: i64,
}

impl Lifetime {
    pub(super) fn of(tokens: &TokensConfig, refreshable: bool) -> Self {
        if refreshable {
            Self { idle: tokens.refresh_idle, absolute: tokens.refresh_absolute }
        } else {
            Self { idle: tokens.access_lifetime, absolute: tokens.access_lifetime }
        }
    }
}

/// The row of a new grant, on which its tokens hang.
pub(super) fn begin_family(
    id: FamilyId,
    client: &AuthenticatedClient,
    authorization: Authorization,
    place: StatusPlace,
    lifetime: Lifetime,
    now: Timestamp,
) -> RefreshFamily {
    RefreshFamily {
        id,
        authorization,
        binding: of_refresh_tokens(client.client(), client.binding()),
        generation: 0,
        rotated_at: now,
        idle_until: now.plus(lifetime.idle),
        expires_at: now.plus(lifetime.absolute),
        revoked_at: None,
        status_place: Some(place),
    }
}
