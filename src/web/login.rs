//! The sign-in page, and the one to choose an account on.

use askama::Template;
use axum::{http::header, response::Response};

use super::{
    consent::{Link, links},
    device,
    page::{Form, Frame},
    texts::{self, Markup, OfAccount, OfClient, verbatim},
    visit::{Carried, OurForm, Visit},
};
use crate::{
    flows::{
        Result,
        authorize::{self, Choice, Page, Question, Step},
        device::approval,
        login::{self, NewSession},
    },
    protocol::{ErrorCode::InvalidRequest, OAuthError, Params},
    values::Password,
};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    frame: Frame,
    text: &'static texts::Login,
    form: Form,
    lead: Markup,
    again: Option<Markup>,
    failed: bool,
    username: String,
    links: Vec<Link>,
}

#[derive(Template)]
#[template(path = "select_account.html")]
struct SelectAccountPage {
    frame: Frame,
    text: &'static texts::SelectAccount,
    form: Form,
    lead: Markup,
    go_on: Markup,
}

/// What a person does on these pages.
enum Action {
    SignIn(Attempt),
    Choose(Choice),
    Cancel,
}

/// A name and a password; none, where what was typed cannot be one.
struct Attempt {
    username: String,
    password: Option<Password>,
}

pub(super) async fn get(Carried(visit, sealed): Carried) -> Response {
    if approval::waits(&visit.app, &sealed, &visit.visitor) {
        return ask_for_device(&visit, sealed, None);
    }
    match authorize::resume(&visit.app, "login", &sealed, &visit.visitor).await {
        Ok(Step::Ask(question)) => show(&visit, question, None),
        step => visit.step(step),
    }
}

pub(super) async fn post(OurForm(visit, params): OurForm) -> Response {
    let (sealed, action) = match read(&params) {
        Ok(read) => read,
        Err(refusal) => return visit.fail(refusal.into()),
    };
    let (app, visitor) = (&visit.app, &visit.visitor);
    if approval::waits(app, sealed, visitor) {
        return match action {
            Action::SignIn(attempt) => sign_in_for_device(visit, sealed, attempt).await,
            Action::Choose(_) | Action::Cancel => visit.go("/device"),
        };
    }
    match action {
        Action::SignIn(attempt) => sign_in(visit, sealed, attempt).await,
        Action::Choose(choice) => visit.step(authorize::choose(app, sealed, choice, visitor).await),
        Action::Cancel => visit.step(authorize::cancel(app, "login", sealed, visitor).await),
    }
}

fn read(params: &Params) -> std::result::Result<(&str, Action), OAuthError> {
    let sealed = params.one("request")?.unwrap_or("");
    let action = match params.one("action")? {
        // What fills in forms for people sends them without pressing a button.
        Some("login") | None => Action::SignIn(Attempt {
            username: params.one("username")?.unwrap_or("").to_owned(),
            password: params.one("password")?.and_then(|password| password.parse().ok()),
        }),
        Some("continue") => Action::Choose(Choice::Continue),
        Some("other") => Action::Choose(Choice::Other),
        Some("cancel") => Action::Cancel,
        Some(_) => return Err(InvalidRequest.because("the form has an action that is not known")),
    };
    Ok((sealed, action))
}

async fn sign_in(mut visit: Visit, sealed: &str, attempt: Attempt) -> Response {
    let (app, visitor) = (&visit.app, &visit.visitor);
    // Only a page that we showed may try a password.
    let question = match authorize::resume(app, "login", sealed, visitor).await {
        Ok(Step::Ask(question)) => question,
        step => return visit.step(step),
    };
    match attempt.prove(&visit).await {
        Ok(Some(new)) => {
            visit.visitor.signed_in = Some(new.signed_in.clone());
            let step = authorize::resume(&visit.app, "login", sealed, &visit.visitor).await;
            visit.begin_session(visit.step(step), &new)
        }
        Ok(None) => show(&visit, question, Some(attempt.username)),
        Err(error) => visit.fail(error),
    }
}

/// Somebody has typed a device's code, and signs in to be asked about it.
async fn sign_in_for_device(mut visit: Visit, sealed: &str, attempt: Attempt) -> Response {
    match attempt.prove(&visit).await {
        Ok(Some(new)) => {
            visit.visitor.signed_in = Some(new.signed_in.clone());
            let step = approval::resume(&visit.app, sealed, &visit.visitor, visit.from).await;
            visit.begin_session(device::respond(&visit, step), &new)
        }
        Ok(None) => ask_for_device(&visit, sealed.to_owned(), Some(attempt.username)),
        Err(error) => visit.fail(error),
    }
}

impl Attempt {
    async fn prove(&self, visit: &Visit) -> Result<Option<NewSession>> {
        let agent = visit.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        let password = self.password.clone();
        let (app, visitor) = (&visit.app, &visit.visitor);
        login::sign_in(app, &self.username, password, agent.unwrap_or(""), visitor).await
    }
}

/// Show the page that the question asks for. `failed` is the name with which a sign-in has failed.
fn show(visit: &Visit, question: Box<Question>, failed: Option<String>) -> Response {
    match (&question.page, visit.account()) {
        (Page::Consent(_), _) => visit.step(Ok(Step::Ask(question))),
        (Page::SelectAccount, Some(account)) => select_account(visit, *question, account),
        (_, account) => ask(visit, *question, account, failed),
    }
}

fn ask(
    visit: &Visit,
    question: Question,
    account: Option<String>,
    failed: Option<String>,
) -> Response {
    let texts = visit.texts(question.ui_locales.as_deref());
    let text = &texts.login;
    let page = LoginPage {
        frame: visit.frame(texts),
        text,
        form: visit.form("/login", question.sealed),
        lead: text.lead.fill(&OfClient { client: question.client.name.clone() }),
        again: account.map(|account| text.again.fill(&OfAccount { account })),
        failed: failed.is_some(),
        username: failed.or(question.login_hint).unwrap_or_default(),
        links: links(&question.client, &texts.links),
    };
    visit.show(&page, Some(&question.address.form_action_source()))
}

fn ask_for_device(visit: &Visit, sealed: String, failed: Option<String>) -> Response {
    let texts = visit.texts(None);
    let text = &texts.login;
    let page = LoginPage {
        frame: visit.frame(texts),
        text,
        form: visit.form("/login", sealed),
        lead: verbatim(&texts.device.sign_in),
        again: visit.account().map(|account| text.again.fill(&OfAccount { account })),
        failed: failed.is_some(),
        username: failed.unwrap_or_default(),
        links: Vec::new(),
    };
    visit.show(&page, None)
}

fn select_account(visit: &Visit, question: Question, account: String) -> Response {
    let texts = visit.texts(question.ui_locales.as_deref());
    let text = &texts.select_account;
    let page = SelectAccountPage {
        frame: visit.frame(texts),
        text,
        form: visit.form("/login", question.sealed),
        lead: text.lead.fill(&OfClient { client: question.client.name.clone() }),
        go_on: text.go_on.fill(&OfAccount { account }),
    };
    visit.show(&page, Some(&question.address.form_action_source()))
}
