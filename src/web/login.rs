//! The sign-in page.

use askama::Template;
use axum::{
    extract::RawQuery,
    http::{StatusCode, header},
    response::Response,
};

use super::{
    authorize::carried,
    consent::{Link, links},
    visit::Visit,
};
use crate::{
    edge::{Body, Rejection},
    flows::{
        authorize::{self, Choice, Page, Question, Step},
        login,
    },
    protocol::Params,
    values::Password,
};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage<'a> {
    assets: String,
    action: String,
    request: &'a str,
    client_name: &'a str,
    username: String,
    problem: Option<String>,
    account: Option<String>,
    links: Vec<Link>,
    request_id: &'a str,
}

#[derive(Template)]
#[template(path = "select_account.html")]
struct SelectAccountPage<'a> {
    assets: String,
    action: String,
    request: &'a str,
    client_name: &'a str,
    account: String,
    request_id: &'a str,
}

pub(super) async fn get(visit: Visit, RawQuery(query): RawQuery) -> Response {
    let sealed = match carried(query.as_deref()) {
        Ok(sealed) => sealed,
        Err(refusal) => return visit.fail(refusal.into()),
    };
    match authorize::resume(&visit.app, "login", &sealed, &visit.visitor).await {
        Ok(Step::Ask(question)) => show(&visit, question, None),
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
    answer(visit, &body).await
}

async fn answer(mut visit: Visit, body: &str) -> Response {
    let read = || {
        let params = Params::parse(body)?;
        let part = |name| params.one(name).map(|value| value.unwrap_or("").to_owned());
        let sealed = params.required("request")?.to_owned();
        Ok::<_, crate::protocol::OAuthError>((
            sealed,
            part("action")?,
            part("username")?,
            part("password")?.parse::<Password>().ok(),
        ))
    };
    let (sealed, action, username, password) = match read() {
        Ok(read) => read,
        Err(refusal) => return visit.fail(refusal.into()),
    };
    let (app, visitor) = (&visit.app, &visit.visitor);
    match action.as_str() {
        "cancel" => return visit.step(authorize::cancel(app, "login", &sealed, visitor).await),
        "continue" => {
            return visit.step(authorize::choose(app, &sealed, Choice::Continue, visitor).await);
        }
        "other" => {
            return visit.step(authorize::choose(app, &sealed, Choice::Other, visitor).await);
        }
        _ => {}
    }
    // Only a page that we showed may try a password.
    let question = match authorize::resume(app, "login", &sealed, visitor).await {
        Ok(Step::Ask(question)) => question,
        step => return visit.step(step),
    };
    let agent = visit.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    match login::sign_in(app, &username, password, agent.unwrap_or(""), visitor).await {
        Ok(Some(new)) => {
            visit.visitor.signed_in = Some(new.signed_in.clone());
            let step = authorize::resume(&visit.app, "login", &sealed, &visit.visitor).await;
            visit.begin_session(visit.step(step), &new)
        }
        Ok(None) => show(&visit, question, Some(username)),
        Err(error) => visit.fail(error),
    }
}

/// Show the page that the question asks for. `failed` is the name with which a sign-in has failed.
fn show(visit: &Visit, question: Box<Question>, failed: Option<String>) -> Response {
    let source = question.address.form_action_source();
    let account = visit.visitor.signed_in.as_ref().map(|s| s.user.display_name().to_owned());
    let action = format!("{}/login", visit.base());
    match (&question.page, account) {
        (Page::Consent(_), _) => visit.step(Ok(Step::Ask(question))),
        (Page::SelectAccount, Some(account)) => {
            let page = SelectAccountPage {
                assets: visit.base(),
                action,
                request: &question.sealed,
                client_name: &question.client.name,
                account,
                request_id: &visit.request_id,
            };
            visit.show(&page, StatusCode::OK, Some(&source))
        }
        (_, account) => {
            let problem =
                failed.is_some().then(|| "The username or the password is not right.".to_owned());
            let page = LoginPage {
                assets: visit.base(),
                action,
                request: &question.sealed,
                client_name: &question.client.name,
                username: failed.or(question.login_hint).unwrap_or_default(),
                problem,
                account,
                links: links(&question.client),
                request_id: &visit.request_id,
            };
            visit.show(&page, StatusCode::OK, Some(&source))
        }
    }
}
