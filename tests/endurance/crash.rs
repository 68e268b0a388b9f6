//! The program is killed in the middle of its work, again and again: whatever a client was told
//! holds, and whatever it was not told can be asked again.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use reqwest::Client as Http;
use serde_json::Value;
use sqlx::{Connection, SqliteConnection};
use tokio::{
    sync::watch,
    task::{JoinSet, block_in_place, yield_now},
    time::timeout,
};

use crate::{
    client::{Answer, Client, browser, key_of, text},
    program::Program,
};

on_both_engines! {
    what_was_answered_holds_after_twenty_crashes
}

const CRASHES: u64 = 20;

/// Answers within which a crash comes.
const MOST_ANSWERS: u64 = 80;

/// How long the program may take to be of use again.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the clients have been told.
#[derive(Default)]
struct Told {
    /// The newest refresh token of each family.
    newest: Vec<String>,
    /// Codes that gave tokens, with the refresh token that each gave.
    spent: Vec<(String, String)>,
    revoked: Vec<String>,
    tokens: Vec<String>,
    sessions: Vec<Http>,
}

/// What the workers share.
struct Work {
    client: Client,
    answers: watch::Sender<u64>,
    serving: watch::Sender<bool>,
    over: AtomicBool,
}

async fn what_was_answered_holds_after_twenty_crashes(mut program: Program) {
    let seed = seed();
    println!("SIGNET_TEST_SEED={seed}");
    let mut chance = Chance(seed);
    let client = Client::of(&program);
    let (_, oldest) = client.machine_token().await.unwrap();
    let work = Arc::new(Work {
        client: client.clone(),
        answers: watch::Sender::new(0),
        serving: watch::Sender::new(true),
        over: AtomicBool::new(false),
    });
    let mut workers = JoinSet::new();
    for _ in 0..3 {
        workers.spawn(refreshes(work.clone()));
    }
    for _ in 0..2 {
        workers.spawn(redeems(work.clone()));
    }
    workers.spawn(asks_for_itself(work.clone()));
    workers.spawn(revokes(work.clone()));
    workers.spawn(signs_in(work.clone()));

    for crash in 0..CRASHES {
        work.answered(1 + chance.below(MOST_ANSWERS)).await;
        // Not always just after an answer.
        for _ in 0..chance.below(1_000) {
            yield_now().await;
        }
        block_in_place(|| {
            work.serving.send_replace(false);
            program.node.kill();
            if crash == CRASHES / 2 {
                program.run(&["key", "rotate"], "");
            }
            program.node.start_again();
            work.serving.send_replace(true);
        });
    }
    work.answered(MOST_ANSWERS).await;
    work.over.store(true, Ordering::Relaxed);
    let mut told = Told::default();
    for some in workers.join_all().await {
        told.add(some);
    }
    told.tokens.push(text(&oldest, "access_token"));

    told.holds(&client).await;
    if program.schema.is_none() {
        is_whole(&program.directory.path().join("signet.db")).await;
    }
}

/// Refresh one family, again with the same token where no answer came.
async fn refreshes(work: Arc<Work>) -> Told {
    let session = work.session().await;
    let mut newest = work.family(&session).await;
    while !work.is_over() {
        let (status, answer) = work.insist(|| work.client.refresh(&newest)).await;
        assert_eq!(status, 200, "a repetition is no theft: {answer}");
        newest = text(&answer, "refresh_token");
    }
    Told { newest: vec![newest], sessions: vec![session], ..Told::default() }
}

/// Redeem codes. One whose answer was lost may be spent: the client then asks for another.
async fn redeems(work: Arc<Work>) -> Told {
    let session = work.session().await;
    let mut told = Told::default();
    while !work.is_over() {
        let code = work.insist(|| work.client.silent_code(&session)).await;
        let first = work.client.redeem(&code).await;
        let lost = first.is_none();
        let answer = match first {
            Some(answer) => answer,
            None => work.insist(|| work.client.redeem(&code)).await,
        };
        match answer {
            (200, tokens) => told.spent.push((code, text(&tokens, "refresh_token"))),
            (400, refusal) if lost => assert_eq!(refusal["error"], "invalid_grant"),
            other => panic!("{other:?}"),
        }
    }
    told.sessions.push(session);
    told
}

async fn asks_for_itself(work: Arc<Work>) -> Told {
    let mut told = Told::default();
    while !work.is_over() {
        told.tokens.push(work.machine_token().await);
    }
    told
}

async fn revokes(work: Arc<Work>) -> Told {
    let mut told = Told::default();
    while !work.is_over() {
        let token = work.machine_token().await;
        assert_eq!(work.insist(|| work.client.revoke(&token)).await, 200);
        told.revoked.push(token);
    }
    told
}

async fn signs_in(work: Arc<Work>) -> Told {
    let mut told = Told::default();
    while !work.is_over() {
        told.sessions.push(work.session().await);
    }
    told
}

impl Work {
    /// Ask until there is a whole answer.
    async fn insist<T, F: Future<Output = Option<T>>>(&self, ask: impl Fn() -> F) -> T {
        let asking = async {
            loop {
                if let Some(answer) = ask().await {
                    self.answers.send_modify(|count| *count += 1);
                    return answer;
                }
                // Nobody hammers at a door that is shut.
                let mut serving = self.serving.subscribe();
                serving.wait_for(|serving| *serving).await.expect("it is started again");
            }
        };
        timeout(PATIENCE, asking).await.expect("an answer, in the end")
    }

    /// Wait for so many more answers.
    async fn answered(&self, more: u64) {
        let mut answers = self.answers.subscribe();
        let enough = *answers.borrow_and_update() + more;
        let enough = answers.wait_for(|count| *count >= enough);
        timeout(PATIENCE, enough).await.expect("the program is of use").unwrap();
    }

    /// A browser at which ada has signed in.
    async fn session(&self) -> Http {
        let attempt = || async {
            let browser = browser();
            self.client.sign_in(&browser).await.map(|_| browser)
        };
        self.insist(attempt).await
    }

    /// The first refresh token of a family.
    async fn family(&self, session: &Http) -> String {
        loop {
            let code = self.insist(|| self.client.silent_code(session)).await;
            if let (200, tokens) = self.insist(|| self.client.redeem(&code)).await {
                return text(&tokens, "refresh_token");
            }
        }
    }

    async fn machine_token(&self) -> String {
        let (status, tokens) = self.insist(|| self.client.machine_token()).await;
        assert_eq!(status, 200, "{tokens}");
        text(&tokens, "access_token")
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}

impl Told {
    fn add(&mut self, other: Self) {
        self.newest.extend(other.newest);
        self.spent.extend(other.spent);
        self.revoked.extend(other.revoked);
        self.tokens.extend(other.tokens);
        self.sessions.extend(other.sessions);
    }

    async fn holds(self, client: &Client) {
        let Self { newest, spent, revoked, tokens, sessions } = self;
        println!(
            "{} families, {} codes, {} revocations, {} tokens, {} sessions",
            newest.len(),
            spent.len(),
            revoked.len(),
            tokens.len(),
            sessions.len()
        );
        for session in &sessions {
            assert!(client.silent_code(session).await.is_some());
        }
        for token in &revoked {
            assert!(!client.is_active(token).await, "a revocation was forgotten");
        }
        let (_, published) = client.jwks().await.unwrap();
        for token in &tokens {
            assert!(client.is_active(token).await, "a token was forgotten");
            assert!(publishes(&published, &key_of(token)), "{published}");
        }
        for token in &newest {
            refreshed(client, token).await;
        }
        for (code, token) in &spent {
            let token = refreshed(client, token).await;
            let (status, refusal) = client.redeem(code).await.unwrap();
            assert_eq!((status, &refusal["error"]), (400, &"invalid_grant".into()), "{refusal}");
            // It is known whose code it was: what came of it dies (RFC 6749 §4.1.2).
            assert_eq!(client.refresh(&token).await.unwrap().0, 400);
        }
    }
}

async fn refreshed(client: &Client, token: &str) -> String {
    let (status, answer): Answer = client.refresh(token).await.unwrap();
    assert_eq!(status, 200, "{answer}");
    text(&answer, "refresh_token")
}

fn publishes(set: &Value, kid: &str) -> bool {
    set["keys"].as_array().unwrap().iter().any(|key| key["kid"] == kid)
}

async fn is_whole(database: &Path) {
    let url = format!("sqlite:{}", database.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let verdict: String =
        sqlx::query_scalar("pragma integrity_check").fetch_one(&mut connection).await.unwrap();
    assert_eq!(verdict, "ok");
}

/// What `SIGNET_TEST_SEED` says, or another seed every time.
fn seed() -> u64 {
    let chosen = std::env::var("SIGNET_TEST_SEED").ok().map(|seed| seed.parse().unwrap());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    chosen.unwrap_or(u64::from(now.subsec_nanos()))
}

/// Numbers as if at random (`SplitMix64`).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}
