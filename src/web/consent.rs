//! The consent page: what a client asks for, in words.

use askama::Template;
use axum::response::Response;

use super::{
    page::{Form, Frame},
    texts::{self, Markup, OfAccountAndHost, OfApiAndScope, OfClient, OfScope, Texts, verbatim},
    visit::{Carried, OurForm, Visit},
};
use crate::{
    flows::authorize::{self, Page, Question, Step},
    model::{Client, ResourceServer},
    protocol::{
        ErrorCode::InvalidRequest, OAuthError, Params, authorize::Asked, resource::IDENTITY_SCOPES,
    },
    values::Scope,
};

/// A link to a page of the client's.
pub(super) struct Link {
    pub(super) label: &'static str,
    pub(super) href: String,
}

/// One scope, in words.
struct AskedScope {
    words: Markup,
    new: bool,
}

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage<'a> {
    frame: Frame,
    text: &'static texts::Consent,
    form: Form,
    heading: Markup,
    lead: Markup,
    scopes: Vec<AskedScope>,
    claims: Vec<&'a str>,
    audiences: Vec<&'a str>,
    loopback: bool,
    links: Vec<Link>,
}

/// What a person answers.
enum Action {
    Allow,
    Deny,
}

pub(super) async fn get(Carried(visit, sealed): Carried) -> Response {
    match authorize::resume(&visit.app, "consent", &sealed, &visit.visitor).await {
        Ok(Step::Ask(question)) => match &question.page {
            Page::Consent(asked) => show(&visit, &question, asked),
            _ => visit.step(Ok(Step::Ask(question))),
        },
        step => visit.step(step),
    }
}

pub(super) async fn post(OurForm(visit, params): OurForm) -> Response {
    let (app, visitor) = (&visit.app, &visit.visitor);
    visit.step(match read(&params) {
        Ok((sealed, Action::Allow)) => authorize::allow(app, sealed, visitor).await,
        Ok((sealed, Action::Deny)) => authorize::cancel(app, "consent", sealed, visitor).await,
        Err(refusal) => Err(refusal.into()),
    })
}

/// The client's own pages.
pub(super) fn links(client: &Client, texts: &'static texts::Links) -> Vec<Link> {
    let policy = client.policy_uri.as_ref().map(|uri| (&texts.policy, uri));
    let terms = client.tos_uri.as_ref().map(|uri| (&texts.terms, uri));
    let links = policy.into_iter().chain(terms);
    links.map(|(label, uri)| Link { label, href: uri.to_string() }).collect()
}

fn read(params: &Params) -> Result<(&str, Action), OAuthError> {
    let action = match params.required("action")? {
        "allow" => Action::Allow,
        "deny" => Action::Deny,
        _ => return Err(InvalidRequest.because("the form has an action that is not known")),
    };
    Ok((params.one("request")?.unwrap_or(""), action))
}

fn show(visit: &Visit, question: &Question, asked: &Asked) -> Response {
    let texts = visit.texts(question.ui_locales.as_deref());
    let text = &texts.consent;
    let address = &question.address;
    let host = address.host().to_owned();
    let account = visit.account().unwrap_or_default();
    let some_old = asked.new != asked.scope;
    let scopes = in_order(&asked.scope).into_iter().map(|scope| AskedScope {
        words: describe(scope, &question.apis, texts),
        new: some_old && asked.new.contains(scope),
    });
    let page = ConsentPage {
        frame: visit.frame(texts),
        text,
        form: visit.form("/consent", question.sealed.clone()),
        heading: text.heading.fill(&OfClient { client: question.client.name.clone() }),
        lead: text.lead.fill(&OfAccountAndHost { account, host }),
        scopes: scopes.collect(),
        claims: asked.claims.iter().map(|claim| texts.claim(claim)).collect(),
        audiences: question.apis.iter().map(|api| api.id.as_str()).collect(),
        loopback: address.is_loopback(),
        links: links(&question.client, &texts.links),
    };
    visit.show(&page, Some(&address.form_action_source()))
}

/// What is about the person first, in the order of the specification, and then the APIs.
pub(super) fn in_order(scope: &Scope) -> Vec<&str> {
    let mut scopes: Vec<&str> = scope.iter().collect();
    let place = |scope: &&str| IDENTITY_SCOPES.iter().position(|known| known == scope);
    scopes.sort_by_key(|scope| place(scope).unwrap_or(IDENTITY_SCOPES.len()));
    scopes
}

/// What a scope means to a person.
pub(super) fn describe(scope: &str, apis: &[ResourceServer], texts: &Texts) -> Markup {
    let text = &texts.scopes;
    let words = match scope {
        "openid" => &text.openid,
        "profile" => &text.profile,
        "email" => &text.email,
        "address" => &text.address,
        "phone" => &text.phone,
        "offline_access" => &text.offline_access,
        _ => {
            let mut owners = apis.iter().filter(|api| api.scope.contains(scope));
            let (owner, another) = (owners.next(), owners.next());
            let scope = scope.to_owned();
            return match (owner, another) {
                (Some(api), None) => text.api.fill(&OfApiAndScope { api: api.name.clone(), scope }),
                _ => text.other.fill(&OfScope { scope }),
            };
        }
    };
    verbatim(words)
}
