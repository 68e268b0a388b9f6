//! Somebody's browser.

use reqwest::{RequestBuilder, Response, header, redirect};
use url::Url;

use super::{PASSWORD, location, parameter, sealed};

/// Somebody's browser: it keeps cookies, and shows every redirect.
pub(crate) struct Browser {
    pub(crate) http: reqwest::Client,
    /// Where the server listens.
    address: String,
    /// Below which path its pages are.
    path: String,
}

impl Browser {
    pub(super) fn new(address: String, path: String) -> Self {
        let http = reqwest::Client::builder()
            .redirect(redirect::Policy::none())
            .cookie_store(true)
            .build()
            .unwrap();
        Self { http, address, path }
    }

    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Response {
        let request = self.http.get(format!("{}{}{path}", self.address, self.path)).query(query);
        request.send().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.form(path).form(form).send().await.unwrap()
    }

    /// A form on its way, to which headers can be added.
    pub(crate) fn form(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{}{path}", self.address, self.path))
    }

    /// The page of ours that a response leads to.
    pub(crate) fn page(&self, response: &Response) -> Option<String> {
        location(response)?
            .strip_prefix(&self.path)
            .filter(|page| page.starts_with('/'))
            .map(Into::into)
    }

    /// The page that a request leads to.
    pub(crate) async fn asks(&self, request: &[(&str, &str)]) -> String {
        let response = self.get("/authorize", request).await;
        self.page(&response).unwrap_or_else(|| panic!("{response:?}"))
    }

    /// Answer a sign-in page, and go no further.
    pub(crate) async fn signs_in(&self, page: &str, username: &str, password: &str) -> Response {
        assert!(page.starts_with("/login?"), "{page}");
        let sealed = sealed(page);
        let form = [("request", sealed.as_str()), ("username", username), ("password", password)];
        self.post("/login", &[&form[..], &[("action", "login")]].concat()).await
    }

    /// Begin a request and sign in as ada, and go no further.
    pub(crate) async fn begins(&self, request: &[(&str, &str)]) -> Response {
        self.signs_in(&self.asks(request).await, "ada", PASSWORD).await
    }

    /// Answer a page with one of its buttons.
    pub(crate) async fn presses(&self, page: &str, action: &str) -> Response {
        let (path, _) = page.split_once('?').unwrap();
        self.post(path, &[("request", &sealed(page)), ("action", action)]).await
    }

    /// Fill in every page until the client has its answer.
    pub(crate) async fn follow(&self, mut response: Response) -> Response {
        while let Some(page) = self.page(&response) {
            response = if page.starts_with("/login") {
                self.signs_in(&page, "ada", PASSWORD).await
            } else {
                self.presses(&page, "allow").await
            };
        }
        response
    }

    /// Sign in and consent wherever that is asked for: the address that the client is called at.
    pub(crate) async fn answer(&self, request: &[(&str, &str)]) -> Url {
        let response = self.follow(self.get("/authorize", request).await).await;
        location(&response).unwrap().parse().unwrap()
    }

    pub(crate) async fn code(&self, request: &[(&str, &str)]) -> String {
        let answer = self.answer(request).await;
        parameter(&answer, "code").unwrap_or_else(|| panic!("{answer}"))
    }

    /// Whether a client can sign somebody in here without a page.
    pub(crate) async fn is_signed_in(&self) -> bool {
        let answer = self.answer(&super::request_with("prompt", "none")).await;
        match parameter(&answer, "error").as_deref() {
            None | Some("consent_required") => true,
            Some(error) => {
                assert_eq!(error, "login_required");
                false
            }
        }
    }
}

/// The value of the cookie that an answer sets, if it sets it.
pub(crate) fn set_cookie(response: &Response, name: &str) -> Option<String> {
    let lines = response.headers().get_all(header::SET_COOKIE).iter();
    lines
        .map(|value| value.to_str().unwrap())
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .map(|rest| rest.split(';').next().unwrap().to_owned())
}

/// The hidden field of a page.
pub(crate) fn hidden(page: &str) -> &str {
    let (_, rest) =
        page.split_once("name=\"request\" value=\"").unwrap_or_else(|| panic!("{page}"));
    rest.split('"').next().unwrap()
}

/// The session that an answer begins.
pub(crate) fn session_of(response: &Response) -> String {
    set_cookie(response, "signet_session").unwrap_or_else(|| panic!("{response:?}"))
}
