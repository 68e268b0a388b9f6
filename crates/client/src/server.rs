//! The authorization server as its clients see it: where it is, and its token endpoint
//! ([RFC 6749 §5](https://www.rfc-editor.org/rfc/rfc6749#section-5)).

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

#[cfg(feature = "login")]
use http::HeaderMap;
use http::StatusCode;
use serde::Deserialize;
use signet_jwt::Issuer;

use crate::{
    AccessToken, Credentials, DpopKey, Error, TokenKind,
    clock::{Deadline, Moment, SharedClock},
    fetch::{Answer, Fetch, secure},
    metadata::Metadata,
    secret::Secret,
};

/// A token whose end the server does not tell is trusted for this long.
const UNSAID: Duration = Duration::from_mins(5);

/// A server, and the client that asks it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) issuer: Issuer,
    pub(crate) credentials: Credentials,
    pub(crate) key: Option<DpopKey>,
    pub(crate) clock: SharedClock,
    fetch: Fetch,
    metadata: Mutex<Option<Arc<Metadata>>>,
}

/// What the token endpoint gave.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) access: AccessToken,
    pub(crate) ends: Deadline,
    pub(crate) lifetime: Duration,
    #[cfg(feature = "login")]
    pub(crate) refresh: Option<Secret>,
    #[cfg(feature = "login")]
    pub(crate) id: Option<Secret>,
}

#[derive(Deserialize)]
struct Success {
    access_token: Secret,
    token_type: String,
    expires_in: Option<f64>,
    scope: Option<String>,
    #[cfg(feature = "login")]
    refresh_token: Option<Secret>,
    #[cfg(feature = "login")]
    id_token: Option<Secret>,
}

#[derive(Deserialize)]
struct Failure {
    error: String,
    error_description: Option<String>,
}

impl Server {
    pub(crate) fn new(
        issuer: &str,
        credentials: Credentials,
        key: Option<DpopKey>,
        clock: SharedClock,
    ) -> Result<Self, Error> {
        let no_issuer = |_| Error::NoIssuer { given: plain(issuer) };
        let issuer = issuer.parse().map_err(no_issuer)?;
        let (fetch, metadata) = (Fetch::new()?, Mutex::default());
        Ok(Self { issuer, credentials, key, clock, fetch, metadata })
    }

    /// What the server says of itself: asked for once, and again when an endpoint is not where it was.
    pub(crate) async fn metadata(&self) -> Result<Arc<Metadata>, Error> {
        if let Some(metadata) = self.known().clone() {
            return Ok(metadata);
        }
        let metadata = Arc::new(Metadata::discover(&self.issuer, &self.fetch).await?);
        *self.known() = Some(metadata.clone());
        Ok(metadata)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Option<Arc<Metadata>>> {
        self.metadata.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ask for tokens.
    pub(crate) async fn tokens(&self, grant: &[(&str, &str)]) -> Result<Tokens, Error> {
        let metadata = self.metadata().await?;
        let begun = self.clock.moment();
        let answer = self.post(&metadata.token_endpoint, grant).await?;
        if answer.status != StatusCode::OK {
            return Err(self.refusal(&answer));
        }
        self.read(&answer, begun)
    }

    /// Send a form as the client that we are. A server that wants a proof with its nonce is asked a
    /// second time (RFC 9449 §8).
    pub(crate) async fn post(&self, url: &str, form: &[(&str, &str)]) -> Result<Answer, Error> {
        let answer = self.post_once(url, form).await?;
        let news = self.remember_nonce(url, &answer);
        if news && answer.status == StatusCode::BAD_REQUEST && failure_is(&answer, "use_dpop_nonce")
        {
            let answer = self.post_once(url, form).await?;
            self.remember_nonce(url, &answer);
            return Ok(answer);
        }
        Ok(answer)
    }

    async fn post_once(&self, url: &str, form: &[(&str, &str)]) -> Result<Answer, Error> {
        let now = self.clock.moment().now;
        let mut said = self.credentials.authenticate(&self.issuer, now)?;
        if let Some(key) = &self.key {
            said.headers.insert("dpop", key.prove("POST", &secure(url)?, None, now)?);
        }
        let own = said.form.iter().map(|(name, value)| (*name, value.expose()));
        let form: Vec<_> = form.iter().copied().chain(own).collect();
        self.fetch.post(url, said.headers, &form).await
    }

    fn remember_nonce(&self, url: &str, answer: &Answer) -> bool {
        let nonce = answer.header("dpop-nonce");
        let parts = self.key.as_ref().zip(nonce).zip(secure(url).ok());
        parts.is_some_and(|((key, nonce), url)| key.remember(&url, nonce))
    }

    /// A document of the server's.
    #[cfg(feature = "login")]
    pub(crate) async fn document(&self, url: &str, headers: HeaderMap) -> Result<Vec<u8>, Error> {
        let answer = self.fetch.get(url, headers).await?;
        if answer.status != StatusCode::OK {
            return Err(self.refusal(&answer));
        }
        Ok(answer.body)
    }

    /// What an answer that is not 200 says.
    pub(crate) fn refusal(&self, answer: &Answer) -> Error {
        if answer.status.is_server_error() || answer.status == StatusCode::TOO_MANY_REQUESTS {
            return answer.unavailable();
        }
        let Ok(failure) = serde_json::from_slice::<Failure>(&answer.body) else {
            // The endpoint may have moved; what is known of it is asked for anew.
            *self.known() = None;
            return answer.unreadable("does not answer as RFC 6749 §5.2 says");
        };
        let description = failure.error_description.as_deref().map(plain);
        Error::Refused { code: plain(&failure.error), description }
    }

    fn read(&self, answer: &Answer, begun: Moment) -> Result<Tokens, Error> {
        let unlike = answer.unreadable("does not answer as RFC 6749 §5.1 says");
        let success: Success = serde_json::from_slice(&answer.body).map_err(|_| unlike.clone())?;
        let kind = match (success.token_type.to_ascii_lowercase().as_str(), &self.key) {
            ("bearer", None) => TokenKind::Bearer,
            ("dpop", Some(_)) => TokenKind::Dpop,
            // A token that is not bound would be one that a thief can use (RFC 9449 §5).
            ("bearer", Some(_)) => return Err(answer.unreadable("gives a token that is not bound")),
            _ => return Err(answer.unreadable("gives a token of an unknown type")),
        };
        let lifetime = match success.expires_in {
            None => UNSAID,
            Some(seconds) => Duration::try_from_secs_f64(seconds).map_err(|_| unlike.clone())?,
        };
        // The server began to count at some moment after the request was sent.
        let ends = begun.plus(lifetime);
        let value = success.access_token.expose();
        let access = AccessToken::new(value, kind, success.scope, Some(ends.timestamp()));
        Ok(Tokens {
            access: access.map_err(|_| unlike)?,
            ends,
            lifetime,
            #[cfg(feature = "login")]
            refresh: success.refresh_token,
            #[cfg(feature = "login")]
            id: success.id_token,
        })
    }
}

fn failure_is(answer: &Answer, code: &str) -> bool {
    serde_json::from_slice::<Failure>(&answer.body).is_ok_and(|failure| failure.error == code)
}

/// What comes from elsewhere must not move the cursor of whoever reads it, nor fill the screen.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect()
}
