//! Trade a refresh token for new tokens: one write, and one more for a proof.

use super::{
    App, Cause, Result, dpop,
    events::Event,
    issue::{self, Held, Issued, Place},
    revocation::revoke_family,
    role,
};
use crate::{
    model::{RefreshFamily, User},
    protocol::{
        ErrorCode::InvalidGrant,
        client_auth::AuthenticatedClient,
        dpop::of_refresh_tokens,
        refresh::{self, Decision, RefreshRequest, not_a_token, reused},
    },
    storage::{Attempt, PersonalFamily, Rotation},
    values::{Binding, StatusPlace},
};

/// How often a lost race is looked at again. One lost race changes the answer, and the answer after
/// it is final; more can only come from a family that others keep refreshing.
const ATTEMPTS: usize = 3;

/// Continue a family.
pub async fn refresh(
    app: &App,
    client: &AuthenticatedClient,
    request: RefreshRequest,
) -> Result<Issued> {
    let now = app.clock.now();
    if !app.keys.is_ours(&request.token, client.id()) {
        return Err(not_a_token().into());
    }
    dpop::spend(app, client.possession()).await?;
    let apis = app.directory.apis();
    let grace = app.config.tokens.refresh_grace;

    for _ in 0..ATTEMPTS {
        let found = app.store.personal_family(request.token.family).await?;
        let PersonalFamily { family, user } = found.ok_or_else(not_a_token)?;
        match refresh::decide(&request, client, &family, &apis.catalogue, grace, now)? {
            Decision::Rotate(entitlement) => {
                let user = who_may_sign_in(user)?;
                let authority = role::authority(app, &entitlement, Some(&user)).await?;
                bind(app, &family, client).await?;
                let place = match family.status_place {
                    Some(place) => place,
                    None => app.statuses.place(&app.store).await?,
                };
                let attempt = Attempt {
                    id: family.id,
                    presented: family.generation,
                    place_before: family.status_place,
                    place: Some(place),
                    idle_until: now.plus(app.config.tokens.refresh_idle),
                    now,
                };
                if app.store.rotate_family(attempt).await? == Rotation::Rotated {
                    let held = Held {
                        authority,
                        ..held(app, client, &family, family.generation + 1, Some(place))
                    };
                    return issue::mint(app, &entitlement, Some(&user), held, now).await;
                }
            }
            Decision::Repeat(entitlement) => {
                let user = who_may_sign_in(user)?;
                let held = Held {
                    authority: role::authority(app, &entitlement, Some(&user)).await?,
                    ..held(app, client, &family, family.generation, family.status_place)
                };
                return issue::mint(app, &entitlement, Some(&user), held, now).await;
            }
            Decision::Reused => {
                revoke_family(app, family.id, now).await?;
                Event::RefreshTokenReused { client: client.id(), family: family.id }.emit();
                return Err(reused().into());
            }
        }
    }
    Err(Cause::Broken("a refresh lost every race").into())
}

fn held(
    app: &App,
    client: &AuthenticatedClient,
    family: &RefreshFamily,
    generation: i64,
    place: Option<StatusPlace>,
) -> Held {
    let token = app.keys.refresh_token(family.id, generation, client.id());
    Held { place: place.map(Place::OfGrant), refresh_token: Some(token), ..Held::default() }
}

/// A public client that begins to prove that it holds a key gets refresh tokens that are bound to it from
/// then on (RFC 9449 §5). If another key was faster, the next refresh finds it.
async fn bind(app: &App, family: &RefreshFamily, client: &AuthenticatedClient) -> Result<()> {
    match of_refresh_tokens(client.client(), client.binding()) {
        Binding::Dpop(key) if family.binding == Binding::Bearer => {
            Ok(app.store.bind_family(family.id, key).await?)
        }
        Binding::Dpop(_) | Binding::Bearer => Ok(()),
    }
}

fn who_may_sign_in(user: User) -> Result<User> {
    if user.disabled_at.is_some() {
        return Err(InvalidGrant.because("the person can no longer sign in").into());
    }
    Ok(user)
}
