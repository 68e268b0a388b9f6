//! How a visit is answered: with a page, or with a redirect. Redirects are built here alone.

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use url::form_urlencoded;

use super::{
    cookies::Cookie,
    page::{Allowances, Frame, render},
    texts,
    visit::Visit,
};
use crate::{
    edge::no_store,
    flows::{
        Result,
        authorize::{Page, Step},
        login::NewSession,
    },
    protocol::{
        Params,
        authorize::{AuthorizationResponse, ResponseMode},
    },
};

#[derive(Template)]
#[template(path = "form_post.html")]
struct FormPostPage<'a> {
    frame: Frame,
    text: &'static texts::FormPost,
    target: &'a str,
    fields: &'a [(String, String)],
}

impl Visit {
    /// Show a page.
    pub(super) fn show(&self, page: &impl Template, form_action: Option<&str>) -> Response {
        let allowances = Allowances { form_action, ..Allowances::default() };
        self.remember(render(page, StatusCode::OK, &allowances))
    }

    /// Go to another page of ours.
    pub(super) fn go(&self, path: &str) -> Response {
        self.remember(see_other(&format!("{}{path}", self.base())))
    }

    /// Let a form that another site has sent come again, with a `GET` that brings our cookies. None is
    /// set meanwhile: the browser may have them.
    pub(super) fn come_again(&self, path: &str, params: &Params) -> Response {
        see_other(&format!("{}{path}?{}", self.base(), params.encode()))
    }

    /// Do what a request needs next.
    pub(super) fn step(&self, step: Result<Step>) -> Response {
        match step {
            Ok(Step::Answer(answer)) => self.answer(&answer),
            Ok(Step::Ask(question)) => {
                let page = match question.page {
                    Page::Login | Page::SelectAccount => "/login",
                    Page::Consent(_) => "/consent",
                };
                self.go(&with_request(page, &question.sealed))
            }
            Err(error) => self.fail(error),
        }
    }

    /// Set the cookie of a new session.
    pub(super) fn begin_session(&self, mut response: Response, new: &NewSession) -> Response {
        let lifetime = self.app.config.login.session_lifetime;
        let cookie = Cookie::Session.set(&new.token.expose(), Some(lifetime), self.app.issuer());
        response.headers_mut().append(header::SET_COOKIE, cookie);
        response
    }

    /// Remove the cookie of the session that has ended, if the browser showed one.
    pub(super) fn end_session(&self, mut response: Response) -> Response {
        if self.old_session {
            let cookie = Cookie::Session.set("", Some(0), self.app.issuer());
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    /// Send the client's answer through the browser.
    fn answer(&self, answer: &AuthorizationResponse) -> Response {
        self.remember(match answer.mode() {
            ResponseMode::Query => {
                let mut response = see_other(&answer.location());
                no_store(response.headers_mut());
                response
            }
            ResponseMode::FormPost => {
                let (target, fields) = answer.form();
                let texts = self.texts(None);
                let (frame, text) = (self.frame(texts), &texts.form_post);
                let source = answer.form_action_source();
                // The client may check the `Origin` of what it is posted.
                let allowances =
                    Allowances { form_action: Some(&source), script: true, named: true };
                render(&FormPostPage { frame, text, target, fields }, StatusCode::OK, &allowances)
            }
        })
    }

    /// Let the browser be recognised when it comes back.
    fn remember(&self, mut response: Response) -> Response {
        if self.new_browser {
            let browser = self.visitor.browser.expose();
            let cookie = Cookie::Browser.set(&browser, None, self.app.issuer());
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// 303: whatever was sent here is not sent there (RFC 9700 §4.12).
pub(super) fn see_other(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(cause) => {
            tracing::error!(?cause, "a redirect could not be built");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The address of a page that carries a sealed request.
pub(super) fn with_request(page: &str, sealed: &str) -> String {
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("request", sealed).finish();
    format!("{page}?{query}")
}
