//! Where an authorization response may go. This is the one place that builds a redirect to a client.

use std::fmt;

use url::form_urlencoded;

use crate::{
    model::Client,
    protocol::{ErrorCode::InvalidRequest, OAuthError, Params},
    values::{AuthorizationCode, Issuer, RedirectUri},
};

/// An address that the client of this very request has registered, and how to answer there. Only
/// [`locate`] makes one: errors before it are pages, errors after it are redirects.
#[derive(Clone, Debug)]
pub struct ReturnAddress {
    uri: String,
    mode: ResponseMode,
    state: Option<String>,
}

/// How the answer travels ([OAuth 2.0 Multiple Response Types
/// §2.1](https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html#ResponseModes)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the query of the redirect address.
    Query,
    /// In a form that the browser posts there
    /// ([Form Post Response Mode](https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html)).
    FormPost,
}

/// What the client is told.
#[derive(Debug)]
pub enum Outcome<'a> {
    /// A code.
    Code(&'a AuthorizationCode),
    /// A refusal.
    Refusal(&'a OAuthError),
}

/// An answer to a client, ready to be sent through the browser. A code may be in it, so that only the
/// names of its fields are ever printed.
#[derive(Clone)]
pub struct AuthorizationResponse {
    uri: String,
    mode: ResponseMode,
    fields: Vec<(String, String)>,
}

/// Find the registered address that the request asks for, by comparing text with text
/// ([RFC 9700 §2.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1)).
///
/// # Errors
/// `invalid_request`, to be shown to the person: nothing may be sent to an address that is not sure.
pub fn locate(params: &Params, client: &Client) -> Result<ReturnAddress, OAuthError> {
    let uri = match (params.one("redirect_uri")?, client.redirect_uris.as_slice()) {
        (Some(asked), registered) => {
            registered.iter().any(|uri| uri.admits(asked)).then(|| asked.to_owned()).ok_or_else(
                || InvalidRequest.because("redirect_uri is not registered for this client"),
            )?
        }
        // OpenID Connect Core §3.1.2.1 requires the parameter; OAuth lets a single one be implied.
        (None, [only]) if !params.one("scope")?.unwrap_or("").split(' ').any(|s| s == "openid") => {
            only.to_string()
        }
        (None, _) => return Err(InvalidRequest.because("redirect_uri is missing")),
    };
    // Anything wrong with these two is told to the client, in the default way.
    let mode = match params.one("response_mode") {
        Ok(Some("form_post")) => ResponseMode::FormPost,
        _ => ResponseMode::Query,
    };
    let state = params.one("state").ok().flatten().map(str::to_owned);
    Ok(ReturnAddress { uri, mode, state })
}

impl ReturnAddress {
    /// The answer to send there: always with `iss`
    /// ([RFC 9207 §2](https://www.rfc-editor.org/rfc/rfc9207#section-2)), and with the request's `state`.
    #[must_use]
    pub fn answer(&self, outcome: &Outcome<'_>, issuer: &Issuer) -> AuthorizationResponse {
        let mut fields: Vec<(String, String)> = Vec::with_capacity(4);
        let mut put = |name: &str, value: &str| fields.push((name.to_owned(), value.to_owned()));
        match outcome {
            Outcome::Code(code) => put("code", &code.expose()),
            Outcome::Refusal(refusal) => {
                put("error", refusal.code.as_str());
                put("error_description", &refusal.description);
            }
        }
        if let Some(state) = &self.state {
            put("state", state);
        }
        put("iss", issuer.as_str());
        AuthorizationResponse { uri: self.uri.clone(), mode: self.mode, fields }
    }

    /// The address.
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Who is there, as a person may be told: the host and port of a web address, the scheme of an
    /// app's.
    #[must_use]
    pub fn host(&self) -> &str {
        match origin(&self.uri) {
            Origin::Web(_, authority) => authority,
            Origin::App(scheme) => scheme,
        }
    }

    /// Whether only programs on the person's own machine can listen there.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.uri.parse().is_ok_and(|uri: RedirectUri| uri.is_loopback())
    }

    /// What a content security policy must let forms reach so that a browser follows this redirect:
    /// the origin of a web address, the scheme of an app's.
    #[must_use]
    pub fn form_action_source(&self) -> String {
        form_action_source(&self.uri)
    }
}

impl AuthorizationResponse {
    /// How it travels.
    #[must_use]
    pub fn mode(&self) -> ResponseMode {
        self.mode
    }

    /// The address of a redirect that carries the answer in its query.
    #[must_use]
    pub fn location(&self) -> String {
        let query =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.fields).finish();
        let separator = if self.uri.contains('?') { '&' } else { '?' };
        format!("{}{separator}{query}", self.uri)
    }

    /// The form that carries the answer: where it is posted, and its fields.
    #[must_use]
    pub fn form(&self) -> (&str, &[(String, String)]) {
        (&self.uri, &self.fields)
    }

    /// What a content security policy must let forms reach.
    #[must_use]
    pub fn form_action_source(&self) -> String {
        form_action_source(&self.uri)
    }
}

impl fmt::Debug for AuthorizationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.fields.iter().map(|(name, _)| name).collect();
        f.debug_struct("AuthorizationResponse")
            .field("uri", &self.uri)
            .field("mode", &self.mode)
            .field("fields", &names)
            .finish()
    }
}

/// What an address begins with.
enum Origin<'a> {
    /// A scheme of the web, and a host with or without a port.
    Web(&'a str, &'a str),
    /// The scheme of an app.
    App(&'a str),
}

fn origin(uri: &str) -> Origin<'_> {
    let (scheme, rest) = uri.split_once(':').unwrap_or((uri, ""));
    match rest.strip_prefix("//") {
        Some(rest) if matches!(scheme, "http" | "https") => {
            Origin::Web(scheme, rest.split(['/', '?']).next().unwrap_or(""))
        }
        _ => Origin::App(scheme),
    }
}

pub(in crate::protocol) fn form_action_source(uri: &str) -> String {
    match origin(uri) {
        // A policy cannot name an IPv6 address (CSP Level 3, "host-part match"): any host, at this port alone.
        Origin::Web(scheme, authority) if authority.starts_with('[') => {
            let port = authority.rsplit_once("]:").map(|(_, port)| port);
            let usual = if scheme == "https" { "443" } else { "80" };
            format!("{scheme}://*:{}", port.unwrap_or(usual))
        }
        Origin::Web(scheme, authority) => format!("{scheme}://{authority}"),
        Origin::App(scheme) => format!("{scheme}:"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{ErrorCode::AccessDenied, fixtures::client};

    fn located(query: &str) -> Result<ReturnAddress, OAuthError> {
        locate(&Params::parse(query).unwrap(), &client("app"))
    }

    fn issuer() -> Issuer {
        "https://id.test".parse().unwrap()
    }

    #[test]
    fn an_unregistered_or_repeated_or_missing_address_is_nowhere() {
        for query in [
            "redirect_uri=https://evil.test/cb",
            "redirect_uri=https://app.test/cb&redirect_uri=https://app.test/cb",
            "scope=openid",
        ] {
            assert_eq!(located(query).unwrap_err().code, InvalidRequest, "{query}");
        }
        assert_eq!(located("").unwrap().uri(), "https://app.test/cb");
    }

    #[test]
    fn an_answer_always_carries_the_issuer_and_the_state_as_it_came() {
        let address = located("state=a%26code%3Dx%0D%0A%C3%A4").unwrap();
        let refusal = AccessDenied.because("no");
        let response = address.answer(&Outcome::Refusal(&refusal), &issuer());
        assert_eq!(
            response.location(),
            "https://app.test/cb?error=access_denied&error_description=no\
             &state=a%26code%3Dx%0D%0A%C3%A4&iss=https%3A%2F%2Fid.test"
        );
    }

    #[test]
    fn a_code_on_its_way_is_never_printed() {
        let code = AuthorizationCode::new(crate::values::CodeId::from_bytes([1; 16]), [2; 32]);
        let answer = located("").unwrap().answer(&Outcome::Code(&code), &issuer());
        let printed = format!("{answer:?}");
        assert!(printed.contains("\"code\"") && !printed.contains(&code.expose()), "{printed}");
    }

    #[test]
    fn a_query_in_the_registered_address_stays() {
        let mut app = client("app");
        app.redirect_uris = vec!["https://app.test/cb?a=b".parse().unwrap()];
        let address = locate(&Params::default(), &app).unwrap();
        let refusal = AccessDenied.because("no");
        let location = address.answer(&Outcome::Refusal(&refusal), &issuer()).location();
        assert!(location.starts_with("https://app.test/cb?a=b&error="), "{location}");
    }

    #[test]
    fn a_person_is_told_who_is_there() {
        for (uri, host, loopback) in [
            ("https://app.test:8443/cb?x=1", "app.test:8443", false),
            ("http://[::1]:5/cb", "[::1]:5", true),
            ("http://localhost/cb", "localhost", true),
            ("com.example.app:/cb", "com.example.app", false),
        ] {
            let mode = ResponseMode::Query;
            let address = ReturnAddress { uri: uri.to_owned(), mode, state: None };
            assert_eq!((address.host(), address.is_loopback()), (host, loopback));
        }
    }

    #[test]
    fn forms_may_reach_this_requests_target_and_nothing_wider() {
        for (uri, source) in [
            ("https://app.test/cb?x=1", "https://app.test"),
            ("http://127.0.0.1:49152/cb", "http://127.0.0.1:49152"),
            ("http://[::1]:5/cb", "http://*:5"),
            ("http://[::1]/cb", "http://*:80"),
            ("https://[2001:db8::1]/cb", "https://*:443"),
            ("cursor://anysphere.cursor-mcp/oauth/callback", "cursor:"),
            ("com.example.app:/cb", "com.example.app:"),
        ] {
            assert_eq!(form_action_source(uri), source);
        }
    }
}
