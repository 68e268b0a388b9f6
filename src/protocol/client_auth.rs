//! Client authentication ([RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3),
//! [RFC 7523 §2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2)).

use std::sync::Arc;

use base64::{Engine, prelude::BASE64_STANDARD};
use serde::Deserialize;
use signet_jwt::{Expected, Expiry, KeySet, Typ, Unverified};

use super::{
    CLOCK_SKEW,
    ErrorCode::{InvalidClient, InvalidRequest},
    OAuthError, Params,
    dpop::Possession,
};
use crate::{
    model::{Client, ClientKind, Credentials, SecretHash, SecretMethod},
    values::{Algorithm, Binding, ClientId, ClientSecret, Issuer, Secret, Timestamp, TokenHash},
};

/// How far ahead an assertion may expire, in seconds.
const LONGEST_ASSERTION: i64 = 3600;

/// What a request says about who sends it.
#[derive(Debug)]
pub struct Presented {
    /// Who it claims to be.
    pub client: ClientId,
    evidence: Evidence,
}

#[derive(Debug)]
enum Evidence {
    Nothing,
    Secret(SecretMethod, ClientSecret),
    Assertion(Secret<String>),
}

/// A client that has proved who it is, or a public one that cannot, and perhaps that it holds a key.
/// Only [`Presented::authenticate`] and [`OneTime::first_use`] make one.
#[derive(Clone, Debug)]
pub struct AuthenticatedClient {
    client: Arc<Client>,
    possession: Possession,
}

/// A finished check of who a client is.
#[derive(Debug)]
pub enum Proof {
    /// Nothing is left to do.
    Complete(AuthenticatedClient),
    /// The proof is good once: somebody must remember that it has been used.
    Once(OneTime),
}

/// An assertion that was right, and must not have been seen before.
#[derive(Debug)]
pub struct OneTime {
    client: AuthenticatedClient,
    /// What to remember.
    pub id: TokenHash,
    /// How long to remember it.
    pub until: Timestamp,
}

#[derive(Deserialize)]
struct AssertionClaims {
    sub: String,
    jti: Option<String>,
}

impl AuthenticatedClient {
    /// The client's registration.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The client's identifier.
    #[must_use]
    pub fn id(&self) -> &ClientId {
        &self.client.id
    }

    /// What it has proved of a key.
    #[must_use]
    pub fn possession(&self) -> &Possession {
        &self.possession
    }

    /// To what the tokens that it asks for are bound.
    #[must_use]
    pub fn binding(&self) -> Binding {
        self.possession.binding()
    }

    /// The same client, which has proved this of a key.
    pub(super) fn holding(self, possession: Possession) -> Self {
        Self { possession, ..self }
    }

    fn known(client: Arc<Client>) -> Self {
        Self { client, possession: Possession::Unproven }
    }

    #[cfg(test)]
    pub(super) fn for_tests(client: Client) -> Self {
        Self::known(Arc::new(client))
    }
}

impl OneTime {
    /// The client, if nobody had seen the assertion before.
    ///
    /// # Errors
    /// `invalid_client` when somebody had.
    pub fn first_use(self, first: bool) -> Result<AuthenticatedClient, OAuthError> {
        let refused = || InvalidClient.because("the client assertion was used before");
        first.then_some(self.client).ok_or_else(refused)
    }
}

impl Presented {
    /// Find the one way in which a request authenticates its client.
    ///
    /// # Errors
    /// `invalid_request` for two ways at once or two names (RFC 6749 §2.3), `invalid_client` when
    /// there is none or it cannot be read.
    pub fn parse(authorization: Option<&str>, params: &Params) -> Result<Self, OAuthError> {
        let named = params.one("client_id")?;
        let secret = params.one("client_secret")?;
        let assertion = params.one("client_assertion")?;
        let assertion_type = params.one("client_assertion_type")?;
        let ways = [authorization.is_some(), secret.is_some(), assertion.is_some()];
        if ways.into_iter().filter(|way| *way).count() > 1 {
            return Err(
                InvalidRequest.because("the client authenticates in more than one way at once")
            );
        }

        let presented = if let Some(header) = authorization {
            basic(header)?
        } else if let Some(assertion) = assertion {
            by_assertion(assertion, assertion_type)?
        } else if let Some(secret) = secret {
            let secret = ClientSecret::presented(secret.to_owned());
            Self {
                client: the_named(named)?,
                evidence: Evidence::Secret(SecretMethod::Post, secret),
            }
        } else {
            Self { client: the_named(named)?, evidence: Evidence::Nothing }
        };
        match named {
            Some(named) if named != presented.client.as_str() => Err(InvalidRequest
                .because("client_id names another client than the one that authenticates")),
            _ => Ok(presented),
        }
    }

    /// Check the evidence against the registration, in the registered way only. An assertion may
    /// address us as the issuer, or by the address of the token endpoint or of this `endpoint`.
    ///
    /// # Errors
    /// `invalid_client`.
    pub fn authenticate(
        self,
        client: Arc<Client>,
        issuer: &Issuer,
        endpoint: &str,
        now: Timestamp,
    ) -> Result<Proof, OAuthError> {
        if client.disabled_at.is_some() {
            return Err(InvalidClient.because("the client is disabled"));
        }
        match (&client.kind, &self.evidence) {
            (ClientKind::Public, Evidence::Nothing) => {}
            (
                ClientKind::Confidential(Credentials::Secret(registered, hash)),
                Evidence::Secret(method, secret),
            ) if registered == method => check_secret(hash, secret, now)?,
            (ClientKind::Confidential(Credentials::Keys(keys)), Evidence::Assertion(assertion)) => {
                let assertion = assertion.expose();
                let (token, here) = (issuer.join("/token"), issuer.join(endpoint));
                let audiences = [issuer.as_str(), &token, &here];
                let (id, until) = check_assertion(&client.id, keys, assertion, &audiences, now)?;
                return Ok(Proof::Once(OneTime {
                    client: AuthenticatedClient::known(client),
                    id,
                    until,
                }));
            }
            _ => {
                let method = client.auth_method();
                return Err(
                    InvalidClient.because(format!("the client must authenticate with {method}"))
                );
            }
        }
        Ok(Proof::Complete(AuthenticatedClient::known(client)))
    }
}

/// The refusal of a client that is not registered: the same words as for a wrong secret.
#[must_use]
pub fn unknown_client() -> OAuthError {
    InvalidClient.because("the client is unknown or its credentials are wrong")
}

fn the_named(named: Option<&str>) -> Result<ClientId, OAuthError> {
    let named = named.ok_or_else(|| InvalidClient.because("the request names no client"))?;
    named.parse().map_err(|_| unknown_client())
}

/// `client_secret_basic`: both parts are form-encoded before they are joined (RFC 6749 §2.3.1).
fn basic(header: &str) -> Result<Presented, OAuthError> {
    let broken =
        || InvalidClient.because("the Authorization header is not valid Basic credentials");
    let (scheme, credentials) = header.split_once(' ').ok_or_else(broken)?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(broken());
    }
    let bytes = BASE64_STANDARD.decode(credentials).map_err(|_| broken())?;
    let text = String::from_utf8(bytes).map_err(|_| broken())?;
    if text.chars().any(char::is_control) {
        return Err(broken());
    }
    let (id, secret) = text.split_once(':').ok_or_else(broken)?;
    let (id, secret) = (super::params::decode(id), super::params::decode(secret));
    let id: ClientId = id.map_err(|_| broken())?.parse().map_err(|_| unknown_client())?;
    let secret = secret.map_err(|_| broken())?;
    let evidence = if secret.is_empty() {
        Evidence::Nothing
    } else {
        Evidence::Secret(SecretMethod::Basic, ClientSecret::presented(secret))
    };
    Ok(Presented { client: id, evidence })
}

fn by_assertion(assertion: &str, kind: Option<&str>) -> Result<Presented, OAuthError> {
    if kind != Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer") {
        return Err(InvalidClient.because(
            "client_assertion_type must be urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        ));
    }
    let unverified = Unverified::parse(assertion)
        .map_err(|why| InvalidClient.because(format!("the client assertion is refused: {why}")))?;
    let client = unverified
        .claimed_subject()
        .ok_or_else(|| InvalidClient.because("the client assertion has no sub"))?
        .parse()
        .map_err(|_| unknown_client())?;
    let evidence = Evidence::Assertion(Secret::new(assertion.to_owned()));
    Ok(Presented { client, evidence })
}

fn check_secret(
    hash: &SecretHash,
    presented: &ClientSecret,
    now: Timestamp,
) -> Result<(), OAuthError> {
    let presented = presented.hash();
    let current = hash.current.matches(&presented);
    let previous =
        hash.previous.is_some_and(|(hash, until)| now < until && hash.matches(&presented));
    if current | previous { Ok(()) } else { Err(unknown_client()) }
}

/// `private_key_jwt` (RFC 7523 §3): signed by the client's key, from it, about it, for us, and short.
fn check_assertion(
    client: &ClientId,
    keys: &KeySet,
    assertion: &str,
    audiences: &[&str],
    now: Timestamp,
) -> Result<(TokenHash, Timestamp), OAuthError> {
    let refused = |why: &dyn std::fmt::Display| {
        InvalidClient.because(format!("the client assertion is refused: {why}"))
    };
    let expected = Expected {
        typ: Typ::AbsentOr(&["JWT", "client-authentication+jwt"]),
        issuer: Some(client.as_str()),
        audience: Some(audiences),
        algorithms: &Algorithm::ALL,
        expiry: Expiry::Required,
        now,
        leeway: CLOCK_SKEW,
        ahead: CLOCK_SKEW,
    };
    let verified = Unverified::parse(assertion)
        .and_then(|unverified| unverified.verify::<AssertionClaims>(keys, &expected))
        .map_err(|why| refused(&why))?;
    let expires_at = verified.expires_at().ok_or_else(|| refused(&"it has no exp"))?;
    if expires_at.since(now) > LONGEST_ASSERTION + CLOCK_SKEW {
        return Err(refused(&"it is valid for more than an hour"));
    }
    let claims = verified.into_claims();
    if claims.sub != client.as_str() {
        return Err(refused(&"sub is not the client"));
    }
    // Without a `jti`, what was signed is what must not come twice. The signature is left out: whoever
    // sees one can turn an ECDSA signature into a second valid one (RFC 7515 §10.10).
    let signed = assertion.rsplit_once('.').map_or(assertion, |(signed, _)| signed);
    let once = claims.jti.as_deref().unwrap_or(signed);
    let id = TokenHash::of(format!("{client} {once}").as_bytes());
    Ok((id, expires_at.plus(CLOCK_SKEW)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixtures::{NOW, client, confidential};

    fn params(text: &str) -> Params {
        Params::parse(text).unwrap()
    }

    fn header(text: &str) -> String {
        format!("Basic {}", BASE64_STANDARD.encode(text))
    }

    fn issuer() -> Issuer {
        "https://id.test".parse().unwrap()
    }

    fn attempt(header: Option<&str>, body: &str, client: Client) -> Result<Proof, OAuthError> {
        Presented::parse(header, &params(body))?.authenticate(
            Arc::new(client),
            &issuer(),
            "/token",
            NOW,
        )
    }

    #[test]
    fn a_secret_is_accepted_in_the_registered_way_only() {
        let client = || confidential("conf", "right");
        assert!(attempt(Some(&header("conf:right")), "", client()).is_ok());
        assert!(attempt(Some(&header("conf:right")), "client_id=conf", client()).is_ok());
        for refused in [
            attempt(Some(&header("conf:wrong")), "", client()),
            attempt(Some(&header("conf:")), "", client()),
            attempt(None, "client_id=conf", client()),
            attempt(None, "client_id=conf&client_secret=right", client()),
        ] {
            assert_eq!(refused.unwrap_err().code, InvalidClient);
        }
    }

    #[test]
    fn what_proves_a_client_is_never_printed() {
        // {"alg":"RS256"} and {"sub":"conf"}
        let assertion = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjb25mIn0.c2lnbmF0dXJl";
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        let assertion = format!("client_assertion={assertion}&client_assertion_type={kind}");
        for body in ["client_id=conf&client_secret=hunter2", &assertion] {
            let presented = format!("{:?}", Presented::parse(None, &params(body)).unwrap());
            assert!(presented.contains("Secret(…)"), "{presented}");
            assert!(!presented.contains("hunter2") && !presented.contains("eyJ"), "{presented}");
        }
    }

    #[test]
    fn basic_credentials_are_form_decoded() {
        let client = || confidential("conf", "a+b:c");
        assert!(attempt(Some(&header("conf:a%2Bb%3Ac")), "", client()).is_ok());
        assert!(attempt(Some(&header("conf:a%2Bb:c")), "", client()).is_ok());
        for broken in ["conf", "conf:%", "conf:%zz", "co\nnf:x"] {
            let refused = attempt(Some(&header(broken)), "", client());
            assert_eq!(refused.unwrap_err().code, InvalidClient, "{broken}");
        }
        assert!(attempt(Some("Basic a b"), "", client()).is_err());
    }

    #[test]
    fn two_ways_or_two_names_at_once_are_an_invalid_request() {
        for (header, body) in [
            (Some(header("conf:right")), "client_secret=right"),
            (Some(header("conf:right")), "client_id=other"),
            (None, "client_id=conf&client_secret=a&client_assertion=b"),
            (None, "client_id=conf&client_id=conf"),
        ] {
            let refused = attempt(header.as_deref(), body, confidential("conf", "right"));
            assert_eq!(refused.unwrap_err().code, InvalidRequest, "{body}");
        }
    }

    #[test]
    fn a_public_client_has_nothing_to_prove_and_proves_nothing_else() {
        assert!(attempt(None, "client_id=app", client("app")).is_ok());
        let refused = attempt(None, "client_id=app&client_secret=x", client("app"));
        assert_eq!(refused.unwrap_err().code, InvalidClient);
    }

    #[test]
    fn a_rotated_secret_is_valid_until_its_overlap_ends() {
        let mut client = confidential("conf", "new");
        if let ClientKind::Confidential(Credentials::Secret(_, hash)) = &mut client.kind {
            hash.previous = Some((TokenHash::of(b"old"), NOW.plus(1)));
        }
        assert!(attempt(Some(&header("conf:old")), "", client.clone()).is_ok());
        if let ClientKind::Confidential(Credentials::Secret(_, hash)) = &mut client.kind {
            hash.previous = Some((TokenHash::of(b"old"), NOW));
        }
        assert!(attempt(Some(&header("conf:old")), "", client).is_err());
    }

    #[test]
    fn a_disabled_client_is_refused() {
        let disabled = Client { disabled_at: Some(NOW), ..client("app") };
        let refused = attempt(None, "client_id=app", disabled);
        assert_eq!(refused.unwrap_err().code, InvalidClient);
    }

    /// RFC 7523 §3.
    #[test]
    fn an_assertion_is_the_clients_own_meant_for_us_short_and_good_once() {
        let (key, _) = signet_jwt::SigningKey::generate(Algorithm::Es256).unwrap();
        let keys = KeySet::new(vec![key.public()]);
        let kind = ClientKind::Confidential(Credentials::Keys(keys));
        let client = || Client { kind: kind.clone(), ..client("conf") };
        let present = |iss: &str, aud: &str, lifetime: i64, typ: &str| {
            let claims = serde_json::json!({
                "iss": iss, "sub": "conf", "aud": aud, "exp": NOW.plus(lifetime), "jti": "1",
            });
            let assertion = key.sign(typ, &claims).unwrap();
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            let body = format!("client_assertion={assertion}&client_assertion_type={kind}");
            let presented = Presented::parse(None, &params(&body))?;
            presented.authenticate(Arc::new(client()), &issuer(), "/token", NOW)
        };

        let good = || present("conf", "https://id.test", 60, "JWT");
        let Ok(Proof::Once(first)) = good() else { panic!("the assertion is right") };
        let Ok(Proof::Once(again)) = good() else { panic!("the assertion is right") };
        assert_eq!(first.id.as_bytes(), again.id.as_bytes());
        assert_eq!(first.first_use(true).unwrap().id().as_str(), "conf");
        assert_eq!(again.first_use(false).unwrap_err().code, InvalidClient);
        for refused in [
            present("other", "https://id.test", 60, "JWT"),
            present("conf", "https://evil.test", 60, "JWT"),
            present("conf", "https://id.test", -60, "JWT"),
            present("conf", "https://id.test", 7200, "JWT"),
            present("conf", "https://id.test", 60, "at+jwt"),
        ] {
            assert_eq!(refused.unwrap_err().code, InvalidClient);
        }
    }
}
