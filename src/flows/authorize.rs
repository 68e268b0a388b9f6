//! Take an authorization request from its arrival to its answer, through whatever pages it needs.

use std::sync::Arc;

use signet_jwt::{Expiry, Verified};

use super::{
    App, Result,
    events::Event,
    pending::Pending,
    sessions::{SignedIn, Visitor},
};
use crate::{
    model::{Authorization, Client, CodeState, Consent, IssuedCode, ResourceServer},
    protocol::{
        ErrorCode::{AccessDenied, InvalidRequest},
        OAuthError, Params,
        authorize::{
            self, Asked, AuthorizationResponse, AuthorizeRequest, Next, Outcome, ReturnAddress,
            Standing,
        },
        claims,
        id_token::{self, HintClaims},
    },
    values::{AuthorizationCode, CodeId, Timestamp, UserId},
};

/// What the browser is shown next.
#[derive(Debug)]
pub enum Step {
    /// A page.
    Ask(Box<Question>),
    /// The client's answer.
    Answer(AuthorizationResponse),
}

/// A page that a request needs.
#[derive(Debug)]
pub struct Question {
    /// What it asks.
    pub page: Page,
    /// The request, for the page to carry.
    pub sealed: String,
    /// Who wants to know.
    pub client: Arc<Client>,
    /// Where the answer goes in the end.
    pub address: ReturnAddress,
    /// Whom the client expects.
    pub login_hint: Option<String>,
    /// The languages that the person reads, as the client knows.
    pub ui_locales: Option<String>,
    /// The APIs that it wants to use.
    pub apis: Vec<ResourceServer>,
}

/// What a page asks.
#[derive(Debug)]
pub enum Page {
    /// Who are you?
    Login,
    /// Go on as the one who is signed in?
    SelectAccount,
    /// May the client do this?
    Consent(Asked),
}

/// What a person answers to [`Page::SelectAccount`].
#[derive(Clone, Copy, Debug)]
pub enum Choice {
    /// As the one who is signed in.
    Continue,
    /// As somebody else.
    Other,
}

/// A request that has been read, and what it is waiting for.
struct Attempt {
    pending: Pending,
    client: Arc<Client>,
    address: ReturnAddress,
    request: AuthorizeRequest,
    consent: Option<Consent>,
    next: Next,
}

/// A request arrives.
pub async fn begin(app: &App, parameters: String, visitor: &Visitor) -> Result<Step> {
    let pending = Pending::begun(parameters, visitor, app.clock.now())?;
    match attempt(app, pending, visitor, false).await? {
        Ok(attempt) => proceed(app, attempt, visitor).await,
        Err(answer) => Ok(Step::Answer(answer)),
    }
}

/// A page of a request is opened, or the person has just signed in.
pub async fn resume(app: &App, page: &str, sealed: &str, visitor: &Visitor) -> Result<Step> {
    let pending = Pending::open(app, page, &visitor.browser, sealed)?;
    match attempt(app, pending, visitor, true).await? {
        Ok(attempt) => proceed(app, attempt, visitor).await,
        Err(answer) => Ok(Step::Answer(answer)),
    }
}

/// The person gives up: the client gets `access_denied`.
pub async fn cancel(app: &App, page: &str, sealed: &str, visitor: &Visitor) -> Result<Step> {
    let pending = Pending::open(app, page, &visitor.browser, sealed)?;
    Ok(Step::Answer(match attempt(app, pending, visitor, true).await? {
        Ok(attempt) => {
            let refusal = AccessDenied.because("the person did not allow it");
            attempt.address.answer(&Outcome::Refusal(&refusal), app.issuer())
        }
        Err(answer) => answer,
    }))
}

/// The person chooses an account.
pub async fn choose(app: &App, sealed: &str, choice: Choice, visitor: &Visitor) -> Result<Step> {
    let mut pending = Pending::open(app, "login", &visitor.browser, sealed)?;
    let current = visitor.signed_in.as_ref().map(|signed_in| signed_in.session.id);
    match choice {
        // As somebody else than the page named: it is shown again.
        Choice::Continue => pending.account_chosen = pending.shown_to == current,
        Choice::Other => pending.switching = true,
    }
    match attempt(app, pending, visitor, true).await? {
        Ok(attempt) => proceed(app, attempt, visitor).await,
        Err(answer) => Ok(Step::Answer(answer)),
    }
}

/// The person allows what the page showed: exactly the request that it carried, and only if it was
/// shown to this very session.
pub async fn allow(app: &App, sealed: &str, visitor: &Visitor) -> Result<Step> {
    let pending = Pending::open(app, "consent", &visitor.browser, sealed)?;
    let shown_to = pending.shown_to;
    let mut attempt = match attempt(app, pending, visitor, true).await? {
        Ok(attempt) => attempt,
        Err(answer) => return Ok(Step::Answer(answer)),
    };
    let Some(signed_in) = &visitor.signed_in else { return proceed(app, attempt, visitor).await };
    if matches!(attempt.next, Next::Consent(_)) && shown_to == Some(signed_in.session.id) {
        remember(app, &attempt, signed_in).await?;
        attempt.next = Next::Grant;
    }
    proceed(app, attempt, visitor).await
}

/// Read a request, find its client and its way back, and decide what happens next. The inner error is
/// a refusal that the client may be told.
async fn attempt(
    app: &App,
    pending: Pending,
    visitor: &Visitor,
    under_way: bool,
) -> Result<std::result::Result<Attempt, AuthorizationResponse>> {
    let params = Params::parse(&pending.parameters)?;
    let client = the_client(app, &params).await?;
    let address = authorize::locate(&params, &client)?;
    let apis = app.directory.apis();
    let request = match AuthorizeRequest::parse(&params, &client, &apis.catalogue) {
        Ok(request) => request,
        Err(refusal) => return Ok(Err(refused(app, &address, &refusal))),
    };

    let now = app.clock.now();
    let signed_in = visitor
        .signed_in
        .as_ref()
        .filter(|signed_in| !pending.switching || pending.is_older_than(signed_in));
    let consent = match signed_in {
        Some(signed_in) => app.store.consent(signed_in.user.id, &client.id).await?,
        None => None,
    };
    let standing = Standing {
        signed_in: signed_in.map(|s| (s.user.id, &s.session.authentication)),
        consent: consent.as_ref(),
        hinted: request.id_token_hint.as_deref().map(|hint| hinted(app, hint, now)),
    };
    let progress = pending.progress(signed_in, under_way);
    let next = authorize::decide(&request, &client, &standing, &progress, now);
    Ok(Ok(Attempt { pending, client, address, request, consent, next }))
}

/// Do what was decided: ask, answer with a code, or answer with a refusal.
async fn proceed(app: &App, attempt: Attempt, visitor: &Visitor) -> Result<Step> {
    let Attempt { mut pending, client, address, request, next, .. } = attempt;
    let (page, name) = match next {
        Next::Login => (Page::Login, "login"),
        Next::SelectAccount => (Page::SelectAccount, "login"),
        Next::Consent(asked) => (Page::Consent(asked), "consent"),
        Next::Refuse(refusal) => return Ok(Step::Answer(refused(app, &address, &refusal))),
        Next::Grant => {
            let code = grant(app, request, &client, visitor).await?;
            return Ok(Step::Answer(address.answer(&Outcome::Code(&code), app.issuer())));
        }
    };
    pending.shown_to = visitor.signed_in.as_ref().map(|signed_in| signed_in.session.id);
    let sealed = pending.seal(app, name, &visitor.browser);
    let known = app.directory.apis();
    let apis = known.catalogue.resources().iter().filter(|api| request.apis.contains(&api.id));
    Ok(Step::Ask(Box::new(Question {
        page,
        sealed,
        client,
        address,
        login_hint: request.login_hint,
        ui_locales: request.ui_locales,
        apis: apis.cloned().collect(),
    })))
}

/// Keep a code for what the person has authorized.
async fn grant(
    app: &App,
    request: AuthorizeRequest,
    client: &Client,
    visitor: &Visitor,
) -> Result<AuthorizationCode> {
    let now = app.clock.now();
    let signed_in = visitor.signed_in.as_ref().ok_or(super::Cause::Broken("nobody signed in"))?;
    let code = AuthorizationCode::new(app.random.id::<CodeId>(now), app.random.bytes());
    let issued = IssuedCode {
        id: code.id(),
        secret: code.hash(),
        authorization: Authorization {
            client: client.id.clone(),
            user: signed_in.user.id,
            authentication: signed_in.session.authentication.clone(),
            scope: request.scope,
            resources: request.resources,
            claims: request.claims,
        },
        redirect_uri: request.redirect_uri,
        challenge: request.challenge,
        binding: request.binding,
        nonce: request.nonce,
        expires_at: now.plus(app.config.tokens.code_lifetime),
        state: CodeState::Fresh,
    };
    app.store.keep_code(&issued).await?;
    Ok(code)
}

/// What was allowed before stays allowed beside what is allowed now.
async fn remember(app: &App, attempt: &Attempt, signed_in: &SignedIn) -> Result<()> {
    let request = &attempt.request;
    let claims = claims::beyond_scope(&request.claims, &request.scope);
    let before = attempt.consent.as_ref();
    let consent = Consent {
        user: signed_in.user.id,
        client: attempt.client.id.clone(),
        scope: before.map_or(request.scope.clone(), |before| before.scope.union(&request.scope)),
        apis: before.iter().flat_map(|before| &before.apis).chain(&request.apis).cloned().collect(),
        claims: before.iter().flat_map(|before| before.claims.clone()).chain(claims).collect(),
        granted_at: app.clock.now(),
    };
    app.store.remember_consent(&consent).await?;
    Event::Consented { user: consent.user, client: &consent.client }.emit();
    Ok(())
}

async fn the_client(app: &App, params: &Params) -> Result<Arc<Client>> {
    let unknown = || InvalidRequest.because("client_id is not a client of this server");
    let id = params.required("client_id")?.parse().map_err(|_| unknown())?;
    let client = app.directory.client(&id).await?;
    Ok(client.filter(|client| client.disabled_at.is_none()).ok_or_else(unknown)?)
}

fn refused(app: &App, address: &ReturnAddress, refusal: &OAuthError) -> AuthorizationResponse {
    Event::Refused { code: refusal.code, reason: &refusal.description }.emit();
    address.answer(&Outcome::Refusal(refusal), app.issuer())
}

fn hinted(app: &App, hint: &str, now: Timestamp) -> std::result::Result<UserId, ()> {
    hint_claims(app, hint, now).map(|claims| claims.sub).ok_or(())
}

/// What an ID token of ours says that comes back as a hint; it may have expired
/// ([OpenID Connect Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)).
pub(super) fn hint_claims(app: &App, hint: &str, now: Timestamp) -> Option<HintClaims> {
    app.read(hint, id_token::TYP, Expiry::Ignored, now).map(Verified::into_claims).ok()
}
