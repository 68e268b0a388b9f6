//! A guard around a service of tower.

use std::{
    future::{Ready, ready},
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::future::Either;
use http::{HeaderValue, Method, Request, Response, header};
use tower_layer::Layer;
use tower_service::Service;

use crate::{guard::Guard, presented::Presented, require::Require};

/// Puts a guard in front of a service: [`Guard::require`]. What gets through has its [`Caller`](crate::Caller) among the
/// request's extensions.
#[derive(Clone, Debug)]
pub struct RequireLayer {
    guard: Guard,
    required: Require,
}

/// A service that is guarded.
#[derive(Clone, Debug)]
pub struct Guarded<S> {
    inner: S,
    guard: Guard,
    required: Require,
}

/// Answers for the metadata of an API: [`Guard::metadata`].
#[derive(Clone, Debug)]
pub struct MetadataLayer {
    path: Option<String>,
    body: String,
}

/// A service beside which metadata are served.
#[derive(Clone, Debug)]
pub struct WithMetadata<S> {
    inner: S,
    layer: MetadataLayer,
}

impl Guard {
    /// A layer that lets through callers who have what is required.
    ///
    /// ```no_run
    /// use axum::{Router, routing::get};
    /// use signet_guard::{Caller, Guard, scope};
    ///
    /// fn api(guard: &Guard) -> Router {
    ///     Router::new()
    ///         .route("/orders", get(async |caller: Caller| format!("{}\n", caller.subject())))
    ///         .layer(guard.require(scope("orders:read")))
    /// }
    /// ```
    #[must_use]
    pub fn require(&self, required: Require) -> RequireLayer {
        RequireLayer { guard: self.clone(), required }
    }

    /// A layer that answers for the metadata of this API
    /// ([RFC 9728 §3](https://www.rfc-editor.org/rfc/rfc9728#section-3)), by which a client finds the
    /// authorization server. Put it around everything else: from now on every challenge says where they
    /// are. An API whose audience is not an http or https address has none, and the layer does nothing.
    #[must_use]
    pub fn metadata(&self) -> MetadataLayer {
        let resource = &self.0.resource;
        MetadataLayer {
            path: resource.publish().map(str::to_owned),
            body: resource.metadata().to_string(),
        }
    }
}

impl<S> Layer<S> for RequireLayer {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, guard: self.guard.clone(), required: self.required.clone() }
    }
}

impl<S, B, R> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The one that is ready is the one to call.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        let (guard, required) = (self.guard.clone(), self.required.clone());
        Box::pin(async move {
            let presented = Presented::by(&request);
            match guard.admit(&presented, &required).await {
                Ok(caller) => {
                    request.extensions_mut().insert(caller);
                    inner.call(request).await
                }
                Err(refusal) => Ok(refusal.into_response()),
            }
        })
    }
}

impl<S> Layer<S> for MetadataLayer {
    type Service = WithMetadata<S>;

    fn layer(&self, inner: S) -> WithMetadata<S> {
        WithMetadata { inner, layer: self.clone() }
    }
}

impl<S, B, R> Service<Request<B>> for WithMetadata<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Either<Ready<Result<Response<R>, S::Error>>, S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        if reads && Some(request.uri().path()) == self.layer.path.as_deref() {
            return Either::Left(ready(Ok(self.layer.answer())));
        }
        Either::Right(self.inner.call(request))
    }
}

impl MetadataLayer {
    fn answer<R: From<String>>(&self) -> Response<R> {
        let mut response = Response::new(R::from(self.body.clone()));
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, "public, max-age=300"),
            // Scripts of any origin may learn whom to ask for a token.
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}
