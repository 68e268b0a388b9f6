//! One visit of a browser: who it is, and how it is answered.

use askama::Template;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use url::form_urlencoded;

use super::{
    cookies::Cookie,
    page::{Allowances, render},
};
use crate::{
    edge::{Rejection, RequestId},
    flows::{
        App, Error, Result,
        authorize::{Page, Step},
        events::Event,
        login::NewSession,
        sessions::{self, Visitor},
    },
    protocol::{
        OAuthError, Params,
        authorize::{AuthorizationResponse, ResponseMode},
    },
    values::BrowserToken,
};

/// A browser at our door.
pub(super) struct Visit {
    pub(super) app: App,
    pub(super) visitor: Visitor,
    pub(super) request_id: String,
    pub(super) headers: HeaderMap,
    /// Whether the browser brought any cookie of ours.
    pub(super) known: bool,
    new_browser: bool,
    old_session: bool,
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    assets: String,
    heading: String,
    cause: String,
    code: Option<String>,
    advice: Option<String>,
    request_id: String,
}

#[derive(Template)]
#[template(path = "form_post.html")]
struct FormPostPage<'a> {
    assets: String,
    target: &'a str,
    fields: &'a [(String, String)],
}

impl FromRequestParts<App> for Visit {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &App,
    ) -> std::result::Result<Self, Response> {
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
        let headers = parts.headers.clone();
        let browser = Cookie::Browser.read::<BrowserToken>(&headers, app.issuer());
        let session = Cookie::Session.read(&headers, app.issuer());
        let (new_browser, old_session) = (browser.is_none(), session.is_some());
        let known = !new_browser || old_session;
        let browser = browser.unwrap_or_else(|| BrowserToken::new(app.random.bytes()));
        let mut visit = Self {
            app: app.clone(),
            visitor: Visitor { browser, signed_in: None },
            request_id: request_id.unwrap_or_default(),
            headers,
            known,
            new_browser,
            old_session,
        };
        if let Some(session) = session {
            match sessions::recognise(app, &session).await {
                Ok(signed_in) => visit.visitor.signed_in = signed_in,
                Err(error) => return Err(visit.fail(error)),
            }
        }
        Ok(visit)
    }
}

impl Visit {
    /// The path below which everything lives.
    pub(super) fn base(&self) -> String {
        self.app.issuer().path().to_owned()
    }

    /// Whether a form was sent by a page of ours. Browsers say where a request comes from; those that
    /// say nothing still need the sealed request of this very browser.
    pub(super) fn is_from_our_page(&self) -> bool {
        let text = |name: &str| self.headers.get(name).map(|value| value.to_str().unwrap_or(""));
        match (text("sec-fetch-site"), text("origin")) {
            (Some(site), _) => matches!(site, "same-origin" | "none"),
            (None, Some(origin)) => origin == self.app.issuer().origin(),
            (None, None) => true,
        }
    }

    /// The answer to a form that somebody else's page sent.
    pub(super) fn forbid(&self) -> Response {
        let page = ErrorPage {
            heading: "This form was not sent from here".to_owned(),
            cause: "The request came from another site, so nothing was done.".to_owned(),
            code: Some("invalid_request".to_owned()),
            advice: Some("Go back to the application and start again.".to_owned()),
            ..self.error_page()
        };
        render(&page, StatusCode::FORBIDDEN, &Allowances::default())
    }

    /// Show a page.
    pub(super) fn show(
        &self,
        page: &impl Template,
        status: StatusCode,
        form_action: Option<&str>,
    ) -> Response {
        self.remember(render(page, status, &Allowances { form_action, ..Allowances::default() }))
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

    /// Send the client's answer through the browser.
    pub(super) fn answer(&self, answer: &AuthorizationResponse) -> Response {
        self.remember(match answer.mode() {
            ResponseMode::Query => {
                let mut response = see_other(&answer.location());
                crate::edge::no_store(response.headers_mut());
                response
            }
            ResponseMode::FormPost => {
                let (target, fields) = answer.form();
                let page = FormPostPage { assets: self.base(), target, fields };
                let source = answer.form_action_source();
                // The client may check the `Origin` of what it is posted.
                let allowances =
                    Allowances { form_action: Some(&source), script: true, named: true };
                render(&page, StatusCode::OK, &allowances)
            }
        })
    }

    /// Show what went wrong.
    pub(super) fn fail(&self, error: Error) -> Response {
        match error {
            Error::Refused(refusal) => {
                Event::Refused { code: refusal.code, reason: &refusal.description }.emit();
                self.refuse(&refusal, StatusCode::BAD_REQUEST)
            }
            Error::Failed(cause) => {
                tracing::error!(cause = ?cause, "failed");
                let (status, heading, text) = if cause.is_transient() {
                    (StatusCode::SERVICE_UNAVAILABLE, "Very busy", "Please try again in a moment.")
                } else {
                    (
                        StatusCode::INTERNAL_SERVER_ERROR,
                        "Something went wrong here",
                        "The fault is ours, and nothing was changed.",
                    )
                };
                let page = ErrorPage {
                    heading: heading.to_owned(),
                    cause: text.to_owned(),
                    ..self.error_page()
                };
                let mut response = render(&page, status, &Allowances::default());
                if status == StatusCode::SERVICE_UNAVAILABLE {
                    let seconds = HeaderValue::from_static("1");
                    response.headers_mut().insert(header::RETRY_AFTER, seconds);
                }
                response
            }
        }
    }

    /// Show why a body was not read.
    pub(super) fn reject(&self, rejection: &Rejection) -> Response {
        self.refuse(&rejection.refusal, rejection.status)
    }

    fn refuse(&self, refusal: &OAuthError, status: StatusCode) -> Response {
        let page = ErrorPage {
            heading: "This request cannot be answered".to_owned(),
            cause: refusal.description.to_string(),
            code: Some(refusal.code.as_str().to_owned()),
            advice: Some(
                "Go back to the application and try again. If it happens again, tell the people \
                 who run the application, with the number below."
                    .to_owned(),
            ),
            ..self.error_page()
        };
        render(&page, status, &Allowances::default())
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

    /// Let the browser be recognised when it comes back.
    fn remember(&self, mut response: Response) -> Response {
        if self.new_browser {
            let cookie =
                Cookie::Browser.set(&self.visitor.browser.expose(), None, self.app.issuer());
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    fn error_page(&self) -> ErrorPage {
        ErrorPage {
            assets: self.base(),
            heading: String::new(),
            cause: String::new(),
            code: None,
            advice: None,
            request_id: self.request_id.clone(),
        }
    }
}

/// The address of a page that carries a sealed request.
pub(super) fn with_request(page: &str, sealed: &str) -> String {
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("request", sealed).finish();
    format!("{page}?{query}")
}

/// 303: whatever was sent here is not sent there (RFC 9700 §4.12).
pub(super) fn see_other(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
