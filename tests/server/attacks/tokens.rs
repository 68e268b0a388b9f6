//! Only an access token that we issued, unaltered and in its place, opens anything.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};
use signet::values::Algorithm;

use crate::support::{Server, Signer, as_secrets, hs256, payload, request, text, unsigned};

on_both_engines! {
    an_access_token_without_a_signature_is_refused
    our_public_key_is_no_shared_secret
    a_key_that_a_token_names_or_brings_along_is_not_used
    an_altered_token_is_refused
    only_an_access_token_is_one
    a_token_of_another_issuer_is_refused_though_our_key_signed_it
    a_token_that_needs_an_extension_is_refused
    what_is_too_large_or_too_deep_is_refused
    an_encrypted_token_is_refused
}

/// An access token of ada's, and what others make of it.
struct Specimen<'a> {
    server: &'a Server,
    token: String,
}

impl<'a> Specimen<'a> {
    async fn new(server: &'a Server) -> Self {
        let tokens = server.tokens(&server.browser()).await;
        Self { server, token: text(&tokens, "access_token").to_owned() }
    }

    fn claims(&self) -> Value {
        payload(&self.token)
    }

    fn kid(&self) -> String {
        jsonwebtoken::decode_header(&self.token).unwrap().kid.unwrap()
    }

    /// Signed by our own key.
    async fn signed(&self, typ: &str, claims: &Value) -> String {
        let now = self.server.app.clock.now();
        self.server.app.keys.sign(Algorithm::Rs256, typ, claims, now).await.unwrap()
    }

    async fn is_refused(&self, token: &str) {
        let response = self.server.userinfo(token).await;
        let shown = &token[..token.len().min(200)];
        assert_eq!(response.status(), 401, "{shown}");
        let challenge = response.headers()["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("Bearer ") && challenge.contains("\"invalid_token\""));
        let form = [("token", token)];
        let (status, answer) = self.server.post("/introspect", Some(&self.server.web), &form).await;
        assert_eq!((status.as_u16(), answer), (200, json!({ "active": false })), "{shown}");
    }

    async fn is_good(&self, token: &str) {
        assert_eq!(self.server.userinfo(token).await.status(), 200);
        assert_eq!(self.server.introspect(&self.server.web, token).await["active"], true);
    }
}

/// [RFC 8725 §3.1](https://www.rfc-editor.org/rfc/rfc8725#section-3.1),
/// [RFC 9068 §4](https://www.rfc-editor.org/rfc/rfc9068#section-4).
async fn an_access_token_without_a_signature_is_refused(server: Server) {
    let specimen = Specimen::new(&server).await;
    let (signed, signature) = specimen.token.rsplit_once('.').unwrap();
    for alg in ["none", "None", "NONE", "nOnE", "", "RS256", "HS256"] {
        let header = json!({ "alg": alg, "typ": "at+jwt", "kid": specimen.kid() });
        for signature in ["", "AAAA", signature] {
            let forged = format!("{}.{signature}", unsigned(&header, &specimen.claims()));
            if forged != specimen.token {
                specimen.is_refused(&forged).await;
            }
        }
    }
    specimen.is_refused(&format!("{signed}.")).await;
    specimen.is_refused(signed).await;
    specimen.is_good(&specimen.token).await;
}

/// [RFC 8725 §2.1](https://www.rfc-editor.org/rfc/rfc8725#section-2.1).
async fn our_public_key_is_no_shared_secret(server: Server) {
    let specimen = Specimen::new(&server).await;
    let set = server.http.get(server.url("/jwks")).send().await.unwrap();
    let set: Value = set.json().await.unwrap();
    for jwk in set["keys"].as_array().unwrap() {
        let kid = text(jwk, "kid");
        let pem = server.app.keys.public_pem(&kid.parse().unwrap()).unwrap();
        for alg in ["HS256", "hs256"] {
            let header = json!({ "alg": alg, "typ": "at+jwt", "kid": kid });
            for secret in as_secrets(&pem, jwk) {
                specimen.is_refused(&hs256(&header, &specimen.claims(), &secret)).await;
            }
        }
    }
    specimen.is_good(&specimen.token).await;
}

/// [RFC 8725 §3.10](https://www.rfc-editor.org/rfc/rfc8725#section-3.10).
async fn a_key_that_a_token_names_or_brings_along_is_not_used(server: Server) {
    let specimen = Specimen::new(&server).await;
    let attacker = Signer::new();
    let claims = specimen.claims();
    for kid in [
        json!(attacker.kid),
        json!(specimen.kid()),
        json!("../../../../dev/null"),
        json!("' or 1=1 --"),
        json!("x'; drop table users; --"),
        json!("\u{0}"),
        json!("k".repeat(8000)),
        json!(["a"]),
        json!({ "a": 1 }),
        json!(7),
        Value::Null,
    ] {
        let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid, "jwk": attacker.jwk });
        specimen.is_refused(&attacker.sign_as(&header, &claims)).await;
    }
    for name in ["jku", "x5u"] {
        let header = json!({ "alg": "ES256", "typ": "at+jwt", name: "https://evil.test/jwks" });
        specimen.is_refused(&attacker.sign_as(&header, &claims)).await;
    }
    specimen.is_good(&specimen.token).await;
}

/// [RFC 7515 §5.2](https://www.rfc-editor.org/rfc/rfc7515#section-5.2).
async fn an_altered_token_is_refused(server: Server) {
    let specimen = Specimen::new(&server).await;
    let parts: Vec<_> = specimen.token.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    for (name, value) in [
        ("sub", json!("00000000-0000-7000-8000-000000000000")),
        ("scope", json!("openid profile email phone address")),
        ("exp", json!(9_999_999_999_i64)),
        ("roles", json!(["admin"])),
    ] {
        let mut claims = specimen.claims();
        claims[name] = value;
        let claims = BASE64.encode(claims.to_string());
        specimen.is_refused(&format!("{header}.{claims}.{signature}")).await;
    }
    let last = if signature.ends_with('A') { "B" } else { "A" };
    let shorter = &signature[..signature.len() - 1];
    for other in [
        format!("{header}.{payload}.{shorter}{last}"),
        format!("{header}.{payload}.{shorter}"),
        format!("{header}.{payload}.{signature}="),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}=.{signature}"),
        format!("{}.", specimen.token),
        format!(".{}", specimen.token),
        format!("{payload}.{header}.{signature}"),
    ] {
        specimen.is_refused(&other).await;
    }
    specimen.is_good(&specimen.token).await;
}

/// [RFC 9068 §2.1](https://www.rfc-editor.org/rfc/rfc9068#section-2.1),
/// [RFC 8725 §3.11](https://www.rfc-editor.org/rfc/rfc8725#section-3.11).
async fn only_an_access_token_is_one(server: Server) {
    let specimen = Specimen::new(&server).await;
    let browser = server.browser();
    let tokens = server.tokens(&browser).await;
    specimen.is_refused(text(&tokens, "id_token")).await;
    specimen.is_refused(&browser.code(&request()).await).await;
    assert_eq!(server.userinfo(text(&tokens, "refresh_token")).await.status(), 401);
    for typ in ["JWT", "logout+jwt", "dpop+jwt", "at", "at+jwt ", ""] {
        specimen.is_refused(&specimen.signed(typ, &specimen.claims()).await).await;
    }
    specimen.is_good(&specimen.signed("application/at+jwt", &specimen.claims()).await).await;
    for wrong in ["", "x", "a.b.c", "..", "null", "e30.e30.e30"] {
        assert_eq!(server.userinfo(wrong).await.status(), 401, "{wrong}");
    }
}

/// [RFC 8725 §3.8](https://www.rfc-editor.org/rfc/rfc8725#section-3.8),
/// [RFC 9068 §2.2](https://www.rfc-editor.org/rfc/rfc9068#section-2.2).
async fn a_token_of_another_issuer_is_refused_though_our_key_signed_it(server: Server) {
    let specimen = Specimen::new(&server).await;
    let slash = format!("{}/", server.issuer);
    for (name, value) in [
        ("iss", json!("https://evil.test")),
        ("iss", json!(slash)),
        ("iss", json!([server.issuer])),
        ("iss", Value::Null),
        ("exp", Value::Null),
        ("exp", json!("9999999999")),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        ("iat", json!(9_999_999_999_i64)),
        ("nbf", json!(9_999_999_999_i64)),
        ("aud", json!([server.issuer, 7])),
        ("client_id", Value::Null),
        ("client_id", json!("nobody")),
        ("jti", Value::Null),
    ] {
        let mut claims = specimen.claims();
        claims.as_object_mut().unwrap().remove(name);
        if !value.is_null() {
            claims[name] = value;
        }
        specimen.is_refused(&specimen.signed("at+jwt", &claims).await).await;
    }
    specimen.is_good(&specimen.signed("at+jwt", &specimen.claims()).await).await;
}

/// [RFC 7515 §4.1.11](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.11).
async fn a_token_that_needs_an_extension_is_refused(server: Server) {
    let specimen = Specimen::new(&server).await;
    let signature = specimen.token.rsplit_once('.').unwrap().1;
    for (name, value) in [("crit", json!(["x"])), ("crit", json!([])), ("b64", json!(false))] {
        let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": specimen.kid(), name: value });
        specimen
            .is_refused(&format!("{}.{signature}", unsigned(&header, &specimen.claims())))
            .await;
    }
}

/// [RFC 7519 §7.2](https://www.rfc-editor.org/rfc/rfc7519#section-7.2).
async fn what_is_too_large_or_too_deep_is_refused(server: Server) {
    let specimen = Specimen::new(&server).await;
    let header = unsigned(&json!({ "alg": "RS256", "typ": "at+jwt" }), &json!({}));
    let header = header.split('.').next().unwrap();
    let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    for body in [deep(100), deep(5000), "[]".to_owned(), "\"a\"".to_owned(), "7".to_owned()] {
        specimen.is_refused(&format!("{header}.{}.AAAA", BASE64.encode(body))).await;
    }
    let (signed, signature) = specimen.token.rsplit_once('.').unwrap();
    let double = "{\"sub\":\"a\",\"sub\":\"b\"}";
    specimen.is_refused(&format!("{header}.{}.{signature}", BASE64.encode(double))).await;
    specimen.is_refused(&format!("{}{signed}.{signature}", "A".repeat(20_000))).await;
    specimen.is_refused(&".".repeat(20_000)).await;
    let mut claims = specimen.claims();
    claims["padding"] = json!("x".repeat(20_000));
    specimen.is_refused(&specimen.signed("at+jwt", &claims).await).await;
}

/// [RFC 8725 §3.2](https://www.rfc-editor.org/rfc/rfc8725#section-3.2).
async fn an_encrypted_token_is_refused(server: Server) {
    let specimen = Specimen::new(&server).await;
    for header in [
        json!({ "alg": "dir", "enc": "A128GCM" }),
        json!({ "alg": "RSA1_5", "enc": "A128CBC-HS256", "kid": specimen.kid() }),
        json!({ "alg": "RSA-OAEP", "enc": "A256GCM", "zip": "DEF" }),
        json!({ "alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 1_000_000_000, "p2s": "AAAA" }),
    ] {
        let header = BASE64.encode(header.to_string());
        specimen.is_refused(&format!("{header}.AAAA.AAAA.AAAA.AAAA")).await;
        specimen.is_refused(&format!("{header}..AAAA.AAAA.AAAA")).await;
    }
}
