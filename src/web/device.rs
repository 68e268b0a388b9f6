//! The pages on which a person answers for a device
//! ([RFC 8628 §3.3](https://www.rfc-editor.org/rfc/rfc8628#section-3.3)).

use askama::Template;
use axum::{extract::RawQuery, response::Response};

use super::{
    consent::{Link, describe, in_order, links},
    page::{Form, Frame},
    respond::with_request,
    texts::{self, Markup, OfAccount, OfClient},
    visit::{OurForm, Visit},
};
use crate::{
    flows::{
        Result,
        device::approval::{self, Answer, Page, Problem, Question, Step},
    },
    protocol::{ErrorCode::InvalidRequest, OAuthError, Params},
};

#[derive(Template)]
#[template(path = "device.html")]
struct DevicePage {
    frame: Frame,
    text: &'static texts::Device,
    form: Form,
    typed: String,
    problem: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "device_confirm.html")]
struct ConfirmPage<'a> {
    frame: Frame,
    text: &'static texts::DeviceConfirm,
    form: Form,
    heading: Markup,
    lead: Markup,
    user_code: &'a str,
    address: Option<&'a str>,
    program: Option<&'a str>,
    scopes: Vec<Markup>,
    audiences: Vec<&'a str>,
    links: Vec<Link>,
}

#[derive(Template)]
#[template(path = "device_done.html")]
struct DonePage {
    frame: Frame,
    id: &'static str,
    title: &'static str,
    words: &'static str,
}

/// What a person does on these pages.
enum Action<'a> {
    Enter(&'a str),
    Answer(Answer),
}

pub(super) async fn get(mut visit: Visit, RawQuery(query): RawQuery) -> Response {
    let params = match Params::parse(query.as_deref().unwrap_or("")) {
        Ok(params) => params,
        Err(refusal) => return visit.fail(refusal.into()),
    };
    let step = match (params.one("request"), params.one("user_code")) {
        (Ok(Some(sealed)), _) => {
            visit.under_way = true;
            approval::open(&visit.app, sealed, &visit.visitor).await
        }
        (Ok(None), Ok(typed)) => {
            Ok(approval::begin(&visit.app, typed.unwrap_or(""), &visit.visitor))
        }
        (Err(refusal), _) | (_, Err(refusal)) => Err(refusal.into()),
    };
    respond(&visit, step)
}

pub(super) async fn post(OurForm(visit, params): OurForm) -> Response {
    let (app, visitor) = (&visit.app, &visit.visitor);
    let step = match read(&params) {
        Ok((sealed, Action::Enter(typed))) => {
            approval::enter(app, sealed, typed, visitor, visit.from).await
        }
        Ok((sealed, Action::Answer(answer))) => {
            approval::answer(app, sealed, answer, visitor).await
        }
        Err(refusal) => Err(refusal.into()),
    };
    respond(&visit, step)
}

pub(super) async fn allowed(visit: Visit) -> Response {
    let text = &visit.texts(None).device_done;
    done(&visit, "device-allowed", &text.allowed, &text.allowed_text)
}

pub(super) async fn denied(visit: Visit) -> Response {
    let text = &visit.texts(None).device_done;
    done(&visit, "device-denied", &text.denied, &text.denied_text)
}

/// Do what a person needs next.
pub(super) fn respond(visit: &Visit, step: Result<Step>) -> Response {
    match step {
        Ok(Step::Show(Page::Enter { typed, problem }, sealed)) => {
            enter(visit, typed, problem, sealed)
        }
        Ok(Step::Show(Page::Confirm(question), sealed)) => confirm(visit, &question, sealed),
        Ok(Step::Go(sealed)) => visit.go(&with_request("/device", &sealed)),
        Ok(Step::SignIn(sealed)) => visit.go(&with_request("/login", &sealed)),
        Ok(Step::Done(Answer::Allow)) => visit.go("/device/allowed"),
        Ok(Step::Done(Answer::Deny)) => visit.go("/device/denied"),
        Err(error) => visit.fail(error),
    }
}

fn read(params: &Params) -> std::result::Result<(&str, Action<'_>), OAuthError> {
    let action = match params.one("action")? {
        // What fills in forms for people sends them without pressing a button.
        Some("continue") | None => Action::Enter(params.one("user_code")?.unwrap_or("")),
        Some("allow") => Action::Answer(Answer::Allow),
        Some("deny") => Action::Answer(Answer::Deny),
        Some(_) => return Err(InvalidRequest.because("the form has an action that is not known")),
    };
    Ok((params.one("request")?.unwrap_or(""), action))
}

fn enter(visit: &Visit, typed: String, problem: Option<Problem>, sealed: String) -> Response {
    let texts = visit.texts(None);
    let text = &texts.device;
    let problem = problem.map(|problem| match problem {
        Problem::Malformed => text.malformed.as_str(),
        Problem::Wrong => &text.wrong,
        Problem::TooMany => &text.too_many,
        Problem::Over => &text.over,
    });
    let (frame, form) = (visit.frame(texts), visit.form("/device", sealed));
    visit.show(&DevicePage { frame, text, form, typed, problem }, None)
}

fn confirm(visit: &Visit, question: &Question, sealed: String) -> Response {
    let texts = visit.texts(None);
    let text = &texts.device_confirm;
    let Question { device, user_code, client, apis } = question;
    let account = visit.account().unwrap_or_default();
    let scopes = in_order(&device.scope).into_iter();
    let page = ConfirmPage {
        frame: visit.frame(texts),
        text,
        form: visit.form("/device", sealed),
        heading: text.heading.fill(&OfClient { client: client.name.clone() }),
        lead: text.lead.fill(&OfAccount { account }),
        user_code,
        address: told(&device.asker.address),
        program: told(&device.asker.user_agent),
        scopes: scopes.map(|scope| describe(scope, apis, texts)).collect(),
        audiences: apis.iter().map(|api| api.id.as_str()).collect(),
        links: links(client, &texts.links),
    };
    visit.show(&page, None)
}

/// What is known of a device.
fn told(words: &str) -> Option<&str> {
    Some(words).filter(|words| !words.is_empty())
}

fn done(visit: &Visit, id: &'static str, title: &'static str, words: &'static str) -> Response {
    visit.show(&DonePage { frame: visit.frame(visit.texts(None)), id, title, words }, None)
}
