//! The guard itself: from what a request presents to a caller, or to a refusal.

use std::sync::Arc;

use signet_jwt::{
    Algorithm, Expected, ExpectedProof, Expiry, Issuer, Proof, Rejected, Timestamp, Typ, Unverified,
};

use crate::{
    builder::Builder,
    caller::Caller,
    clock::SharedClock,
    exchange::{Exchange, KeyError},
    keys::KeyCache,
    presented::{Credential, Presented, Unreadable},
    proofs::{Proofs, Use},
    refusal::{Reason, Refusal, Scheme},
    require::{Require, anybody},
    resource::Resource,
    revocation::{Revocations, Standing},
};

/// The type of an access token (RFC 9068 §2.1).
const TYP: &str = "at+jwt";

/// Lets through who has a good token of one authorization server for one API, and says why nobody else
/// gets through. Cheap to clone; the clones share what they know.
#[derive(Clone, Debug)]
pub struct Guard(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) rules: TokenRules,
    pub(crate) keys: KeyCache,
    pub(crate) revocations: Option<Revocations>,
    pub(crate) lenient: bool,
    pub(crate) exchange: Option<Exchange>,
    pub(crate) proofs: Proofs,
    /// For how many seconds a proof counts after it was made.
    pub(crate) proof_lives: i64,
    /// What stands before the path of every request, if it is known.
    pub(crate) base: Option<String>,
    pub(crate) resource: Resource,
    pub(crate) clock: SharedClock,
}

/// What a token has to be.
#[derive(Debug)]
pub(crate) struct TokenRules {
    pub(crate) issuer: Issuer,
    pub(crate) audience: Vec<String>,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) leeway: i64,
}

impl Guard {
    /// A guard for tokens of this issuer, whose keys and addresses are found by its metadata.
    ///
    /// ```no_run
    /// # async fn start() -> Result<(), signet_guard::BuildError> {
    /// use signet_guard::Guard;
    ///
    /// let guard =
    ///     Guard::discover("https://id.example.com").audience("https://api.example.com").await?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn discover(issuer: &str) -> Builder {
        Builder::new(issuer)
    }

    /// Who sends a request, if what it presents is good.
    pub async fn verify(&self, presented: &Presented) -> Result<Caller, Refusal> {
        self.admit(presented, &anybody()).await
    }

    /// Who sends a request, if what it presents is good and the caller has what is required. A refusal is
    /// logged, with who asked and where.
    pub async fn admit(
        &self,
        presented: &Presented,
        required: &Require,
    ) -> Result<Caller, Refusal> {
        let inner = &*self.0;
        let (scheme, caller) = match self.identify(presented, required).await {
            Ok(identified) => identified,
            Err(refusal) => return Err(inner.refuse(presented, None, refusal)),
        };
        match required.check(&caller, inner.clock.now()) {
            Ok(()) => Ok(caller),
            Err(lacking) => {
                let refusal = Refusal::new(Reason::Lacking(scheme, lacking));
                Err(inner.refuse(presented, Some(&caller), refusal))
            }
        }
    }

    /// Whom a token speaks of that came in another way than with a request, if it is good and is for
    /// whoever has it. A token that is bound to a key is refused: nothing proves that its sender holds it.
    pub async fn verify_token(&self, token: &str) -> Result<Caller, Refusal> {
        let caller = self.0.check(Scheme::Bearer, token).await?;
        unbound(caller)
    }

    /// The keys of the issuer.
    #[must_use]
    pub fn keys(&self) -> &KeyCache {
        &self.0.keys
    }

    async fn identify(
        &self,
        presented: &Presented,
        required: &Require,
    ) -> Result<(Scheme, Caller), Refusal> {
        let inner = &*self.0;
        let credential = presented.credential(inner.exchange.is_some());
        match credential.map_err(unreadable)? {
            None => Err(Refusal::new(Reason::NoCredential(required.scope()))),
            Some(Credential::Bearer(token)) => {
                let caller = inner.check(Scheme::Bearer, token).await?;
                Ok((Scheme::Bearer, unbound(caller)?))
            }
            Some(Credential::Dpop { token, proof }) => {
                let caller = inner.check(Scheme::Dpop, token).await?;
                inner.check_binding(&caller, token, proof, presented)?;
                Ok((Scheme::Dpop, caller))
            }
            Some(Credential::ApiKey(key)) => {
                let token = inner.exchange(key, presented).await?;
                let caller = inner.check(Scheme::Bearer, &token).await?;
                Ok((Scheme::Bearer, unbound(caller)?))
            }
        }
    }
}

impl Inner {
    /// Whom a token speaks of, if it is good.
    async fn check(&self, scheme: Scheme, token: &str) -> Result<Caller, Refusal> {
        let refused = |rejected| Refusal::of_token(scheme, rejected);
        let token = Unverified::parse(token).map_err(refused)?;
        // What no key could make good does not have keys fetched.
        self.rules.check_claimed(&token).map_err(refused)?;
        let keys = self.keys.for_token(&token).await;
        let keys = keys.map_err(|_| away("the keys of the authorization server cannot be had"))?;

        let audience: Vec<&str> = self.rules.audience.iter().map(String::as_str).collect();
        let expected = self.rules.expected(&audience, self.clock.now());
        let verified = token.verify_object(&keys, &expected).map_err(refused)?;
        let caller = Caller::new(verified);
        let caller = caller
            .ok_or_else(|| refused(Rejected::BadClaims("one is missing or of the wrong kind")))?;

        self.check_standing(scheme, &caller).await?;
        Ok(caller)
    }

    async fn check_standing(&self, scheme: Scheme, caller: &Caller) -> Result<(), Refusal> {
        let status = caller.known().status.as_ref();
        let place = status.and_then(|status| status.status_list.as_ref());
        let (Some(revocations), Some(place)) = (&self.revocations, place) else {
            return Ok(());
        };
        match revocations.standing(place).await {
            Standing::Good => Ok(()),
            Standing::Revoked => {
                Err(Refusal::new(Reason::BadToken(scheme, "the token is revoked".to_owned())))
            }
            Standing::Unknown if self.lenient => Ok(()),
            Standing::Unknown => Err(away("whether the token is revoked cannot be learnt")),
        }
    }

    /// RFC 9449 §7.1: the token, the key that the proof is made with, and this request belong together.
    fn check_binding(
        &self,
        caller: &Caller,
        token: &str,
        proof: &str,
        presented: &Presented,
    ) -> Result<(), Refusal> {
        let bad_token = |why: &str| Refusal::new(Reason::BadToken(Scheme::Dpop, why.to_owned()));
        let bad_proof = |why: String| Refusal::new(Reason::BadProof(why));
        let Some(confirmation) = &caller.known().cnf else {
            return Err(bad_token("the token is bound to no key"));
        };
        let Some(base) = &self.base else {
            return Err(bad_token(
                "this API does not know its own address, and takes no bound tokens",
            ));
        };
        if proof.is_empty() {
            return Err(bad_proof("the request carries no proof".to_owned()));
        }

        let now = self.clock.now();
        let expected = ExpectedProof {
            method: presented.method.as_str(),
            uri: &format!("{base}{}", presented.uri.path()),
            access_token: Some(token),
            algorithms: &Algorithm::ALL,
            now,
            leeway: self.proof_lives,
            ahead: self.rules.leeway,
        };
        let proof = Proof::verify(proof, &expected).map_err(|why| bad_proof(why.to_string()))?;
        if proof.thumbprint() != confirmation.jkt {
            return Err(bad_token("the token is bound to another key"));
        }
        match self.proofs.use_once(&proof, self.clock.elapsed()) {
            Use::First => Ok(()),
            Use::Again => Err(bad_proof("the proof was used before".to_owned())),
            Use::Untold => Err(away("more proofs were used than can be told apart")),
        }
    }

    /// Say who is refused, where and why.
    fn refuse(&self, presented: &Presented, caller: Option<&Caller>, refusal: Refusal) -> Refusal {
        let (method, path) = (&presented.method, presented.uri.path());
        let (subject, client) = (caller.map(Caller::subject), caller.map(Caller::client_id));
        let (address, error, why) = (presented.address, refusal.error(), refusal.description());
        if error.is_none() {
            // Nobody has been turned away yet: most clients ask once to hear what they need.
            tracing::debug!(%method, path, ?address, why, "refused");
        } else {
            tracing::warn!(%method, path, ?address, subject, client, error, why, "refused");
        }
        refusal.with_metadata(self.resource.published_at())
    }

    async fn exchange(&self, key: &str, presented: &Presented) -> Result<Arc<str>, Refusal> {
        let exchange = self.exchange.as_ref().ok_or_else(|| Refusal::new(Reason::BadKey))?;
        let exchanged = exchange.token(key, presented.address).await;
        exchanged.map_err(|error| match error {
            KeyError::Refused => Refusal::new(Reason::BadKey),
            KeyError::TooOften(seconds) => Refusal::new(Reason::TooOften(seconds)),
            KeyError::Unavailable => away("api keys cannot be exchanged at the moment"),
        })
    }
}

impl TokenRules {
    /// What can be seen without a key. None of it can be trusted yet, and all is checked again.
    fn check_claimed(&self, token: &Unverified<'_>) -> Result<(), Rejected> {
        if !self.algorithms.contains(&token.algorithm()) {
            return Err(Rejected::WrongAlgorithm);
        }
        if token.claimed_issuer() != Some(self.issuer.as_str()) {
            return Err(Rejected::WrongIssuer);
        }
        Ok(())
    }

    fn expected<'a>(&'a self, audience: &'a [&'a str], now: Timestamp) -> Expected<'a> {
        Expected {
            typ: Typ::Is(TYP),
            issuer: Some(self.issuer.as_str()),
            audience: Some(audience),
            algorithms: &self.algorithms,
            expiry: Expiry::Required,
            now,
            leeway: self.leeway,
            ahead: self.leeway,
        }
    }
}

/// A bound token is good for nobody without a proof (RFC 9449 §7.2).
fn unbound(caller: Caller) -> Result<Caller, Refusal> {
    if caller.known().cnf.is_some() {
        let why = "the token is bound to a key: it goes with a proof, by the scheme DPoP";
        return Err(Refusal::new(Reason::BadToken(Scheme::Dpop, why.to_owned())));
    }
    Ok(caller)
}

fn unreadable(why: Unreadable) -> Refusal {
    Refusal::new(match why {
        Unreadable::Request(why) => Reason::BadRequest(why),
        Unreadable::Proof(why) => Reason::BadProof(why.to_owned()),
    })
}

fn away(why: &'static str) -> Refusal {
    Refusal::new(Reason::Unavailable(why))
}
