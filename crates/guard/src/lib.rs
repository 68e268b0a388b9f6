//! For APIs: who calls, and may they? Access tokens are verified offline, with keys that are fetched once.
//!
//! # One layer
//!
//! ```no_run
//! use axum::{Router, routing::{get, post}};
//! use signet_guard::{Caller, Guard, role, scope};
//!
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let guard = Guard::discover("https://id.example.com")
//!     .audience("https://api.example.com")
//!     .await?;
//!
//! let reading = Router::new()
//!     .route("/orders", get(async |caller: Caller| format!("orders of {}\n", caller.subject())))
//!     .layer(guard.require(scope("orders:read")));
//! let correcting = Router::new()
//!     .route("/orders/{id}/correction", post(async || "corrected\n"))
//!     .layer(guard.require(scope("orders:write").and(role("clerk"))));
//!
//! let api = reading.merge(correcting).layer(guard.metadata());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:9000").await?;
//! axum::serve(listener, api).await?;
//! # Ok(())
//! # }
//! ```
//!
//! That is all. A request without a good token for this API is answered with 401 and what to get; one whose
//! token lacks scope with 403 and the scope that it needs; one whose person should sign in again, or more
//! strongly, with the challenge of [RFC 9470](https://www.rfc-editor.org/rfc/rfc9470). Each refusal is
//! logged through [`tracing`] with who asked, from where and for what.
//!
//! # What is checked
//!
//! The signature, with a key of the issuer and an algorithm that is allowed; `typ`, so that an ID token is
//! nothing here; `iss`, byte for byte; `aud`; `exp`, `nbf` and `iat`, with 60 seconds for clocks that
//! differ; and that the token is not revoked. A token that is bound to a key
//! ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)) must come with a proof of it for this very
//! request, which counts once in this process.
//!
//! # What is asked of the server
//!
//! Its metadata and keys, once, and again when they are as old as they may become, when a token is signed
//! with a key that is not among them (once in ten seconds, whatever strangers send), and never by two
//! requests at once. While the server is away the last good keys serve for a day.
//!
//! Which tokens are revoked, as [`Revocation`] says: every two seconds while tokens come, or pushed. A
//! revoked token is refused within five seconds.
//!
//! Nothing else, and nothing for a token.
//!
//! # API keys
//!
//! With [`Builder::api_keys`] callers may present an API key instead of a token. It is exchanged for a
//! token once in five minutes; the [`Caller`] is its owner, with the key's scope.
//!
//! # Without axum, and without tower
//!
//! [`RequireLayer`] guards any service of tower over [`http`] whose body can be made from a string. Without
//! either, take what a request [presents](Presented) and ask:
//!
//! ```no_run
//! use signet_guard::{Caller, Guard, Presented, Refusal, permission};
//!
//! async fn who<B>(guard: &Guard, request: &http::Request<B>) -> Result<Caller, Refusal> {
//!     guard.admit(&Presented::by(request), &permission("orders.read")).await
//! }
//! ```
//!
//! A token that did not come with a request goes to [`Guard::verify_token`].
//!
//! # Features
//!
//! `axum`, which is on unless you turn it off: [`Caller`] and `Token<Claims>` as extractors, and the path
//! of a request as it was before routers were nested.

mod builder;
mod caller;
mod clock;
mod events;
mod exchange;
#[cfg(feature = "axum")]
mod extract;
mod fetch;
mod flight;
mod guard;
mod keys;
mod layer;
mod metadata;
mod presented;
mod proofs;
mod refusal;
mod require;
mod resource;
mod revocation;
mod status_list;

pub use builder::{BuildError, Builder};
pub use caller::{Actor, Caller};
pub use clock::{Clock, SystemClock};
#[cfg(feature = "axum")]
pub use extract::{NoGuard, Token};
pub use guard::Guard;
pub use keys::{KeyCache, KeysUnavailable};
pub use layer::{Guarded, MetadataLayer, RequireLayer, WithMetadata};
pub use presented::{CallerAddress, Presented};
pub use refusal::Refusal;
pub use require::{Require, anybody, permission, role, scope, sign_in_class, signed_in_within};
pub use revocation::Revocation;
pub use signet_jwt::{Algorithm, Audience, Scope, Timestamp};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
