//! A middleware of reqwest that carries the tokens.

use std::collections::HashSet;

use http::{Extensions, StatusCode, header};
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next};
use url::Url;

use crate::{AccessToken, Error, TokenSource, fetch::secure};

/// Puts a token on every request to the APIs that it is for, and repeats a request once, with another
/// token, when an API answers 401.
///
/// - *Where tokens go.* To the origins that were named with [`Authorize::to`], and to those of the
///   source's resources that are addresses. A request to anywhere else goes out without a token, and
///   so does what a redirect makes of a request when it leads to another origin.
/// - *What is repeated.* A request that was refused with 401, once, if its body can be sent twice: a
///   stream cannot. A server that wants its DPoP nonce in the proof gets it in the same way
///   ([RFC 9449 §9](https://www.rfc-editor.org/rfc/rfc9449#section-9)).
/// - *What is left alone.* A request that has an `Authorization` header already.
///
/// A redirect within an API is followed by reqwest with the same headers; a DPoP proof is for one
/// address and does not count at another, so APIs that take bound tokens should not redirect.
#[derive(Clone, Debug)]
pub struct Authorize {
    source: TokenSource,
    origins: HashSet<String>,
}

impl Authorize {
    /// Tokens of this source, for the APIs among its resources.
    #[must_use]
    pub fn new(source: TokenSource) -> Self {
        let addresses = source.apis().iter().filter_map(|api| secure(api).ok());
        let origins = addresses.map(|url| url.origin().ascii_serialization()).collect();
        Self { source, origins }
    }

    /// An API that gets tokens too: any address of its origin, https or http on a loopback host.
    pub fn to(mut self, api: &str) -> Result<Self, Error> {
        self.origins.insert(secure(api)?.origin().ascii_serialization());
        Ok(self)
    }

    fn gets_tokens(&self, request: &Request) -> bool {
        let origin = request.url().origin().ascii_serialization();
        !request.headers().contains_key(header::AUTHORIZATION) && self.origins.contains(&origin)
    }

    fn sign(&self, request: &mut Request, token: &AccessToken) -> Result<(), Error> {
        if let Some(key) = self.source.dpop_key() {
            let now = self.source.clock().moment().now;
            let method = request.method().as_str();
            let proof = key.prove(method, request.url(), Some(token), now)?;
            request.headers_mut().insert("dpop", proof);
        }
        request.headers_mut().insert(header::AUTHORIZATION, token.authorization());
        Ok(())
    }

    /// The token with which a refused request is worth another attempt.
    async fn another(
        &self,
        url: &Url,
        response: &Response,
        token: AccessToken,
    ) -> Option<AccessToken> {
        let news = self.remember_nonce(url, response);
        if response.status() != StatusCode::UNAUTHORIZED {
            return None;
        }
        if news && wants_nonce(response) {
            return Some(token);
        }
        self.source.reject(&token);
        // Whoever rejected it first has brought another one, or is about to.
        let next = self.source.token().await.ok()?;
        (!next.is(&token)).then_some(next)
    }

    fn remember_nonce(&self, url: &Url, response: &Response) -> bool {
        // After a redirect the answer is somebody else's.
        let own = response.url().origin() == url.origin();
        let nonce = response.headers().get("dpop-nonce").and_then(|nonce| nonce.to_str().ok());
        let parts = self.source.dpop_key().zip(nonce).filter(|_| own);
        parts.is_some_and(|(key, nonce)| key.remember(url, nonce))
    }
}

fn wants_nonce(response: &Response) -> bool {
    let challenges = response.headers().get_all(header::WWW_AUTHENTICATE).into_iter();
    challenges.filter_map(|value| value.to_str().ok()).any(|text| text.contains("use_dpop_nonce"))
}

#[async_trait::async_trait]
impl Middleware for Authorize {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        if !self.gets_tokens(&request) {
            return next.run(request, extensions).await;
        }
        let token = self.source.token().await.map_err(failed)?;
        let (again, url) = (request.try_clone(), request.url().clone());
        self.sign(&mut request, &token).map_err(failed)?;
        let response = next.clone().run(request, extensions).await?;

        let Some(token) = self.another(&url, &response, token).await else {
            return Ok(response);
        };
        let Some(mut request) = again else {
            return Ok(response);
        };
        self.sign(&mut request, &token).map_err(failed)?;
        let response = next.run(request, extensions).await?;
        self.remember_nonce(&url, &response);
        Ok(response)
    }
}

fn failed(error: Error) -> reqwest_middleware::Error {
    reqwest_middleware::Error::middleware(error)
}
