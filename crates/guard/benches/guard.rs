//! What a guard costs beside what a signature costs: `cargo bench -p signet-guard`.

#![expect(clippy::unwrap_used, reason = "what goes wrong makes the benchmark fail")]

use std::{convert::Infallible, hint::black_box};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair,
};
use axum::{Json, Router, body::Body, routing::get};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use criterion::{Criterion, criterion_group, criterion_main};
use http::{Request, Response};
use serde_json::json;
use signet_guard::{Algorithm, Clock, Guard, Presented, Revocation, SystemClock, scope};
use signet_jwt::{KeySet, SigningKey, Unverified};
use tokio::{net::TcpListener, runtime::Runtime};
use tower::{Layer, Service, ServiceExt, service_fn};

const API: &str = "https://api.example.com/";

struct Setting {
    guard: Guard,
    token: String,
    pkcs8: Vec<u8>,
}

/// A guard, and a token that it takes, of a server that has this one key.
async fn setting(algorithm: Algorithm) -> Setting {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let (key, pkcs8) = SigningKey::generate(algorithm).unwrap();
    let jwks = KeySet::new(vec![key.public()]).to_json();
    let metadata = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/jwks")});
    let router = Router::new()
        .route("/.well-known/oauth-authorization-server", get(async || Json(metadata)))
        .route("/jwks", get(async || Json(jwks)));
    #[expect(clippy::disallowed_methods, reason = "a server of its own, beside the benchmark")]
    tokio::spawn(async move { axum::serve(listener, router).await });

    let now = SystemClock::default().now();
    let token = key.sign(
        "at+jwt",
        &json!({
            "iss": issuer,
            "sub": "0199e4a2-6c1b-7cc3-98c4-dc0c0c07398f",
            "aud": API,
            "exp": now.plus(86_400),
            "iat": now,
            "jti": "dGhpcyBpcyAxNiBieXRlcw",
            "client_id": "web",
            "scope": "openid profile email offline_access orders:read",
        }),
    );
    let guard = Guard::discover(&issuer).audience(API).revocation(Revocation::Off);
    Setting { guard: guard.await.unwrap(), token: token.unwrap(), pkcs8 }
}

fn request(token: &str) -> Request<Body> {
    let request = Request::builder().uri("/orders");
    request.header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap()
}

fn guards(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    for algorithm in [Algorithm::Rs256, Algorithm::Es256] {
        let Setting { guard, token, pkcs8 } = runtime.block_on(setting(algorithm));
        let mut group = criterion.benchmark_group(algorithm.to_string());
        let bare = bare(algorithm, &pkcs8);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = BASE64.decode(signature).unwrap();
        group.bench_function("bare check", |bencher| {
            bencher.iter(|| bare.verify_sig(black_box(signed.as_bytes()), &signature).unwrap());
        });
        group.bench_function("guard", |bencher| {
            bencher
                .to_async(&runtime)
                .iter(|| async { guard.verify_token(black_box(&token)).await.unwrap() });
        });
        group.bench_function("guard, from a request", |bencher| {
            let request = request(&token);
            bencher.to_async(&runtime).iter(|| async {
                guard.verify(&Presented::by(black_box(&request))).await.unwrap()
            });
        });
        group.finish();
    }
}

fn bare(algorithm: Algorithm, pkcs8: &[u8]) -> ParsedPublicKey {
    if algorithm == Algorithm::Rs256 {
        let pair = RsaKeyPair::from_pkcs8(pkcs8).unwrap();
        return ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref())
            .unwrap();
    }
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).unwrap();
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref()).unwrap()
}

/// A request through the layer, beside the same request to the service alone and the same verification.
fn layers(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let Setting { guard, token, .. } = runtime.block_on(setting(Algorithm::Es256));
    let inner =
        service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::empty())));
    let guarded = guard.require(scope("orders:read")).layer(inner);
    let mut group = criterion.benchmark_group("a request");
    group.bench_function("without a layer", |bencher| {
        bencher.to_async(&runtime).iter(|| async {
            let mut service = inner;
            service.ready().await.unwrap().call(request(&token)).await.unwrap()
        });
    });
    group.bench_function("verified by hand", |bencher| {
        bencher.to_async(&runtime).iter(|| async {
            let mut service = inner;
            let request = request(&token);
            guard.admit(&Presented::by(&request), &scope("orders:read")).await.unwrap();
            service.ready().await.unwrap().call(request).await.unwrap()
        });
    });
    group.bench_function("through the layer", |bencher| {
        bencher.to_async(&runtime).iter(|| async {
            let mut service = guarded.clone();
            service.ready().await.unwrap().call(request(&token)).await.unwrap()
        });
    });
    group.finish();
}

/// The key among those that are held, for a token that was parsed.
fn lookups(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let Setting { guard, token, .. } = runtime.block_on(setting(Algorithm::Es256));
    criterion.bench_function("the keys for a token", |bencher| {
        let token = Unverified::parse(&token).unwrap();
        bencher
            .to_async(&runtime)
            .iter(|| async { guard.keys().for_token(black_box(&token)).await.unwrap() });
    });
}

criterion_group!(benches, guards, layers, lookups);
criterion_main!(benches);
