//! `private_key_jwt`: a client that signs is believed for one short statement at a time.

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::refused;
use crate::support::{Machine, Server, Signer, as_secrets, assertion_form, hs256, unsigned};

on_both_engines! {
    a_client_that_signs_is_believed
    an_assertion_without_a_signature_is_refused
    a_public_key_is_no_shared_secret
    an_assertion_works_once
    an_assertion_without_a_name_works_once_however_it_is_signed
    of_many_with_one_assertion_on_two_nodes_one_succeeds
    an_assertion_says_who_for_whom_and_until_when
    only_the_clients_own_key_signs_for_it
    a_key_that_an_assertion_brings_along_is_not_used
    an_assertion_that_needs_an_extension_is_refused
    only_one_spelling_of_an_assertion_is_read
    an_assertion_of_another_kind_is_refused
}

/// [RFC 7523 §2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2).
async fn a_client_that_signs_is_believed(server: Server) {
    let machine = Machine::new(&server).await;
    machine.is_believed(&machine.key.sign(&machine.claims("a"))).await;
    for (jti, aud) in
        [("b", json!(format!("{}/token", server.issuer))), ("c", json!([server.issuer]))]
    {
        let mut claims = machine.claims(jti);
        claims["aud"] = aud;
        machine.is_believed(&machine.key.sign(&claims)).await;
    }
    let assertion = machine.key.sign(&machine.claims("d"));
    let named = [&assertion_form(&assertion)[..], &[("client_id", "signing")]].concat();
    assert_eq!(server.post("/token", None, &named).await.0, 200);
    let assertion = machine.key.sign(&machine.claims("e"));
    let form = [&assertion_form(&assertion)[1..], &[("token", "x")]].concat();
    assert_eq!(server.post("/introspect", None, &form).await.0, 200);
}

/// [RFC 8725 §3.1](https://www.rfc-editor.org/rfc/rfc8725#section-3.1).
async fn an_assertion_without_a_signature_is_refused(server: Server) {
    let machine = Machine::new(&server).await;
    let claims = machine.claims("a");
    let right = machine.key.sign(&claims);
    let (signed, signature) = right.rsplit_once('.').unwrap();
    for alg in ["none", "None", "NONE", "nOnE", "", "ES256"] {
        let header = json!({ "alg": alg, "typ": "JWT", "kid": machine.key.kid });
        for signature in ["", "AAAA"] {
            machine.is_refused(&format!("{}.{signature}", unsigned(&header, &claims))).await;
        }
    }
    machine.is_refused(&format!("{}.", unsigned(&json!({ "typ": "JWT" }), &claims))).await;
    machine.is_refused(&format!("{signed}.")).await;
    machine.is_refused(signed).await;
    // Two zeros as a signature (CVE-2022-21449).
    machine.is_refused(&format!("{signed}.{}", "A".repeat(86))).await;
    machine.is_believed(&format!("{signed}.{signature}")).await;
}

/// [RFC 8725 §2.1](https://www.rfc-editor.org/rfc/rfc8725#section-2.1).
async fn a_public_key_is_no_shared_secret(server: Server) {
    let machine = Machine::new(&server).await;
    let header = json!({ "alg": "HS256", "typ": "JWT", "kid": machine.key.kid });
    for secret in as_secrets(&machine.key.pem, &machine.key.jwk) {
        machine.is_refused(&hs256(&header, &machine.claims("a"), &secret)).await;
    }
    machine.is_believed(&machine.key.sign(&machine.claims("a"))).await;
}

/// [RFC 7523 §3](https://www.rfc-editor.org/rfc/rfc7523#section-3).
async fn an_assertion_works_once(server: Server) {
    let machine = Machine::new(&server).await;
    let assertion = machine.key.sign(&machine.claims("a"));
    machine.is_believed(&assertion).await;
    machine.is_refused(&assertion).await;
    // The same name in other words is the same assertion, anywhere.
    let mut claims = machine.claims("a");
    claims["aud"] = json!(format!("{}/token", server.issuer));
    machine.is_refused(&machine.key.sign(&claims)).await;
    let again = [&assertion_form(&assertion)[1..], &[("token", "x")]].concat();
    refused(&server.post("/introspect", None, &again).await, 401, "invalid_client");
    // Another client's assertion of that name is another one.
    let other = server.signing("other-signing").await;
    let mut claims = machine.claims("a");
    claims["iss"] = json!("other-signing");
    claims["sub"] = json!("other-signing");
    machine.is_believed(&other.sign(&claims)).await;
    // Until it has expired, and for as long as our clocks may differ.
    server.wait(85).await;
    server.app.store.expire(server.app.clock.now(), 500, 1).await.unwrap();
    machine.is_refused(&assertion).await;
}

/// [RFC 7515 §10.10](https://www.rfc-editor.org/rfc/rfc7515#section-10.10): a signature protects, and is
/// not protected; of an ECDSA signature whoever has seen it can make another.
async fn an_assertion_without_a_name_works_once_however_it_is_signed(server: Server) {
    let machine = Machine::new(&server).await;
    let claims = machine.claims_with("jti", Value::Null);
    let (one, other) = (machine.key.sign(&claims), machine.key.sign(&claims));
    assert_ne!(one, other);
    machine.is_believed(&one).await;
    machine.is_refused(&one).await;
    machine.is_refused(&other).await;
    server.wait(1).await;
    machine.is_believed(&machine.key.sign(&machine.claims_with("jti", Value::Null))).await;
}

/// [RFC 7523 §3](https://www.rfc-editor.org/rfc/rfc7523#section-3).
async fn of_many_with_one_assertion_on_two_nodes_one_succeeds(server: Server) {
    let (machine, node) = (Machine::new(&server).await, server.node().await);
    for round in 0..10 {
        let assertion = machine.key.sign(&machine.claims(&round.to_string()));
        let mut tasks = JoinSet::new();
        for node in [&server, &node].repeat(4) {
            let request = node.to("/token").form(&assertion_form(&assertion));
            tasks.spawn(async move { request.send().await.unwrap().status().as_u16() });
        }
        let mut statuses = tasks.join_all().await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401, 401, 401, 401, 401, 401, 401]);
    }
}

/// [RFC 7523 §3](https://www.rfc-editor.org/rfc/rfc7523#section-3).
async fn an_assertion_says_who_for_whom_and_until_when(server: Server) {
    let machine = Machine::new(&server).await;
    let now = server.app.clock.now().0;
    for (name, value) in [
        ("iss", Value::Null),
        ("iss", json!("web")),
        ("iss", json!(server.issuer)),
        ("iss", json!(["signing"])),
        ("sub", Value::Null),
        ("sub", json!("web")),
        ("sub", json!("nobody")),
        ("sub", json!(7)),
        ("aud", Value::Null),
        ("aud", json!("https://evil.test")),
        ("aud", json!([])),
        ("aud", json!([server.issuer, 7])),
        ("aud", json!(format!("{}/", server.issuer))),
        ("aud", json!(format!("{}/authorize", server.issuer))),
        ("aud", json!(format!("{}/introspect", server.issuer))),
        ("exp", Value::Null),
        ("exp", json!(now - 31)),
        ("exp", json!(now - 300)),
        ("exp", json!(now + 3700)),
        ("exp", json!(now + 86400)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(1e300)),
        ("exp", json!(-1)),
        ("exp", json!((now + 60).to_string())),
        ("nbf", json!(now + 61)),
        ("nbf", json!(now + 3600)),
        ("iat", json!(now + 61)),
        ("iat", json!("x")),
    ] {
        machine.is_refused(&machine.key.sign(&machine.claims_with(name, value))).await;
    }
    for claims in [json!([]), json!("x"), json!(7), Value::Null] {
        machine.is_refused(&machine.key.sign(&claims)).await;
    }
    // Clocks differ, and assertions may live for up to an hour.
    for (index, (name, value)) in [
        ("exp", json!(now - 10)),
        ("exp", json!(now + 3600)),
        ("nbf", json!(now + 10)),
        ("iat", json!(now + 10)),
        ("iat", Value::Null),
    ]
    .into_iter()
    .enumerate()
    {
        let mut claims = machine.claims_with(name, value);
        claims["jti"] = json!(index.to_string());
        machine.is_believed(&machine.key.sign(&claims)).await;
    }
}

/// [RFC 7521 §8.1](https://www.rfc-editor.org/rfc/rfc7521#section-8.1).
async fn only_the_clients_own_key_signs_for_it(server: Server) {
    let machine = Machine::new(&server).await;
    let other = server.signing("other-signing").await;
    let claims = machine.claims("a");
    machine.is_refused(&other.sign(&claims)).await;
    machine.is_refused(&other.sign_as(&machine.key.header(), &claims)).await;
    machine.is_refused(&other.sign_as(&json!({ "alg": "ES256" }), &claims)).await;
    let named = machine.key.sign(&claims);
    let named = [&assertion_form(&named)[..], &[("client_id", "other-signing")]].concat();
    refused(&server.post("/token", None, &named).await, 400, "invalid_request");
    // Nor does ours.
    let (alg, now) = (signet::values::Algorithm::Rs256, server.app.clock.now());
    let ours = server.app.keys.sign(alg, "JWT", &claims, now).await.unwrap();
    machine.is_refused(&ours).await;
    machine.is_believed(&machine.key.sign(&claims)).await;
}

/// [RFC 8725 §3.10](https://www.rfc-editor.org/rfc/rfc8725#section-3.10).
async fn a_key_that_an_assertion_brings_along_is_not_used(server: Server) {
    let machine = Machine::new(&server).await;
    let attacker = Signer::new();
    let claims = machine.claims("a");
    for (name, value) in [
        ("jwk", attacker.jwk.clone()),
        ("jku", json!("https://evil.test/jwks")),
        ("x5u", json!("https://evil.test/x5u")),
        ("x5c", json!(["MAA="])),
    ] {
        for kid in [&attacker.kid, &machine.key.kid] {
            let header = json!({ "alg": "ES256", "typ": "JWT", "kid": kid, name: value });
            machine.is_refused(&attacker.sign_as(&header, &claims)).await;
        }
    }
    for kid in [
        json!("../../dev/null"),
        json!("' or 1=1 --"),
        json!("k".repeat(9000)),
        json!(7),
        json!(""),
        Value::Null,
    ] {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": kid });
        machine.is_refused(&machine.key.sign_as(&header, &claims)).await;
    }
    // A client with one key need not name it.
    machine.is_believed(&machine.key.sign_as(&json!({ "alg": "ES256" }), &claims)).await;
}

/// [RFC 7515 §4.1.11](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.11).
async fn an_assertion_that_needs_an_extension_is_refused(server: Server) {
    let machine = Machine::new(&server).await;
    let claims = machine.claims("a");
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!(["b64"])),
        ("crit", json!([])),
        ("b64", json!(false)),
    ] {
        let mut header = machine.key.header();
        header[name] = value;
        machine.is_refused(&machine.key.sign_as(&header, &claims)).await;
    }
    machine.is_believed(&machine.key.sign(&claims)).await;
}

/// [RFC 7515 §5.2](https://www.rfc-editor.org/rfc/rfc7515#section-5.2).
async fn only_one_spelling_of_an_assertion_is_read(server: Server) {
    let machine = Machine::new(&server).await;
    let right = machine.key.sign(&machine.claims("a"));
    let parts: Vec<_> = right.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    let json = json!({ "protected": header, "payload": payload, "signature": signature });
    for wrong in [
        format!(" {right}"),
        format!("{right}\n"),
        format!("{right}="),
        format!("{header}=.{payload}.{signature}"),
        format!("{right}."),
        format!("{right}.{signature}"),
        format!(".{right}"),
        format!("\u{feff}{right}"),
        right.replace('.', ".."),
        json.to_string(),
        "..".to_owned(),
        "a".to_owned(),
    ] {
        machine.is_refused(&wrong).await;
    }
    machine.is_believed(&right).await;
}

/// [RFC 7521 §4.2](https://www.rfc-editor.org/rfc/rfc7521#section-4.2),
/// [RFC 8725 §3.11](https://www.rfc-editor.org/rfc/rfc8725#section-3.11).
async fn an_assertion_of_another_kind_is_refused(server: Server) {
    let machine = Machine::new(&server).await;
    let right = machine.key.sign(&machine.claims("a"));
    for kind in ["urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "jwt", ""] {
        let mut form = assertion_form(&right);
        form[1].1 = kind;
        refused(&server.post("/token", None, &form).await, 401, "invalid_client");
    }
    for typ in ["at+jwt", "dpop+jwt", "logout+jwt", "oauth-id-jag+jwt"] {
        let header = json!({ "alg": "ES256", "typ": typ, "kid": machine.key.kid });
        machine.is_refused(&machine.key.sign_as(&header, &machine.claims("b"))).await;
    }
    machine.is_believed(&right).await;
}
