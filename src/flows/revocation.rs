//! Make what was issued worthless before its time.

use signet_jwt::Unverified;

use super::{App, Result, access_token::live_token, api_key, client_auth, events::Event};
use crate::{
    model::{KeyOwner, Revocation, Revoked},
    protocol::{
        ErrorCode::UnauthorizedClient, Params, access_token::AccessClaims,
        client_auth::AuthenticatedClient, exchange::check_key,
    },
    storage::RevocationEntry,
    values::{ApiKey, FamilyId, RefreshToken, Timestamp},
};

/// Answer a revocation request ([RFC 7009 §2](https://www.rfc-editor.org/rfc/rfc7009#section-2)). What
/// is not a token of ours is as good as revoked.
pub async fn revoke(app: &App, authorization: Option<&str>, params: &Params) -> Result<()> {
    params.without_repeats()?;
    let now = app.clock.now();
    let client = client_auth::authenticate(app, authorization, params, "/revoke").await?;
    let token = params.required("token")?;

    let mut revoked = false;
    if let Ok(key) = token.parse::<ApiKey>() {
        revoked = revoke_key(app, &client, &key, now).await?;
    } else if let Ok(token) = token.parse::<RefreshToken>() {
        if app.keys.is_ours(&token, client.id()) {
            revoked = revoke_family(app, token.family, now).await?;
        }
    } else if Unverified::parse(token).is_ok()
        && let Ok(claims) = live_token(app, token, now)
    {
        if claims.client_id != *client.id() {
            let refusal = UnauthorizedClient.because("the token was issued to another client");
            return Err(refusal.into());
        }
        revoked = revoke_token(app, &claims, now).await?;
    }

    if revoked {
        Event::Revoked { client: client.id() }.emit();
    }
    Ok(())
}

/// Revoke a family and everything that was issued from it. False if that is no news.
pub async fn revoke_family(app: &App, family: FamilyId, now: Timestamp) -> Result<bool> {
    let revocation = revocation(app, Revoked::Family(family), now);
    let entry = app.store.revoke_family(family, &revocation).await?;
    app.directory.note(revocation);
    Ok(entry == RevocationEntry::New)
}

/// Revoke an API key of the client's own; one of somebody else is not the client's to revoke.
async fn revoke_key(
    app: &App,
    client: &AuthenticatedClient,
    key: &ApiKey,
    now: Timestamp,
) -> Result<bool> {
    let Some(record) = app.store.api_key(key.id()).await? else { return Ok(false) };
    if check_key(key, &record, now).is_err() {
        return Ok(false);
    }
    if record.owner != KeyOwner::Client(client.id().clone()) {
        return Err(UnauthorizedClient.because("the API key belongs to somebody else").into());
    }
    api_key::revoke(app, record.id, now).await
}

/// Revoke an access token: a client's own alone, and one of a grant with all that the grant has given so far,
/// since they are found at one place in the status lists. The grant goes on (RFC 7009 §2.1 leaves it to the
/// server). A token that was exchanged is found where the key or the token is that it came of, which is not
/// its client's to revoke: it dies alone, and no list tells of it. False if that is no news.
async fn revoke_token(app: &App, claims: &AccessClaims, now: Timestamp) -> Result<bool> {
    let (revocation, place) = if claims.act.is_some() || claims.api_key.is_some() {
        (Revocation::of_token(app.random.id(now), claims.jti.clone(), claims.exp, now), None)
    } else if let Some(family) = claims.family {
        (revocation(app, Revoked::Issued(family), now), None)
    } else {
        let id = app.random.id(now);
        let place = claims.status.as_ref().and_then(|status| status.place(app.issuer()));
        (Revocation::of_token(id, claims.jti.clone(), claims.exp, now), place)
    };
    let entry = app.store.revoke(&revocation, place).await?;
    app.directory.note(revocation);
    Ok(entry != RevocationEntry::Known)
}

/// An entry of the revocation set, beginning now.
pub(super) fn revocation(app: &App, what: Revoked, now: Timestamp) -> Revocation {
    Revocation::new(app.random.id(now), what, now)
}
