//! Token exchange ([RFC 8693](https://www.rfc-editor.org/rfc/rfc8693)): an API key for a token that can be
//! verified offline, and a token for another with which somebody acts for its subject. Only ever for less
//! than was there before.

use std::net::IpAddr;

use super::{
    Entitlement,
    ErrorCode::{InvalidRequest, InvalidScope, InvalidTarget, UnauthorizedClient},
    OAuthError, Params, Subject, Terms,
    access_token::{AccessClaims, Actor},
    client_auth::AuthenticatedClient,
    resource::{Aim, Catalogue, IDENTITY_SCOPES},
    token::{asked_resources, asked_scope},
};
use crate::{
    model::{ApiKeyRecord, KeyOwner, ResourceServer},
    values::{ApiKey, Resource, Scope, Secret, Timestamp},
};

/// The type of an access token (§3).
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// The type of any JWT (§3); those that are exchanged here are access tokens.
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// The type of an API key: one of our own.
pub const API_KEY: &str = "urn:signet:params:oauth:token-type:api-key";

/// For how many seconds a token is valid that was given for an API key.
const KEY_TOKEN_LIFETIME: i64 = 300;

/// How many may act, one for another.
const DEEPEST: usize = 4;

/// A client exchanges something for a token (§2.1).
#[derive(Debug)]
pub struct ExchangeRequest {
    /// What it has.
    pub subject: SubjectToken,
    /// The token of whoever acts, where that is not the client itself.
    pub actor: Option<Secret<String>>,
    /// Where the API says that the key came from.
    pub client_address: Option<IpAddr>,
    scope: Option<Scope>,
    resources: Vec<String>,
}

/// What is exchanged.
#[derive(Debug)]
pub enum SubjectToken {
    /// An API key.
    ApiKey(ApiKey),
    /// An access token, as it was sent.
    AccessToken(Secret<String>),
}

impl ExchangeRequest {
    pub(super) fn parse(params: &Params) -> Result<Self, OAuthError> {
        let subject = params.required("subject_token")?;
        let subject = match params.required("subject_token_type")? {
            API_KEY => SubjectToken::ApiKey(subject.parse().map_err(|_| no_key())?),
            ACCESS_TOKEN | JWT => SubjectToken::AccessToken(Secret::new(subject.to_owned())),
            _ => {
                return Err(
                    InvalidRequest.because("tokens of this subject_token_type are not exchanged")
                );
            }
        };
        if !matches!(params.one("requested_token_type")?, None | Some(ACCESS_TOKEN | JWT)) {
            return Err(InvalidRequest.because("only access tokens are given in exchange"));
        }

        let actor = params.one("actor_token")?.map(|token| Secret::new(token.to_owned()));
        match (params.one("actor_token_type")?, &actor) {
            (None, None) | (Some(ACCESS_TOKEN | JWT), Some(_)) => {}
            (None, Some(_)) => return Err(InvalidRequest.because("actor_token_type is missing")),
            (Some(_), None) => return Err(InvalidRequest.because("actor_token is missing")),
            (Some(_), Some(_)) => {
                return Err(InvalidRequest.because("an actor_token must be an access token"));
            }
        }
        if actor.is_some() && matches!(subject, SubjectToken::ApiKey(_)) {
            return Err(InvalidRequest.because("nobody acts for the owner of an API key"));
        }

        let mut resources = asked_resources(params);
        resources.extend(params.many("audience").map(str::to_owned));
        Ok(Self {
            subject,
            actor,
            client_address: client_address(params)?,
            scope: asked_scope(params)?,
            resources,
        })
    }
}

/// The answer to whatever is not an API key that can be used.
#[must_use]
pub fn no_key() -> OAuthError {
    InvalidRequest.because("the API key is unknown, or can no longer be used")
}

/// Whether this is the key that the record is of, and can be used now.
///
/// # Errors
/// `invalid_request`: which of the reasons it is, is not told.
pub fn check_key(key: &ApiKey, record: &ApiKeyRecord, now: Timestamp) -> Result<(), OAuthError> {
    let hash = key.hash();
    let previous = record.secret.previous.filter(|(_, until)| now < *until);
    let current = record.secret.current.matches(&hash);
    let before = previous.is_some_and(|(before, _)| before.matches(&hash));
    if (current || before) && record.is_alive(now) { Ok(()) } else { Err(no_key()) }
}

/// Decide what an API key is exchanged for. `owned` is the most that its owner may do: a client's
/// registration bounds its keys at any time, a person has none.
///
/// # Errors
/// `invalid_request` where the key may not be used from there, `invalid_target`, `invalid_scope`,
/// `unauthorized_client`.
pub fn decide_key(
    request: &ExchangeRequest,
    client: &AuthenticatedClient,
    record: &ApiKeyRecord,
    owned: Option<&Scope>,
    catalogue: &Catalogue,
    now: Timestamp,
) -> Result<Entitlement, OAuthError> {
    only_confidential(client)?;
    let targets = targets(request, client, catalogue)?;
    check_address(request, client, record, &targets, catalogue)?;
    let held = owned.map_or_else(|| record.scope.clone(), |owned| record.scope.intersection(owned));
    let aim = aim(request, client, &held, &targets, catalogue)?;

    let holder = match &record.owner {
        KeyOwner::Client(id) => id.clone(),
        KeyOwner::Person(_) => client.id().clone(),
    };
    Ok(Terms {
        subject: Subject::Owner(record.owner.clone()),
        client: holder,
        scope: aim.scope,
        audience: aim.audience,
        algorithm: aim.algorithm,
        family: None,
        api_key: Some(record.id),
        actor: None,
        expires_by: Some(record.expires_at.min(now.plus(KEY_TOKEN_LIFETIME))),
        userinfo_claims: Vec::new(),
        id_token: None,
    }
    .decided(client))
}

/// Decide what an access token is exchanged for: a token of the same subject, with which the client acts
/// for it, or whoever `actor` speaks of.
///
/// # Errors
/// `invalid_request` where the token is not the client's to exchange or too many would act,
/// `invalid_target`, `invalid_scope`, `unauthorized_client`.
pub fn decide_token(
    request: &ExchangeRequest,
    client: &AuthenticatedClient,
    subject: &AccessClaims,
    actor: Option<&AccessClaims>,
    catalogue: &Catalogue,
) -> Result<Entitlement, OAuthError> {
    only_confidential(client)?;
    let is_holder = subject.client_id == *client.id();
    let is_audience =
        own_apis(client, catalogue).any(|resource| subject.aud.contains(resource.id.as_str()));
    if !is_holder && !is_audience {
        return Err(InvalidRequest
            .because("the subject_token is neither the client's own nor meant for its API"));
    }
    if actor.is_some_and(|actor| actor.client_id != *client.id()) {
        return Err(InvalidRequest.because("the actor_token was not issued to the client"));
    }
    // An API has seen the proof that came with the token; its holder must prove it here (RFC 9449 §7.1).
    let own = is_holder.then_some(subject).into_iter().chain(actor);
    if own.filter_map(|token| token.binding().key()).any(|key| client.binding().key() != Some(key))
    {
        return Err(InvalidRequest.because("the token is bound to a key that was not proven"));
    }

    let targets = targets(request, client, catalogue)?;
    let aim = aim(request, client, &subject.scope, &targets, catalogue)?;
    let actor = acting(client, subject, actor, is_holder);
    if actor.as_ref().is_some_and(|actor| actor.depth() > DEEPEST) {
        return Err(InvalidRequest.because("too many act for one another already"));
    }
    Ok(Terms {
        subject: Subject::Of(Box::new(subject.clone())),
        client: client.id().clone(),
        scope: aim.scope,
        audience: aim.audience,
        algorithm: aim.algorithm,
        family: subject.family,
        api_key: subject.api_key,
        actor,
        expires_by: Some(subject.exp),
        userinfo_claims: Vec::new(),
        id_token: None,
    }
    .decided(client))
}

/// Who acts: nobody new where a client narrows a token of its own (§4.1).
fn acting(
    client: &AuthenticatedClient,
    subject: &AccessClaims,
    actor: Option<&AccessClaims>,
    is_holder: bool,
) -> Option<Actor> {
    if actor.is_none() && is_holder {
        return subject.act.clone();
    }
    let sub = actor.map_or_else(|| client.id().to_string(), |actor| actor.sub.clone());
    let earlier = subject.act.clone().map(Box::new);
    Some(Actor { sub, client_id: client.id().clone(), act: earlier })
}

fn only_confidential(client: &AuthenticatedClient) -> Result<(), OAuthError> {
    if client.client().is_public() {
        return Err(UnauthorizedClient.because("a public client exchanges nothing"));
    }
    Ok(())
}

/// The APIs that introspect as this client: those that it is.
fn own_apis<'a>(
    client: &'a AuthenticatedClient,
    catalogue: &'a Catalogue,
) -> impl Iterator<Item = &'a ResourceServer> {
    let own = |resource: &&ResourceServer| resource.client.as_ref() == Some(client.id());
    catalogue.resources().iter().filter(own)
}

/// The APIs that the token is to be for: those that are asked for, or else the only one that the client is.
fn targets(
    request: &ExchangeRequest,
    client: &AuthenticatedClient,
    catalogue: &Catalogue,
) -> Result<Vec<Resource>, OAuthError> {
    let mut targets = Vec::new();
    for named in &request.resources {
        let resource = catalogue
            .find(named)
            .ok_or_else(|| InvalidTarget.because("the resource is not registered here"))?;
        let is_own = resource.client.as_ref() == Some(client.id());
        if !is_own && !client.client().scope.meets(&resource.scope) {
            return Err(InvalidTarget
                .because("the client is not this resource, and has no scope of it registered"));
        }
        if !targets.contains(&resource.id) {
            targets.push(resource.id.clone());
        }
    }
    if targets.is_empty() {
        targets.extend(own_apis(client, catalogue).map(|resource| resource.id.clone()));
        if targets.len() != 1 {
            return Err(InvalidTarget.because("resource is missing: name the API that it is for"));
        }
    }
    Ok(targets)
}

/// What of `held` the token carries: what belongs to its targets, and to a target that the client is not
/// itself, what the client is registered for.
fn aim(
    request: &ExchangeRequest,
    client: &AuthenticatedClient,
    held: &Scope,
    targets: &[Resource],
    catalogue: &Catalogue,
) -> Result<Aim, OAuthError> {
    let may = catalogue.resources().iter().filter(|resource| targets.contains(&resource.id)).fold(
        Scope::empty(),
        |may, resource| {
            let is_own = resource.client.as_ref() == Some(client.id());
            let registered = resource.scope.intersection(&client.client().scope);
            may.union(if is_own { &resource.scope } else { &registered })
        },
    );
    let may = held.intersection(&may).without_any(&IDENTITY_SCOPES);
    let scope = match &request.scope {
        None => may,
        Some(asked) => may.narrow(asked).ok_or_else(|| {
            InvalidScope.because("this is more than was held, or more than the client may ask for")
        })?,
    };
    if scope.is_empty() {
        return Err(InvalidScope.because("nothing that was held is for this resource"));
    }
    Ok(catalogue.aim(&scope, targets))
}

/// A key that may be used from some addresses only is exchanged for the API itself alone, which says from
/// where the key came.
fn check_address(
    request: &ExchangeRequest,
    client: &AuthenticatedClient,
    record: &ApiKeyRecord,
    targets: &[Resource],
    catalogue: &Catalogue,
) -> Result<(), OAuthError> {
    if record.addresses.is_empty() {
        return Ok(());
    }
    let is_api =
        targets.iter().all(|target| own_apis(client, catalogue).any(|own| own.id == *target));
    if !is_api {
        return Err(InvalidRequest
            .because("only the API itself exchanges a key that may not be used from everywhere"));
    }
    if may_come_from(record, request.client_address) {
        return Ok(());
    }
    Err(InvalidRequest.because("the API key may not be used from there; client_address says where"))
}

/// Where an API says that a key came from.
pub fn client_address(params: &Params) -> Result<Option<IpAddr>, OAuthError> {
    let address = params.one("client_address")?.map(str::parse).transpose();
    address.map_err(|_| InvalidRequest.because("client_address is not an IP address"))
}

/// Whether a key may be used from there, or from somewhere that nobody tells of.
#[must_use]
pub fn may_come_from(record: &ApiKeyRecord, from: Option<IpAddr>) -> bool {
    let allowed = |from: IpAddr| {
        record.addresses.iter().any(|network| network.contains(&from.to_canonical()))
    };
    record.addresses.is_empty() || from.is_some_and(allowed)
}
