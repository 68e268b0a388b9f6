//! A private key that is written as a JWK
//! ([RFC 7517 §4](https://www.rfc-editor.org/rfc/rfc7517#section-4),
//! [RFC 7518 §6](https://www.rfc-editor.org/rfc/rfc7518#section-6),
//! [RFC 8037 §2](https://www.rfc-editor.org/rfc/rfc8037#section-2)).

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    signature::RsaKeyPair,
};
use p256::{SecretKey, pkcs8::EncodePrivateKey};
use serde_json::{Map, Value};

use crate::{base64url, signing_key::KeyError};

/// `PrivateKeyInfo` of RFC 8410 §7 up to the 32 bytes of the key itself.
const ED25519: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// The numbers of an RSA key in the order of RFC 8017 §A.1.2.
const RSA: [&str; 8] = ["n", "e", "d", "p", "q", "dp", "dq", "qi"];

/// Turns the members of a JWK into PKCS#8.
pub(crate) fn pkcs8(jwk: &Map<String, Value>) -> Result<Vec<u8>, KeyError> {
    let text = |name| jwk.get(name).and_then(Value::as_str);
    let bytes = |name| text(name).and_then(base64url::decode).ok_or(KeyError::Unreadable);

    match (text("kty"), text("crv")) {
        (Some("EC"), Some("P-256")) => {
            let key = SecretKey::from_slice(&bytes("d")?).map_err(|_| KeyError::Unreadable)?;
            let der = key.to_pkcs8_der().map_err(|_| KeyError::Failed)?;
            Ok(der.as_bytes().to_vec())
        }
        (Some("OKP"), Some("Ed25519")) => {
            let seed = bytes("d")?;
            let whole = seed.len() == 32;
            whole.then(|| [&ED25519[..], &seed].concat()).ok_or(KeyError::Unreadable)
        }
        // A key of more than two primes has a member that we would leave out.
        (Some("RSA"), None) if !jwk.contains_key("oth") => {
            let numbers = RSA.map(bytes).into_iter().collect::<Result<Vec<_>, _>>()?;
            let pair = RsaKeyPair::from_der(&pkcs1(&numbers))?;
            let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| KeyError::Failed)?;
            Ok(der.as_ref().to_vec())
        }
        (Some("EC" | "OKP"), _) => Err(KeyError::WrongKind),
        _ => Err(KeyError::Unreadable),
    }
}

/// `RSAPrivateKey` of RFC 8017 §A.1.2: a sequence of a version and the numbers.
fn pkcs1(numbers: &[Vec<u8>]) -> Vec<u8> {
    let version = element(2, &[0]);
    let numbers = numbers.iter().map(|number| integer(number));
    element(0x30, &std::iter::once(version).chain(numbers).collect::<Vec<_>>().concat())
}

/// A number without needless zeros, and not negative.
fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = &number[zeros..];
    match digits.first() {
        Some(first) if *first < 0x80 => element(2, digits),
        _ => element(2, &[&[0], digits].concat()),
    }
}

/// A tag, a length and the content, as DER writes them.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let digits: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    let head = match (u8::try_from(length), u8::try_from(digits.len())) {
        (Ok(short), _) if short < 0x80 => vec![tag, short],
        (_, Ok(count)) => [&[tag, 0x80 | count], &digits[..]].concat(),
        _ => unreachable!("a length has at most eight bytes"),
    };
    [head, content.to_vec()].concat()
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use rsa::{
        BoxedUint, PrivateKey,
        pkcs8::DecodePrivateKey,
        traits::{PrivateKeyParts, PublicKeyParts},
    };
    use serde_json::json;

    use crate::{Algorithm, KeyError, SigningKey};

    fn number(number: &BoxedUint) -> String {
        URL_SAFE_NO_PAD.encode(number.to_be_bytes_trimmed_vartime())
    }

    /// [RFC 8037 §A.1](https://www.rfc-editor.org/rfc/rfc8037#appendix-A.1).
    #[test]
    fn an_ed25519_key_is_read() {
        let jwk = json!({
            "kty": "OKP", "crv": "Ed25519",
            "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        });
        let (key, _) = SigningKey::from_jwk(&jwk.to_string()).unwrap();
        assert_eq!(key.algorithm(), Algorithm::EdDsa);
        assert_eq!(key.public().to_jwk()["x"], jwk["x"]);
    }

    /// [RFC 7517 §A.2](https://www.rfc-editor.org/rfc/rfc7517#appendix-A.2).
    #[test]
    fn a_p256_key_is_read_under_its_own_name() {
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "use": "enc", "kid": "1",
            "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
            "d": "870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE",
        });
        let (key, pkcs8) = SigningKey::from_jwk(&jwk.to_string()).unwrap();
        assert_eq!((key.algorithm(), key.kid().as_str()), (Algorithm::Es256, "1"));
        assert_eq!(key.public().to_jwk()["y"], jwk["y"]);
        assert!(SigningKey::from_pkcs8(&pkcs8, Algorithm::Es256).is_ok());
    }

    #[test]
    fn an_rsa_key_is_read_and_signs_as_it_says() {
        let (_, der) = SigningKey::generate(Algorithm::Rs256).unwrap();
        let key = PrivateKey::from_pkcs8_der(&der).unwrap();
        let [p, q] = key.primes() else { panic!() };
        let qi = key.crt_coefficient().unwrap();
        let jwk = json!({
            "kty": "RSA", "alg": "PS256",
            "n": number(key.n().as_ref()), "e": number(key.e()), "d": number(key.d()),
            "p": number(p), "q": number(q),
            "dp": number(key.dp().unwrap()), "dq": number(key.dq().unwrap()), "qi": number(&qi),
        });
        let (read, _) = SigningKey::from_jwk(&jwk.to_string()).unwrap();
        assert_eq!(read.algorithm(), Algorithm::Ps256);
        assert_eq!(read.public().to_jwk()["n"], jwk["n"]);
    }

    #[test]
    fn what_is_no_private_key_is_refused() {
        for jwk in [
            json!({"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"}),
            json!({"kty": "EC", "crv": "P-384", "d": "AQ"}),
            json!({"kty": "OKP", "crv": "Ed25519", "d": "AQ"}),
            json!({"kty": "RSA", "n": "AQ", "e": "AQ"}),
            json!({"kty": "oct", "k": "AQ"}),
            json!([]),
        ] {
            let refused = SigningKey::from_jwk(&jwk.to_string()).unwrap_err();
            assert!(matches!(refused, KeyError::Unreadable | KeyError::WrongKind), "{jwk}");
        }
    }

    /// The two halves must belong together, or what is published verifies nothing.
    #[test]
    fn a_public_half_of_another_key_is_refused() {
        let jwk = json!({
            "kty": "OKP", "crv": "Ed25519",
            "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
            "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        });
        assert!(matches!(SigningKey::from_jwk(&jwk.to_string()), Err(KeyError::Unreadable)));
    }
}
