//! Why there is no token, and what helps.

use std::{sync::Arc, time::Duration};

use http::StatusCode;

/// Why there is no token. The text says what happened and what helps; it holds no secret. It is cheap
/// to clone, since everybody who waited for one request is told the same.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The server could not be asked.
    #[error("cannot reach {url}: {}; {}", causes(source.as_ref()), self.remedy())]
    Unreachable {
        /// What was asked.
        url: String,
        /// Why not.
        source: Arc<reqwest::Error>,
    },
    /// The server is overloaded or out of order.
    #[error("{url} answers {status}; {}", self.remedy())]
    Unavailable {
        /// What was asked.
        url: String,
        /// How it answered.
        status: StatusCode,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The server refuses, in the words of RFC 6749 §5.2.
    #[error("the authorization server refuses: {code}{}; {}", told(description.as_deref()), self.remedy())]
    Refused {
        /// The error code.
        code: String,
        /// What the server adds for a developer.
        description: Option<String>,
    },
    /// The answer is not what the standards say.
    #[error("{url} {what}; {}", self.remedy())]
    Unreadable {
        /// What was asked.
        url: String,
        /// What is wrong with the answer.
        what: &'static str,
    },
    /// The server does not do what is asked of it.
    #[error("the authorization server names no {what}; {}", self.remedy())]
    Unsupported {
        /// The part of its metadata that is missing.
        what: &'static str,
    },
    /// The address is neither https nor http on a loopback host.
    #[error("{url} is neither https nor http on a loopback host; {}", self.remedy())]
    Insecure {
        /// The address.
        url: String,
    },
    /// What was given is not an issuer.
    #[error("{given} is not an issuer; {}", self.remedy())]
    NoIssuer {
        /// What was given.
        given: String,
    },
    /// What was given is not a token.
    #[error("what was given is not a token; {}", self.remedy())]
    NoToken,
    /// A private key cannot be read or used.
    #[error("{source}; {}", self.remedy())]
    Key {
        /// Why not.
        source: Arc<signet_jwt::KeyError>,
    },
    /// A token that cannot be renewed is no longer accepted.
    #[error("the token is no longer accepted, and there is no way to another; {}", self.remedy())]
    Spent,
    /// Nobody has signed in, or what was kept of it no longer counts.
    #[error("nobody is signed in; {}", self.remedy())]
    NotSignedIn,
    /// The person did not let the program in, or did not answer in time.
    #[error("{what}; {}", self.remedy())]
    NotLetIn {
        /// What happened instead.
        what: &'static str,
    },
    /// What is kept on this computer cannot be read or written.
    #[error("{what}: {source}; {}", self.remedy())]
    Storage {
        /// What was attempted.
        what: String,
        /// Why not.
        source: Arc<std::io::Error>,
    },
}

impl Error {
    /// Whether the same request may succeed later without anybody doing anything.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Unavailable { .. } => true,
            Self::Refused { code, .. } => {
                matches!(code.as_str(), "temporarily_unavailable" | "server_error" | "slow_down")
            }
            _ => false,
        }
    }

    /// How long the server asked to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// What helps.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => "check the address, the network and the server",
            Self::Unavailable { .. } => "it is asked again after a while",
            Self::Refused { code, .. } => remedy_for(code),
            Self::Unreadable { .. } => "check that the issuer is that of an authorization server",
            Self::Unsupported { .. } => "choose another way that it supports",
            Self::Insecure { .. } => "give an https address",
            Self::NoIssuer { .. } => {
                "give the server's own name for itself, such as https://id.example.com, without a \
                 slash at the end"
            }
            Self::NoToken => "a token is one word of visible ASCII characters",
            Self::Key { .. } => "give an unencrypted private key as PEM or JWK",
            Self::Spent => "give another one",
            Self::NotSignedIn | Self::NotLetIn { .. } => "sign in again",
            Self::Storage { .. } => "check who may read and write there",
        }
    }
}

fn remedy_for(code: &str) -> &'static str {
    match code {
        "invalid_client" => "check the client id and its secret or key",
        "unauthorized_client" => "allow the client this grant",
        "invalid_scope" => "ask for scopes that the client may have",
        "invalid_target" => "ask for an API that the server and the client know",
        "invalid_grant" => "sign in again",
        "access_denied" => "sign in again and allow it",
        "expired_token" => "begin again and answer sooner",
        _ => "its log says more",
    }
}

fn told(description: Option<&str>) -> String {
    description.map(|text| format!(" ({text})")).unwrap_or_default()
}

/// The library names a cause only in the chain.
fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        let said = next.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = next.source();
    }
    text
}

impl From<signet_jwt::KeyError> for Error {
    fn from(error: signet_jwt::KeyError) -> Self {
        Self::Key { source: Arc::new(error) }
    }
}
