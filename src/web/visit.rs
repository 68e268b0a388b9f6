//! One visit of a browser: who it is, and what it brings.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, header, request::Parts},
    response::Response,
};

use super::{
    authorize::carried,
    cookies::Cookie,
    page::{Form, Frame},
    texts::{self, Texts},
};
use crate::{
    edge::{Body, CurrentRequest},
    flows::{
        App,
        sessions::{self, Visitor},
    },
    protocol::Params,
    values::BrowserToken,
};

/// A browser at our door.
pub(super) struct Visit {
    pub(super) app: Arc<App>,
    pub(super) visitor: Visitor,
    pub(super) headers: HeaderMap,
    /// Where it comes from, as far as proxies that we trust vouch for it.
    pub(super) from: Option<IpAddr>,
    /// Whether it comes from a page of ours that carries a request.
    pub(super) under_way: bool,
    /// Whether it has no name yet by which we would know it again.
    pub(super) new_browser: bool,
    /// Whether it showed a session, dead or alive.
    pub(super) old_session: bool,
    request_id: String,
}

/// A page whose address carries a sealed request.
pub(super) struct Carried(pub(super) Visit, pub(super) String);

/// A form that anybody may have sent.
pub(super) struct AnyForm(pub(super) Visit, pub(super) String);

/// A form that a page of ours has sent.
pub(super) struct OurForm(pub(super) Visit, pub(super) Params);

impl Visit {
    /// The path below which everything lives.
    pub(super) fn base(&self) -> &str {
        self.app.issuer().path()
    }

    /// Whether the browser brought any cookie of ours.
    pub(super) fn is_known(&self) -> bool {
        !self.new_browser || self.old_session
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

    /// What the person who is signed in is called.
    pub(super) fn account(&self) -> Option<String> {
        let signed_in = self.visitor.signed_in.as_ref();
        signed_in.map(|signed_in| signed_in.user.display_name().to_owned())
    }

    /// The language of its pages, where the client has a wish.
    pub(super) fn texts(&self, ui_locales: Option<&str>) -> &'static Texts {
        let accepted = self.headers.get(header::ACCEPT_LANGUAGE);
        texts::choose(ui_locales, accepted.and_then(|value| value.to_str().ok()))
    }

    /// What every page has.
    pub(super) fn frame(&self, texts: &'static Texts) -> Frame {
        Frame { texts, assets: self.base().to_owned(), request_id: self.request_id.clone() }
    }

    /// The form of a page that carries a sealed request.
    pub(super) fn form(&self, path: &str, request: String) -> Form {
        Form { action: format!("{}{path}", self.base()), request }
    }
}

impl FromRequestParts<Arc<App>> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let current = CurrentRequest::get();
        let request_id = current.as_ref().map(|request| request.id().as_str().to_owned());
        let headers = parts.headers.clone();
        let browser = Cookie::Browser.read::<BrowserToken>(&headers, app.issuer());
        let session = Cookie::Session.read(&headers, app.issuer());
        let (new_browser, old_session) = (browser.is_none(), session.is_some());
        let browser = browser.unwrap_or_else(|| BrowserToken::new(app.random.bytes()));
        let mut visit = Self {
            app: app.clone(),
            visitor: Visitor { browser, signed_in: None },
            headers,
            from: current.map(|request| request.address()),
            under_way: false,
            new_browser,
            old_session,
            request_id: request_id.unwrap_or_default(),
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

impl FromRequestParts<Arc<App>> for Carried {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Response> {
        let mut visit = Visit::from_request_parts(parts, app).await?;
        visit.under_way = true;
        match carried(parts.uri.query()) {
            Ok(sealed) => Ok(Self(visit, sealed)),
            Err(refusal) => Err(visit.fail(refusal.into())),
        }
    }
}

impl FromRequest<Arc<App>> for AnyForm {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, app).await?;
        match Body::from_request(Request::from_parts(parts, body), app).await {
            Ok(Body(text)) => Ok(Self(visit, text)),
            Err(rejection) => Err(visit.reject(&rejection)),
        }
    }
}

impl FromRequest<Arc<App>> for OurForm {
    type Rejection = Response;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Response> {
        let AnyForm(mut visit, text) = AnyForm::from_request(request, app).await?;
        if !visit.is_from_our_page() {
            return Err(visit.forbid());
        }
        visit.under_way = true;
        match Params::parse(&text) {
            Ok(params) => Ok(Self(visit, params)),
            Err(refusal) => Err(visit.fail(refusal.into())),
        }
    }
}
