//! How a page is sent: what it may load, whom it may talk to, and that nobody keeps or frames it.

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
};

use super::texts::Texts;
use crate::edge::no_store;

/// What every page has.
pub(super) struct Frame {
    pub(super) texts: &'static Texts,
    /// The path below which the stylesheet is.
    pub(super) assets: String,
    pub(super) request_id: String,
}

/// A form that carries a sealed request.
pub(super) struct Form {
    pub(super) action: String,
    pub(super) request: String,
}

/// What a page may do beyond showing itself.
#[derive(Default)]
pub(super) struct Allowances<'a> {
    /// Whom its forms may reach beside us, by redirect.
    pub(super) form_action: Option<&'a str>,
    /// Whether it runs our scripts.
    pub(super) script: bool,
    /// Whether other sites may know that a form of it comes from us.
    pub(super) named: bool,
}

/// Render a page.
pub(super) fn render(
    page: &impl Template,
    status: StatusCode,
    allowances: &Allowances<'_>,
) -> Response {
    let html = match page.render() {
        Ok(html) => html,
        Err(cause) => {
            tracing::error!(?cause, "a page could not be rendered");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    no_store(headers);
    let policy = policy(allowances);
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'")),
    );
    // With `no-referrer` a browser sends `Origin: null` with our own forms, and without the one header
    // that might say better, nobody could sign in.
    let referrer = if allowances.named { "strict-origin" } else { "same-origin" };
    for (name, value) in [
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, referrer),
        // A client may open us in a window and wait for it: docs/decisions/0007-opened-windows.md.
        (header::HeaderName::from_static("cross-origin-opener-policy"), "unsafe-none"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Chromium and Safari hold every hop of a form's redirects against `form-action`, so that the
/// request's own target must be in it, and nothing wider is.
fn policy(allowances: &Allowances<'_>) -> String {
    let script = if allowances.script { "; script-src 'self'; connect-src 'self'" } else { "" };
    let target = allowances.form_action.map_or(String::new(), |target| format!(" {target}"));
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; object-src 'none'; base-uri 'none'; \
         frame-ancestors 'none'; form-action 'self'{target}{script}"
    )
}
