//! Proof that whoever calls holds a key: DPoP
//! ([RFC 9449 §4](https://www.rfc-editor.org/rfc/rfc9449#section-4)).

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::{
    algorithm::Algorithm,
    base64url, claims,
    compact::{self, Compact},
    expected::Typ,
    proof_uri::ProofUri,
    public_key::PublicKey,
    rejected::Rejected::{
        self, BadClaims, BadSignature, Expired, Malformed, NotYetValid, WrongAlgorithm, WrongType,
    },
    thumbprint::Thumbprint,
    timestamp::Timestamp,
};

pub(crate) const TYP: &str = "dpop+jwt";

/// Longer than any that serves its purpose: 96 random bits or a UUID (§4.2).
const LONGEST_JTI: usize = 1024;

/// The request that a proof has to be for, and when.
#[derive(Clone, Debug)]
pub struct ExpectedProof<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// The address that the client called, as it is seen from outside. Its query and fragment do not
    /// count.
    pub uri: &'a str,
    /// The access token that came with the proof, if one did.
    pub access_token: Option<&'a str>,
    /// The algorithms that the proof may be signed with.
    pub algorithms: &'a [Algorithm],
    /// The present.
    pub now: Timestamp,
    /// How many seconds ago the proof may have been made.
    pub leeway: i64,
    /// How many seconds the client's clock may be ahead.
    pub ahead: i64,
}

/// A proof that passed every check of §4.3 but the two that need a memory: whether its `jti` was used
/// before, and whether its nonce is one that the server gave.
#[derive(Clone, Debug)]
pub struct Proof {
    thumbprint: Thumbprint,
    jti: String,
    issued_at: Timestamp,
    nonce: Option<String>,
}

impl Proof {
    /// Checks a proof (§4.3), in this order: form, type, algorithm, key, signature, claims, request,
    /// access token, time.
    pub fn verify(text: &str, expected: &ExpectedProof<'_>) -> Result<Self, Rejected> {
        let proof = Compact::parse(text, compact::LONGEST)?;
        if !Typ::Is(TYP).accepts(proof.typ()) {
            return Err(WrongType);
        }
        if !expected.algorithms.contains(&proof.algorithm) {
            return Err(WrongAlgorithm);
        }
        let jwk = proof.header.get("jwk").ok_or(Malformed("it carries no key"))?;
        let key = PublicKey::from_jwk(jwk)
            .map_err(|_| Malformed("the key that it carries is not a public key for signatures"))?;
        if !key.allows(proof.algorithm) {
            return Err(WrongAlgorithm);
        }
        if !proof.is_signed_by(&key) {
            return Err(BadSignature);
        }

        let claims = &proof.payload;
        let jti = text_claim(claims, "jti").filter(|jti| (1..=LONGEST_JTI).contains(&jti.len()));
        let jti = jti.ok_or(BadClaims("jti is missing, empty or too long"))?.to_owned();
        let issued_at = claims::moment(claims, "iat")?.ok_or(BadClaims("iat is missing"))?;
        let nonce = match claims.get("nonce") {
            None => None,
            Some(Value::String(nonce)) => Some(nonce.clone()),
            Some(_) => return Err(BadClaims("the nonce is not a string")),
        };
        check_request(claims, expected)?;
        check_access_token(claims, expected)?;
        if issued_at.plus(expected.leeway) < expected.now {
            return Err(Expired);
        }
        if issued_at > expected.now.plus(expected.ahead) {
            return Err(NotYetValid);
        }

        Ok(Self { thumbprint: key.thumbprint(), jti, issued_at, nonce })
    }

    /// The key that was proven to be held; tokens are bound to it as `jkt` (§6.1).
    #[must_use]
    pub fn thumbprint(&self) -> Thumbprint {
        self.thumbprint
    }

    /// The name of the proof, which may be used once.
    #[must_use]
    pub fn jti(&self) -> &str {
        &self.jti
    }

    /// When the client says that it made the proof.
    #[must_use]
    pub fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// The server's nonce that the client repeats, if it repeats one (§8).
    #[must_use]
    pub fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }
}

/// The hash by which a proof names an access token (§4.2).
pub(crate) fn hash_of(access_token: &str) -> String {
    base64url::encode(Sha256::digest(access_token))
}

fn check_request(
    claims: &Map<String, Value>,
    expected: &ExpectedProof<'_>,
) -> Result<(), Rejected> {
    if text_claim(claims, "htm") != Some(expected.method) {
        return Err(BadClaims("htm is not the method of the request"));
    }
    let called: Option<ProofUri> = expected.uri.parse().ok();
    let proven = text_claim(claims, "htu").and_then(|uri| uri.parse().ok());
    if proven.is_none() || proven != called {
        return Err(BadClaims("htu is not the address of the request"));
    }
    Ok(())
}

fn check_access_token(
    claims: &Map<String, Value>,
    expected: &ExpectedProof<'_>,
) -> Result<(), Rejected> {
    let Some(access_token) = expected.access_token else {
        return Ok(());
    };
    if text_claim(claims, "ath") != Some(&hash_of(access_token)) {
        return Err(BadClaims("ath is not the hash of the access token"));
    }
    Ok(())
}

fn text_claim<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c str> {
    claims.get(name).and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        key_pair::KeyPair,
        proof_key::{ProofKey, ProofOf},
    };

    const NOW: Timestamp = Timestamp(1_800_000_000);
    const URI: &str = "https://id.example.com/token";
    const ALGORITHMS: [Algorithm; 3] = [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256];

    fn expected() -> ExpectedProof<'static> {
        ExpectedProof {
            method: "POST",
            uri: URI,
            access_token: None,
            algorithms: &ALGORITHMS,
            now: NOW,
            leeway: 60,
            ahead: 10,
        }
    }

    fn of() -> ProofOf<'static> {
        ProofOf { method: "POST", uri: URI, access_token: None, nonce: None, jti: "1", now: NOW }
    }

    fn key() -> ProofKey {
        ProofKey::generate(Algorithm::Es256).unwrap().0
    }

    fn claims() -> Value {
        json!({"jti": "1", "htm": "POST", "htu": URI, "iat": NOW})
    }

    /// A proof with this header and these claims, signed as it should be.
    fn proof(change: impl FnOnce(&mut Value, &mut Value)) -> String {
        let pkcs8 = KeyPair::generate(Algorithm::Es256).unwrap();
        let pair = KeyPair::from_pkcs8(&pkcs8, Algorithm::Es256).unwrap();
        let jwk = pair.public().unwrap().to_jwk();
        let mut header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk});
        let mut claims = claims();
        change(&mut header, &mut claims);
        let payload = serde_json::to_vec(&claims).unwrap();
        compact::sign(&header.to_string(), &payload, &pair).unwrap()
    }

    fn refused(change: impl FnOnce(&mut Value, &mut Value)) -> Rejected {
        Proof::verify(&proof(change), &expected()).unwrap_err()
    }

    #[test]
    fn a_proof_of_each_kind_of_key_says_which_key_is_held() {
        for algorithm in ALGORITHMS {
            let (key, pkcs8) = ProofKey::generate(algorithm).unwrap();
            let of = ProofOf { nonce: Some("n"), ..of() };
            let proof = Proof::verify(&key.prove(&of).unwrap(), &expected()).unwrap();
            assert_eq!(proof.thumbprint(), key.thumbprint());
            assert_eq!((proof.jti(), proof.issued_at(), proof.nonce()), ("1", NOW, Some("n")));
            let same = ProofKey::from_pkcs8(&pkcs8, algorithm).unwrap();
            assert_eq!(same.thumbprint(), key.thumbprint());
        }
    }

    /// RFC 9449 §4.3, numbers 3 and 4.
    #[test]
    fn a_proof_lacks_nothing_and_has_its_type() {
        assert!(Proof::verify(&proof(|_, _| {}), &expected()).is_ok());
        for name in ["jti", "htm", "htu", "iat"] {
            let refusal = refused(|_, claims| {
                claims.as_object_mut().unwrap().remove(name);
            });
            assert!(matches!(refusal, BadClaims(_)), "{name}");
        }
        for name in ["typ", "alg", "jwk"] {
            refused(|header, _| {
                header.as_object_mut().unwrap().remove(name);
            });
        }
        for typ in ["jwt", "at+jwt", "dpop", ""] {
            assert_eq!(refused(|header, _| header["typ"] = json!(typ)), WrongType, "{typ}");
        }
        for (name, value) in [
            ("jti", json!("")),
            ("jti", json!(7)),
            ("jti", json!("j".repeat(2000))),
            ("htm", json!("GET")),
            ("htm", json!("post")),
            ("htm", json!(["POST"])),
            ("iat", json!("now")),
            ("nonce", json!(1)),
        ] {
            let refusal = refused(|_, claims| claims[name] = value.clone());
            assert!(matches!(refusal, BadClaims(_)), "{name} {value}");
        }
    }

    /// RFC 9449 §4.3, numbers 5 to 7.
    #[test]
    fn only_a_public_key_that_made_the_signature_proves_anything() {
        for alg in ["none", "HS256", "ES384"] {
            assert_eq!(refused(|header, _| header["alg"] = json!(alg)), WrongAlgorithm, "{alg}");
        }
        assert_eq!(refused(|header, _| header["alg"] = json!("RS256")), WrongAlgorithm);
        let other = ProofKey::generate(Algorithm::Es256).unwrap().0;
        assert_eq!(refused(|header, _| header["jwk"] = other.public_jwk()), BadSignature);
        for (name, value) in [("d", json!("AAAA")), ("kty", json!("oct")), ("x", json!("AAAA"))] {
            let refusal = refused(|header, _| header["jwk"][name] = value.clone());
            assert!(matches!(refusal, Malformed(_)), "{name}");
        }
        let only = ExpectedProof { algorithms: &[Algorithm::EdDsa], ..expected() };
        let refusal = Proof::verify(&key().prove(&of()).unwrap(), &only).unwrap_err();
        assert_eq!(refusal, WrongAlgorithm);
    }

    /// RFC 9449 §4.3, number 9.
    #[test]
    fn spellings_of_the_same_address_are_equal_and_others_are_not() {
        for uri in [
            "https://ID.example.com/token",
            "HTTPS://id.example.com:443/token",
            "https://id.example.com/token?a=b#c",
            "https://id.example.com/%74oken",
            "https://id.example.com/x/../token",
        ] {
            let proof = proof(|_, claims| claims["htu"] = json!(uri));
            assert!(Proof::verify(&proof, &expected()).is_ok(), "{uri}");
        }
        for uri in [
            json!("http://id.example.com/token"),
            json!("https://id.example.com:8443/token"),
            json!("https://id.example.com/token/"),
            json!("https://id.example.com/TOKEN"),
            json!("https://id.example.com.evil.test/token"),
            json!("https://id.example.com@evil.test/token"),
            json!("https://user@id.example.com/token"),
            json!("/token"),
            json!(""),
            json!(7),
        ] {
            let refusal = refused(|_, claims| claims["htu"] = uri.clone());
            assert!(matches!(refusal, BadClaims(_)), "{uri}");
        }
    }

    /// RFC 9449 §4.3, number 11.
    #[test]
    fn a_proof_is_neither_old_nor_from_the_future() {
        let at = |iat: i64| {
            let proof = proof(|_, claims| claims["iat"] = json!(iat));
            Proof::verify(&proof, &expected()).map(|proof| proof.issued_at().since(NOW))
        };
        assert_eq!((at(NOW.0 - 60), at(NOW.0 + 10)), (Ok(-60), Ok(10)));
        assert_eq!((at(NOW.0 - 61), at(NOW.0 + 11)), (Err(Expired), Err(NotYetValid)));
        assert!(at(-1).is_err() && at(i64::MAX).is_err());
    }

    /// RFC 9449 §4.3, number 12.
    #[test]
    fn a_proof_beside_an_access_token_names_it() {
        let key = key();
        let with = ExpectedProof { access_token: Some("token"), ..expected() };
        let proof = |token| key.prove(&ProofOf { access_token: token, ..of() }).unwrap();
        assert!(Proof::verify(&proof(Some("token")), &with).is_ok());
        assert!(matches!(Proof::verify(&proof(Some("other")), &with), Err(BadClaims(_))));
        assert!(matches!(Proof::verify(&proof(None), &with), Err(BadClaims(_))));
    }
}
