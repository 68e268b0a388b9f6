//! A source of tokens: one that lives is at hand, and the next one is asked for once, however many
//! want it.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::watch;

use crate::{
    AccessToken, DpopKey, Error,
    client_credentials::ClientCredentials,
    clock::{Clock, SharedClock, SystemClock},
    credentials::Credentials,
    state::{Next, Obtained, Pending, State},
};

/// Where tokens come from. It is cheap to clone; clones share what they hold.
///
/// A token is served from memory while it lives. Somewhere between 75 and 90 per cent of its life the
/// next one is asked for in the background; should that fail, it is tried again ever less often, and
/// the old token is served until it ends. Whoever wants a token while there is none waits for the one
/// request that is under way, and when it fails, everybody is told the same [`Error`]. Nothing is
/// asked for while nobody calls.
///
/// A task that is cancelled while it waits cancels nothing for the others.
#[derive(Clone)]
pub struct TokenSource(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    obtain: Box<dyn Obtain>,
    clock: SharedClock,
    key: Option<DpopKey>,
    #[cfg_attr(
        not(feature = "middleware"),
        expect(dead_code, reason = "the middleware asks for it")
    )]
    apis: Vec<String>,
}

/// The way to the next token.
pub(crate) trait Obtain: Send + Sync + 'static {
    /// Obtain a token that is not the rejected one.
    fn obtain(&self, rejected: Option<AccessToken>) -> Errand<'_>;
}

pub(crate) type Errand<'a> = Pin<Box<dyn Future<Output = Result<Obtained, Error>> + Send + 'a>>;

impl TokenSource {
    /// Tokens for the client itself ([RFC 6749 §4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)).
    /// The issuer is the server's own name for itself; everything else about it is discovered with the
    /// first token, so that a server that is down does not keep a program from starting.
    pub fn client_credentials(issuer: &str, credentials: Credentials) -> TokenSourceBuilder {
        TokenSourceBuilder {
            issuer: issuer.to_owned(),
            credentials,
            scope: None,
            resources: Vec::new(),
            audience: None,
            key: None,
            clock: SharedClock::new(SystemClock::new()),
        }
    }

    /// A token that came from elsewhere and cannot be renewed, such as one from the environment.
    #[must_use]
    pub fn fixed(token: AccessToken) -> Self {
        let clock = SharedClock::new(SystemClock::new());
        Self::new(Fixed(token), clock, None, Vec::new())
    }

    pub(crate) fn new(
        obtain: impl Obtain,
        clock: SharedClock,
        key: Option<DpopKey>,
        apis: Vec<String>,
    ) -> Self {
        let (state, obtain) = (Mutex::default(), Box::new(obtain));
        Self(Arc::new(Inner { state, obtain, clock, key, apis }))
    }

    /// A token that lives. It has to be called in a tokio runtime.
    pub async fn token(&self) -> Result<AccessToken, Error> {
        loop {
            let mut pending = match self.next() {
                Next::Take(token) | Next::TakeAndBegin(token) => return Ok(token),
                Next::GiveUp(error) => return Err(error),
                Next::Wait(pending) => pending,
                Next::Begin => continue,
            };
            // An errand that ended without a word is begun again.
            if let Ok(outcome) = pending.wait_for(Option::is_some).await
                && let Some(outcome) = outcome.clone()
            {
                return outcome;
            }
        }
    }

    /// Say that an API answered this token with 401. The next call brings another one. It does not
    /// matter how many say it of the same token, or how late; and where a token that replaced a
    /// rejected one is rejected too within half a minute, it is kept, since age is not why.
    pub fn reject(&self, token: &AccessToken) {
        let moment = self.0.clock.moment();
        self.state().reject(token, moment);
    }

    /// The key that the tokens are bound to, if they are.
    #[must_use]
    pub fn dpop_key(&self) -> Option<&DpopKey> {
        self.0.key.as_ref()
    }

    #[cfg(feature = "middleware")]
    pub(crate) fn apis(&self) -> &[String] {
        &self.0.apis
    }

    #[cfg(feature = "middleware")]
    pub(crate) fn clock(&self) -> &SharedClock {
        &self.0.clock
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be done, with an errand begun where it is needed.
    fn next(&self) -> Next {
        let mut state = self.state();
        match state.next(self.0.clock.moment()) {
            Next::TakeAndBegin(token) => {
                self.begin(&mut state);
                Next::Take(token)
            }
            Next::Begin => Next::Wait(self.begin(&mut state)),
            next => next,
        }
    }

    /// The errand is a task of its own: it goes on when whoever began it goes away.
    fn begin(&self, state: &mut State) -> Pending {
        let (done, pending) = watch::channel(None);
        let rejected = state.begin(pending.clone());
        let this = self.clone();
        #[expect(clippy::disallowed_methods, reason = "an errand outlives the call that began it")]
        tokio::spawn(async move {
            let result = this.0.obtain.obtain(rejected).await;
            if let Err(error) = &result {
                tracing::warn!(%error, "no new access token");
            }
            let outcome = this.state().end(result, this.0.clock.moment());
            done.send_replace(Some(outcome));
        });
        pending
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource").field("key", &self.0.key).finish_non_exhaustive()
    }
}

/// What a client asks for.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct TokenSourceBuilder {
    issuer: String,
    credentials: Credentials,
    scope: Option<String>,
    resources: Vec<String>,
    audience: Option<String>,
    key: Option<DpopKey>,
    clock: SharedClock,
}

impl TokenSourceBuilder {
    /// The scopes, parted by spaces. Without them the server gives what the client may have.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// An API that the tokens are for ([RFC 8707](https://www.rfc-editor.org/rfc/rfc8707)); several, if
    /// it is called several times. Where it is an address, the middleware sends tokens to its origin.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resources.push(resource.into());
        self
    }

    /// An API by the parameter that some servers have instead of `resource`.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// Bind the tokens to a key ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)): nobody else can
    /// use them.
    pub fn dpop(mut self, key: DpopKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Another clock than the system's, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = SharedClock::new(clock);
        self
    }

    /// The source. No request is made before the first token is wanted.
    pub fn build(self) -> Result<TokenSource, Error> {
        let Self { issuer, credentials, scope, resources, audience, key, clock } = self;
        let apis = resources.clone();
        let (server_key, server_clock) = (key.clone(), clock.clone());
        let server = crate::server::Server::new(&issuer, credentials, server_key, server_clock)?;
        let grant = ClientCredentials { server, scope, resources, audience };
        Ok(TokenSource::new(grant, clock, key, apis))
    }
}

/// A token that cannot be renewed.
struct Fixed(AccessToken);

impl Obtain for Fixed {
    fn obtain(&self, rejected: Option<AccessToken>) -> Errand<'_> {
        let obtained = Obtained {
            token: self.0.clone(),
            ends: None,
            lifetime: std::time::Duration::ZERO,
            failed: None,
        };
        Box::pin(std::future::ready(rejected.map_or(Ok(obtained), |_| Err(Error::Spent))))
    }
}
