//! What went wrong, as a page: what it means to a person, and below it what helps a developer.

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

use super::{
    page::{Allowances, Frame, render},
    texts::{self, Texts},
    visit::Visit,
};
use crate::{
    edge::Rejection,
    flows::{Error, events::Event},
    protocol::{
        ErrorCode::{AccessDenied, InvalidRequest},
        OAuthError,
    },
};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    frame: Frame,
    text: &'static texts::Error,
    heading: &'static str,
    cause: &'static str,
    advice: Option<&'static str>,
    refusal: Option<&'a OAuthError>,
}

impl Visit {
    /// Show what went wrong.
    pub(super) fn fail(&self, error: Error) -> Response {
        match error {
            Error::Refused(refusal) => {
                Event::Refused { code: refusal.code, reason: &refusal.description }.emit();
                self.refuse(&refusal, StatusCode::BAD_REQUEST)
            }
            Error::Failed(cause) if cause.is_transient() => {
                tracing::error!(cause = ?cause, "unavailable");
                let text = &self.texts(None).error;
                let mut response = self.explain(
                    StatusCode::SERVICE_UNAVAILABLE,
                    (&text.busy, &text.busy_cause),
                    None,
                    None,
                );
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
                response
            }
            Error::Failed(cause) => {
                tracing::error!(cause = ?cause, "failed");
                let text = &self.texts(None).error;
                let what = (text.failed.as_str(), text.failed_cause.as_str());
                self.explain(StatusCode::INTERNAL_SERVER_ERROR, what, None, None)
            }
        }
    }

    /// Show why a body was not read.
    pub(super) fn reject(&self, rejection: &Rejection) -> Response {
        self.refuse(&rejection.refusal, rejection.status)
    }

    /// Show that a form was not sent by a page of ours.
    pub(super) fn forbid(&self) -> Response {
        let text = &self.texts(None).error;
        let what = (text.foreign.as_str(), text.foreign_cause.as_str());
        self.explain(StatusCode::FORBIDDEN, what, Some(&text.start_again), None)
    }

    fn refuse(&self, refusal: &OAuthError, status: StatusCode) -> Response {
        let texts: &'static Texts = self.texts(None);
        let text = &texts.error;
        // The page was ours: what is wrong with it is its age or its place, not what a client did.
        if self.under_way && matches!(refusal.code, InvalidRequest | AccessDenied) {
            let foreign = refusal.code == AccessDenied;
            let status = if foreign { StatusCode::FORBIDDEN } else { status };
            let what = (text.stale.as_str(), text.stale_cause.as_str());
            return self.explain(status, what, Some(&text.start_again), Some(refusal));
        }
        let what = (text.refused.as_str(), texts.cause(refusal.code));
        self.explain(status, what, Some(&text.tell), Some(refusal))
    }

    fn explain(
        &self,
        status: StatusCode,
        (heading, cause): (&'static str, &'static str),
        advice: Option<&'static str>,
        refusal: Option<&OAuthError>,
    ) -> Response {
        let texts = self.texts(None);
        let frame = self.frame(texts);
        let page = ErrorPage { frame, text: &texts.error, heading, cause, advice, refusal };
        render(&page, status, &Allowances::default())
    }
}
