//! The consent page: what a client asks for, in words.

use askama::Template;
use axum::{extract::RawQuery, http::StatusCode, response::Response};

use super::{authorize::carried, visit::Visit};
use crate::{
    edge::{Body, Rejection},
    flows::authorize::{self, Page, Question, Step},
    model::Client,
    protocol::{ErrorCode::InvalidRequest, OAuthError, Params, authorize::Asked},
};

/// A link to a page of the client's.
pub(super) struct Link {
    pub(super) label: String,
    pub(super) href: String,
}

/// One scope, in words.
struct AskedScope {
    name: String,
    description: String,
    new: bool,
}

#[derive(Template)]
#[template(path = "consent.html")]
struct ConsentPage<'a> {
    assets: String,
    action: String,
    request: &'a str,
    client_name: &'a str,
    client_host: &'a str,
    account: &'a str,
    scopes: Vec<AskedScope>,
    claims: Vec<String>,
    audiences: &'a [String],
    loopback: bool,
    links: Vec<Link>,
    request_id: &'a str,
}

pub(super) async fn get(visit: Visit, RawQuery(query): RawQuery) -> Response {
    let sealed = match carried(query.as_deref()) {
        Ok(sealed) => sealed,
        Err(refusal) => return visit.fail(refusal.into()),
    };
    match authorize::resume(&visit.app, "consent", &sealed, &visit.visitor).await {
        Ok(Step::Ask(question)) => match &question.page {
            Page::Consent(asked) => show(&visit, &question, asked),
            _ => visit.step(Ok(Step::Ask(question))),
        },
        step => visit.step(step),
    }
}

pub(super) async fn post(visit: Visit, body: Result<Body, Rejection>) -> Response {
    let body = match body {
        Ok(Body(body)) => body,
        Err(rejection) => return visit.reject(&rejection),
    };
    if !visit.is_from_our_page() {
        return visit.forbid();
    }
    let (sealed, action) = match read(&body) {
        Ok(read) => read,
        Err(refusal) => return visit.fail(refusal.into()),
    };
    let (app, visitor) = (&visit.app, &visit.visitor);
    visit.step(match action.as_str() {
        "allow" => authorize::allow(app, &sealed, visitor).await,
        "deny" => authorize::cancel(app, "consent", &sealed, visitor).await,
        _ => Err(InvalidRequest.because("the form has no answer").into()),
    })
}

/// The client's own pages.
pub(super) fn links(client: &Client) -> Vec<Link> {
    let policy = client.policy_uri.as_ref().map(|uri| ("Privacy policy", uri));
    let terms = client.tos_uri.as_ref().map(|uri| ("Terms of service", uri));
    policy
        .into_iter()
        .chain(terms)
        .map(|(label, uri)| Link { label: label.to_owned(), href: uri.to_string() })
        .collect()
}

fn read(body: &str) -> Result<(String, String), OAuthError> {
    let params = Params::parse(body)?;
    Ok((params.required("request")?.to_owned(), params.required("action")?.to_owned()))
}

fn show(visit: &Visit, question: &Question, asked: &Asked) -> Response {
    let source = question.address.form_action_source();
    let some_old = asked.new != asked.scope;
    let scopes = asked
        .scope
        .iter()
        .map(|name| AskedScope {
            name: name.to_owned(),
            description: describe(name).to_owned(),
            new: some_old && asked.new.contains(name),
        })
        .collect();
    let page = ConsentPage {
        assets: visit.base(),
        action: format!("{}/consent", visit.base()),
        request: &question.sealed,
        client_name: &question.client.name,
        client_host: source.split_once("://").map_or(source.as_str(), |(_, host)| host),
        account: visit.visitor.signed_in.as_ref().map_or("", |s| s.user.display_name()),
        scopes,
        claims: asked.claims.iter().map(|claim| claim.replace('_', " ")).collect(),
        audiences: &question.audiences,
        loopback: source.starts_with("http://"),
        links: links(&question.client),
        request_id: &visit.request_id,
    };
    visit.show(&page, StatusCode::OK, Some(&source))
}

/// What a scope means to a person.
fn describe(scope: &str) -> &'static str {
    match scope {
        "openid" => "Know who you are",
        "profile" => "See your name, picture and the rest of your profile",
        "email" => "See your e-mail address",
        "address" => "See your postal address",
        "phone" => "See your telephone number",
        "offline_access" => "Keep access while you are away",
        _ => "Act for you within",
    }
}
