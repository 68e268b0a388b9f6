//! A sign-in that is kept, and its tokens: refreshed ahead of their end, and by one process at a time
//! ([RFC 6749 §6](https://www.rfc-editor.org/rfc/rfc6749#section-6)).

use std::time::Duration;

use signet_jwt::Timestamp;

use super::{
    Kept, Login, Person, Sessions,
    keep::{Record, Secrets, blocking},
    lock::Lock,
};
use crate::{
    AccessToken, Error, TokenSource,
    clock::Moment,
    server::Server,
    source::{Errand, Obtain},
    state::Obtained,
};

/// At which part of its life, in per cent, a token is old enough to be renewed. Sources begin to want
/// another one no earlier.
const OLD: i64 = 75;

/// Somebody has signed in on this computer.
#[derive(Clone, Debug)]
pub struct Session {
    sessions: Sessions,
    record: Record,
}

impl Session {
    pub(super) fn new(sessions: Sessions, record: Record) -> Self {
        Self { sessions, record }
    }

    /// The tokens of this session.
    pub fn source(&self) -> Result<TokenSource, Error> {
        let (session, server) = (self.clone(), self.server()?);
        let (clock, apis) = (self.sessions.clock.clone(), self.record.resources.clone());
        Ok(TokenSource::new(Refreshing { session, server }, clock, None, apis))
    }

    /// The server that it is with.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.record.issuer
    }

    /// The client that was signed in to.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.record.client_id
    }

    /// Who has signed in, if `openid` was asked for.
    #[must_use]
    pub fn person(&self) -> Option<&Person> {
        self.record.person.as_ref()
    }

    /// The APIs that its tokens are for, where some were named.
    #[must_use]
    pub fn resources(&self) -> &[String] {
        &self.record.resources
    }

    /// When that was.
    #[must_use]
    pub fn signed_in_at(&self) -> Timestamp {
        self.record.signed_in_at
    }

    /// Where its tokens are.
    #[must_use]
    pub fn kept(&self) -> Kept {
        self.record.kept
    }

    /// The access token that is kept, without asking anybody: it may have ended, or be missing.
    pub async fn kept_token(&self) -> Result<Option<AccessToken>, Error> {
        let secrets = self.secrets().await?.ok_or(Error::NotSignedIn)?;
        secrets.access_token()
    }

    pub(super) fn is_of(&self, issuer: &str, client_id: &str) -> bool {
        (self.issuer(), self.client_id()) == (issuer, client_id)
    }

    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    pub(super) fn record_mut(&mut self) -> &mut Record {
        &mut self.record
    }

    pub(super) fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    pub(super) fn server(&self) -> Result<Server, Error> {
        let login = Login::new(&self.record.issuer, &self.record.client_id);
        Login { clock: self.sessions.clock.clone(), ..login }.server()
    }

    pub(super) async fn secrets(&self) -> Result<Option<Secrets>, Error> {
        let this = self.clone();
        blocking(move || this.read()).await
    }

    /// The lock, and what is kept once it is held.
    pub(super) async fn locked(&self) -> Result<(Lock, Option<Secrets>), Error> {
        let this = self.clone();
        blocking(move || Ok((this.lock()?, this.read()?))).await
    }

    async fn save(&self, secrets: Secrets) -> Result<(), Error> {
        let this = self.clone();
        blocking(move || this.write(&secrets)).await
    }
}

/// The way to the next token of a session.
struct Refreshing {
    session: Session,
    server: Server,
}

impl Obtain for Refreshing {
    fn obtain(&self, rejected: Option<AccessToken>) -> Errand<'_> {
        Box::pin(async move {
            let kept = self.session.secrets().await?.ok_or(Error::NotSignedIn)?;
            if let Some(fresh) = self.fresh(&kept, rejected.as_ref())? {
                return Ok(fresh);
            }

            let (lock, kept) = self.session.locked().await?;
            let kept = kept.ok_or(Error::NotSignedIn)?;
            // Another process may have been here while we waited.
            if let Some(fresh) = self.fresh(&kept, rejected.as_ref())? {
                return Ok(fresh);
            }
            let refreshed = self.refresh(&kept).await;
            drop(lock);

            match (refreshed, self.alive(&kept, rejected.as_ref())?) {
                (Err(error), Some(old)) => Ok(Obtained { failed: Some(error), ..old }),
                (refreshed, _) => refreshed,
            }
        })
    }
}

impl Refreshing {
    /// The kept token, if it has most of its life before it and is not the rejected one.
    fn fresh(
        &self,
        kept: &Secrets,
        rejected: Option<&AccessToken>,
    ) -> Result<Option<Obtained>, Error> {
        let age = self.moment().now.since(kept.obtained_at);
        let life = kept.expires_at.since(kept.obtained_at);
        // A clock that was set back tells nothing about the age.
        let old = age < 0 || age.saturating_mul(100) >= life.saturating_mul(OLD);
        if old { Ok(None) } else { self.alive(kept, rejected) }
    }

    /// The kept token, if it lives and is not the rejected one.
    fn alive(
        &self,
        kept: &Secrets,
        rejected: Option<&AccessToken>,
    ) -> Result<Option<Obtained>, Error> {
        let moment = self.moment();
        let left = kept.expires_at.since(moment.now);
        let Some(token) = kept.access_token()?.filter(|_| left > 0) else {
            return Ok(None);
        };
        if rejected.is_some_and(|rejected| rejected.is(&token)) {
            return Ok(None);
        }
        let lifetime = Duration::from_secs(left.unsigned_abs());
        Ok(Some(Obtained { token, ends: Some(moment.plus(lifetime)), lifetime, failed: None }))
    }

    /// Ask the server, with the lock held.
    async fn refresh(&self, kept: &Secrets) -> Result<Obtained, Error> {
        let refresh = kept.refresh_token.clone().ok_or(Error::NotSignedIn)?;
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.expose())];
        let now = self.moment().now;
        let tokens = self.server.tokens(&form).await?;
        self.session.save(Secrets::of(&tokens, Some(refresh), now)).await?;
        let (ends, lifetime) = (Some(tokens.ends), tokens.lifetime);
        Ok(Obtained { token: tokens.access, ends, lifetime, failed: None })
    }

    fn moment(&self) -> Moment {
        self.session.sessions.clock.moment()
    }
}
