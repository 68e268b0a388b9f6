//! Signing out
//! ([RP-Initiated Logout](https://openid.net/specs/openid-connect-rpinitiated-1_0.html)).

use askama::Template;
use axum::{extract::RawQuery, http::StatusCode, response::Response};

use super::visit::{Visit, see_other};
use crate::{
    edge::{Body, Rejection},
    flows::{
        Result,
        logout::{self, Step},
    },
    protocol::Params,
};

#[derive(Template)]
#[template(path = "logout.html")]
struct LogoutPage<'a> {
    assets: String,
    action: String,
    request: &'a str,
    client_name: Option<String>,
    account: &'a str,
    request_id: &'a str,
}

#[derive(Template)]
#[template(path = "logged_out.html")]
struct LoggedOutPage {
    assets: String,
}

#[derive(Template)]
#[template(path = "signed_in.html")]
struct StillSignedInPage<'a> {
    assets: String,
    account: &'a str,
}

pub(super) async fn get(visit: Visit, RawQuery(query): RawQuery) -> Response {
    let step = logout::begin(&visit.app, query.unwrap_or_default(), &visit.visitor).await;
    respond(&visit, step)
}

/// Either a client's request, or the person's answer to our page, which carries the sealed request.
pub(super) async fn post(visit: Visit, body: std::result::Result<Body, Rejection>) -> Response {
    let body = match body {
        Ok(Body(body)) => body,
        Err(rejection) => return visit.reject(&rejection),
    };
    let params = match Params::parse(&body) {
        Ok(params) => params,
        Err(refusal) => return visit.fail(refusal.into()),
    };
    let Ok(Some(sealed)) = params.one("request") else {
        // A form on the client's page comes without our cookies: whom it means, only a GET tells.
        if !visit.known {
            return visit.come_again("/logout", &params);
        }
        let step = logout::begin(&visit.app, body, &visit.visitor).await;
        return respond(&visit, step);
    };
    if !visit.is_from_our_page() {
        return visit.forbid();
    }
    if matches!(params.one("action"), Ok(Some("stay"))) {
        let page = StillSignedInPage { assets: visit.base(), account: account(&visit) };
        return visit.show(&page, StatusCode::OK, None);
    }
    let step = logout::confirm(&visit.app, sealed, &visit.visitor).await;
    respond(&visit, step)
}

pub(super) async fn done(visit: Visit) -> Response {
    visit.show(&LoggedOutPage { assets: visit.base() }, StatusCode::OK, None)
}

fn respond(visit: &Visit, step: Result<Step>) -> Response {
    match step {
        Ok(Step::Done(address)) => visit.end_session(match address {
            Some(address) => see_other(address.location()),
            None => visit.go("/logged-out"),
        }),
        Ok(Step::Confirm { sealed, client_name, address }) => {
            let page = LogoutPage {
                assets: visit.base(),
                action: format!("{}/logout", visit.base()),
                request: &sealed,
                client_name,
                account: account(visit),
                request_id: &visit.request_id,
            };
            let source = address.map(|address| address.form_action_source());
            visit.show(&page, StatusCode::OK, source.as_deref())
        }
        Err(error) => visit.fail(error),
    }
}

fn account(visit: &Visit) -> &str {
    visit.visitor.signed_in.as_ref().map_or("", |signed_in| signed_in.user.display_name())
}
