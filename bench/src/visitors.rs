//! What is asked of the server, as clients and browsers ask it.

use anyhow::{Context, ensure};
use aws_lc_rs::rand;
use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use url::form_urlencoded::{Serializer, parse};

use crate::{
    load::Visitor,
    signet::{CALLBACK, PASSWORD, USERNAME},
    wire::Connection,
};

/// Sends one request and expects one status, and perhaps a text in the answer.
#[derive(Clone)]
pub(crate) struct Repeat {
    pub(crate) request: Vec<u8>,
    pub(crate) contains: &'static str,
}

impl Visitor for Repeat {
    async fn visit(&mut self, connection: &mut Connection) -> anyhow::Result<()> {
        let answer = connection.exchange(&self.request).await?.expect(200)?;
        let wanted = self.contains.as_bytes();
        let found = wanted.is_empty() || answer.body.windows(wanted.len()).any(|at| at == wanted);
        ensure!(found, "the answer lacks {}", self.contains);
        Ok(())
    }
}

/// A request without a body.
pub(crate) fn get(host: &str, path: &str, cookies: &str) -> Vec<u8> {
    let cookies = if cookies.is_empty() { String::new() } else { format!("Cookie: {cookies}\r\n") };
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{cookies}\r\n").into_bytes()
}

/// A form, sent by this client if it has a secret.
pub(crate) fn post(
    host: &str,
    path: &str,
    client: Option<(&str, &str)>,
    form: &[(&str, &str)],
) -> Vec<u8> {
    let body = encoded(form);
    let basic = client.map_or_else(String::new, |(id, secret)| {
        let both = format!("{}:{}", encoded(&[(id, "")]).trim_end_matches('='), secret);
        format!("Authorization: Basic {}\r\n", BASE64_STANDARD.encode(both))
    });
    format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\n{basic}\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Trades each refresh token for the next.
pub(crate) struct Refresh {
    pub(crate) host: String,
    pub(crate) secret: String,
    pub(crate) token: String,
}

impl Visitor for Refresh {
    async fn visit(&mut self, connection: &mut Connection) -> anyhow::Result<()> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", &self.token)];
        let request = post(&self.host, "/token", Some(("web", &self.secret)), &form);
        let answer = connection.exchange(&request).await?.expect(200)?;
        answer.text("refresh_token").context("no refresh token")?.clone_into(&mut self.token);
        Ok(())
    }
}

/// Somebody's browser, and the application that it signs in to.
#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) host: String,
    pub(crate) client: &'static str,
    pub(crate) secret: Option<String>,
    pub(crate) scope: &'static str,
    pub(crate) cookies: String,
}

/// What an application is given.
pub(crate) struct Tokens {
    pub(crate) refresh: Option<String>,
}

impl Visitor for Browser {
    /// An authorization without a question, and the redemption of its code.
    async fn visit(&mut self, connection: &mut Connection) -> anyhow::Result<()> {
        self.authorize(connection).await.map(drop)
    }
}

impl Browser {
    /// Get a code without a question, and redeem it.
    pub(crate) async fn authorize(&self, connection: &mut Connection) -> anyhow::Result<Tokens> {
        let verifier = random();
        let path = format!("{}&prompt=none", self.address(&verifier));
        let request = get(&self.host, &path, &self.cookies);
        let answer = connection.exchange(&request).await?.expect(303)?;
        let location = answer.header("location").context("no location")?;
        let code = parameter(location, "code").with_context(|| format!("no code: {location}"))?;

        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", &verifier),
        ];
        let client = self.secret.as_deref().map(|secret| (self.client, secret));
        if client.is_none() {
            form.push(("client_id", self.client));
        }
        let request = post(&self.host, "/token", client, &form);
        let answer = connection.exchange(&request).await?.expect(200)?;
        ensure!(answer.text("access_token").is_some(), "no access token");
        Ok(Tokens { refresh: answer.text("refresh_token").map(str::to_owned) })
    }

    /// Sign in with a password, on the page that the request leads to.
    pub(crate) async fn sign_in(&mut self, connection: &mut Connection) -> anyhow::Result<()> {
        let mut cookies = Vec::new();
        let request = get(&self.host, &self.address(&random()), "");
        let answer = connection.exchange(&request).await?.expect(303)?;
        cookies.extend(answer.headers("set-cookie").map(pair));
        let page = answer.header("location").context("no location")?.to_owned();
        let sealed = parameter(&page, "request").context("no page to sign in on")?;
        let page = get(&self.host, &page, &cookies.join("; "));
        connection.exchange(&page).await?.expect(200)?;

        let form = [
            ("request", sealed.as_str()),
            ("action", "login"),
            ("username", USERNAME),
            ("password", PASSWORD),
        ];
        let request = post(&self.host, "/login", None, &form);
        let request = with_cookies(&request, &cookies.join("; "));
        let answer = connection.exchange(&request).await?.expect(303)?;
        let location = answer.header("location").context("no location")?;
        ensure!(location.starts_with(CALLBACK), "not signed in: {location}");
        cookies.extend(answer.headers("set-cookie").map(pair));
        self.cookies = cookies.join("; ");
        Ok(())
    }

    fn address(&self, verifier: &str) -> String {
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let query = encoded(&[
            ("response_type", "code"),
            ("client_id", self.client),
            ("redirect_uri", CALLBACK),
            ("scope", self.scope),
            ("state", "af0ifjsldkj"),
            ("nonce", "n-0S6_WzA2Mj"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        format!("/authorize?{query}")
    }
}

/// Somebody who signs in again and again.
pub(crate) struct SignIn(pub(crate) Browser);

impl Visitor for SignIn {
    async fn visit(&mut self, connection: &mut Connection) -> anyhow::Result<()> {
        self.0.sign_in(connection).await
    }
}

fn with_cookies(request: &[u8], cookies: &str) -> Vec<u8> {
    let head = b"\r\nContent-Type:";
    let at = request.windows(head.len()).position(|found| found == head).unwrap_or(0);
    [&request[..at], format!("\r\nCookie: {cookies}").as_bytes(), &request[at..]].concat()
}

fn pair(cookie: &str) -> String {
    cookie.split(';').next().unwrap_or_default().to_owned()
}

fn parameter(address: &str, name: &str) -> Option<String> {
    let (_, query) = address.split_once('?')?;
    parse(query.as_bytes()).find(|(other, _)| other == name).map(|(_, value)| value.into_owned())
}

fn random() -> String {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).expect("the system gives randomness");
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_sent_with_its_length_and_its_sender() {
        let request = post("a", "/token", Some(("id", "s")), &[("scope", "a b")]);
        let cookies = String::from_utf8(with_cookies(&request, "c=1")).unwrap();
        let (head, body) = cookies.split_once("\r\n\r\n").unwrap();
        assert_eq!(body, "scope=a+b");
        assert!(head.contains("\r\nContent-Length: 9"));
        assert!(head.contains("\r\nAuthorization: Basic aWQ6cw=="));
        assert!(head.contains("\r\nCookie: c=1\r\n"));
    }

    #[test]
    fn a_parameter_is_found_in_an_address() {
        assert_eq!(parameter("/login?request=a%2Bb&x=1", "request").as_deref(), Some("a+b"));
        assert_eq!(parameter("/login", "request"), None);
    }
}
