//! Signing out
//! ([RP-Initiated Logout](https://openid.net/specs/openid-connect-rpinitiated-1_0.html)).

use askama::Template;
use axum::{extract::RawQuery, response::Response};

use super::{
    page::{Form, Frame},
    respond::see_other,
    texts::{self, Markup, OfAccount, OfClient},
    visit::{AnyForm, Visit},
};
use crate::{
    flows::{
        Result,
        logout::{self, Step},
    },
    protocol::{ErrorCode::InvalidRequest, Params},
};

#[derive(Template)]
#[template(path = "logout.html")]
struct LogoutPage {
    frame: Frame,
    text: &'static texts::Logout,
    form: Form,
    asked: Option<Markup>,
    account: Markup,
}

#[derive(Template)]
#[template(path = "logged_out.html")]
struct LoggedOutPage {
    frame: Frame,
    text: &'static texts::LoggedOut,
}

#[derive(Template)]
#[template(path = "signed_in.html")]
struct StillSignedInPage {
    frame: Frame,
    text: &'static texts::SignedIn,
    still: Markup,
}

pub(super) async fn get(visit: Visit, RawQuery(query): RawQuery) -> Response {
    let step = logout::begin(&visit.app, query.unwrap_or_default(), &visit.visitor).await;
    respond(&visit, step)
}

/// Either a client's request, or the person's answer to our page, which carries the sealed request.
pub(super) async fn post(AnyForm(visit, body): AnyForm) -> Response {
    let params = match Params::parse(&body) {
        Ok(params) => params,
        Err(refusal) => return visit.fail(refusal.into()),
    };
    match params.one("request") {
        Ok(Some(sealed)) => answered(visit, sealed, &params).await,
        // A form on the client's page comes without our cookies: whom it means, only a GET tells.
        _ if !visit.is_known() => visit.come_again("/logout", &params),
        _ => {
            let step = logout::begin(&visit.app, body, &visit.visitor).await;
            respond(&visit, step)
        }
    }
}

pub(super) async fn done(visit: Visit) -> Response {
    let texts = visit.texts(None);
    visit.show(&LoggedOutPage { frame: visit.frame(texts), text: &texts.logged_out }, None)
}

async fn answered(mut visit: Visit, sealed: &str, params: &Params) -> Response {
    if !visit.is_from_our_page() {
        return visit.forbid();
    }
    visit.under_way = true;
    match params.one("action") {
        Ok(Some("logout")) => {
            let step = logout::confirm(&visit.app, sealed, &visit.visitor).await;
            respond(&visit, step)
        }
        Ok(Some("stay")) => {
            let texts = visit.texts(None);
            let account = visit.account().unwrap_or_default();
            let still = texts.signed_in.text.fill(&OfAccount { account });
            let (frame, text) = (visit.frame(texts), &texts.signed_in);
            visit.show(&StillSignedInPage { frame, text, still }, None)
        }
        _ => visit.fail(InvalidRequest.because("the form has an action that is not known").into()),
    }
}

fn respond(visit: &Visit, step: Result<Step>) -> Response {
    match step {
        Ok(Step::Done(address)) => visit.end_session(match address {
            Some(address) => see_other(address.location()),
            None => visit.go("/logged-out"),
        }),
        Ok(Step::Confirm { sealed, client_name, address }) => {
            let texts = visit.texts(None);
            let text = &texts.logout;
            let account = visit.account().unwrap_or_default();
            let page = LogoutPage {
                frame: visit.frame(texts),
                text,
                form: visit.form("/logout", sealed),
                asked: client_name.map(|client| text.asked.fill(&OfClient { client })),
                account: text.account.fill(&OfAccount { account }),
            };
            let source = address.map(|address| address.form_action_source());
            visit.show(&page, source.as_deref())
        }
        Err(error) => visit.fail(error),
    }
}
