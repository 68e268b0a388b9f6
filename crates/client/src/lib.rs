//! For those who call APIs: access tokens that are there when they are needed, and sign-in for command
//! line tools.
//!
//! An API wants an access token with every request. Tokens end after minutes, servers have outages, and a
//! thousand tasks want one at the same moment. This crate takes care of that for any OAuth 2.0 server:
//!
//! - [`TokenSource`] gets tokens for a service, keeps one in memory, and gets the next one ahead of time.
//! - [`Authorize`](struct.Authorize.html), a middleware of reqwest, puts them on requests, and nowhere else than to the APIs
//!   that they are for.
//! - [`login`](login/index.html) signs people in from a command line tool, and keeps what comes of it in the keyring.
//! - [`Environment`] finds a token or a key that a program was given, before anything else.
//!
//! # A service
//!
//! A service has credentials of its own. The issuer is the server's name for itself; its endpoints are
//! discovered with the first token.
//!
//! ```no_run
//! use signet_client::{Credentials, TokenSource};
//!
//! # async fn run() -> Result<(), signet_client::Error> {
//! let source = TokenSource::client_credentials(
//!     "https://id.example.com",
//!     Credentials::secret("billing", std::fs::read_to_string("/run/secrets/billing").unwrap()),
//! )
//! .resource("https://api.example.com")
//! .scope("orders:read")
//! .build()?;
//!
//! let token = source.token().await?;
//! println!("it ends at {:?}", token.expires_at());
//! # Ok(())
//! # }
//! ```
//!
//! Make one source and clone it: clones share the token and the request for the next one. What happens
//! when is told at [`TokenSource`].
//!
//! # Requests
//!
//! With the feature `middleware`, which is on unless it is turned off:
//!
//! ```no_run
//! # #[cfg(feature = "middleware")]
//! # async fn run(source: signet_client::TokenSource) -> Result<(), Box<dyn std::error::Error>> {
//! use reqwest_middleware::ClientBuilder;
//! use signet_client::Authorize;
//!
//! let http = reqwest::Client::builder().build()?;
//! let api = ClientBuilder::new(http)
//!     .with(Authorize::new(source).to("https://api.example.com")?)
//!     .build();
//!
//! let orders = api.get("https://api.example.com/orders").send().await?;
//! # Ok(())
//! # }
//! ```
//!
//! Without it, a request carries [`AccessToken::authorization`], and a 401 is told with
//! [`TokenSource::reject`]:
//!
//! ```no_run
//! # async fn run(source: signet_client::TokenSource) -> Result<(), Box<dyn std::error::Error>> {
//! # let http = reqwest::Client::builder().build()?;
//! let token = source.token().await?;
//! let request = http.get("https://api.example.com/orders");
//! let response = request.header("authorization", token.authorization()).send().await?;
//! if response.status() == 401 {
//!     source.reject(&token);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Keys instead of secrets
//!
//! A secret is sent with every token request, and whoever sees it can use it. A key stays where it is
//! (`private_key_jwt`, [RFC 7523](https://www.rfc-editor.org/rfc/rfc7523)):
//!
//! ```
//! use signet_client::Credentials;
//!
//! # fn main() -> Result<(), signet_client::Error> {
//! let pem = "-----BEGIN PRIVATE KEY-----
//! MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
//! -----END PRIVATE KEY-----";
//! let credentials = Credentials::key("billing", pem)?;
//! # Ok(())
//! # }
//! ```
//!
//! And tokens can be bound to a key, so that a stolen one is worthless ([DPoP](DpopKey),
//! [RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)). The middleware then sends the proofs:
//!
//! ```
//! use signet_client::{Credentials, DpopKey, TokenSource};
//!
//! # fn main() -> Result<(), signet_client::Error> {
//! let source = TokenSource::client_credentials(
//!     "https://id.example.com",
//!     Credentials::secret("billing", "s3cret"),
//! )
//! .dpop(DpopKey::generate()?)
//! .build()?;
//! # Ok(())
//! # }
//! ```
//!
//! # What a program is given
//!
//! In a container or a build, a program gets its token from outside. Look there first:
//!
//! ```
//! use signet_client::Environment;
//!
//! # fn main() -> Result<(), signet_client::Error> {
//! // ACME_TOKEN, or else ACME_API_KEY.
//! if let Some(source) = Environment::of("acme").source()? {
//!     // … it is used as it is.
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Errors
//!
//! An [`Error`] says what happened and what helps, and holds no secret. [`Error::is_temporary`] tells
//! those that pass from those that somebody has to mend.
//!
//! ```
//! use signet_client::{Credentials, TokenSource};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), signet_client::Error> {
//! let nobody = "http://127.0.0.1:1";
//! let source = TokenSource::client_credentials(nobody, Credentials::secret("a", "b")).build()?;
//! let error = source.token().await.unwrap_err();
//! assert!(error.is_temporary());
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! - `middleware` (on): [`Authorize`](struct.Authorize.html).
//! - `login`: the module [`login`](login/index.html), with the operating system's keyring and browser.
//!
//! TLS is rustls with the system's roots; there is no OpenSSL. Tokens and secrets travel over https, and
//! over http to loopback hosts alone; what is sent to the authorization server follows no redirect.

mod access_token;
mod client_credentials;
mod clock;
mod credentials;
mod environment;
mod error;
mod fetch;
#[cfg(feature = "login")]
pub mod login;
mod metadata;
#[cfg(feature = "middleware")]
mod middleware;
mod proof;
mod random;
mod secret;
mod server;
mod source;
mod state;

pub use access_token::{AccessToken, TokenKind};
pub use clock::{Clock, SystemClock};
pub use credentials::Credentials;
pub use environment::Environment;
pub use error::Error;
#[cfg(feature = "middleware")]
pub use middleware::Authorize;
pub use proof::DpopKey;
pub use signet_jwt::{Algorithm, KeyId, Thumbprint, Timestamp};
pub use source::{TokenSource, TokenSourceBuilder};

#[cfg(all(doctest, feature = "middleware"))]
#[doc = include_str!("../README.md")]
struct Readme;
