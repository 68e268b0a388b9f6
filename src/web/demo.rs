//! The demo: a single-page app that signs in with PKCE, to look at and to copy from. In development
//! alone.

use std::sync::Arc;

use askama::Template;
use axum::{Router, http::StatusCode, response::Response, routing::get};

use super::{
    page::{Allowances, Frame, render},
    visit::Visit,
};
use crate::{flows::App, values::ClientId};

/// As whom the demo signs people in.
#[derive(Clone, Debug)]
pub struct Demo {
    /// Its client.
    pub client: ClientId,
    /// What it asks for.
    pub scope: String,
}

#[derive(Template)]
#[template(path = "demo.html")]
struct DemoPage {
    frame: Frame,
    issuer: String,
    client_id: String,
    scope: String,
}

pub(super) fn router(demo: Demo) -> Router<Arc<App>> {
    let page = async move |visit: Visit| show(&visit, &demo);
    Router::new().route("/demo", get(page))
}

fn show(visit: &Visit, demo: &Demo) -> Response {
    let page = DemoPage {
        frame: visit.frame(visit.texts(None)),
        issuer: visit.app.issuer().to_string(),
        client_id: demo.client.to_string(),
        scope: demo.scope.clone(),
    };
    render(&page, StatusCode::OK, &Allowances { script: true, ..Allowances::default() })
}
