//! Fifty rotations on two nodes, each as soon as the timetable allows, under the eyes of verifiers
//! that keep the key set for as long as they may.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use jsonwebtoken::jwk::JwkSet;
use reqwest::header;
use serde_json::Value;
use signet::values::Algorithm;

use crate::support::{Server, payload, text};

on_both_engines! {
    no_valid_token_is_refused_in_fifty_rotations
}

const ROTATIONS: usize = 50;

/// Within how many seconds one node hears of what another has changed.
const LATE: i64 = 2;

/// Seconds between one look and the next, in turn: just before, at and after the borders of caches
/// (300 seconds) and of tokens (900). The seconds before and at which a key begins are always looked at.
const STEPS: [i64; 7] = [1, 298, 1, 5, 60, 239, 61];

async fn no_valid_token_is_refused_in_fifty_rotations(server: Server) {
    let nodes = [server.node().await, server];
    let [other, server] = &nodes;
    let mut verifiers = [
        Verifier::new(Habit::Caches, 0),
        Verifier::new(Habit::Caches, 100),
        Verifier::new(Habit::Caches, 201),
        Verifier::new(Habit::AsksForUnknownKeys, 0),
    ];
    let guards = [server.guard().await, other.guard().await];
    let begun = server.app.clock.now();
    let mut tokens: Vec<String> = Vec::new();
    let mut steps = STEPS.into_iter().cycle();
    let mut signed_with: BTreeMap<String, usize> = BTreeMap::new();

    for turn in 0..ROTATIONS {
        let now = server.app.clock.now();
        let rotation = nodes[turn % 2].app.keys.rotate(Algorithm::Rs256, false, now).await.unwrap();
        assert!(!rotation.pending);
        // The other node has not heard of it yet.
        let mut unheard = LATE;
        loop {
            for node in &nodes {
                for _ in 0..2 {
                    let token = machine_token(node).await;
                    *signed_with.entry(key_of(&token)).or_default() += 1;
                    tokens.push(token);
                }
            }
            let now = server.app.clock.now();
            tokens.retain(|token| payload(token)["exp"].as_i64().unwrap() > now.0);
            let elapsed = now.since(begun);
            for verifier in verifiers.iter_mut().filter(|verifier| verifier.from <= elapsed) {
                for token in &tokens {
                    verifier.accepts(token, &nodes).await;
                }
            }
            for (guard, token) in
                guards.iter().flat_map(|guard| tokens.iter().map(move |token| (guard, token)))
            {
                guard.verify_token(token).await.unwrap();
            }
            if rotation.active_at <= now && unheard <= 0 {
                break;
            }

            let left = rotation.active_at.since(now);
            let step = match left {
                _ if unheard > 0 => 1,
                ..=1 => 1,
                _ => steps.next().unwrap().min(left - 1),
            };
            server.wait(step).await;
            unheard -= step;
            if unheard <= 0 {
                other.follow().await;
                server.app.keys.tend(server.app.clock.now()).await.unwrap();
                other.app.keys.tend(server.app.clock.now()).await.unwrap();
            }
        }
        assert!(signed_with.contains_key(rotation.kid.as_str()), "the new key never signed");
    }
    assert!(signed_with.len() > ROTATIONS);
}

/// When a verifier asks for the key set again.
enum Habit {
    /// When `max-age` is over, and then alone.
    Caches,
    /// When a token names a key that it does not know.
    AsksForUnknownKeys,
}

/// Somebody who has nothing but the published key set, from either node in turn.
struct Verifier {
    habit: Habit,
    /// After how many seconds it comes along.
    from: i64,
    asked: usize,
    keys: Option<JwkSet>,
    until: i64,
}

impl Verifier {
    fn new(habit: Habit, from: i64) -> Self {
        Self { habit, from, asked: 0, keys: None, until: 0 }
    }

    async fn accepts(&mut self, token: &str, nodes: &[Server; 2]) {
        let now = nodes[0].app.clock.now().0;
        let kid = key_of(token);
        let fits = match self.habit {
            Habit::Caches => now < self.until,
            Habit::AsksForUnknownKeys => self.knows(&kid),
        };
        if !fits {
            self.ask(&nodes[self.asked % 2], now).await;
        }
        let set = self.keys.as_ref().unwrap();
        let key = set.find(&kid).unwrap_or_else(|| panic!("{kid} is unknown at {now}: {set:?}"));
        let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let algorithm = jsonwebtoken::Algorithm::RS256;
        let verified =
            jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &key, algorithm).unwrap();
        assert!(verified, "{kid}");
    }

    fn knows(&self, kid: &str) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.find(kid).is_some())
    }

    async fn ask(&mut self, node: &Server, now: i64) {
        let response = node.http.get(node.url("/jwks")).send().await.unwrap();
        let caching = response.headers()[header::CACHE_CONTROL].to_str().unwrap();
        let max_age: i64 = caching.rsplit_once("max-age=").unwrap().1.parse().unwrap();
        self.until = now + max_age;
        self.keys = Some(response.json().await.unwrap());
        self.asked += 1;
    }
}

async fn machine_token(node: &Server) -> String {
    let form = [("grant_type", "client_credentials")];
    let (status, tokens) = node.post("/token", Some(&node.machine), &form).await;
    assert_eq!(status, 200, "{tokens}");
    text(&tokens, "access_token").to_owned()
}

/// The key that signed this token.
fn key_of(token: &str) -> String {
    let header = BASE64.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    text(&header, "kid").to_owned()
}
