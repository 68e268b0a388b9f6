//! Proof that whoever calls holds a key: what the `DPoP` header of a request must be, and what follows
//! from it ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)).
//!
//! A proof is for one request, and good once. Without nonces its `iat` says when it was made, by the
//! clock of the client: it may be a minute old, or half a minute ahead. With nonces our own clock says
//! it, whatever the client's does (§11.1).

use signet_jwt::{ExpectedProof, Proof};

use super::{
    CLOCK_SKEW,
    ErrorCode::{InvalidDpopProof, InvalidGrant, InvalidToken, UseDpopNonce},
    OAuthError,
    client_auth::AuthenticatedClient,
};
use crate::{
    model::Client,
    values::{Algorithm, Binding, Secret, Thumbprint, Timestamp, TokenHash},
};

/// The algorithms that a proof may be signed with (§5.1).
pub const ALGORITHMS: [Algorithm; 4] = Algorithm::ALL;

/// How many seconds a proof may take from the client to us.
const LONGEST_JOURNEY: i64 = 60;

/// How many seconds the clock of a client may be wrong where nonces tell the time.
const LONGEST_ERROR: i64 = 86_400;

/// For how many seconds a nonce is given. It is accepted for as many more.
const NONCE_SLOT: i64 = 120;

/// The `DPoP` header of a request.
#[derive(Clone, Debug, Default)]
pub enum ProofHeader {
    /// There is none.
    #[default]
    Absent,
    /// There is one, whatever is in it.
    One(Secret<String>),
    /// There are several, which is wrong (§4.3 number 1).
    Several,
}

/// A nonce of ours, and until when a proof with it may come.
#[derive(Clone, Debug)]
pub struct Nonce {
    /// What the proof must repeat. Whoever asks is told, so it is no secret.
    pub text: String,
    /// When the last node has stopped to accept it.
    pub until: Timestamp,
}

/// The request that a proof must be for.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its address, as the world knows it.
    pub uri: &'a str,
    /// The access token that comes with it, if one does.
    pub access_token: Option<&'a str>,
}

/// What a caller has proved of a key. Only [`prove`] finds that it has.
#[derive(Clone, Debug)]
pub enum Possession {
    /// Nothing.
    Unproven,
    /// That it holds the key, if nobody has used the proof before.
    Proven(OneTimeProof),
}

/// A proof that was right, and must not have been seen before.
#[derive(Clone, Debug)]
pub struct OneTimeProof {
    key: Thumbprint,
    /// What to remember.
    pub id: TokenHash,
    /// How long to remember it: by then no node accepts the proof any more, whatever it says of itself.
    pub until: Timestamp,
}

impl ProofHeader {
    /// The header with these values.
    pub fn of<'a>(mut values: impl Iterator<Item = &'a str>) -> Self {
        match (values.next(), values.next()) {
            (None, _) => Self::Absent,
            (Some(text), None) => Self::One(Secret::new(text.to_owned())),
            (Some(_), Some(_)) => Self::Several,
        }
    }
}

impl Possession {
    /// To what tokens of this caller are bound.
    #[must_use]
    pub fn binding(&self) -> Binding {
        match self {
            Self::Unproven => Binding::Bearer,
            Self::Proven(proof) => Binding::Dpop(proof.key),
        }
    }
}

impl OneTimeProof {
    /// The proof counts if nobody had seen it before.
    ///
    /// # Errors
    /// `invalid_dpop_proof` when somebody had.
    pub fn first_use(&self, first: bool) -> Result<(), OAuthError> {
        let refused = || {
            InvalidDpopProof.because("the DPoP proof was used before: each request needs its own")
        };
        first.then_some(()).ok_or_else(refused)
    }

    #[cfg(test)]
    pub(super) fn for_tests(key: Thumbprint) -> Self {
        Self { key, id: TokenHash::of(b"proof"), until: super::fixtures::NOW }
    }
}

/// Check the proof of a request, if it has one (§4.3). Where nonces are asked for, it must repeat one of
/// these.
///
/// # Errors
/// `invalid_dpop_proof`, or `use_dpop_nonce` for a proof that is right but for its nonce.
pub fn prove(
    header: &ProofHeader,
    call: &Call<'_>,
    nonces: Option<&[Nonce]>,
    now: Timestamp,
) -> Result<Possession, OAuthError> {
    let text = match header {
        ProofHeader::Absent => return Ok(Possession::Unproven),
        ProofHeader::One(text) => text.expose(),
        ProofHeader::Several => {
            return Err(InvalidDpopProof.because("the request has more than one DPoP header"));
        }
    };
    let (leeway, ahead) = match nonces {
        None => (LONGEST_JOURNEY, CLOCK_SKEW),
        Some(_) => (LONGEST_ERROR, LONGEST_ERROR),
    };
    let Call { method, uri, access_token } = *call;
    let expected =
        ExpectedProof { method, uri, access_token, algorithms: &ALGORITHMS, now, leeway, ahead };
    let proof = Proof::verify(text, &expected)
        .map_err(|why| InvalidDpopProof.because(format!("the DPoP proof is refused: {why}")))?;

    let until = match nonces {
        // Another node's clock may be behind the one that forgets.
        None => proof.issued_at().plus(LONGEST_JOURNEY + CLOCK_SKEW),
        Some(nonces) => {
            let repeated = nonces.iter().find(|nonce| proof.nonce() == Some(&nonce.text));
            let refused = || {
                UseDpopNonce
                    .because("the DPoP proof must repeat the nonce of the DPoP-Nonce header")
            };
            repeated.ok_or_else(refused)?.until
        }
    };
    let key = proof.thumbprint();
    // In the context of the address (§11.1), and of the key: nobody can use up the names of others.
    let id = TokenHash::of(format!("{key} {uri} {}", proof.jti()).as_bytes());
    Ok(Possession::Proven(OneTimeProof { key, id, until }))
}

/// The number of the nonce that is given now.
#[must_use]
pub fn nonce_slot(now: Timestamp) -> i64 {
    now.0.div_euclid(NONCE_SLOT)
}

/// The numbers of the nonces that are accepted now: this one, the one before it, and the next one,
/// which a node with a faster clock may have given.
#[must_use]
pub fn nonce_slots(now: Timestamp) -> [i64; 3] {
    let slot = nonce_slot(now);
    [slot, slot - 1, slot + 1]
}

/// When the last node has stopped to accept the nonce with this number.
#[must_use]
pub fn nonce_end(slot: i64) -> Timestamp {
    Timestamp(slot.saturating_add(2).saturating_mul(NONCE_SLOT)).plus(CLOCK_SKEW)
}

/// The client with what it has proved, at the token endpoint.
///
/// # Errors
/// `invalid_dpop_proof` when it is registered to prove something always, and has not (§5.2).
pub fn admit(
    client: AuthenticatedClient,
    possession: Possession,
) -> Result<AuthenticatedClient, OAuthError> {
    let client = client.holding(possession);
    match client.binding() {
        Binding::Bearer if client.client().dpop_bound => Err(InvalidDpopProof.because(
            "the client is registered with dpop_bound_access_tokens: the DPoP header is missing",
        )),
        Binding::Bearer | Binding::Dpop(_) => Ok(client),
    }
}

/// Whether the client may use a code or a refresh token that is bound like this (§5, §10).
///
/// # Errors
/// `invalid_dpop_proof` when it has proved nothing, `invalid_grant` when it holds another key.
pub fn check_holder(bound: Binding, client: &AuthenticatedClient) -> Result<(), OAuthError> {
    match (bound, client.binding()) {
        (Binding::Bearer, _) => Ok(()),
        (Binding::Dpop(needed), Binding::Dpop(held)) if needed == held => Ok(()),
        (Binding::Dpop(_), Binding::Dpop(_)) => {
            Err(InvalidGrant.because("the code or refresh token is bound to another key"))
        }
        (Binding::Dpop(_), Binding::Bearer) => Err(InvalidDpopProof
            .because("the code or refresh token is bound to a key: the DPoP header is missing")),
    }
}

/// To what refresh tokens of this client are bound. Those of a confidential client are bound to its
/// credentials already, and so it may change its key (§5).
#[must_use]
pub fn of_refresh_tokens(client: &Client, binding: Binding) -> Binding {
    if client.is_public() { binding } else { Binding::Bearer }
}

/// Whether this caller may use an access token that is bound to this key (§7.1).
///
/// # Errors
/// `invalid_dpop_proof` when it has proved nothing, `invalid_token` when it holds another key.
pub fn check_key(needed: Thumbprint, possession: &Possession) -> Result<(), OAuthError> {
    match possession.binding() {
        Binding::Dpop(held) if held == needed => Ok(()),
        Binding::Dpop(_) => Err(InvalidToken.because("the access token is bound to another key")),
        Binding::Bearer => Err(InvalidDpopProof.because("the DPoP header is missing")),
    }
}

#[cfg(test)]
mod tests {
    use signet_jwt::{ProofKey, ProofOf};

    use super::*;
    use crate::protocol::{
        ErrorCode,
        fixtures::{NOW, authenticated, client, confidential, holding},
    };

    const URI: &str = "https://id.test/token";
    const CALL: Call<'_> = Call { method: "POST", uri: URI, access_token: None };

    fn key() -> ProofKey {
        ProofKey::generate(Algorithm::Es256).unwrap().0
    }

    fn proof(key: &ProofKey, jti: &str, nonce: Option<&str>, now: Timestamp) -> ProofHeader {
        let of = ProofOf { method: "POST", uri: URI, access_token: None, nonce, jti, now };
        ProofHeader::of([key.prove(&of).unwrap().as_str()].into_iter())
    }

    fn proven(header: &ProofHeader, nonces: Option<&[Nonce]>) -> Result<OneTimeProof, ErrorCode> {
        match prove(header, &CALL, nonces, NOW) {
            Ok(Possession::Proven(proof)) => Ok(proof),
            Ok(Possession::Unproven) => panic!("nothing was shown"),
            Err(refusal) => Err(refusal.code),
        }
    }

    #[test]
    fn no_header_proves_nothing_and_two_are_refused() {
        let absent = prove(&ProofHeader::Absent, &CALL, None, NOW).unwrap();
        assert_eq!(absent.binding(), Binding::Bearer);
        let two = ProofHeader::of(["a", "a"].into_iter());
        assert_eq!(proven(&two, None).unwrap_err(), InvalidDpopProof);
        for text in ["", "a", "a.b.c", "é"] {
            let header = ProofHeader::of([text].into_iter());
            assert_eq!(proven(&header, None).unwrap_err(), InvalidDpopProof, "{text}");
        }
    }

    #[test]
    fn a_proof_may_be_a_minute_old_or_half_a_minute_ahead() {
        let key = key();
        let at = |seconds| proven(&proof(&key, "1", None, NOW.plus(seconds)), None).is_ok();
        let found = [-3600, -61, -60, -10, 0, 10, 30, 31, 3600].map(at);
        assert_eq!(found, [false, false, true, true, true, true, true, false, false]);
    }

    #[test]
    fn a_proof_is_remembered_for_as_long_as_it_could_be_accepted_and_no_longer() {
        let key = key();
        for seconds in [-60, 0, 30] {
            let made = NOW.plus(seconds);
            let proof = proven(&proof(&key, "1", None, made), None).unwrap();
            assert_eq!(proof.until.since(made), 90);
            assert!(proof.until.since(NOW) <= 120);
        }
    }

    #[test]
    fn a_proof_is_one_by_its_key_its_address_and_its_name() {
        let (one, other) = (key(), key());
        let id = |key, jti, now| proven(&proof(key, jti, None, now), None).unwrap().id;
        assert!(id(&one, "1", NOW).matches(&id(&one, "1", NOW.plus(1))));
        assert!(!id(&one, "1", NOW).matches(&id(&one, "2", NOW)));
        assert!(!id(&one, "1", NOW).matches(&id(&other, "1", NOW)));
    }

    #[test]
    fn where_nonces_are_asked_for_they_tell_the_time() {
        let nonces = [Nonce { text: "now".to_owned(), until: NOW.plus(100) }];
        let key = key();
        let with =
            |nonce, seconds| proven(&proof(&key, "1", nonce, NOW.plus(seconds)), Some(&nonces));
        for seconds in [-7200, 0, 7200] {
            assert_eq!(with(Some("now"), seconds).unwrap().until, NOW.plus(100));
        }
        for nonce in [None, Some("then"), Some(""), Some("now ")] {
            assert_eq!(with(nonce, 0).unwrap_err(), UseDpopNonce, "{nonce:?}");
        }
        assert_eq!(with(Some("now"), -86_401).unwrap_err(), InvalidDpopProof);
        assert!(proven(&proof(&key, "1", Some("then"), NOW), None).is_ok(), "nobody asked");
    }

    #[test]
    fn a_nonce_outlives_its_slot_by_another_and_is_forgotten_by_no_node_before() {
        for now in [0, 1, 119, 120, 1_800_000_000] {
            let now = Timestamp(now);
            let slot = nonce_slot(now);
            let last = (0..1000).rfind(|&s| nonce_slots(now.plus(s)).contains(&slot)).unwrap();
            assert!((120..=240).contains(&last), "{last}");
            assert_eq!(nonce_end(slot), now.plus(last + 1 + CLOCK_SKEW));
        }
    }

    #[test]
    fn a_client_that_always_proves_something_is_refused_when_it_does_not() {
        let bound = Client { dpop_bound: true, ..client("app") };
        let unproven = admit(authenticated(bound.clone()), Possession::Unproven);
        assert_eq!(unproven.unwrap_err().code, InvalidDpopProof);
        let proof = OneTimeProof::for_tests(Thumbprint::from([1; 32]));
        let admitted = admit(authenticated(bound), Possession::Proven(proof)).unwrap();
        assert_eq!(admitted.binding(), Binding::Dpop(Thumbprint::from([1; 32])));
        assert!(admit(authenticated(client("app")), Possession::Unproven).is_ok());
    }

    #[test]
    fn what_is_bound_to_nothing_is_for_everybody() {
        let held = holding(client("app"), Thumbprint::from([1; 32]));
        assert!(check_holder(Binding::Bearer, &held).is_ok());
        assert!(check_holder(Binding::Bearer, &authenticated(client("app"))).is_ok());
    }

    #[test]
    fn refresh_tokens_of_public_clients_are_bound_and_others_are_not() {
        let bound = Binding::Dpop(Thumbprint::from([1; 32]));
        assert_eq!(of_refresh_tokens(&client("app"), bound), bound);
        assert_eq!(of_refresh_tokens(&client("app"), Binding::Bearer), Binding::Bearer);
        assert_eq!(of_refresh_tokens(&confidential("conf", "s"), bound), Binding::Bearer);
    }

    #[test]
    fn a_proof_is_never_printed() {
        let printed = format!("{:?}", ProofHeader::of(["eyJ.proof"].into_iter()));
        assert!(!printed.contains("eyJ"), "{printed}");
    }
}
