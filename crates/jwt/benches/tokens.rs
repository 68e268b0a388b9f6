//! What a token costs beside what its signature costs: `cargo bench -p signet-jwt`.

#![expect(clippy::unwrap_used, reason = "what goes wrong makes the benchmark fail")]

use std::hint::black_box;

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
        ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use signet_jwt::{Algorithm, Expected, Expiry, KeySet, SigningKey, Timestamp, Typ, Unverified};

const NOW: Timestamp = Timestamp(1_800_000_000);
const ISSUER: &str = "https://id.example.com";
const API: &str = "https://api.example.com/";

fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "sub": "0199e4a2-6c1b-7cc3-98c4-dc0c0c07398f",
        "aud": API,
        "exp": NOW.plus(900),
        "iat": NOW,
        "jti": "dGhpcyBpcyAxNiBieXRlcw",
        "client_id": "web",
        "scope": "openid profile email offline_access orders:read",
    })
}

fn tokens(criterion: &mut Criterion) {
    for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
        let (key, pkcs8) = SigningKey::generate(algorithm).unwrap();
        let token = key.sign("at+jwt", &claims()).unwrap();
        let keys = KeySet::new(vec![key.public()]);
        let expected = Expected {
            typ: Typ::Is("at+jwt"),
            issuer: Some(ISSUER),
            audience: Some(&[API]),
            algorithms: &[algorithm],
            expiry: Expiry::Required,
            now: NOW,
            leeway: 0,
            ahead: 0,
        };
        let (signed, _) = token.rsplit_once('.').unwrap();

        let mut group = criterion.benchmark_group(algorithm.to_string());
        group.bench_function("sign a token", |bencher| {
            bencher.iter(|| key.sign("at+jwt", black_box(&claims())).unwrap());
        });
        bare_signature(&mut group, algorithm, &pkcs8, signed.as_bytes());
        group.bench_function("parse a token", |bencher| {
            bencher.iter(|| Unverified::parse(black_box(&token)).unwrap());
        });
        group.bench_function("parse and verify a token", |bencher| {
            bencher.iter(|| {
                let token = Unverified::parse(black_box(&token)).unwrap();
                token.verify::<Value>(&keys, &expected).unwrap()
            });
        });
        group.finish();
    }
}

/// The signature of the same bytes, and its verification, with nothing around them.
fn bare_signature(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    algorithm: Algorithm,
    pkcs8: &[u8],
    signed: &[u8],
) {
    let random = SystemRandom::new();
    let rsa = RsaKeyPair::from_pkcs8(pkcs8);
    let p256 = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8);
    let sign = || match (algorithm, &rsa, &p256) {
        (Algorithm::Rs256, Ok(pair), _) => {
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &random, signed, &mut signature).unwrap();
            signature
        }
        (_, _, Ok(pair)) => pair.sign(&random, signed).unwrap().as_ref().to_vec(),
        _ => panic!("the key is of neither kind"),
    };
    let public = match (&rsa, &p256) {
        (Ok(pair), _) => {
            ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref()).unwrap()
        }
        (_, Ok(pair)) => {
            ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref()).unwrap()
        }
        _ => panic!("the key is of neither kind"),
    };
    let signature = sign();
    group.bench_function("bare signature", |bencher| bencher.iter(sign));
    group.bench_function("bare verification", |bencher| {
        bencher.iter(|| public.verify_sig(black_box(signed), &signature).unwrap());
    });
}

criterion_group!(benches, tokens);
criterion_main!(benches);
