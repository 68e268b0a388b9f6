//! A token that is bound to a key is worthless without it, and a proof is for one request, once.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use signet::{
    flows::admin::{ClientChange, NewClient},
    model::GrantType,
};
use tokio::task::JoinSet;

use super::refused;
use crate::support::{
    Prover, Server, Signer, access_token, as_secrets, hs256, presenting, request_with, text,
    unsigned,
};

on_both_engines! {
    a_request_has_one_proof
    a_proof_lacks_nothing
    nothing_but_a_signature_by_the_key_that_it_carries_makes_a_proof
    a_proof_is_for_one_method_and_one_address
    a_proof_is_for_the_address_that_the_world_knows
    a_proof_is_neither_old_nor_from_the_future
    a_proof_is_good_once_on_all_nodes_together
    of_many_that_use_one_proof_on_two_nodes_one_succeeds
    proofs_are_forgotten_when_nobody_accepts_them_any_more
    what_is_refused_is_not_remembered
    a_bound_token_is_no_bearer_token
    a_bound_token_is_worthless_without_a_proof_of_its_key
    a_token_that_is_bound_to_nothing_has_no_proof
    a_refresh_token_of_a_public_client_is_worthless_without_its_key
    a_copy_of_a_spent_refresh_token_ends_the_family_with_or_without_the_key
    whoever_binds_a_stolen_refresh_token_to_a_key_is_still_found_out
    a_code_that_is_bound_is_worthless_without_its_key
    a_thumbprint_that_is_none_is_refused
    a_client_that_always_proves_is_refused_without_a_proof
    a_nonce_is_ours_and_recent
    a_proof_with_a_nonce_is_good_once_for_as_long_as_the_nonce
    userinfo_asks_for_a_nonce_by_a_challenge
}

/// Refused at the token endpoint.
async fn is_no_proof(server: &Server, proof: &str) {
    let answer = server.machine_with(&[proof]).await;
    refused(&answer, 400, "invalid_dpop_proof");
}

/// A userinfo request is refused with this error, under the scheme DPoP.
#[track_caller]
fn challenged(response: &Response, error: &str) {
    assert_eq!(response.status(), 401);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    let error = format!("error=\"{error}\"");
    assert!(challenge.starts_with("DPoP ") && challenge.contains(&error), "{challenge}");
    assert!(challenge.contains("algs=\"RS256 PS256 ES256 EdDSA\""), "{challenge}");
}

async fn send(request: RequestBuilder) -> Response {
    request.send().await.unwrap()
}

/// [RFC 9449 §4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3) number 1.
async fn a_request_has_one_proof(server: Server) {
    let prover = Prover::new(&server);
    let (one, other) = (prover.proof(), prover.proof());
    for proofs in [[&*one, &*other], [&*one, &*one], [&*one, ""]] {
        refused(&server.machine_with(&proofs).await, 400, "invalid_dpop_proof");
    }
    let list = format!("{one}, {other}");
    is_no_proof(&server, &list).await;
    let tokens = prover.tokens().await;
    let token = access_token(&tokens);
    let (first, second) = (prover.proof_for("GET", token), prover.proof_for("GET", token));
    let twice = presenting(server.http.get(server.url("/userinfo")), token, &[&first, &second]);
    challenged(&send(twice).await, "invalid_dpop_proof");
    assert_eq!(server.machine_with(&[&one]).await.0, 200);
}

/// [RFC 9449 §4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3) numbers 2 to 4.
async fn a_proof_lacks_nothing(server: Server) {
    let prover = Prover::new(&server);
    let without = |value: &Value, name: &str| {
        let mut value = value.clone();
        assert!(value.as_object_mut().unwrap().remove(name).is_some());
        value
    };
    for name in ["typ", "alg", "jwk"] {
        let header = without(&prover.header(), name);
        let claims = prover.claims("POST", "/token", None);
        is_no_proof(&server, &prover.key.sign_as(&header, &claims)).await;
    }
    for name in ["jti", "htm", "htu", "iat"] {
        let claims = without(&prover.claims("POST", "/token", None), name);
        is_no_proof(&server, &prover.sign(&claims)).await;
    }
    for typ in ["JWT", "jwt", "at+jwt", "dpop", "dpop+jwt;x", ""] {
        let mut header = prover.header();
        header["typ"] = json!(typ);
        let claims = prover.claims("POST", "/token", None);
        is_no_proof(&server, &prover.key.sign_as(&header, &claims)).await;
    }
    for (name, value) in [
        ("jti", json!("")),
        ("jti", json!(1)),
        ("jti", json!("j".repeat(1025))),
        ("iat", json!("now")),
        ("iat", json!(i64::MAX)),
        ("iat", json!(-1)),
        ("nonce", json!(1)),
    ] {
        is_no_proof(&server, &prover.proof_with(|claims| claims[name] = value)).await;
    }

    let tokens = prover.tokens().await;
    let token = access_token(&tokens);
    let url = server.url("/userinfo");
    let without_ath = prover.sign(&prover.claims("GET", "/userinfo", None));
    let request = presenting(server.http.get(&url), token, &[&without_ath]);
    challenged(&send(request).await, "invalid_dpop_proof");
    assert_eq!(prover.userinfo(token).await.status(), 200);
    assert_eq!(prover.asks().await.0, 200);
}

/// [RFC 9449 §4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3) numbers 5 to 7,
/// [RFC 8725 §3.4](https://www.rfc-editor.org/rfc/rfc8725#section-3.4).
async fn nothing_but_a_signature_by_the_key_that_it_carries_makes_a_proof(server: Server) {
    let prover = Prover::new(&server);
    let claims = || prover.claims("POST", "/token", None);
    let header_with = |name: &str, value: Value| {
        let mut header = prover.header();
        header[name] = value;
        header
    };
    for alg in ["none", "None", "HS256", "ES384", "RS256", "EdDSA", ""] {
        let header = header_with("alg", json!(alg));
        is_no_proof(&server, &prover.key.sign_as(&header, &claims())).await;
        is_no_proof(&server, &format!("{}.", unsigned(&header, &claims()))).await;
    }
    for secret in as_secrets(&prover.key.pem, &prover.key.jwk) {
        let header = header_with("alg", json!("HS256"));
        is_no_proof(&server, &hs256(&header, &claims(), &secret)).await;
    }
    // Somebody else's signature, and those that would be good for every key.
    let right = prover.proof();
    let (signed, _) = right.rsplit_once('.').unwrap();
    let other = Signer::new().sign_as(&prover.header(), &claims());
    let (_, foreign) = other.rsplit_once('.').unwrap();
    for signature in [foreign, "", &BASE64.encode([0; 64]), &BASE64.encode([0; 8])] {
        is_no_proof(&server, &format!("{signed}.{signature}")).await;
    }
    // A key that is private, symmetric, too small, or none at all.
    let mut private = prover.key.jwk.clone();
    private["d"] = json!(BASE64.encode([1; 32]));
    let mut off_curve = prover.key.jwk.clone();
    off_curve["y"] = off_curve["x"].clone();
    for jwk in [
        private,
        off_curve,
        json!({ "kty": "oct", "k": "AAAA" }),
        json!({ "kty": "RSA", "n": BASE64.encode([0xff; 128]), "e": "AQAB" }),
        json!({ "kty": "EC", "crv": "P-256" }),
        json!("key"),
        json!({}),
        Value::Null,
    ] {
        let header = header_with("jwk", jwk);
        is_no_proof(&server, &prover.key.sign_as(&header, &claims())).await;
    }
    for text in ["a", "..", "e30.e30.e30", "eyJhbGciOiJub25lIn0.e30.", "%20", "{}"] {
        is_no_proof(&server, text).await;
    }
    let header = header_with("crit", json!(["exp"]));
    is_no_proof(&server, &prover.key.sign_as(&header, &claims())).await;
    assert_eq!(server.machine_with(&[&right]).await.0, 200);
}

/// [RFC 9449 §4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3) numbers 8 and 9.
async fn a_proof_is_for_one_method_and_one_address(server: Server) {
    let prover = Prover::new(&server);
    for method in ["GET", "post", "POST ", "PUT", ""] {
        is_no_proof(&server, &prover.proof_with(|claims| claims["htm"] = json!(method))).await;
    }
    let issuer = &server.issuer;
    let port = issuer.rsplit_once(':').unwrap().1;
    for address in [
        json!(format!("{issuer}/userinfo")),
        json!(format!("{issuer}/token/")),
        json!(format!("{issuer}/TOKEN")),
        json!(format!("{issuer}/x/token")),
        json!(issuer),
        json!(format!("http://127.0.0.1:{port}.evil.test/token")),
        json!(format!("https://127.0.0.1:{port}/token")),
        json!("http://127.0.0.1/token"),
        json!(format!("http://localhost:{port}/token")),
        json!("/token"),
        json!([format!("{issuer}/token")]),
        json!(7),
        Value::Null,
    ] {
        is_no_proof(&server, &prover.proof_with(|claims| claims["htu"] = address)).await;
    }
    for address in ["/token?a=b", "/token#c", "/token?a=b#c", "/%74oken", "/x/../token"] {
        let address = json!(format!("{issuer}{address}"));
        let proof = prover.proof_with(|claims| claims["htu"] = address);
        assert_eq!(server.machine_with(&[&proof]).await.0, 200);
    }

    // What was made for one of the two methods of userinfo does not serve the other.
    let tokens = prover.tokens().await;
    let token = access_token(&tokens);
    let (to_get, to_post) = (prover.proof_for("GET", token), prover.proof_for("POST", token));
    let url = server.url("/userinfo");
    let wrong = send(presenting(server.http.get(&url), token, &[&to_post])).await;
    challenged(&wrong, "invalid_dpop_proof");
    let wrong = send(presenting(server.http.post(&url), token, &[&to_get])).await;
    challenged(&wrong, "invalid_dpop_proof");
    let elsewhere = prover.sign(&prover.claims("GET", "/token", Some(token)));
    let wrong = send(presenting(server.http.get(&url), token, &[&elsewhere])).await;
    challenged(&wrong, "invalid_dpop_proof");
}

/// [RFC 9449 §4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3) number 9: behind a proxy.
async fn a_proof_is_for_the_address_that_the_world_knows(server: Server) {
    let known = server.known_as(|_| "https://id.example.com/t1".to_owned()).await;
    let prover = Prover::new(&known);
    assert_eq!(prover.asks().await.0, 200);
    let here = json!(known.url("/token"));
    is_no_proof(&known, &prover.proof_with(|claims| claims["htu"] = here)).await;
    // What a caller says of the address does not count.
    let (id, secret) = &known.machine;
    let proof = prover.proof_with(|claims| claims["htu"] = json!("https://evil.test/t1/token"));
    let request = known.to("/token").basic_auth(id, Some(secret));
    let request = request
        .form(&[("grant_type", "client_credentials")])
        .header("dpop", proof)
        .header("x-forwarded-host", "evil.test")
        .header("forwarded", "host=evil.test;proto=https")
        .header("host", "evil.test");
    assert_eq!(send(request).await.status(), 400);
}

/// [RFC 9449 §4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3) number 11.
async fn a_proof_is_neither_old_nor_from_the_future(server: Server) {
    let prover = Prover::new(&server);
    let now = server.app.clock.now();
    for (seconds, status) in [
        (-3600, 400),
        (-61, 400),
        (-60, 200),
        (-10, 200),
        (0, 200),
        (10, 200),
        (30, 200),
        (31, 400),
        (3600, 400),
    ] {
        let iat = json!(now.plus(seconds));
        let proof = prover.proof_with(|claims| claims["iat"] = iat);
        assert_eq!(server.machine_with(&[&proof]).await.0, status, "{seconds}");
    }
    // Its own idea of how long it lives does not count.
    let proof = prover.proof_with(|claims| claims["exp"] = json!(now.plus(1_000_000)));
    server.wait(61).await;
    is_no_proof(&server, &proof).await;
}

/// [RFC 9449 §11.1](https://www.rfc-editor.org/rfc/rfc9449#section-11.1).
async fn a_proof_is_good_once_on_all_nodes_together(server: Server) {
    let node = server.node().await;
    let prover = Prover::new(&server);
    let claims = prover.claims("POST", "/token", None);
    let proof = prover.sign(&claims);
    assert_eq!(server.machine_with(&[&proof]).await.0, 200);
    is_no_proof(&server, &proof).await;
    is_no_proof(&node, &proof).await;
    // The same name under another signature, or with another time, is no other proof.
    is_no_proof(&node, &prover.sign(&claims)).await;
    let mut later = claims.clone();
    later["iat"] = json!(server.app.clock.now().plus(5));
    is_no_proof(&node, &prover.sign(&later)).await;
    // To the last second of its life, and however often what has expired is swept away.
    server.wait(60).await;
    server.app.store.expire(server.app.clock.now(), 100, 100).await.unwrap();
    is_no_proof(&node, &proof).await;
    // Nor does it redeem a code, which is not spent by trying.
    let code = server.browser().code(&request_with("client_id", "spa")).await;
    let used = prover.proof();
    assert_eq!(node.machine_with(&[&used]).await.0, 200);
    refused(&server.redeem_with(&code, &[&used]).await, 400, "invalid_dpop_proof");
    assert_eq!(server.redeem_with(&code, &[&prover.proof()]).await.0, 200);
    // Another client that chose the same name has lost nothing by that.
    let other = Prover::new(&server);
    let proof = other.proof_with(|mine| mine["jti"] = claims["jti"].clone());
    assert_eq!(node.machine_with(&[&proof]).await.0, 200);

    let tokens = prover.tokens().await;
    let token = access_token(&tokens);
    let proof = prover.proof_for("GET", token);
    let ask =
        |server: &Server| presenting(server.http.get(server.url("/userinfo")), token, &[&proof]);
    assert_eq!(send(ask(&server)).await.status(), 200);
    challenged(&send(ask(&node)).await, "invalid_dpop_proof");
}

/// [RFC 9449 §11.1](https://www.rfc-editor.org/rfc/rfc9449#section-11.1).
async fn of_many_that_use_one_proof_on_two_nodes_one_succeeds(server: Server) {
    let node = server.node().await;
    let prover = Prover::new(&server);
    for _ in 0..5 {
        let proof = prover.proof();
        let mut tasks = JoinSet::new();
        for number in 0..32 {
            let (id, secret) = &server.machine;
            let at = if number % 2 == 0 { &server } else { &node };
            let request = at.to("/token").basic_auth(id, Some(secret));
            let request = request.form(&[("grant_type", "client_credentials")]);
            let request = request.header("dpop", &proof);
            tasks.spawn(async move { send(request).await.status().as_u16() });
        }
        let answers = tasks.join_all().await;
        assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
        assert_eq!(answers.iter().filter(|status| **status == 400).count(), 31, "{answers:?}");
    }
}

/// [RFC 9449 §11.1](https://www.rfc-editor.org/rfc/rfc9449#section-11.1): what an attacker says of a proof
/// does not make it stay.
async fn proofs_are_forgotten_when_nobody_accepts_them_any_more(server: Server) {
    let prover = Prover::new(&server);
    let sweep = async || {
        server.app.store.expire(server.app.clock.now(), 100, 100).await.unwrap();
        server.proofs().await
    };
    for round in 0..3 {
        let now = server.app.clock.now();
        for seconds in [-60, -30, 0, 15, 30] {
            for far in [i64::MAX, 0, -1] {
                let proof = prover.proof_with(|claims| {
                    claims["iat"] = json!(now.plus(seconds));
                    claims["exp"] = json!(far);
                    claims["nbf"] = json!(0);
                    claims["nonce"] = json!("n");
                });
                let (status, answer) = server.machine_with(&[&proof]).await;
                assert_eq!(status, 200, "{answer}");
            }
        }
        assert_eq!(sweep().await, 15, "round {round}");
        server.wait(121).await;
        assert_eq!(sweep().await, 0, "round {round}");
    }
}

/// A stranger can make as many proofs as he likes.
async fn what_is_refused_is_not_remembered(server: Server) {
    let prover = Prover::new(&server);
    let code = server.browser().code(&request_with("client_id", "spa")).await;
    let wrong = [
        server.redeem_with(&format!("{code}x"), &[&prover.proof()]).await,
        server.redeem_with("sgc_nonsense", &[&prover.proof()]).await,
        server.refresh_with("sgr_nonsense", &[&prover.proof()]).await,
        server
            .token_with(
                Some(&("machine".to_owned(), "wrong".to_owned())),
                &[("grant_type", "client_credentials")],
                &[&prover.proof()],
            )
            .await,
        server
            .token_with(
                Some(&server.machine),
                &[("grant_type", "client_credentials"), ("scope", "admin")],
                &[&prover.proof()],
            )
            .await,
    ];
    for (status, answer) in wrong {
        assert!(status.is_client_error(), "{answer}");
    }
    let response = prover.userinfo("nonsense").await;
    challenged(&response, "invalid_token");
    assert_eq!(server.proofs().await, 0);
    assert_eq!(server.redeem_with(&code, &[&prover.proof()]).await.0, 200);
    assert_eq!(server.proofs().await, 1);
}

/// [RFC 9449 §7.2](https://www.rfc-editor.org/rfc/rfc9449#section-7.2).
async fn a_bound_token_is_no_bearer_token(server: Server) {
    let prover = Prover::new(&server);
    let tokens = prover.tokens().await;
    let token = access_token(&tokens);
    let url = server.url("/userinfo");
    let proof = || prover.proof_for("GET", token);
    let form = [("access_token", token)];
    for request in [
        server.http.get(&url).bearer_auth(token),
        server.http.get(&url).bearer_auth(token).header("dpop", proof()),
        server.http.post(&url).form(&form),
        server.http.post(&url).form(&form).header("dpop", prover.proof_for("POST", token)),
    ] {
        let response = send(request).await;
        assert_eq!(response.status(), 401);
        let challenges: Vec<_> = response.headers().get_all("www-authenticate").iter().collect();
        let challenges: Vec<_> = challenges.iter().map(|value| value.to_str().unwrap()).collect();
        assert_eq!(challenges[0], "Bearer realm=\"signet\", error=\"invalid_token\"");
        assert!(challenges[1].starts_with("DPoP ") && !challenges[1].contains("error"));
    }
    let both = presenting(server.http.post(&url), token, &[&prover.proof_for("POST", token)]);
    assert_eq!(send(both.form(&form)).await.status(), 400);
    let request = server.to("/introspect").bearer_auth(token).form(&[("token", token)]);
    assert_eq!(send(request).await.status(), 401);
    assert_eq!(server.proofs().await, 1, "the one that the token was asked for with");
    assert_eq!(prover.userinfo(token).await.status(), 200);
}

/// [RFC 9449 §4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3) number 12.
async fn a_bound_token_is_worthless_without_a_proof_of_its_key(server: Server) {
    let (prover, thief) = (Prover::new(&server), Prover::new(&server));
    let (tokens, others) = (prover.tokens().await, prover.tokens().await);
    let (token, other) = (access_token(&tokens), access_token(&others));
    let ask = async |proofs: &[&str]| {
        send(presenting(server.http.get(server.url("/userinfo")), token, proofs)).await
    };
    challenged(&ask(&[]).await, "invalid_dpop_proof");
    challenged(&ask(&[""]).await, "invalid_dpop_proof");
    challenged(&ask(&[&thief.proof_for("GET", token)]).await, "invalid_token");
    challenged(&ask(&[&prover.proof_for("GET", other)]).await, "invalid_dpop_proof");
    let mut claims = prover.claims("GET", "/userinfo", Some(token));
    for ath in [json!(""), json!(token), json!(1), Value::Null] {
        claims["ath"] = ath;
        challenged(&ask(&[&prover.sign(&claims)]).await, "invalid_dpop_proof");
    }
    assert_eq!(ask(&[&prover.proof_for("GET", token)]).await.status(), 200);
}

/// [RFC 9449 §7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1).
async fn a_token_that_is_bound_to_nothing_has_no_proof(server: Server) {
    let prover = Prover::new(&server);
    let tokens = server.tokens(&server.browser()).await;
    let token = access_token(&tokens);
    challenged(&prover.userinfo(token).await, "invalid_token");
    let request = presenting(server.http.get(server.url("/userinfo")), token, &[]);
    challenged(&send(request).await, "invalid_token");
    assert_eq!(server.userinfo(token).await.status(), 200);
}

/// [RFC 9449 §5](https://www.rfc-editor.org/rfc/rfc9449#section-5).
async fn a_refresh_token_of_a_public_client_is_worthless_without_its_key(server: Server) {
    let (prover, thief) = (Prover::new(&server), Prover::new(&server));
    let tokens = prover.tokens().await;
    let token = text(&tokens, "refresh_token");
    refused(&server.refresh_with(token, &[]).await, 400, "invalid_dpop_proof");
    refused(&thief.refresh(token).await, 400, "invalid_grant");
    let used = prover.proof();
    assert_eq!(server.refresh_with(token, &[&used]).await.0, 200);
    refused(&server.refresh_with(token, &[&used]).await, 400, "invalid_dpop_proof");
}

/// [RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
async fn a_copy_of_a_spent_refresh_token_ends_the_family_with_or_without_the_key(server: Server) {
    let thief = Prover::new(&server);
    for with_key in [None, Some(false), Some(true)] {
        let prover = Prover::new(&server);
        let tokens = prover.tokens().await;
        let first = text(&tokens, "refresh_token");
        let (_, second) = prover.refresh(first).await;
        let second = text(&second, "refresh_token");
        // The newest one is of no use to whoever has no key, and is not spent by trying.
        refused(&thief.refresh(second).await, 400, "invalid_grant");
        refused(&server.refresh_with(second, &[]).await, 400, "invalid_dpop_proof");
        let (status, third) = prover.refresh(second).await;
        assert_eq!(status, 200, "{third}");

        let answer = match with_key {
            None => server.refresh_with(first, &[]).await,
            Some(false) => thief.refresh(first).await,
            Some(true) => prover.refresh(first).await,
        };
        refused(&answer, 400, "invalid_grant");
        refused(&prover.refresh(text(&third, "refresh_token")).await, 400, "invalid_grant");
    }
}

/// [RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2).
async fn whoever_binds_a_stolen_refresh_token_to_a_key_is_still_found_out(server: Server) {
    for late in [false, true] {
        let code = server.browser().code(&request_with("client_id", "spa")).await;
        let (_, tokens) = server.redeem_with(&code, &[]).await;
        let stolen = text(&tokens, "refresh_token");
        let thief = Prover::new(&server);
        let (status, bound) = thief.refresh(stolen).await;
        assert_eq!((status.as_u16(), text(&bound, "token_type")), (200, "DPoP"));
        if late {
            server.wait(31).await;
        }
        refused(&server.refresh_with(stolen, &[]).await, 400, "invalid_grant");
        refused(&thief.refresh(text(&bound, "refresh_token")).await, 400, "invalid_grant");
    }
}

/// [RFC 9449 §10](https://www.rfc-editor.org/rfc/rfc9449#section-10).
async fn a_code_that_is_bound_is_worthless_without_its_key(server: Server) {
    let (prover, thief) = (Prover::new(&server), Prover::new(&server));
    let jkt = prover.jkt();
    for client in ["spa", "web"] {
        let mut request = request_with("client_id", client);
        request.push(("dpop_jkt", &jkt));
        let code = server.browser().code(&request).await;
        let redeem = async |proofs: &[&str]| {
            let form = crate::support::code_form(&code);
            match client {
                "spa" => server.redeem_with(&code, proofs).await,
                _ => server.token_with(Some(&server.web), &form, proofs).await,
            }
        };
        refused(&redeem(&[]).await, 400, "invalid_dpop_proof");
        refused(&redeem(&[&thief.proof()]).await, 400, "invalid_grant");
        assert_eq!(redeem(&[&prover.proof()]).await.0, 200, "the attempts harmed nobody");
    }
}

/// [RFC 9449 §10](https://www.rfc-editor.org/rfc/rfc9449#section-10).
async fn a_thumbprint_that_is_none_is_refused(server: Server) {
    for wrong in ["x", "A", &"A".repeat(42), &"A".repeat(44), &format!("{}=", "A".repeat(43)), "é"]
    {
        let mut request = request_with("client_id", "spa");
        request.push(("dpop_jkt", wrong));
        super::told(&server.browser().answer(&request).await, "invalid_request");
    }
    let mut twice = request_with("client_id", "spa");
    let jkt = Prover::new(&server).jkt();
    twice.extend([("dpop_jkt", jkt.as_str()), ("dpop_jkt", jkt.as_str())]);
    super::told(&server.browser().answer(&twice).await, "invalid_request");
}

/// [RFC 9449 §5.2](https://www.rfc-editor.org/rfc/rfc9449#section-5.2).
async fn a_client_that_always_proves_is_refused_without_a_proof(server: Server) {
    let grants = [GrantType::ClientCredentials].into();
    let new = NewClient { grants, dpop_bound: true, ..NewClient::default() };
    let bound = server.client("bound", new).await;
    let form = [("grant_type", "client_credentials")];
    let prover = Prover::new(&server);
    refused(&server.token_with(Some(&bound), &form, &[]).await, 400, "invalid_dpop_proof");
    assert_eq!(server.token_with(Some(&bound), &form, &[&prover.proof()]).await.0, 200);

    // Also where it was not so when the grant was made.
    let code = server.browser().code(&request_with("client_id", "spa")).await;
    let (_, tokens) = server.redeem_with(&code, &[]).await;
    let change = ClientChange { dpop_bound: Some(true), ..ClientChange::default() };
    server.admin().update_client(&"spa".parse().unwrap(), change).await.unwrap();
    server.follow().await;
    let token = text(&tokens, "refresh_token");
    refused(&server.refresh_with(token, &[]).await, 400, "invalid_dpop_proof");
    assert_eq!(prover.refresh(token).await.0, 200);
}

/// [RFC 9449 §8](https://www.rfc-editor.org/rfc/rfc9449#section-8),
/// [§11.3](https://www.rfc-editor.org/rfc/rfc9449#section-11.3).
async fn a_nonce_is_ours_and_recent(server: Server) {
    let asking = server.with("dpop_nonce", "required").await;
    let prover = Prover::new(&asking);
    let ask = async |nonce: Value| {
        let proof = prover.proof_with(|claims| claims["nonce"] = nonce);
        asking.machine_with(&[&proof]).await
    };
    let nonce = signet::flows::dpop::nonce(&asking.app).unwrap();
    refused(&asking.machine_with(&[&prover.proof()]).await, 400, "use_dpop_nonce");
    for wrong in ["", "x", &nonce[1..], &nonce.to_lowercase(), &format!("{nonce}A")] {
        refused(&ask(json!(wrong)).await, 400, "use_dpop_nonce");
    }
    refused(&ask(json!([nonce])).await, 400, "invalid_dpop_proof");
    assert_eq!(ask(json!(nonce)).await.0, 200);
    server.wait(120).await;
    assert_eq!(ask(json!(nonce)).await.0, 200);
    server.wait(121).await;
    refused(&ask(json!(nonce)).await, 400, "use_dpop_nonce");
}

/// [RFC 9449 §11.1](https://www.rfc-editor.org/rfc/rfc9449#section-11.1).
async fn a_proof_with_a_nonce_is_good_once_for_as_long_as_the_nonce(server: Server) {
    let asking = server.with("dpop_nonce", "required").await;
    let node = server.with("dpop_nonce", "required").await;
    let prover = Prover::new(&asking);
    let nonce = json!(signet::flows::dpop::nonce(&asking.app).unwrap());
    let proof = prover.proof_with(|claims| claims["nonce"] = nonce.clone());
    assert_eq!(asking.machine_with(&[&proof]).await.0, 200);
    for _ in 0..50 {
        server.app.store.expire(server.app.clock.now(), 100, 100).await.unwrap();
        let (status, answer) = node.machine_with(&[&proof]).await;
        assert_eq!(status, 400, "{answer}");
        server.wait(10).await;
    }
    server.app.store.expire(server.app.clock.now(), 100, 100).await.unwrap();
    assert_eq!(server.proofs().await, 0);
}

/// [RFC 9449 §9](https://www.rfc-editor.org/rfc/rfc9449#section-9).
async fn userinfo_asks_for_a_nonce_by_a_challenge(server: Server) {
    let prover = Prover::new(&server);
    let tokens = prover.tokens().await;
    let token = access_token(&tokens);
    let asking = server.with("dpop_nonce", "required").await;
    let url = asking.url("/userinfo");
    let response =
        send(presenting(asking.http.get(&url), token, &[&prover.proof_for("GET", token)])).await;
    challenged(&response, "use_dpop_nonce");
    let nonce = response.headers()["dpop-nonce"].to_str().unwrap();
    let mut claims = prover.claims("GET", "/userinfo", Some(token));
    claims["nonce"] = json!(nonce);
    let proof = prover.sign(&claims);
    let response = send(presenting(asking.http.get(&url), token, &[&proof])).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["dpop-nonce"], nonce);
}
