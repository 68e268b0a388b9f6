//! The device authorization grant ([RFC 8628](https://www.rfc-editor.org/rfc/rfc8628)).

use super::{
    Entitlement,
    ErrorCode::{AccessDenied, ExpiredToken, InvalidGrant, InvalidScope, UnauthorizedClient},
    OAuthError, Params,
    authorization_code::{gives_refresh_token, narrowed, person_terms},
    client_auth::AuthenticatedClient,
    resource::Catalogue,
    token::{asked_resources, asked_scope},
};
use crate::{
    model::{
        Approval, Authorization, ClaimsRequest, Client, DeviceRequest, DeviceState, GrantType,
    },
    values::{DeviceCode, FamilyId, Resource, Scope, Timestamp},
};

/// How many seconds a device waits between two polls, unless it is told to slow down.
pub const INTERVAL: i64 = 5;

/// How many seconds it must wait longer, each time that it does not (§3.5).
const SLOWER: i64 = 5;

/// The longest that it is ever told to wait: more would keep people waiting, and tell nobody more.
const SLOWEST: i64 = 60;

/// What a device asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceAuthorizationRequest {
    /// The scopes: within the client's registration.
    pub scope: Scope,
    /// The APIs that it names, in their registered form.
    pub resources: Vec<Resource>,
}

impl DeviceAuthorizationRequest {
    /// Read the request of `client` (§3.1).
    ///
    /// # Errors
    /// `unauthorized_client` without the grant, `invalid_scope`, `invalid_target`.
    pub fn parse(
        params: &Params,
        client: &Client,
        catalogue: &Catalogue,
    ) -> Result<Self, OAuthError> {
        if !client.may_use(GrantType::DeviceCode) {
            return Err(UnauthorizedClient.because(
                "the client is not registered for the grant \
                 urn:ietf:params:oauth:grant-type:device_code",
            ));
        }
        let asked = asked_scope(params)?;
        let scope = client
            .scope
            .narrow(asked.as_ref().unwrap_or(&client.scope))
            .ok_or_else(|| InvalidScope.because("the client is not registered for this scope"))?;
        Ok(Self { scope, resources: catalogue.ask(params.many("resource"), client)? })
    }
}

/// A device asks whether it has been answered for (§3.4).
#[derive(Debug)]
pub struct DeviceCodeRequest {
    /// The code that it was given.
    pub code: DeviceCode,
    resources: Vec<String>,
}

impl DeviceCodeRequest {
    pub(super) fn parse(params: &Params) -> Result<Self, OAuthError> {
        let code = params.required("device_code")?.parse().map_err(|_| not_a_code())?;
        Ok(Self { code, resources: asked_resources(params) })
    }
}

/// What follows from a poll.
#[derive(Debug)]
pub enum Decision {
    /// Nobody has answered yet.
    Wait,
    /// Nobody has answered yet, and the device must wait so many seconds from now on.
    SlowDown(i64),
    /// It was allowed: tokens are due, once.
    Redeem(Box<Redeemable>),
}

/// A device code that may be redeemed.
#[derive(Debug)]
pub struct Redeemable {
    /// What the tokens may do.
    pub entitlement: Entitlement,
    /// What they stand for.
    pub authorization: Authorization,
    /// Whether a refresh token is due.
    pub refreshable: bool,
}

/// Decide what a poll gives. `family` is the name of the grant, should it come to be.
///
/// # Errors
/// `invalid_grant` for a code that is not this client's or was used, `access_denied`,
/// `expired_token`, `invalid_target`.
pub fn decide(
    request: &DeviceCodeRequest,
    client: &AuthenticatedClient,
    device: &DeviceRequest,
    catalogue: &Catalogue,
    family: FamilyId,
    now: Timestamp,
) -> Result<Decision, OAuthError> {
    if !device.secret.matches(&request.code.hash()) || device.client != *client.id() {
        return Err(not_a_code());
    }
    match &device.state {
        DeviceState::Spent => Err(used()),
        DeviceState::Denied => Err(AccessDenied.because("the person did not allow it")),
        DeviceState::Pending | DeviceState::Allowed(_) if device.expires_at <= now => {
            Err(ExpiredToken.because("the device_code has expired: ask for another"))
        }
        DeviceState::Pending => Ok(pace(device, now)),
        DeviceState::Allowed(approval) => {
            let redeemable = redeemable(request, client, device, approval, catalogue, family)?;
            Ok(Decision::Redeem(Box::new(redeemable)))
        }
    }
}

/// The answer to whatever is not a device code of ours for this client.
#[must_use]
pub fn not_a_code() -> OAuthError {
    InvalidGrant.because("the device_code is unknown, or was issued to another client")
}

/// The answer to a device code that was redeemed before. What it gave lives on: two polls of one device
/// may have crossed, and nobody but the device ever sees its code.
#[must_use]
pub fn used() -> OAuthError {
    InvalidGrant.because("the device_code was used before")
}

/// Whether a device that is still waiting asks too often.
fn pace(device: &DeviceRequest, now: Timestamp) -> Decision {
    let before = device.polled_at.unwrap_or(device.created_at);
    // The first poll may come at once: a device that shows its code and asks has done nothing wrong.
    if device.polled_at.is_none() || now.since(before) >= device.interval {
        Decision::Wait
    } else {
        Decision::SlowDown((device.interval + SLOWER).min(SLOWEST))
    }
}

/// The tokens of a device that was allowed in, as its client may have them today.
fn redeemable(
    request: &DeviceCodeRequest,
    client: &AuthenticatedClient,
    device: &DeviceRequest,
    approval: &Approval,
    catalogue: &Catalogue,
    family: FamilyId,
) -> Result<Redeemable, OAuthError> {
    let registered = client.client();
    let authorization = Authorization {
        client: device.client.clone(),
        user: approval.user,
        authentication: approval.authentication.clone(),
        // What the registration has lost since is no longer given.
        scope: device.scope.intersection(&registered.scope),
        resources: device.resources.clone(),
        claims: ClaimsRequest::default(),
    };
    let named = narrowed(&request.resources, &authorization, registered, catalogue)?;
    let mut terms =
        person_terms(&authorization, &authorization.scope, &named, registered, catalogue);
    terms.family = Some(family);
    let refreshable = gives_refresh_token(registered, &authorization.scope);
    Ok(Redeemable { entitlement: terms.decided(client), authorization, refreshable })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        protocol::fixtures::{NOW, alice, authenticated, authentication, client, resource},
        values::{DeviceId, TokenHash},
    };

    fn tv() -> Client {
        let mut client = client("tv");
        client.grants = [GrantType::DeviceCode, GrantType::RefreshToken].into();
        client.scope = "openid offline_access orders:read".parse().unwrap();
        client
    }

    fn catalogue() -> Catalogue {
        let orders = resource("https://orders.test", "orders:read");
        Catalogue::new("https://id.test".parse().unwrap(), vec![orders])
    }

    fn code() -> DeviceCode {
        DeviceCode::new(DeviceId::from_bytes([1; 16]), [2; 32])
    }

    fn device(state: DeviceState) -> DeviceRequest {
        DeviceRequest {
            id: code().id(),
            secret: code().hash(),
            user_code: TokenHash::of(b"user code"),
            client: "tv".parse().unwrap(),
            scope: tv().scope,
            resources: Vec::new(),
            asker: crate::model::Asker::default(),
            interval: INTERVAL,
            polled_at: None,
            created_at: NOW,
            expires_at: NOW.plus(600),
            state,
        }
    }

    fn allowed() -> DeviceState {
        DeviceState::Allowed(Approval { user: alice(), authentication: authentication() })
    }

    fn poll(
        device: &DeviceRequest,
        client: Client,
        now: Timestamp,
    ) -> Result<Decision, OAuthError> {
        let request = DeviceCodeRequest { code: code(), resources: Vec::new() };
        let family = FamilyId::from_bytes([3; 16]);
        decide(&request, &authenticated(client), device, &catalogue(), family, now)
    }

    #[test]
    fn a_device_is_told_what_has_become_of_its_request() {
        let refusal = |state, now| poll(&device(state), tv(), now).unwrap_err().code;
        let wait = poll(&device(DeviceState::Pending), tv(), NOW).unwrap();
        assert!(matches!(wait, Decision::Wait));
        assert_eq!(refusal(DeviceState::Denied, NOW), AccessDenied);
        assert_eq!(refusal(DeviceState::Spent, NOW), InvalidGrant);
        for state in [DeviceState::Pending, allowed()] {
            assert_eq!(refusal(state, NOW.plus(600)), ExpiredToken);
        }
    }

    #[test]
    fn a_device_that_asks_too_often_must_wait_longer_but_not_for_ever() {
        let mut device = device(DeviceState::Pending);
        device.polled_at = Some(NOW);
        let at = |device: &DeviceRequest, seconds| poll(device, tv(), NOW.plus(seconds)).unwrap();
        assert!(matches!(at(&device, 5), Decision::Wait));
        assert!(matches!(at(&device, 4), Decision::SlowDown(10)));
        device.interval = 58;
        assert!(matches!(at(&device, 57), Decision::SlowDown(60)));
    }

    #[test]
    fn an_answer_is_given_at_once_however_often_the_device_asks() {
        let mut device = device(allowed());
        device.polled_at = Some(NOW);
        assert!(matches!(poll(&device, tv(), NOW).unwrap(), Decision::Redeem(_)));
    }

    #[test]
    fn a_code_is_its_clients_and_worth_nothing_without_its_secret() {
        let mut other = tv();
        other.id = "other".parse().unwrap();
        assert_eq!(poll(&device(allowed()), other, NOW).unwrap_err(), not_a_code());
        let mut guessed = device(allowed());
        guessed.secret = TokenHash::of(b"another");
        assert_eq!(poll(&guessed, tv(), NOW).unwrap_err(), not_a_code());
    }

    #[test]
    fn a_device_gets_what_a_code_would_get_and_no_more_than_its_client_has_today() {
        let redeemed = |client| match poll(&device(allowed()), client, NOW).unwrap() {
            Decision::Redeem(redeemable) => redeemable,
            other => panic!("{other:?}"),
        };
        let full = redeemed(tv());
        assert!(full.refreshable && full.entitlement.terms().id_token.is_some());

        let mut narrower = tv();
        narrower.scope = "openid".parse().unwrap();
        let narrow = redeemed(narrower);
        assert_eq!(narrow.entitlement.terms().scope.to_string(), "openid");
        assert!(!narrow.refreshable, "openid without offline_access");

        let mut without = tv();
        without.grants.remove(&GrantType::RefreshToken);
        assert!(!redeemed(without).refreshable);
    }

    #[test]
    fn a_device_asks_within_its_registration() {
        use crate::protocol::ErrorCode::InvalidTarget;

        let ask = |text: &str, client: &Client| {
            DeviceAuthorizationRequest::parse(&Params::parse(text).unwrap(), client, &catalogue())
        };
        assert_eq!(ask("", &tv()).unwrap().scope, tv().scope);
        let asked = ask("scope=openid&resource=https://ORDERS.test/", &tv()).unwrap();
        assert_eq!(asked.scope.to_string(), "openid");
        assert_eq!(asked.resources, ["https://orders.test".parse().unwrap()]);
        for (text, code) in [
            ("scope=openid+email", InvalidScope),
            ("scope=a%22", InvalidScope),
            ("resource=https://unknown.test", InvalidTarget),
        ] {
            assert_eq!(ask(text, &tv()).unwrap_err().code, code, "{text}");
        }
        let refusal = ask("", &client("web")).unwrap_err();
        assert_eq!(refusal.code, UnauthorizedClient);
    }
}
