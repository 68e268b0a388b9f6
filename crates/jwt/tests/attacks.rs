//! Every attack on signed tokens this crate knows of, and that it is refused.

#![expect(clippy::unwrap_used, reason = "these are tests, their helpers included")]

use std::sync::LazyLock;

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use proptest::prelude::*;
use serde_json::{Value, json};
use signet_jwt::{
    Algorithm, Expected, Expiry, KeyError, KeySet, PublicKey, Rejected, SigningKey, Timestamp, Typ,
    Unverified, Verified,
};
const NOW: Timestamp = Timestamp(1_800_000_000);
const ISSUER: &str = "https://id.example.com";
const API: &str = "https://api.example.com";

static KEY: LazyLock<SigningKey> = LazyLock::new(|| key(Algorithm::Rs256));

fn key(algorithm: Algorithm) -> SigningKey {
    SigningKey::generate(algorithm).unwrap().0
}

fn keys() -> KeySet {
    KeySet::new(vec![KEY.public()])
}

fn expected() -> Expected<'static> {
    Expected {
        typ: Typ::Is("at+jwt"),
        issuer: Some(ISSUER),
        audience: Some(&[API]),
        algorithms: &Algorithm::ALL,
        expiry: Expiry::Required,
        now: NOW,
        leeway: 30,
        ahead: 30,
    }
}

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "alice", "aud": API, "exp": NOW.plus(300), "iat": NOW})
}

fn claims_with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn verify(token: &str) -> Result<Verified<Value>, Rejected> {
    verify_with(token, &keys(), &expected())
}

fn verify_with(
    token: &str,
    keys: &KeySet,
    expected: &Expected<'_>,
) -> Result<Verified<Value>, Rejected> {
    Unverified::parse(token)?.verify(keys, expected)
}

fn refusal(token: &str) -> Rejected {
    verify(token).unwrap_err()
}

fn is_malformed(rejected: Rejected) -> bool {
    matches!(rejected, Rejected::Malformed(_))
}

fn is_bad_claims(rejected: Rejected) -> bool {
    matches!(rejected, Rejected::BadClaims(_))
}

fn encode(part: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(part)
}

fn header() -> Value {
    json!({"alg": "RS256", "typ": "at+jwt", "kid": KEY.kid()})
}

fn header_with(name: &str, value: Value) -> Value {
    let mut header = header();
    header[name] = value;
    header
}

/// A signer who is free to write any header and payload.
static SIGNER: LazyLock<(RsaKeyPair, PublicKey)> = LazyLock::new(|| {
    let (key, der) = SigningKey::generate(Algorithm::Rs256).unwrap();
    (RsaKeyPair::from_pkcs8(&der).unwrap(), key.public())
});

fn signed(header: &str, payload: &str) -> String {
    let (pair, _) = &*SIGNER;
    let message = format!("{}.{}", encode(header), encode(payload));
    let mut signature = vec![0; pair.public_modulus_len()];
    let random = SystemRandom::new();
    pair.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", encode(signature))
}

/// Whether such a token is accepted where its signer is trusted.
fn hostile(header: &str, payload: &str) -> Result<Verified<Value>, Rejected> {
    let keys = KeySet::new(vec![SIGNER.1.clone()]);
    verify_with(&signed(header, payload), &keys, &expected())
}

fn plain_header() -> &'static str {
    r#"{"alg":"RS256","typ":"at+jwt"}"#
}

#[test]
fn an_honest_token_is_accepted() {
    let verified = verify(&KEY.sign("at+jwt", &claims()).unwrap()).unwrap();
    assert_eq!(verified.claims(), &claims());
    assert_eq!(verified.expires_at(), Some(NOW.plus(300)));
    assert_eq!(verified.kid(), Some(KEY.kid()));
    assert!(hostile(plain_header(), &claims().to_string()).is_ok(), "the arrangement works");
}

/// RFC 8725 §2.1, §3.2.
#[test]
fn an_unsigned_token_is_refused_however_none_is_spelled() {
    for none in ["none", "None", "NONE", "nOnE", "", "none "] {
        let header = header_with("alg", json!(none)).to_string();
        for signature in ["", "AA"] {
            let token = format!("{}.{}.{signature}", encode(&header), encode(claims().to_string()));
            let rejected = refusal(&token);
            assert!(is_malformed(rejected) || rejected == Rejected::WrongAlgorithm, "{none}");
        }
        assert_eq!(hostile(&header, &claims().to_string()).unwrap_err(), Rejected::WrongAlgorithm);
    }
}

/// RFC 7515 §4.1.1.
#[test]
fn a_token_without_an_algorithm_or_with_a_list_of_them_is_refused() {
    for header in [r#"{"typ":"at+jwt"}"#, r#"{"alg":null}"#, r#"{"alg":["RS256"]}"#] {
        assert!(is_malformed(hostile(header, &claims().to_string()).unwrap_err()), "{header}");
    }
}

/// RFC 8725 §2.1: the public key, known to all, as the secret of an HMAC.
#[test]
fn a_public_key_is_never_a_shared_secret() {
    let pem = KEY.public_pem();
    let der: Vec<u8> = STANDARD
        .decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>())
        .unwrap();
    let jwk = KEY.public().to_jwk();
    let secrets = [
        pem.clone().into_bytes(),
        pem.trim_end().as_bytes().to_vec(),
        der,
        jwk.to_string().into_bytes(),
        jwk["n"].as_str().unwrap().as_bytes().to_vec(),
        Vec::new(),
    ];

    for alg in ["HS256", "hs256", "RS256", "PS256", "ES256"] {
        let header = header_with("alg", json!(alg)).to_string();
        let message = format!("{}.{}", encode(header), encode(claims().to_string()));
        for secret in &secrets {
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
            assert!(verify(&format!("{message}.{}", encode(tag))).is_err(), "{alg}");
        }
    }
}

/// RFC 8725 §3.1: a key of one kind does not verify signatures of another.
#[test]
fn the_algorithm_must_fit_the_key() {
    for own in Algorithm::ALL {
        let key = key(own);
        let token = key.sign("at+jwt", &claims()).unwrap();
        let (_, rest) = token.split_once('.').unwrap();
        for other in Algorithm::ALL.into_iter().filter(|other| *other != own) {
            let header = json!({"alg": other, "typ": "at+jwt", "kid": key.kid()}).to_string();
            let keys = KeySet::new(vec![key.public()]);
            let rejected = verify_with(&format!("{}.{rest}", encode(header)), &keys, &expected());
            assert_eq!(rejected.unwrap_err(), Rejected::UnknownKey, "{own} as {other}");
        }
    }
}

/// RFC 8725 §3.1: the algorithm is compared with the one registered, not only with a global list.
#[test]
fn an_algorithm_nobody_expects_is_refused_although_the_key_would_do() {
    let token = KEY.sign("at+jwt", &claims()).unwrap();
    for algorithms in [&[][..], &[Algorithm::Es256], &[Algorithm::Ps256]] {
        let expected = Expected { algorithms, ..expected() };
        let rejected = verify_with(&token, &keys(), &expected).unwrap_err();
        assert_eq!(rejected, Rejected::WrongAlgorithm);
    }
}

/// RFC 7515 §4.1.3: a token does not bring the key to verify it with.
#[test]
fn an_embedded_key_is_not_looked_at() {
    let attacker = &SIGNER.1;
    for (name, value) in [
        ("jwk", attacker.to_jwk()),
        ("jku", json!("https://attacker.example/jwks")),
        ("x5u", json!("https://attacker.example/cert")),
        ("x5c", json!(["MIIB"])),
    ] {
        let header = header_with(name, value).to_string();
        let token = signed(&header, &claims().to_string());
        assert_eq!(refusal(&token), Rejected::BadSignature, "{name}");
    }

    let mut header = header_with("jwk", attacker.to_jwk());
    header["kid"] = json!(attacker.kid());
    let token = signed(&header.to_string(), &claims().to_string());
    assert_eq!(refusal(&token), Rejected::UnknownKey);
}

/// RFC 8725 §3.10.
#[test]
fn a_key_id_finds_a_key_or_nothing() {
    let refused = |kid: Value| refusal(&signed(&header_with("kid", kid).to_string(), "{}"));

    for kid in ["../../dev/null", "'--", "unknown", "%00", "${jndi:ldap://a}"] {
        assert_eq!(refused(json!(kid)), Rejected::UnknownKey, "{kid}");
    }
    for kid in [
        json!("' OR 1=1--"),
        json!(""),
        json!("a\u{0}b"),
        json!("k".repeat(257)),
        json!("k".repeat(100_000)),
        json!(1),
        json!(null),
        json!(["a"]),
        json!({}),
    ] {
        assert!(is_malformed(refused(kid)));
    }
    // Without a name every key is tried, and none made this signature.
    assert_eq!(refusal(&signed(plain_header(), "{}")), Rejected::BadSignature);
}

/// RFC 8725 §3.8: the name of a key does not make it the same key.
#[test]
fn a_key_of_the_same_name_in_another_set_is_another_key() {
    let other = key(Algorithm::Rs256).with_kid(KEY.kid().clone());
    let token = other.sign("at+jwt", &claims()).unwrap();
    assert_eq!(refusal(&token), Rejected::BadSignature);
}

/// RFC 7517 §4.3: a key that has left the set verifies nothing any more.
#[test]
fn a_withdrawn_key_verifies_nothing() {
    let token = KEY.sign("at+jwt", &claims()).unwrap();
    for keys in [KeySet::default(), KeySet::new(vec![key(Algorithm::Rs256).public()])] {
        let rejected = verify_with(&token, &keys, &expected()).unwrap_err();
        assert_eq!(rejected, Rejected::UnknownKey);
    }
}

/// RFC 7515 §4.1.11.
#[test]
fn a_critical_extension_is_refused_known_or_not() {
    for crit in [json!([]), json!(["exp"]), json!(["b64"]), json!("exp"), json!(null)] {
        let header = header_with("crit", crit.clone()).to_string();
        assert!(is_malformed(hostile(&header, &claims().to_string()).unwrap_err()), "{crit}");
    }
}

/// RFC 7797 §6.
#[test]
fn an_unencoded_payload_is_refused() {
    for b64 in [json!(false), json!(true), json!("false")] {
        let header = header_with("b64", b64).to_string();
        assert!(is_malformed(hostile(&header, &claims().to_string()).unwrap_err()));
    }
    let header = encode(r#"{"alg":"RS256","b64":false,"crit":["b64"]}"#);
    assert!(is_malformed(refusal(&format!("{header}.{}.AAAA", claims()))));
}

/// RFC 8725 §2.4, RFC 7515 §7.
#[test]
fn only_the_compact_form_is_a_token() {
    let token = KEY.sign("at+jwt", &claims()).unwrap();
    let parts: Vec<_> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("a token has three parts") };

    let json = json!({"protected": header, "payload": payload, "signature": signature});
    for other in [
        json.to_string(),
        json!({"payload": payload, "signatures": [json]}).to_string(),
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        header.to_owned(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{signature}"),
        format!("{token}.{signature}.{signature}"),
        format!(" {token}"),
        format!("{token} "),
        format!("{token}\n"),
        format!("{header}.\n{payload}.{signature}"),
        format!("\u{feff}{token}"),
        format!("{token}="),
        format!("{token}=="),
        format!("{token}\0"),
    ] {
        assert!(is_malformed(refusal(&other)), "{other}");
    }
}

/// RFC 7516 §3: an encrypted token, whatever work it asks for, is not one of ours.
#[test]
fn an_encrypted_token_is_refused_before_any_work() {
    for header in [
        json!({"alg": "dir", "enc": "A256GCM", "zip": "DEF"}),
        json!({"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 1_000_000_000}),
        json!({"alg": "RSA1_5", "enc": "A128CBC-HS256"}),
        json!({"alg": "dir", "enc": "A256GCM"}),
    ] {
        let header = encode(header.to_string());
        assert!(is_malformed(refusal(&format!("{header}..AAAA.AAAA.AAAA"))));
        assert_eq!(refusal(&format!("{header}.e30.AAAA")), Rejected::WrongAlgorithm);
    }
}

/// RFC 8259 §4, RFC 7515 §4: two readers of one token must not see two tokens.
#[test]
fn a_member_that_occurs_twice_is_refused() {
    let payload = claims().to_string();
    for header in [
        r#"{"alg":"RS256","alg":"RS256","typ":"at+jwt"}"#,
        r#"{"alg":"none","alg":"RS256","typ":"at+jwt"}"#,
        r#"{"alg":"RS256","typ":"at+jwt","\u0061lg":"RS256"}"#,
    ] {
        assert!(is_malformed(hostile(header, &payload).unwrap_err()), "{header}");
    }

    let rest = &payload[1..];
    for payload in [
        format!(r#"{{"sub":"mallory",{rest}"#),
        format!(r#"{{"s\u0075b":"mallory",{rest}"#),
        format!(r#"{{"act":{{"sub":"a","sub":"b"}},{rest}"#),
        format!(r#"{{"list":[{{"a":1,"a":2}}],{rest}"#),
    ] {
        assert!(is_malformed(hostile(plain_header(), &payload).unwrap_err()), "{payload}");
    }
}

/// RFC 4648 §3.5: the unused bits of the last character are zero.
#[test]
fn a_second_spelling_of_the_same_bytes_is_refused() {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    // 256 bytes leave two unused bits in the last of their characters.
    let token = KEY.sign("at+jwt", &claims()).unwrap();
    let last = token.bytes().last().unwrap();
    let position = ALPHABET.iter().position(|each| *each == last).unwrap();
    for unused in 1..4 {
        let other = char::from(ALPHABET[position + unused]);
        assert!(is_malformed(refusal(&format!("{}{other}", &token[..token.len() - 1]))));
    }
    let standard = token.replace('-', "+").replace('_', "/");
    assert!(standard == token || is_malformed(refusal(&standard)));
}

/// RFC 7519 §7.2.
#[test]
fn a_payload_that_is_not_an_object_in_utf_8_is_refused() {
    let object = claims().to_string();
    for payload in
        ["[]", "\"a\"", "1", "null", "true", "{", "{}{}", &format!("\u{feff}{object}"), "not json"]
    {
        assert!(is_malformed(hostile(plain_header(), payload).unwrap_err()), "{payload}");
        assert!(is_malformed(hostile(payload, &object).unwrap_err()), "{payload}");
    }

    let deep = format!("{{\"a\":{}{}}}", "[".repeat(5000), "]".repeat(5000));
    assert!(is_malformed(hostile(plain_header(), &deep).unwrap_err()));

    let broken = format!("{}.{}.AAAA", encode(plain_header()), encode(b"{\"a\":\"\xff\"}"));
    assert!(is_malformed(refusal(&broken)));
}

/// RFC 7519 §2, `NumericDate`.
#[test]
fn a_time_that_is_not_a_sensible_number_is_refused() {
    for name in ["exp", "nbf", "iat"] {
        for time in [
            json!("1800000300"),
            json!(-1),
            json!(-0.5),
            json!(1e300),
            json!(9_007_199_254_740_994_u64),
            json!(u64::MAX),
            json!(null),
            json!(true),
            json!([NOW]),
            json!({}),
        ] {
            let payload = claims_with(name, time).to_string();
            let rejected = hostile(plain_header(), &payload).unwrap_err();
            assert!(is_bad_claims(rejected), "{payload}");
        }
        for number in ["1e400", "-1e400", "NaN", "Infinity", "0x7fffffff", "01"] {
            let payload = format!(r#"{{"{name}":{number}}}"#);
            assert!(is_malformed(hostile(plain_header(), &payload).unwrap_err()), "{payload}");
        }
    }
}

/// RFC 7519 §4.1.4.
#[test]
fn a_token_expires_at_its_exp_and_must_have_one() {
    let at = |exp: i64| KEY.sign("at+jwt", &claims_with("exp", json!(NOW.0 + exp))).unwrap();
    assert!(verify(&at(-29)).is_ok());
    assert_eq!(refusal(&at(-30)), Rejected::Expired);
    assert_eq!(
        refusal(&KEY.sign("at+jwt", &claims_with("exp", json!(0))).unwrap()),
        Rejected::Expired
    );

    let mut eternal = claims();
    eternal.as_object_mut().unwrap().remove("exp");
    let eternal = KEY.sign("at+jwt", &eternal).unwrap();
    assert!(is_bad_claims(refusal(&eternal)));

    let hint = Expected { expiry: Expiry::Ignored, ..expected() };
    assert!(verify_with(&at(-1_000_000), &keys(), &hint).is_ok());
    assert!(verify_with(&eternal, &keys(), &hint).is_ok());
}

/// RFC 7519 §4.1.5.
#[test]
fn a_token_from_the_future_is_not_valid_yet() {
    for name in ["nbf", "iat"] {
        let at = |time: Value| verify(&KEY.sign("at+jwt", &claims_with(name, time)).unwrap());
        assert!(at(json!(NOW.0 + 30)).is_ok(), "the clocks may differ");
        assert!(at(json!(1_799_999_999.5)).is_ok(), "fractions are numbers");
        assert_eq!(at(json!(NOW.0 + 31)).unwrap_err(), Rejected::NotYetValid);
    }
}

/// The work that a stranger can ask for is bounded.
#[test]
fn a_huge_token_is_refused_unread() {
    let token = KEY.sign("at+jwt", &claims_with("pad", json!("a".repeat(20_000)))).unwrap();
    assert_eq!(refusal(&token), Rejected::Malformed("it is too long"));
    assert!(is_malformed(refusal(&"a".repeat(10_000_000))));
}

/// RFC 8725 §3.8.
#[test]
fn another_issuer_is_refused_even_with_the_same_key() {
    for issuer in [
        json!("https://id.example.com/"),
        json!("https://ID.example.com"),
        json!("https://id.example.com.evil.example"),
        json!("https://id.example.com/t1"),
        json!([ISSUER]),
        json!(null),
    ] {
        let token = KEY.sign("at+jwt", &claims_with("iss", issuer)).unwrap();
        assert_eq!(refusal(&token), Rejected::WrongIssuer);
    }
}

/// RFC 8725 §3.9.
#[test]
fn a_token_for_others_is_refused() {
    let with =
        |audience: Value| verify(&KEY.sign("at+jwt", &claims_with("aud", audience)).unwrap());
    assert!(with(json!(["https://other.example", API])).is_ok());

    for others in [json!("https://other.example"), json!(["https://api.example.com/"])] {
        assert_eq!(with(others).unwrap_err(), Rejected::WrongAudience);
    }
    for odd in [json!([]), json!(""), json!([API, 1]), json!([[API]]), json!({API: 1}), json!(null)]
    {
        assert!(is_bad_claims(with(odd.clone()).unwrap_err()), "{odd}");
    }

    let mut nobody = claims();
    nobody.as_object_mut().unwrap().remove("aud");
    assert_eq!(refusal(&KEY.sign("at+jwt", &nobody).unwrap()), Rejected::WrongAudience);
}

/// RFC 8725 §3.11, RFC 9068 §4.
#[test]
fn a_token_of_another_type_is_refused() {
    for typ in ["JWT", "logout+jwt", "dpop+jwt", "oauth-id-jag+jwt", "txntoken+jwt", "", "at+jwt "]
    {
        let token = KEY.sign(typ, &claims()).unwrap();
        assert_eq!(refusal(&token), Rejected::WrongType, "{typ}");
    }
    let untyped = hostile(r#"{"alg":"RS256"}"#, &claims().to_string());
    assert_eq!(untyped.unwrap_err(), Rejected::WrongType);
    let odd = hostile(r#"{"alg":"RS256","typ":["at+jwt"]}"#, &claims().to_string());
    assert!(is_malformed(odd.unwrap_err()));

    let access_token = KEY.sign("at+jwt", &claims()).unwrap();
    let hint = Expected { typ: Typ::AbsentOr(&["JWT"]), ..expected() };
    let rejected = verify_with(&access_token, &keys(), &hint).unwrap_err();
    assert_eq!(rejected, Rejected::WrongType);
}

/// Nothing is said about a token's claims to someone who cannot sign.
#[test]
fn the_signature_is_checked_before_any_claim() {
    let expired = claims_with("exp", json!(0)).to_string();
    let token = signed(&header().to_string(), &expired);
    assert_eq!(refusal(&token), Rejected::BadSignature);
}

#[test]
fn a_token_that_was_changed_anywhere_is_refused() {
    for algorithm in Algorithm::ALL {
        let key = key(algorithm);
        let keys = KeySet::new(vec![key.public()]);
        let token = key.sign("at+jwt", &claims()).unwrap();
        assert!(verify_with(&token, &keys, &expected()).is_ok());

        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(verify_with(&changed, &keys, &expected()).is_err(), "{algorithm} at {at}");
        }
    }
}

/// CVE-2022-21449: zeros satisfied a verifier that did not look at them.
#[test]
fn an_ecdsa_signature_of_zeros_is_refused() {
    let key = key(Algorithm::Es256);
    let keys = KeySet::new(vec![key.public()]);
    let token = key.sign("at+jwt", &claims()).unwrap();
    let (message, _) = token.rsplit_once('.').unwrap();

    for signature in [vec![0; 64], vec![0; 63], vec![0; 65], vec![0xff; 64], vec![0x30, 0]] {
        let token = format!("{message}.{}", encode(signature));
        let rejected = verify_with(&token, &keys, &expected()).unwrap_err();
        assert_eq!(rejected, Rejected::BadSignature);
    }
}

/// RFC 7518 §3.4: r and s side by side, not in ASN.1.
#[test]
fn an_ecdsa_signature_in_asn_1_is_refused() {
    let (key, der) = SigningKey::generate(Algorithm::Es256).unwrap();
    let token = key.sign("at+jwt", &claims()).unwrap();
    let (message, _) = token.rsplit_once('.').unwrap();

    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &der).unwrap();
    let signature = pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    let token = format!("{message}.{}", encode(signature));
    let rejected = verify_with(&token, &KeySet::new(vec![key.public()]), &expected()).unwrap_err();
    assert_eq!(rejected, Rejected::BadSignature);
}

/// RFC 7518 §3.3.
#[test]
fn an_rsa_key_below_2048_bits_neither_signs_nor_verifies() {
    let refused = SigningKey::from_pem(RSA_1024, None);
    assert!(matches!(refused, Err(KeyError::TooShort)));

    let lines = RSA_1024.lines().filter(|line| !line.starts_with('-'));
    let der = STANDARD.decode(lines.collect::<String>()).unwrap();
    // PKCS#1: the modulus follows the lengths and the version.
    let jwk = json!({"kty": "RSA", "n": encode(&der[11..139]), "e": "AQAB"});
    assert!(PublicKey::from_jwk(&jwk).is_err());
    assert!(KeySet::parse(json!({"keys": [jwk]}).to_string()).unwrap().keys().is_empty());
}

const RSA_1024: &str = "-----BEGIN RSA PRIVATE KEY-----
MIICXQIBAAKBgQCkjcztCLRfx5gJbMmTsEwyMVISdB8mF2wofcgOj1DHvUqRDdmJ
PT1xaOCfNiXKfhV3fkMffySAchmTEXrE9LH7CZlL8TS9scQWJcuZLSTlDvr6cMHY
ZDfWcaFgd8d2Pr8FcACdbg1aFcm5D6M71ZeZih7nItygHqDQq/eHJKFtZQIDAQAB
AoGAYfxyR7+EMPiYZxxZmFFFvimyVnzBQ5x08lOb+leK4bWtHl0h6WAHI24xO30x
2bdkrwgHjkzWfonzAqlI8tlG1WG6ZlM+7YvWxGd0JHpq/AAN3VW/kn9oKXwGWZQU
Y+/IObr2zDDjN3NKqjWGR2GSXq46kiLbxHAP4H5mu1YFM60CQQDa8ND2c+PgEC7J
ADQNOKytDYipcn0u9K5Y4NcMpK+Gq+TNWLQKA8XRwNsEmfMFXitEIUgZkaBKRLAD
IfmIrtYjAkEAwGhI7ggymjKI0C+jI2crbtujacyb/mXHzX9/fZUdeqdAz3g7u5A+
vbT02BUUafUJHainsUrmJGAcwte7ltBy1wJBANjo1w4kePJG9iMbeXZT3PfCPdAq
5o07yvOxJj2Xd3MEIDW1mQGHBVivKg4f+94oktL36jeyyExsSrl/0noxRWMCQCNQ
wNoX3RnaXqw/oiT0Yc92NvdLW/KEwfihB0iInyGNI2MxQV1661kspqgmrlmIZUTx
WN48ziMtFPpaWI8k8X8CQQDLVklHbD/94lD+PEHqMMlCOVdpuInafEts1pVcfgsO
Y3sUQWVUHNd2Vk2GmGczyyOWor3oWXq1UIWn1BvzUXQ9
-----END RSA PRIVATE KEY-----";

/// RFC 8725 §3.4: an invalid point leaks the key of whoever computes with it.
#[test]
fn a_point_off_the_curve_is_not_a_key() {
    let good = key(Algorithm::Es256).public().to_jwk();
    let zero = encode([0; 32]);
    let short = encode([1; 31]);
    for (name, value) in [
        ("x", good["y"].clone()),
        ("y", good["x"].clone()),
        ("x", json!(zero)),
        ("y", json!(zero)),
        ("y", json!(short)),
        ("x", json!(encode([0xff; 32]))),
        ("x", json!(null)),
        ("crv", json!("P-384")),
        ("crv", json!("secp256k1")),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        assert!(PublicKey::from_jwk(&bad).is_err(), "{bad}");
    }
    let infinity = json!({"kty": "EC", "crv": "P-256", "x": zero, "y": zero});
    assert!(PublicKey::from_jwk(&infinity).is_err());
}

/// What is logged about a token or a key never lets anyone use it.
#[test]
fn neither_tokens_nor_private_keys_are_printed() {
    let token = KEY.sign("at+jwt", &claims()).unwrap();
    let printed = format!("{:?}", Unverified::parse(&token).unwrap());
    assert_eq!(printed, "Unverified { algorithm: Rs256, .. }");
    assert_eq!(format!("{:?}", *KEY), "SigningKey { .. }");
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(token in ".*") {
        let _ = Unverified::parse(&token).map(|token| token.algorithm());
    }

    #[test]
    fn no_header_and_no_payload_make_the_reader_panic(header in ".*", payload in ".*") {
        let token = format!("{}.{}.AAAA", encode(header), encode(payload));
        prop_assert!(verify(&token).is_err());
    }

    #[test]
    fn no_time_and_no_audience_make_the_reader_panic(time: f64, text in ".*", leeway: i64) {
        let payload = json!({"iss": ISSUER, "aud": text, "exp": time, "nbf": text.len()});
        let keys = KeySet::new(vec![SIGNER.1.clone()]);
        let token = signed(plain_header(), &payload.to_string());
        let _ = verify_with(&token, &keys, &Expected { leeway, ahead: leeway, ..expected() });
    }

    #[test]
    fn no_key_makes_the_reader_panic(n in any::<Vec<u8>>(), e in any::<Vec<u8>>()) {
        for (kty, crv) in [("RSA", None), ("EC", Some("P-256")), ("OKP", Some("Ed25519"))] {
            let (n, e) = (encode(&n), encode(&e));
            let mut jwk = json!({"kty": kty, "n": n, "e": e, "x": n, "y": e});
            if let Some(crv) = crv {
                jwk["crv"] = json!(crv);
            }
            let _ = PublicKey::from_jwk(&jwk);
        }
    }
}
