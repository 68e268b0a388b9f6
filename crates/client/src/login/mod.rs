//! Sign-in for command line tools ([RFC 8252](https://www.rfc-editor.org/rfc/rfc8252)): in the browser
//! of this computer, or on another screen.
//!
//! A program that runs on somebody's computer has no secret. It sends the person to the authorization
//! server and gets tokens in their name: through a browser that comes back to a port of this computer,
//! or, where there is no browser, through a code that is typed on another device. [`Way::automatic`]
//! chooses. The tokens are kept in the operating system's keyring ([`Sessions`]), so that the person
//! signs in once, and every later run of the program finds them.
//!
//! ```no_run
//! use signet_client::login::{Login, Sessions, Way, present};
//!
//! # async fn run() -> Result<(), signet_client::Error> {
//! let sessions = Sessions::of("acme")?;
//! let session = match sessions.last().await? {
//!     Some(session) => session,
//!     None => {
//!         let login = Login::new("https://id.example.com", "acme-cli")
//!             .scope("openid offline_access orders:read");
//!         sessions.keep(login.sign_in(Way::automatic(), present).await?).await?
//!     }
//! };
//! let token = session.source()?.token().await?;
//! # Ok(())
//! # }
//! ```
//!
//! The client is registered at the server as a public one, with the grants that it uses:
//!
//! ```sh
//! signet client create --client-id acme-cli --public --redirect-uri http://127.0.0.1/callback \
//!   --grant authorization_code --grant refresh_token \
//!   --grant urn:ietf:params:oauth:grant-type:device_code --scope "openid offline_access orders:read"
//! ```
//!
//! # Several processes
//!
//! A refresh token counts once: a server that sees one twice takes it for stolen. Processes of one
//! person therefore take turns. Whoever wants to renew takes a lock (a file beside the kept session),
//! looks again at what is kept, since another one may have renewed it in the meantime, and only then
//! asks the server.

mod browser;
mod device;
mod id_token;
mod keep;
mod lock;
mod loopback;
mod present;
mod session;
mod sign_out;
mod userinfo;

use crate::{
    Clock, Credentials, Error, SystemClock,
    clock::SharedClock,
    server::{Server, Tokens},
};

pub use keep::{Kept, Sessions};
pub use present::{Prompt, Way, open, present};
pub use session::Session;

/// How a program asks somebody to sign in.
#[derive(Clone, Debug)]
#[must_use = "nothing happens until `sign_in`"]
pub struct Login {
    issuer: String,
    client_id: String,
    scope: Option<String>,
    resources: Vec<String>,
    clock: SharedClock,
}

/// Somebody has signed in, and nothing of it is kept yet: see [`Sessions::keep`].
#[derive(Debug)]
#[must_use = "the tokens are lost unless they are kept"]
pub struct SignedIn {
    pub(crate) login: Login,
    pub(crate) tokens: Tokens,
    pub(crate) person: Option<Person>,
}

/// Who has signed in, as the ID token and userinfo say.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Person {
    /// The server's own name for the person; it never changes.
    #[serde(rename = "sub")]
    pub subject: String,
    /// The name by which they call themselves, where the scope allows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Their address, where the scope allows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

impl Login {
    /// Sign in at this issuer as this client.
    pub fn new(issuer: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            client_id: client_id.into(),
            scope: None,
            resources: Vec::new(),
            clock: SharedClock::new(SystemClock::new()),
        }
    }

    /// The scopes, parted by spaces. `openid` says who has signed in, and `offline_access` lets the
    /// program go on when the browser is closed.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// An API that the tokens are for; several, if it is called several times.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resources.push(resource.into());
        self
    }

    /// Another clock than the system's, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = SharedClock::new(clock);
        self
    }

    /// Sign somebody in. What they have to do is shown by `show`, such as [`present`].
    pub async fn sign_in(
        &self,
        way: Way,
        show: impl FnOnce(&Prompt) + Send,
    ) -> Result<SignedIn, Error> {
        let server = self.server()?;
        let (tokens, nonce) = match way {
            Way::Browser => browser::sign_in(self, &server, show).await?,
            Way::Device => (device::sign_in(self, &server, show).await?, None),
        };
        let person = match &tokens.id {
            Some(token) => {
                let person = id_token::read(&server, token.expose(), nonce.as_deref()).await?;
                Some(userinfo::named(&server, &tokens.access, person).await)
            }
            None => None,
        };
        Ok(SignedIn { login: self.clone(), tokens, person })
    }

    pub(crate) fn server(&self) -> Result<Server, Error> {
        let credentials = Credentials::public(&self.client_id);
        Server::new(&self.issuer, credentials, None, self.clock.clone())
    }

    /// What is asked for, whichever way is taken.
    fn wishes(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let scope = self.scope.iter().map(|scope| ("scope", scope.as_str()));
        scope.chain(self.resources.iter().map(|resource| ("resource", resource.as_str())))
    }

    fn asks_who(&self) -> bool {
        self.scope.as_deref().is_some_and(|scope| scope.split(' ').any(|one| one == "openid"))
    }
}

impl SignedIn {
    /// Who has signed in, if `openid` was asked for.
    #[must_use]
    pub fn person(&self) -> Option<&Person> {
        self.person.as_ref()
    }
}
