//! The clients `web` and `machine`, and people at browsers, who bear it when an answer does not come.

use std::{net::SocketAddr, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use reqwest::{Client as Http, RequestBuilder, Response, header, redirect::Policy};
use serde_json::Value;
use url::Url;

use crate::program::{CALLBACK, PASSWORD, Program, USERNAME};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

/// The challenge of [`VERIFIER`] (RFC 7636 appendix B).
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// What is asked for, unless it is said otherwise.
pub(crate) const SCOPE: &str = "openid email offline_access";

/// An answer that came whole: its status and what it says.
pub(crate) type Answer = (u16, Value);

/// The owner of both clients. Every request has a connection of its own, and gives nothing when there
/// is no whole answer to it.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) issuer: String,
    web: (&'static str, String),
    machine: (&'static str, String),
    http: Http,
}

impl Client {
    pub(crate) fn of(program: &Program) -> Self {
        Self {
            issuer: program.issuer.clone(),
            web: ("web", program.web_secret.clone()),
            machine: ("machine", program.machine_secret.clone()),
            http: browser(),
        }
    }

    /// The same clients, who go to this node whatever its name is.
    pub(crate) fn at(&self, node: SocketAddr) -> Self {
        Self { issuer: format!("http://{node}"), ..self.clone() }
    }

    /// The same, with this client in the place of `machine`.
    pub(crate) fn as_machine(&self, id: &'static str, secret: String) -> Self {
        Self { machine: (id, secret), ..self.clone() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    pub(crate) async fn redeem(&self, code: &str) -> Option<Answer> {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.post("/token", &self.web, &form).await
    }

    pub(crate) async fn refresh(&self, token: &str) -> Option<Answer> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.post("/token", &self.web, &form).await
    }

    pub(crate) async fn machine_token(&self) -> Option<Answer> {
        self.post("/token", &self.machine, &[("grant_type", "client_credentials")]).await
    }

    /// Ask for a token with an assertion ([RFC 7523 §2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2)).
    pub(crate) async fn assert(&self, assertion: &str) -> Option<Answer> {
        let form = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
        ];
        answer(self.http.post(self.url("/token")).form(&form)).await
    }

    /// Revoke a token of `machine`.
    pub(crate) async fn revoke(&self, token: &str) -> Option<u16> {
        Some(self.post("/revoke", &self.machine, &[("token", token)]).await?.0)
    }

    /// Whether a token of `machine` is worth anything.
    pub(crate) async fn is_active(&self, token: &str) -> bool {
        let answer = self.post("/introspect", &self.machine, &[("token", token)]).await;
        let (status, answer) = answer.expect("the server is up");
        assert_eq!(status, 200, "{answer}");
        answer["active"] == true
    }

    pub(crate) async fn jwks(&self) -> Option<Answer> {
        answer(self.http.get(self.url("/jwks"))).await
    }

    /// Revoke a grant of `web` by its refresh token.
    pub(crate) async fn revoke_grant(&self, token: &str) {
        assert_eq!(self.post("/revoke", &self.web, &[("token", token)]).await.unwrap().0, 200);
    }

    /// Sign ada in with this browser, and allow what is asked: a code.
    pub(crate) async fn sign_in(&self, browser: &Http) -> Option<String> {
        self.code_for(browser, SCOPE).await
    }

    /// The same, for this scope.
    pub(crate) async fn code_for(&self, browser: &Http, scope: &str) -> Option<String> {
        let mut at = self.authorization(None, scope);
        let mut response = browser.get(at.clone()).send().await.ok()?;
        loop {
            if let Some(next) = location(&response) {
                at = at.join(&next).unwrap();
                if at.as_str().starts_with(CALLBACK) {
                    return Some(code(&at));
                }
                response = browser.get(at.clone()).send().await.ok()?;
                continue;
            }
            let (path, status) = (response.url().path().to_owned(), response.status());
            let page = response.text().await.ok()?;
            assert_eq!(status, 200, "{page}");
            let request = hidden(&page, "request");
            let mut form = vec![("request", request.as_str())];
            if path == "/login" {
                form.extend([("username", USERNAME), ("password", PASSWORD), ("action", "login")]);
            } else {
                form.push(("action", "allow"));
            }
            response = browser.post(at.clone()).form(&form).send().await.ok()?;
        }
    }

    /// A code for whoever is signed in at this browser, without a page.
    pub(crate) async fn silent_code(&self, browser: &Http) -> Option<String> {
        let response = browser.get(self.authorization(Some("none"), SCOPE)).send().await.ok()?;
        Some(code(&location(&response).unwrap().parse().unwrap()))
    }

    /// A usual authorization request.
    pub(crate) fn authorization(&self, prompt: Option<&str>, scope: &str) -> Url {
        let mut url: Url = self.url("/authorize").parse().unwrap();
        url.query_pairs_mut().extend_pairs([
            ("client_id", "web"),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", scope),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]);
        if let Some(prompt) = prompt {
            url.query_pairs_mut().append_pair("prompt", prompt);
        }
        url
    }

    async fn post(
        &self,
        path: &str,
        (id, secret): &(&str, String),
        form: &[(&str, &str)],
    ) -> Option<Answer> {
        answer(self.http.post(self.url(path)).basic_auth(id, Some(secret)).form(form)).await
    }
}

/// A browser that keeps cookies and shows every redirect.
pub(crate) fn browser() -> Http {
    let http = Http::builder().redirect(Policy::none()).cookie_store(true);
    http.pool_max_idle_per_host(0).timeout(Duration::from_secs(30)).build().unwrap()
}

/// The whole answer to a request, if it comes.
pub(crate) async fn answer(request: RequestBuilder) -> Option<Answer> {
    let response = request.send().await.ok()?;
    let status = response.status().as_u16();
    let body = response.text().await.ok()?;
    Some((status, serde_json::from_str(&body).unwrap_or(Value::String(body))))
}

/// A member that is text.
pub(crate) fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_else(|| panic!("no {name}: {value}")).to_owned()
}

pub(crate) fn location(response: &Response) -> Option<String> {
    response.headers().get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned())
}

/// The value of the hidden field of this name.
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let (_, field) = page.split_once(&format!("name=\"{name}\"")).expect("a field");
    let (_, value) = field.split_once("value=\"").expect("a value");
    value.split('"').next().unwrap().to_owned()
}

/// The key that signed this token.
pub(crate) fn key_of(token: &str) -> String {
    let header = BASE64.decode(token.split('.').next().unwrap()).unwrap();
    text(&serde_json::from_slice(&header).unwrap(), "kid")
}

fn code(url: &Url) -> String {
    let code = url.query_pairs().find(|(name, _)| name == "code");
    code.unwrap_or_else(|| panic!("{url}")).1.into_owned()
}
