//! How a client says who it is.

use signet_client::{Credentials, Timestamp};
use signet_jwt::{Algorithm, Expected, Expiry, KeySet, SigningKey, Typ, Unverified};

use crate::support::Server;

const PEM: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
";

#[tokio::test]
async fn a_secret_goes_into_the_header_form_encoded() {
    let server = Server::start().await;
    let source =
        server.asks(Credentials::secret("a:b", "p w")).scope("orders:read").build().unwrap();
    source.token().await.unwrap();
    let asked = &server.asked()[0];
    // "a%3Ab:p+w"
    assert_eq!(asked.headers["authorization"], "Basic YSUzQWI6cCt3");
    assert!(!asked.form.contains_key("client_id") && !asked.form.contains_key("client_secret"));
    assert_eq!(
        (&*asked.form["grant_type"], &*asked.form["scope"]),
        ("client_credentials", "orders:read")
    );
}

#[tokio::test]
async fn a_secret_goes_into_the_form_where_that_is_wanted() {
    let server = Server::start().await;
    let source = server.asks(Credentials::secret_in_form("a:b", "p w"));
    let source = source.resource("https://api.test/").audience("orders").build().unwrap();
    source.token().await.unwrap();
    let asked = &server.asked()[0];
    assert!(!asked.headers.contains_key("authorization"));
    assert_eq!((&*asked.form["client_id"], &*asked.form["client_secret"]), ("a:b", "p w"));
    assert_eq!(
        (&*asked.form["resource"], &*asked.form["audience"]),
        ("https://api.test/", "orders")
    );
}

/// [RFC 7523 §3](https://www.rfc-editor.org/rfc/rfc7523#section-3).
#[tokio::test]
async fn a_key_signs_each_request_anew_and_for_the_issuer_alone() {
    #[derive(serde::Deserialize)]
    struct Claims {
        sub: String,
        jti: String,
        exp: Timestamp,
        iat: Timestamp,
    }

    let server = Server::start().await;
    let source = server.asks(Credentials::key("billing", PEM).unwrap()).build().unwrap();
    let token = source.token().await.unwrap();
    source.reject(&token);
    source.token().await.unwrap();

    let keys = KeySet::new(vec![SigningKey::from_pem(PEM, None).unwrap().0.public()]);
    let expected = Expected {
        typ: Typ::Is("JWT"),
        issuer: Some("billing"),
        audience: Some(&[&server.issuer]),
        algorithms: &[Algorithm::EdDsa],
        expiry: Expiry::Required,
        now: Timestamp(1_800_000_000),
        leeway: 0,
        ahead: 0,
    };
    let mut names = Vec::new();
    for asked in server.asked() {
        let assertion = Unverified::parse(&asked.form["client_assertion"]).unwrap();
        let verified = assertion.verify::<Claims>(&keys, &expected).unwrap();
        let claims = verified.claims();
        assert_eq!((claims.sub.as_str(), claims.exp.since(claims.iat)), ("billing", 60));
        names.push(claims.jti.clone());
    }
    assert_eq!(names.len(), 2);
    assert_ne!(names[0], names[1]);
}

#[test]
fn keys_are_read_as_pem_and_jwk_and_not_printed() {
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","kid":"one","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#;
    for key in [PEM, jwk] {
        let shown = format!("{:?}", Credentials::key("billing", key).unwrap());
        assert!(shown.contains("private_key_jwt") && !shown.contains("nWGxne"), "{shown}");
    }
    let error = Credentials::key("billing", "top-secret").unwrap_err();
    assert!(!error.to_string().contains("top-secret"), "{error}");
}
