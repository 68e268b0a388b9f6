//! Refusals, and the answers that say so
//! ([RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3),
//! [RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3)).

use std::fmt::Write;

use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::json;
use signet_jwt::{Algorithm, Rejected, Scope};

use crate::require::Lacking;

/// Why a request is refused. [`into_response`](Self::into_response) is the answer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    reason: Reason,
    /// Where this API says by whom it wants tokens (RFC 9728 §5.1).
    metadata: Option<String>,
}

/// How a token was presented, and so by which scheme it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Bearer,
    Dpop,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Nothing says who asks. What the request needs, whoever has a token for it.
    NoCredential(Scope),
    /// It cannot be read.
    BadRequest(&'static str),
    /// The token is not good, or not any more.
    BadToken(Scheme, String),
    /// The API key is not good, or not any more.
    BadKey,
    /// The holder of a bound token does not prove to hold its key.
    BadProof(String),
    /// The caller lacks something.
    Lacking(Scheme, Lacking),
    /// An API key is used too often. After how many seconds it may be used again.
    TooOften(u32),
    /// The authorization server is needed, and away.
    Unavailable(&'static str),
}

impl Refusal {
    pub(crate) fn new(reason: Reason) -> Self {
        Self { reason, metadata: None }
    }

    pub(crate) fn with_metadata(self, metadata: Option<String>) -> Self {
        Self { metadata, ..self }
    }

    /// The refusal of a token that did not pass.
    pub(crate) fn of_token(scheme: Scheme, rejected: Rejected) -> Self {
        Self::new(Reason::BadToken(scheme, rejected.to_string()))
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match &self.reason {
            Reason::BadRequest(_) => StatusCode::BAD_REQUEST,
            Reason::NoCredential(_)
            | Reason::BadToken(..)
            | Reason::BadKey
            | Reason::BadProof(_)
            | Reason::Lacking(_, Lacking::SignIn { .. }) => StatusCode::UNAUTHORIZED,
            Reason::Lacking(_, Lacking::Scope(_) | Lacking::Right) => StatusCode::FORBIDDEN,
            Reason::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Reason::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The error's name, as the standards have it; none when nothing was presented that could be wrong
    /// (RFC 6750 §3.1).
    #[must_use]
    pub fn error(&self) -> Option<&'static str> {
        match &self.reason {
            Reason::NoCredential(_) => None,
            Reason::BadRequest(_) => Some("invalid_request"),
            Reason::BadToken(..) | Reason::BadKey => Some("invalid_token"),
            Reason::BadProof(_) => Some("invalid_dpop_proof"),
            Reason::Lacking(_, Lacking::SignIn { .. }) => Some("insufficient_user_authentication"),
            Reason::Lacking(_, Lacking::Scope(_)) => Some("insufficient_scope"),
            Reason::Lacking(_, Lacking::Right) => Some("forbidden"),
            Reason::TooOften(_) => Some("too_many_requests"),
            Reason::Unavailable(_) => Some("temporarily_unavailable"),
        }
    }

    /// What is wrong, for a developer. It never repeats a credential.
    #[must_use]
    pub fn description(&self) -> &str {
        match &self.reason {
            Reason::NoCredential(_) => "the request carries no access token",
            Reason::BadRequest(why) | Reason::Unavailable(why) => why,
            Reason::BadToken(_, why) | Reason::BadProof(why) => why,
            Reason::BadKey => "the api key is not valid, or not here",
            Reason::Lacking(_, Lacking::SignIn { .. }) => "a stronger or newer sign-in is needed",
            Reason::Lacking(_, Lacking::Scope(_)) => "the token has not the scope that is needed",
            Reason::Lacking(_, Lacking::Right) => "the caller has not the rights that are needed",
            Reason::TooOften(_) => "the api key is used too often",
        }
    }

    /// The answer: a challenge in `WWW-Authenticate`, and the same as JSON.
    #[must_use]
    pub fn into_response<B: From<String>>(self) -> Response<B> {
        let body = match (self.error(), self.scope()) {
            (None, _) => {
                json!({ "error": "unauthorized", "error_description": self.description() })
            }
            (Some(error), None) => {
                json!({ "error": error, "error_description": self.description() })
            }
            (Some(error), Some(scope)) => json!({
                "error": error, "error_description": self.description(), "scope": scope,
            }),
        };
        let mut response = Response::new(B::from(format!("{body}\n")));
        *response.status_mut() = self.status();
        self.write_headers(response.headers_mut());
        response
    }

    fn write_headers(&self, headers: &mut HeaderMap) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for challenge in self.challenges() {
            // Every part of one is of visible characters.
            if let Ok(challenge) = HeaderValue::try_from(challenge) {
                headers.append(header::WWW_AUTHENTICATE, challenge);
            }
        }
        let later = match self.reason {
            Reason::TooOften(seconds) => seconds,
            Reason::Unavailable(_) => 2,
            _ => return,
        };
        headers.insert(header::RETRY_AFTER, later.into());
    }

    fn challenges(&self) -> Vec<String> {
        match &self.reason {
            Reason::NoCredential(_) => vec![self.bearer(), self.dpop()],
            Reason::BadRequest(_) | Reason::BadKey => vec![self.bearer()],
            Reason::BadProof(_) => vec![self.dpop()],
            Reason::Lacking(_, Lacking::Right) | Reason::TooOften(_) | Reason::Unavailable(_) => {
                Vec::new()
            }
            Reason::BadToken(scheme, _) | Reason::Lacking(scheme, _) => match scheme {
                Scheme::Bearer => vec![self.bearer()],
                Scheme::Dpop => vec![self.dpop()],
            },
        }
    }

    fn bearer(&self) -> String {
        self.challenge("Bearer", &[])
    }

    /// RFC 9449 §7.1.
    fn dpop(&self) -> String {
        let algorithms = Algorithm::ALL.map(Algorithm::as_str).join(" ");
        self.challenge("DPoP", &[("algs", &algorithms)])
    }

    fn challenge(&self, scheme: &str, more: &[(&str, &str)]) -> String {
        let mut parameters = Vec::new();
        if let Some(error) = self.error() {
            parameters.extend([("error", error), ("error_description", self.description())]);
        }
        let scope = self.scope().filter(|scope| !scope.is_empty()).map(Scope::to_string);
        parameters.extend(scope.as_deref().map(|scope| ("scope", scope)));
        let (class, within) = self.sign_in();
        parameters.extend(class.map(|class| ("acr_values", class)));
        parameters.extend(within.as_deref().map(|within| ("max_age", within)));
        parameters.extend(more);
        parameters.extend(self.metadata.as_deref().map(|url| ("resource_metadata", url)));

        let mut challenge = scheme.to_owned();
        for (index, (name, value)) in parameters.into_iter().enumerate() {
            let before = if index == 0 { " " } else { ", " };
            // Writing to a string cannot fail.
            let _ = write!(challenge, "{before}{name}=\"{value}\"");
        }
        challenge
    }

    fn scope(&self) -> Option<&Scope> {
        match &self.reason {
            Reason::NoCredential(scope) | Reason::Lacking(_, Lacking::Scope(scope)) => Some(scope),
            _ => None,
        }
    }

    fn sign_in(&self) -> (Option<&str>, Option<String>) {
        match &self.reason {
            Reason::Lacking(_, Lacking::SignIn { class, within }) => {
                (class.as_deref(), within.map(|seconds| seconds.to_string()))
            }
            _ => (None, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn answer(reason: Reason) -> (u16, Vec<String>, Value) {
        let refusal = Refusal::new(reason).with_metadata(Some("https://api.test/m".to_owned()));
        let response: Response<String> = refusal.into_response();
        let challenges = response.headers().get_all(header::WWW_AUTHENTICATE).into_iter();
        let challenges = challenges.map(|each| each.to_str().unwrap().to_owned()).collect();
        let body = serde_json::from_str(response.body()).unwrap();
        (response.status().as_u16(), challenges, body)
    }

    /// RFC 6750 §3.1: whoever presented nothing has made no error.
    #[test]
    fn who_comes_without_a_token_is_told_what_to_get() {
        let (status, challenges, _) = answer(Reason::NoCredential("orders:read".parse().unwrap()));
        assert_eq!(status, 401);
        assert_eq!(
            challenges,
            [
                r#"Bearer scope="orders:read", resource_metadata="https://api.test/m""#,
                concat!(
                    r#"DPoP scope="orders:read", algs="RS256 PS256 ES256 EdDSA", "#,
                    r#"resource_metadata="https://api.test/m""#,
                ),
            ]
        );
    }

    #[test]
    fn missing_scope_is_named_in_the_header_and_in_the_body() {
        let lacking = Lacking::Scope("orders:read orders:write".parse().unwrap());
        let (status, challenges, body) = answer(Reason::Lacking(Scheme::Bearer, lacking));
        assert_eq!((status, challenges.len()), (403, 1));
        assert!(challenges[0].starts_with(r#"Bearer error="insufficient_scope", "#));
        assert!(challenges[0].contains(r#"scope="orders:read orders:write""#), "{challenges:?}");
        assert_eq!(body["scope"], "orders:read orders:write");
        assert_eq!(body["error"], "insufficient_scope");
    }

    /// RFC 9470 §3.
    #[test]
    fn a_weak_or_old_sign_in_is_answered_with_what_is_needed() {
        let lacking = Lacking::SignIn { class: Some("mfa".to_owned()), within: Some(300) };
        let (status, challenges, body) = answer(Reason::Lacking(Scheme::Dpop, lacking));
        assert_eq!(status, 401);
        assert!(challenges[0].starts_with("DPoP error=\"insufficient_user_authentication\""));
        assert!(challenges[0].contains(r#"acr_values="mfa", max_age="300""#), "{challenges:?}");
        assert_eq!(body["error"], "insufficient_user_authentication");
    }

    #[test]
    fn no_other_token_is_asked_for_when_none_would_help() {
        let (status, challenges, body) = answer(Reason::Lacking(Scheme::Bearer, Lacking::Right));
        assert_eq!((status, challenges.len()), (403, 0));
        assert_eq!(body["error"], "forbidden");
        let (status, challenges, _) = answer(Reason::Unavailable("away"));
        assert_eq!((status, challenges.len()), (503, 0));
    }
}
