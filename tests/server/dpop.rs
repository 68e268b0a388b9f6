//! What clients that hold a key do every day
//! ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)).

use serde_json::{Value, json};
use signet::{flows::admin::NewClient, model::GrantType, values::Algorithm};
use signet_jwt::ProofKey;

use crate::support::{
    Prover, Server, access_token, payload, poll_form, presenting, request_with, text,
};

on_both_engines! {
    a_token_is_bound_to_the_key_that_was_proved_and_says_so
    a_token_without_a_proof_is_a_bearer_token
    a_proof_by_any_kind_of_key_is_understood
    a_bound_token_opens_userinfo_with_a_proof
    a_public_client_refreshes_with_its_key
    a_confidential_client_may_refresh_with_another_key_or_none
    a_public_client_that_begins_to_prove_is_bound_from_then_on
    a_code_is_redeemed_with_the_key_that_the_request_named
    a_device_is_given_tokens_that_are_bound_to_its_key
    a_nonce_is_given_with_every_answer_and_serves_on_every_node
    a_nonce_serves_clients_whose_clocks_are_wrong
    the_metadata_says_how_proofs_may_be_signed
}

/// RFC 9449 §5, §6.1, §6.2.
async fn a_token_is_bound_to_the_key_that_was_proved_and_says_so(server: Server) {
    let prover = Prover::new(&server);
    let machine = prover.asks().await.1;
    let person = prover.tokens().await;
    let refreshed = prover.refresh(text(&person, "refresh_token")).await.1;
    for tokens in [&machine, &person, &refreshed] {
        assert_eq!(text(tokens, "token_type"), "DPoP", "{tokens}");
        let cnf = json!({ "jkt": prover.jkt() });
        assert_eq!(payload(access_token(tokens))["cnf"], cnf);
    }
    let answer = server.introspect(&server.machine, access_token(&machine)).await;
    assert_eq!((&answer["active"], text(&answer, "token_type")), (&json!(true), "DPoP"));
    assert_eq!(answer["cnf"], json!({ "jkt": prover.jkt() }));
}

async fn a_token_without_a_proof_is_a_bearer_token(server: Server) {
    let (_, tokens) = server.machine_with(&[]).await;
    assert_eq!(text(&tokens, "token_type"), "Bearer");
    assert!(payload(access_token(&tokens)).get("cnf").is_none());
    let answer = server.introspect(&server.machine, access_token(&tokens)).await;
    assert_eq!(text(&answer, "token_type"), "Bearer");
    assert!(answer.get("cnf").is_none());
    assert_eq!(server.proofs().await, 0, "and nothing was written for it");
}

async fn a_proof_by_any_kind_of_key_is_understood(server: Server) {
    for algorithm in Algorithm::ALL {
        let key = ProofKey::generate(algorithm).unwrap().0;
        let (status, tokens) = server.machine_with(&[&server.proof_by(&key, "1")]).await;
        assert_eq!(status, 200, "{algorithm}: {tokens}");
        let cnf = json!({ "jkt": key.thumbprint() });
        assert_eq!(payload(access_token(&tokens))["cnf"], cnf);
    }
}

/// RFC 9449 §7.
async fn a_bound_token_opens_userinfo_with_a_proof(server: Server) {
    let prover = Prover::new(&server);
    let tokens = prover.tokens().await;
    let token = access_token(&tokens);
    let (get, post) = (prover.proof_for("GET", token), prover.proof_for("POST", token));
    let url = server.url("/userinfo");
    for request in [
        presenting(server.http.get(&url), token, &[&get]),
        presenting(server.http.post(&url), token, &[&post]),
        server
            .http
            .get(&url)
            .header("authorization", format!("dpop {token}"))
            .header("DPOP", prover.proof_for("GET", token)),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.headers().get("dpop-nonce").is_none(), "nobody asks for one");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["sub"], json!(server.ada.id));
    }
}

/// RFC 9449 §5.
async fn a_public_client_refreshes_with_its_key(server: Server) {
    let prover = Prover::new(&server);
    let tokens = prover.tokens().await;
    let first = text(&tokens, "refresh_token");
    let (status, second) = prover.refresh(first).await;
    assert_eq!(status, 200, "{second}");
    // An answer that was lost is given again, to another proof.
    let (status, again) = prover.refresh(first).await;
    assert_eq!(status, 200, "{again}");
    assert_eq!(text(&again, "refresh_token"), text(&second, "refresh_token"));
}

/// RFC 9449 §5: it is bound by its credentials already.
async fn a_confidential_client_may_refresh_with_another_key_or_none(server: Server) {
    let (one, other) = (Prover::new(&server), Prover::new(&server));
    let code = server.browser().code(&request_with("client_id", "web")).await;
    let form = crate::support::code_form(&code);
    let (_, tokens) = server.token_with(Some(&server.web), &form, &[&one.proof()]).await;
    assert_eq!(text(&tokens, "token_type"), "DPoP");

    let mut token = text(&tokens, "refresh_token").to_owned();
    for (proof, jkt) in [(Some(other.proof()), Some(other.jkt())), (None, None)] {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
        let proofs: Vec<_> = proof.iter().map(String::as_str).collect();
        let (status, next) = server.token_with(Some(&server.web), &form, &proofs).await;
        assert_eq!(status, 200, "{next}");
        assert_eq!(payload(access_token(&next))["cnf"]["jkt"], json!(jkt));
        text(&next, "refresh_token").clone_into(&mut token);
    }
}

/// RFC 9449 §5.
async fn a_public_client_that_begins_to_prove_is_bound_from_then_on(server: Server) {
    let prover = Prover::new(&server);
    let code = server.browser().code(&request_with("client_id", "spa")).await;
    let (_, tokens) = server.redeem_with(&code, &[]).await;
    assert_eq!(text(&tokens, "token_type"), "Bearer");
    let (_, tokens) = prover.refresh(text(&tokens, "refresh_token")).await;
    assert_eq!(text(&tokens, "token_type"), "DPoP");
    let token = text(&tokens, "refresh_token");
    assert_eq!(server.refresh_with(token, &[]).await.0, 400);
    assert_eq!(Prover::new(&server).refresh(token).await.0, 400);
    assert_eq!(prover.refresh(token).await.0, 200);
}

/// RFC 9449 §10.
async fn a_code_is_redeemed_with_the_key_that_the_request_named(server: Server) {
    let prover = Prover::new(&server);
    let jkt = prover.jkt();
    let mut request = request_with("client_id", "spa");
    request.push(("dpop_jkt", &jkt));
    let code = server.browser().code(&request).await;
    let (status, tokens) = server.redeem_with(&code, &[&prover.proof()]).await;
    assert_eq!((status.as_u16(), text(&tokens, "token_type")), (200, "DPoP"), "{tokens}");
}

/// RFC 9449 §5, RFC 8628 §3.4.
async fn a_device_is_given_tokens_that_are_bound_to_its_key(server: Server) {
    server.television().await;
    let (prover, other) = (Prover::new(&server), Prover::new(&server));
    let begun = server.asks_for_device("openid offline_access").await;
    let form = poll_form(&begun);
    let (status, answer) = server.token_with(None, &form, &[&prover.proof()]).await;
    assert_eq!((status.as_u16(), text(&answer, "error")), (400, "authorization_pending"));
    assert_eq!(server.proofs().await, 0, "waiting costs no row for its proofs");
    server.browser().lets_in(&begun).await;
    server.wait(6).await;

    let used = other.proof();
    assert_eq!(server.machine_with(&[&used]).await.0, 200);
    let (status, answer) = server.token_with(None, &form, &[&used]).await;
    assert_eq!((status.as_u16(), text(&answer, "error")), (400, "invalid_dpop_proof"));
    server.wait(6).await;
    let (status, tokens) = server.token_with(None, &form, &[&prover.proof()]).await;
    assert_eq!((status.as_u16(), text(&tokens, "token_type")), (200, "DPoP"), "{tokens}");
    assert_eq!(payload(access_token(&tokens))["cnf"], json!({ "jkt": prover.jkt() }));

    let token = text(&tokens, "refresh_token");
    let form = [("grant_type", "refresh_token"), ("client_id", "tv"), ("refresh_token", token)];
    for (proof, status) in [(other.proof(), 400), (prover.proof(), 200)] {
        let (found, answer) = server.token_with(None, &form, &[&proof]).await;
        assert_eq!(found, status, "{answer}");
    }
}

/// RFC 9449 §8, §8.2, §9.
async fn a_nonce_is_given_with_every_answer_and_serves_on_every_node(server: Server) {
    let asking = server.with("dpop_nonce", "required").await;
    let node = server.with("dpop_nonce", "required").await;
    let prover = Prover::new(&asking);
    let form = [("grant_type", "client_credentials")];
    let ask = async |server: &Server, nonce: Option<&str>| {
        let proof = prover.proof_with(|claims| claims["nonce"] = json!(nonce.unwrap_or("none")));
        let (id, secret) = &server.machine;
        let request = server.to("/token").basic_auth(id, Some(secret)).form(&form);
        let response = request.header("dpop", proof).send().await.unwrap();
        assert_eq!(response.headers()["cache-control"], "no-store");
        let next = response.headers()["dpop-nonce"].to_str().unwrap().to_owned();
        assert_eq!(response.headers().get_all("dpop-nonce").iter().count(), 1);
        (response.status().as_u16(), next, response.json::<Value>().await.unwrap())
    };

    let (status, nonce, answer) = ask(&asking, None).await;
    assert_eq!((status, text(&answer, "error")), (400, "use_dpop_nonce"), "{answer}");
    let (status, next, answer) = ask(&asking, Some(&nonce)).await;
    assert_eq!((status, text(&answer, "token_type")), (200, "DPoP"), "{answer}");
    assert_eq!(next, nonce, "it serves several requests");
    assert_eq!(ask(&node, Some(&nonce)).await.0, 200);

    // A client that goes on asking is never refused for its nonce.
    let mut nonce = next;
    for _ in 0..10 {
        server.wait(100).await;
        let (status, next, answer) = ask(&node, Some(&nonce)).await;
        assert_eq!(status, 200, "{answer}");
        nonce = next;
    }
    assert_eq!(asking.machine_with(&[]).await.0, 200, "whoever proves nothing needs none");
}

/// RFC 9449 §11.1.
async fn a_nonce_serves_clients_whose_clocks_are_wrong(server: Server) {
    let asking = server.with("dpop_nonce", "required").await;
    let prover = Prover::new(&asking);
    let nonce = signet::flows::dpop::nonce(&asking.app).unwrap();
    for seconds in [-3600 * 12, 3600 * 12] {
        let iat = server.app.clock.now().plus(seconds);
        let proof = prover.proof_with(|claims| {
            claims["nonce"] = json!(nonce);
            claims["iat"] = json!(iat);
        });
        let (status, answer) = asking.machine_with(&[&proof]).await;
        assert_eq!(status, 200, "{answer}");
    }
}

/// RFC 9449 §5.1.
async fn the_metadata_says_how_proofs_may_be_signed(server: Server) {
    let url = server.url("/.well-known/oauth-authorization-server");
    let metadata: Value = server.http.get(url).send().await.unwrap().json().await.unwrap();
    let algorithms = Algorithm::ALL.map(Algorithm::as_str);
    assert_eq!(metadata["dpop_signing_alg_values_supported"], json!(algorithms));
    // A client that is made to prove is one that operators make.
    let grants = [GrantType::ClientCredentials].into();
    let bound = server
        .client("bound", NewClient { grants, dpop_bound: true, ..NewClient::default() })
        .await;
    let form = [("grant_type", "client_credentials")];
    let prover = Prover::new(&server);
    let (status, answer) = server.token_with(Some(&bound), &form, &[&prover.proof()]).await;
    assert_eq!(status, 200, "{answer}");
}
