//! Trade a refresh token for new tokens: one write.

use super::{
    App, Cause, Result,
    events::Event,
    issue::{self, Issued},
    revocation::revoke_family,
};
use crate::{
    model::{RefreshFamily, User},
    protocol::{
        Entitlement,
        ErrorCode::InvalidGrant,
        client_auth::AuthenticatedClient,
        refresh::{self, Decision, RefreshRequest, not_a_token, reused},
    },
    storage::Rotation,
    values::Timestamp,
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
    let apis = app.directory.apis();
    let grace = app.config.tokens.refresh_grace;

    for _ in 0..ATTEMPTS {
        let family = app.store.family(request.token.family).await?.ok_or_else(not_a_token)?;
        match refresh::decide(&request, client, &family, &apis.catalogue, grace, now)? {
            Decision::Rotate(entitlement) => {
                let user = the_person(app, &family).await?;
                let idle_until = now.plus(app.config.tokens.refresh_idle);
                let rotated =
                    app.store.rotate_family(family.id, family.generation, now, idle_until).await?;
                if let Rotation::Rotated(rotated) = rotated {
                    return answer(app, client, &rotated, &entitlement, &user, now).await;
                }
            }
            Decision::Repeat(entitlement) => {
                let user = the_person(app, &family).await?;
                return answer(app, client, &family, &entitlement, &user, now).await;
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

async fn the_person(app: &App, family: &RefreshFamily) -> Result<User> {
    let user = app.store.user(family.authorization.user).await?;
    let user = user.filter(|user| user.disabled_at.is_none());
    Ok(user.ok_or_else(|| InvalidGrant.because("the person can no longer sign in"))?)
}

async fn answer(
    app: &App,
    client: &AuthenticatedClient,
    family: &RefreshFamily,
    entitlement: &Entitlement,
    user: &User,
    now: Timestamp,
) -> Result<Issued> {
    let token = app.keys.refresh_token(family.id, family.generation, client.id());
    issue::mint(app, entitlement, Some(user), Some(token), now).await
}
