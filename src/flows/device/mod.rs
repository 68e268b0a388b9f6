//! Let a device in that has no browser ([RFC 8628](https://www.rfc-editor.org/rfc/rfc8628)): what the
//! device does. What its person does is in [`approval`].

pub mod approval;

use std::net::IpAddr;

use serde::Serialize;

use super::{
    App, Cause, Result,
    authorization_code::{Lifetime, begin_family},
    client_auth, dpop,
    issue::{self, Held, Issued, Place},
    pace::{Pace, network},
    role,
};
use crate::{
    model::{Asker, DeviceRequest, DeviceState},
    protocol::{
        ErrorCode::{AuthorizationPending, InvalidGrant, SlowDown, TemporarilyUnavailable},
        OAuthError, Params,
        client_auth::AuthenticatedClient,
        device::{
            self, Decision, DeviceAuthorizationRequest, DeviceCodeRequest, INTERVAL, Redeemable,
            not_a_code, used,
        },
    },
    storage::{DeviceAdmission, EntryLimit, Redemption},
    values::{ClientId, DeviceCode, DeviceId, FamilyId, Timestamp, UserCode},
};

/// How many requests of one client wait at most. Nobody can fill the database with them.
const MOST_WAITING: i64 = 10_000;

/// How often a user code is drawn again that another request has.
const DRAWS: usize = 4;

/// How often a lost race of two polls is looked at again.
const ATTEMPTS: usize = 3;

/// The longest name of a program that is remembered, in characters.
const LONGEST_USER_AGENT: usize = 256;

/// How many wrong user codes one person may type, on whichever node
/// ([RFC 8628 §5.1](https://www.rfc-editor.org/rfc/rfc8628#section-5.1)).
const WRONG_CODES: EntryLimit = EntryLimit { entries: 10, seconds: 600 };

/// How often devices may ask, and people mistype: what this node has counted.
pub struct DeviceLimits {
    /// Requests of one client.
    clients: Pace<ClientId>,
    /// Requests from one address.
    addresses: Pace<IpAddr>,
    /// Wrong user codes from one address, of whoever is signed in there.
    guesses: Pace<IpAddr>,
}

impl Default for DeviceLimits {
    fn default() -> Self {
        Self {
            clients: Pace::new(1200, 60),
            addresses: Pace::new(120, 60),
            // An office may have one address.
            guesses: Pace::new(30, 600),
        }
    }
}

/// What a device is given
/// ([RFC 8628 §3.2](https://www.rfc-editor.org/rfc/rfc8628#section-3.2)).
#[derive(Serialize)]
pub struct Begun {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    expires_in: i64,
    interval: i64,
}

/// Answer a device authorization request, which comes from this address.
pub async fn begin(
    app: &App,
    authorization: Option<&str>,
    params: &Params,
    from: Option<IpAddr>,
    user_agent: &str,
) -> Result<Begun> {
    params.without_repeats()?;
    let now = app.clock.now();
    let client =
        client_auth::authenticate(app, authorization, params, "/device_authorization").await?;
    let apis = app.directory.apis();

    let request = DeviceAuthorizationRequest::parse(params, client.client(), &apis.catalogue)?;
    let limits = &app.device_limits;
    let admitted = from.is_none_or(|from| limits.addresses.admits(network(from), now))
        && limits.clients.admits(client.id().clone(), now);
    if !admitted {
        return Err(too_many().into());
    }

    let code = DeviceCode::new(app.random.id::<DeviceId>(now), app.random.bytes());
    let asker = Asker {
        address: from.map(|from| from.to_string()).unwrap_or_default(),
        user_agent: user_agent.chars().take(LONGEST_USER_AGENT).collect(),
    };
    let user_code = keep(app, &client, request, &code, asker, now).await?;

    let verification_uri = app.issuer().join("/device");
    Ok(Begun {
        device_code: code.expose(),
        user_code: user_code.expose(),
        verification_uri_complete: format!("{verification_uri}?user_code={}", user_code.expose()),
        verification_uri,
        expires_in: app.config.tokens.device_code_lifetime,
        interval: INTERVAL,
    })
}

/// Keep a request under a user code that no other has.
async fn keep(
    app: &App,
    client: &AuthenticatedClient,
    request: DeviceAuthorizationRequest,
    code: &DeviceCode,
    asker: Asker,
    now: Timestamp,
) -> Result<UserCode> {
    let mut device = DeviceRequest {
        id: code.id(),
        secret: code.hash(),
        user_code: code.hash(),
        client: client.id().clone(),
        scope: request.scope,
        resources: request.resources,
        asker,
        interval: INTERVAL,
        polled_at: None,
        created_at: now,
        expires_at: now.plus(app.config.tokens.device_code_lifetime),
        state: DeviceState::Pending,
    };
    for _ in 0..DRAWS {
        let Some(user_code) = UserCode::draw(app.random.bytes()) else { continue };
        let Some(hash) = app.keys.user_code_hashes(&user_code).into_iter().next() else { continue };
        device.user_code = hash;
        match app.store.keep_device(&device, MOST_WAITING).await? {
            DeviceAdmission::Kept => return Ok(user_code),
            DeviceAdmission::CodeTaken => {}
            DeviceAdmission::TooMany => return Err(too_many().into()),
        }
    }
    Err(Cause::Broken("every user code that was drawn is taken").into())
}

/// Answer a device that asks whether it was let in: with its tokens, once.
pub async fn poll(
    app: &App,
    client: &AuthenticatedClient,
    request: DeviceCodeRequest,
) -> Result<Issued> {
    let now = app.clock.now();
    let apis = app.directory.apis();
    let family = app.random.id::<FamilyId>(now);

    for _ in 0..ATTEMPTS {
        let device = app.store.device(request.code.id()).await?.ok_or_else(not_a_code)?;
        match device::decide(&request, client, &device, &apis.catalogue, family, now)? {
            Decision::Wait => {
                if app.store.device_polled(device.id, device.polled_at, now).await? {
                    return Err(pending().into());
                }
            }
            Decision::SlowDown(interval) => {
                // Once it is as slow as it gets, a hasty device costs no more writes.
                let same = interval == device.interval;
                if same || app.store.slow_device(device.id, device.interval, interval).await? {
                    return Err(slow_down().into());
                }
            }
            Decision::Redeem(redeemable) => {
                return redeem(app, client, device.id, *redeemable, family, now).await;
            }
        }
    }
    // Its polls keep crossing each other.
    Err(slow_down().into())
}

async fn redeem(
    app: &App,
    client: &AuthenticatedClient,
    device: DeviceId,
    redeemable: Redeemable,
    family: FamilyId,
    now: Timestamp,
) -> Result<Issued> {
    let user = app.store.user(redeemable.authorization.user).await?;
    let user = user
        .filter(|user| user.disabled_at.is_none())
        .ok_or_else(|| InvalidGrant.because("the person can no longer sign in"))?;
    let authority = role::authority(app, &redeemable.entitlement, Some(&user)).await?;

    dpop::spend(app, client.possession()).await?;
    let place = app.statuses.place(&app.store).await?;
    let lifetime = Lifetime::of(&app.config.tokens, redeemable.refreshable);
    let kept = begin_family(family, client, redeemable.authorization, place, lifetime, now);
    match app.store.redeem_device(device, &kept, now).await? {
        Redemption::Redeemed => {}
        Redemption::Replayed => return Err(used().into()),
    }

    let refresh_token =
        redeemable.refreshable.then(|| app.keys.refresh_token(family, 0, client.id()));
    let held = Held { place: Some(Place::OfGrant(place)), authority, refresh_token };
    issue::mint(app, &redeemable.entitlement, Some(&user), held, now).await
}

fn pending() -> OAuthError {
    AuthorizationPending.because("nobody has answered for this device yet: ask again")
}

fn slow_down() -> OAuthError {
    SlowDown.because("this device asks too often: wait five seconds longer from now on")
}

fn too_many() -> OAuthError {
    TemporarilyUnavailable.because("too many devices ask at the moment: try again in a minute")
}
