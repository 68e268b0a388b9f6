//! How a guard is made.

use std::{fmt, future::IntoFuture, pin::Pin, sync::Arc};

use signet_jwt::{Algorithm, Invalid, Issuer, Scope};
use url::Url;

use crate::{
    clock::{Clock, SharedClock, SystemClock},
    exchange::Exchange,
    fetch::Fetch,
    guard::{Guard, Inner, TokenRules},
    keys::KeyCache,
    proofs::Proofs,
    resource::Resource,
    revocation::{Revocation, Revocations},
};

/// How far clocks may differ, in seconds.
const LEEWAY: u32 = 60;

/// For how many seconds a proof is fresh, unless the clocks differ.
const PROOF_LIVES: i64 = 60;

/// A guard in the making: [`Guard::discover`]. Waiting for it fetches the keys, so that a program that
/// cannot reach its server does not start; [`build`](Self::build) makes one that fetches them with the
/// first token.
pub struct Builder {
    issuer: String,
    audience: Vec<String>,
    algorithms: Vec<Algorithm>,
    leeway: u32,
    revocation: Revocation,
    lenient: bool,
    client: Option<(String, String)>,
    base_url: Option<String>,
    scopes: Scope,
    clock: SharedClock,
}

/// Why there is no guard.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The issuer is not a URL that an issuer can have.
    #[error(
        "the issuer is not an https URL without query and fragment: take it as the server prints it"
    )]
    Issuer(#[source] Invalid),
    /// No audience was given, or an empty one.
    #[error("no audience: say what your API is registered as, with audience(..)")]
    Audience,
    /// The list of algorithms is empty.
    #[error("no algorithm is allowed: name one, or leave the choice to the guard")]
    Algorithms,
    /// The base URL is not one.
    #[error("the base URL is not an http or https URL without query and fragment")]
    BaseUrl,
    /// There is no client to fetch keys with.
    #[error("no HTTP client can be made: {0}")]
    Client(String),
    /// The server gives no keys.
    #[error("the authorization server gives no keys: {0}")]
    Server(String),
}

impl Builder {
    pub(crate) fn new(issuer: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            audience: Vec::new(),
            algorithms: Algorithm::ALL.to_vec(),
            leeway: LEEWAY,
            revocation: Revocation::default(),
            lenient: false,
            client: None,
            base_url: None,
            scopes: Scope::empty(),
            clock: SharedClock::new(SystemClock::default()),
        }
    }

    /// What this API is registered as: what `aud` of its tokens has. Called again, it adds another name;
    /// the first is the one that keys are exchanged for and that metadata speak of.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience.push(audience.into());
        self
    }

    /// The algorithms that tokens may be signed with. All that are safe, unless this says less.
    #[must_use]
    pub fn algorithms(mut self, algorithms: &[Algorithm]) -> Self {
        self.algorithms = algorithms.to_vec();
        self
    }

    /// By how many seconds the server's clock and the caller's may differ from this one; 60, unless this
    /// says otherwise.
    #[must_use]
    pub fn leeway(mut self, seconds: u32) -> Self {
        self.leeway = seconds;
        self
    }

    /// How revocations are learnt; by the published lists, unless this says otherwise.
    #[must_use]
    pub fn revocation(mut self, revocation: Revocation) -> Self {
        self.revocation = revocation;
        self
    }

    /// Accept tokens of which it cannot be learnt whether they are revoked: when the last list is too old
    /// to believe and no newer one can be had. Without this they are answered with 503.
    #[must_use]
    pub fn accept_when_revocation_is_unknown(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// Take API keys, as `X-API-Key` or as bearer: this client, whose grants have token exchange and which
    /// is the client of this API, exchanges them.
    #[must_use]
    pub fn api_keys(mut self, id: impl Into<String>, secret: impl Into<String>) -> Self {
        self.client = Some((id.into(), secret.into()));
        self
    }

    /// How this API is reached from outside: what stands before the path of a request. It is what proofs
    /// of a caller's key are compared with; the origin of the audience, unless this says otherwise.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The scopes that the metadata of this API tell of.
    #[must_use]
    pub fn scopes_supported(mut self, scopes: Scope) -> Self {
        self.scopes = scopes;
        self
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = SharedClock::new(clock);
        self
    }

    /// A guard that has no keys yet: the first token makes it fetch them.
    pub fn build(self) -> Result<Guard, BuildError> {
        let issuer: Issuer = self.issuer.parse().map_err(BuildError::Issuer)?;
        let audience = self.audience.first().ok_or(BuildError::Audience)?.clone();
        if self.audience.iter().any(String::is_empty) {
            return Err(BuildError::Audience);
        }
        if self.algorithms.is_empty() {
            return Err(BuildError::Algorithms);
        }
        let base = base(self.base_url.as_deref(), &audience)?;

        let fetch = Fetch::new().map_err(|error| BuildError::Client(error.to_string()))?;
        let keys = KeyCache::new(issuer.clone(), fetch.clone(), self.clock.clone());
        let follow = |listen| {
            let (issuer, keys, fetch) = (issuer.clone(), keys.clone(), fetch.clone());
            Revocations::new(issuer, keys, fetch, self.clock.clone(), listen)
        };
        let revocations = match self.revocation {
            Revocation::Lists => Some(follow(false)),
            Revocation::Events => Some(follow(true)),
            Revocation::Off => None,
        };
        let exchange = self.client.as_ref().map(|(id, secret)| {
            let (keys, fetch) = (keys.clone(), fetch.clone());
            Exchange::new((id, secret), audience.clone(), keys, fetch, self.clock.clone())
        });

        let leeway = i64::from(self.leeway);
        Ok(Guard(Arc::new(Inner {
            resource: Resource::new(&audience, &issuer, &self.scopes),
            rules: TokenRules {
                issuer,
                audience: self.audience,
                algorithms: self.algorithms,
                leeway,
            },
            proofs: Proofs::new(PROOF_LIVES + 2 * leeway + 1),
            proof_lives: PROOF_LIVES + leeway,
            keys,
            revocations,
            lenient: self.lenient,
            exchange,
            base,
            clock: self.clock,
        })))
    }
}

// It holds a secret.
impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { issuer, audience, .. } = self;
        f.debug_struct("Builder")
            .field("issuer", issuer)
            .field("audience", audience)
            .finish_non_exhaustive()
    }
}

impl IntoFuture for Builder {
    type Output = Result<Guard, BuildError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async {
            let guard = self.build()?;
            let loaded = guard.keys().load().await;
            loaded.map_err(|error| BuildError::Server(error.to_string()))?;
            Ok(guard)
        })
    }
}

/// What stands before the path of every request. An audience that is no address says nothing of it.
fn base(stated: Option<&str>, audience: &str) -> Result<Option<String>, BuildError> {
    let parse =
        |text: &str| Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some(stated) = stated else {
        return Ok(parse(audience).map(|url| url.origin().ascii_serialization()));
    };
    let url = parse(stated).filter(|url| url.query().is_none() && url.fragment().is_none());
    let url = url.ok_or(BuildError::BaseUrl)?;
    Ok(Some(url.as_str().trim_end_matches('/').to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://id.example.com";

    fn builder() -> Builder {
        Builder::new(ISSUER).audience("https://api.example.com/orders")
    }

    #[test]
    fn what_cannot_work_is_refused_at_the_start() {
        assert!(builder().build().is_ok());
        assert!(matches!(Builder::new("x").audience("a").build(), Err(BuildError::Issuer(_))));
        assert!(matches!(Builder::new(ISSUER).build(), Err(BuildError::Audience)));
        assert!(matches!(builder().audience("").build(), Err(BuildError::Audience)));
        assert!(matches!(builder().algorithms(&[]).build(), Err(BuildError::Algorithms)));
        for url in ["", "api", "ftp://api", "https://api/?x"] {
            assert!(matches!(builder().base_url(url).build(), Err(BuildError::BaseUrl)), "{url}");
        }
    }

    #[test]
    fn a_secret_does_not_get_into_a_log() {
        let builder = builder().api_keys("orders-api", "hunter2");
        assert!(!format!("{builder:?}").contains("hunter2"));
    }

    #[test]
    fn an_api_is_where_its_audience_says_unless_it_says_otherwise() {
        let base = |stated, audience| base(stated, audience).unwrap();
        assert_eq!(base(None, "https://api.test:8443/x").unwrap(), "https://api.test:8443");
        assert_eq!(base(None, "urn:orders"), None);
        assert_eq!(base(Some("https://out.test/v1/"), "urn:x").unwrap(), "https://out.test/v1");
    }
}
