//! What this crate signs, jsonwebtoken accepts, and the reverse: two readings of the same RFCs.

use base64::{Engine, prelude::BASE64_STANDARD as STANDARD};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, jwk::Jwk};
use serde_json::{Value, json};
use signet_jwt::{Algorithm, Expected, Expiry, KeySet, SigningKey, Timestamp, Typ, Unverified};

const NOW: Timestamp = Timestamp(1_800_000_000);
const API: &str = "https://api.example.com";

fn claims() -> Value {
    json!({"sub": "alice", "aud": API, "exp": 4_000_000_000_i64})
}

fn theirs(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Ps256 => jsonwebtoken::Algorithm::PS256,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
    }
}

#[test]
fn jsonwebtoken_accepts_what_we_sign() {
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(algorithm).unwrap().0;
        let token = key.sign("at+jwt", &claims()).unwrap();

        let jwk: Jwk = serde_json::from_value(key.public().to_jwk()).unwrap();
        let mut validation = Validation::new(theirs(algorithm));
        validation.set_audience(&[API]);
        let key = DecodingKey::from_jwk(&jwk).unwrap();
        let read = jsonwebtoken::decode::<Value>(&token, &key, &validation).unwrap();
        assert_eq!(read.claims, claims());
    }
}

#[test]
fn we_accept_what_jsonwebtoken_signs() {
    for algorithm in Algorithm::ALL {
        let (key, der) = SigningKey::generate(algorithm).unwrap();
        let private = match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => {
                let pem = format!(
                    "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
                    STANDARD.encode(&der)
                );
                EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
            }
            Algorithm::Es256 => EncodingKey::from_ec_der(&der),
            Algorithm::EdDsa => EncodingKey::from_ed_der(&der),
        };
        let token = jsonwebtoken::encode(&Header::new(theirs(algorithm)), &claims(), &private);

        let expected = Expected {
            typ: Typ::Is("JWT"),
            issuer: None,
            audience: Some(&[API]),
            algorithms: &[algorithm],
            expiry: Expiry::Required,
            now: NOW,
            leeway: 0,
            ahead: 0,
        };
        let token = token.unwrap();
        let token = Unverified::parse(&token).unwrap();
        let read = token.verify::<Value>(&KeySet::new(vec![key.public()]), &expected).unwrap();
        assert_eq!(read.claims(), &claims());
    }
}
