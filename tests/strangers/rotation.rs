//! A verifier that has only the published key set, while keys rotate under it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use reqwest::Client;
use rsa::{BoxedUint, Pkcs1v15Sign, PublicKey};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::program::Program;

on_both_engines! {
    a_verifier_accepts_tokens_before_during_and_after_a_rotation
    a_new_master_key_stops_nothing
}

/// Keys as they were published at one moment, by their identifiers.
struct Verifier(BTreeMap<String, PublicKey>);

async fn a_verifier_accepts_tokens_before_during_and_after_a_rotation(program: Program) {
    let http = Client::new();
    let old_set = Verifier::fetch(&http, &program).await;
    let before = token(&http, &program).await;
    let old = old_set.verified(&before);

    let rotated = program.run(&["key", "rotate"], "");
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut seen = BTreeSet::new();
    while !seen.iter().any(|key| *key != old) {
        assert!(Instant::now() < deadline, "no new key signs: {rotated}");
        let during = token(&http, &program).await;
        // Who fetched the keys before the rotation need not fetch them again.
        seen.insert(old_set.verified(&during));
    }

    let new_set = Verifier::fetch(&http, &program).await;
    assert_eq!(new_set.verified(&before), old);
    let after = token(&http, &program).await;
    assert_ne!(new_set.verified(&after), old);
    let successor = |(key, _): &(&String, _)| !old_set.0.contains_key(*key);
    assert!(new_set.0.iter().any(|entry| successor(&entry)), "the next key is not announced");
}

async fn a_new_master_key_stops_nothing(program: Program) {
    let http = Client::new();
    let before = token(&http, &program).await;
    let resealed = program.run(&["key", "reseal", "--wait", "0"], "");
    assert_eq!(resealed["resealed"], 2, "the key that signs and the next one");
    let again = program.run(&["key", "reseal", "--as-it-is"], "");
    assert_eq!(again["resealed"], 0);

    let program = program.restarted();
    let set = Verifier::fetch(&http, &program).await;
    assert_eq!(set.verified(&before), set.verified(&token(&http, &program).await));
}

impl Verifier {
    async fn fetch(http: &Client, program: &Program) -> Self {
        let text = http.get(format!("{}/jwks", program.issuer)).send().await.unwrap();
        let set: Value = serde_json::from_str(&text.text().await.unwrap()).unwrap();
        let keys = set["keys"].as_array().unwrap().iter();
        Self(keys.map(|key| (key["kid"].as_str().unwrap().to_owned(), public(key))).collect())
    }

    /// Which key signed this token.
    fn verified(&self, token: &str) -> String {
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let header = BASE64.decode(signed.split('.').next().unwrap()).unwrap();
        let header: Value = serde_json::from_slice(&header).unwrap();
        assert_eq!(header["alg"], "RS256");
        let name = header["kid"].as_str().unwrap();

        let key = self.0.get(name).unwrap_or_else(|| panic!("unknown key {name}"));
        let scheme = Pkcs1v15Sign::new::<Sha256>();
        key.verify(scheme, &Sha256::digest(signed), &BASE64.decode(signature).unwrap()).unwrap();
        name.to_owned()
    }
}

fn public(key: &Value) -> PublicKey {
    let number = |name| BASE64.decode(key[name].as_str().unwrap()).unwrap();
    let number = |name| BoxedUint::from_be_slice_vartime(&number(name));
    PublicKey::new(number("n"), number("e")).unwrap()
}

async fn token(http: &Client, program: &Program) -> String {
    let request = http.post(format!("{}/token", program.issuer));
    let request = request.basic_auth("machine", Some(&program.machine_secret));
    let response = request.form(&[("grant_type", "client_credentials")]).send().await.unwrap();
    let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
    answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}
