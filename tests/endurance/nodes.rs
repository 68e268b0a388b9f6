//! Two nodes with one database behind nginx, which sends each request to the other one in turn.

use std::{
    collections::BTreeSet,
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::json;
use signet::values::Algorithm;
use signet_jwt::SigningKey;
use tokio::{
    sync::watch,
    task::{JoinSet, block_in_place},
    time::timeout,
};

use crate::{
    alone,
    client::{Answer, Client, browser, key_of, text},
    program::{Node, Program},
    proxy::Proxy,
    schema::Schema,
};

/// Runs each test against two nodes, where PostgreSQL is.
macro_rules! on_two_nodes {
    ($($test:ident)*) => {
        mod on_postgres { $(
            #[tokio::test(flavor = "multi_thread")]
            async fn $test() {
                let _alone = super::alone().await;
                if let Some(cluster) = super::Cluster::start() {
                    super::$test(cluster).await;
                }
            }
        )* }
    };
}

on_two_nodes! {
    of_many_that_race_through_both_nodes_one_wins
    what_is_changed_anywhere_is_in_force_everywhere_within_two_seconds
    a_node_that_dies_costs_nothing_for_a_client_that_asks_once_more
    a_node_that_is_asked_to_stop_under_load_costs_nothing_at_all
}

/// How many race.
const RACERS: usize = 24;

/// How long a change may take to reach every node.
const IN_FORCE: Duration = Duration::from_secs(2);

/// How long a node may take to stop.
const STOPPED: Duration = Duration::from_secs(10);

/// What a proxy answers where a node died before it did.
const BAD_GATEWAY: u16 = 502;

const PATIENCE: Duration = Duration::from_secs(20);

struct Cluster {
    /// The first node, and what both are furnished with.
    program: Program,
    second: Node,
    proxy: Proxy,
    /// Through the proxy.
    client: Client,
}

async fn of_many_that_race_through_both_nodes_one_wins(cluster: Cluster) {
    let Cluster { client, .. } = &cluster;
    let session = browser();
    let mut code = client.sign_in(&session).await.unwrap();
    let assertions = cluster.signing_client();
    for round in 0..5 {
        let answers = race(client, |client| {
            let code = code.clone();
            async move { client.redeem(&code).await }
        });
        let statuses = statuses(&answers.await);
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 400)), "{statuses:?}");

        code = client.silent_code(&session).await.unwrap();
        let (_, tokens) = client.redeem(&code).await.unwrap();
        let token = text(&tokens, "refresh_token");
        let answers = race(client, |client| {
            let token = token.clone();
            async move { client.refresh(&token).await }
        });
        let answers = answers.await;
        assert!(statuses_are(&answers, 200), "{answers:?}");
        let successors = answers.iter().map(|(_, answer)| text(answer, "refresh_token"));
        assert_eq!(successors.collect::<BTreeSet<_>>().len(), 1);

        let assertion = assertions.assertion(&cluster.program.issuer, round);
        let answers = race(client, |client| {
            let assertion = assertion.clone();
            async move { client.assert(&assertion).await }
        });
        let statuses = self::statuses(&answers.await);
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 200 | 401)), "{statuses:?}");

        code = client.silent_code(&session).await.unwrap();
    }
}

async fn what_is_changed_anywhere_is_in_force_everywhere_within_two_seconds(cluster: Cluster) {
    let nodes = cluster.nodes();
    let program = &cluster.program;

    let unknown = nodes.clone().map(|node| node.as_machine("fresh", "secret".to_owned()));
    assert!(!gives_tokens(&unknown[0]).await && !gives_tokens(&unknown[1]).await);
    let new = ["client", "create", "--client-id", "fresh", "--grant", "client_credentials"];
    let new = program.run(&new, "");
    let secret = text(&new, "client_secret");
    let fresh = nodes.clone().map(|node| node.as_machine("fresh", secret.clone()));
    in_force("a new client", &fresh, gives_tokens).await;

    let (_, tokens) = fresh[0].machine_token().await.unwrap();
    let token = text(&tokens, "access_token");
    assert!(fresh[1].is_active(&token).await);
    assert_eq!(fresh[0].revoke(&token).await, Some(200));
    in_force("a revoked token", &fresh, async |node| !node.is_active(&token).await).await;

    program.run(&["client", "disable", "fresh"], "");
    in_force("a disabled client", &fresh, async |node| !gives_tokens(node).await).await;
    program.run(&["client", "enable", "fresh"], "");
    in_force("an enabled client", &fresh, gives_tokens).await;
    program.run(&["client", "delete", "fresh"], "");
    in_force("a deleted client", &fresh, async |node| !gives_tokens(node).await).await;

    let (_, tokens) = nodes[0].machine_token().await.unwrap();
    let before = text(&tokens, "access_token");
    // Now means without regard to caches; nobody's lacks this one, announced as it was at the start.
    program.run(&["key", "rotate", "--now"], "");
    let rotated = async |node: &Client| {
        let (_, tokens) = node.machine_token().await.unwrap();
        let after = text(&tokens, "access_token");
        for node in &cluster.nodes() {
            // Whichever node has not heard of it yet: both keys are good everywhere.
            assert!(node.is_active(&before).await && node.is_active(&after).await);
        }
        key_of(&after) != key_of(&before)
    };
    in_force("a rotated key", &nodes, rotated).await;
}

async fn a_node_that_dies_costs_nothing_for_a_client_that_asks_once_more(mut cluster: Cluster) {
    let load = Load::on(&cluster.client).await;

    for _ in 0..3 {
        for first in [true, false] {
            load.is_answered().await;
            let node = if first { &mut cluster.program.node } else { &mut cluster.second };
            node.kill();
            load.is_answered().await;
            block_in_place(|| node.start_again());
            cluster.proxy.reaches(node.address).await;
        }
    }
    let (answers, repeated) = load.end().await;
    println!("{repeated} requests of {answers} were cut off, and answered at once");
}

async fn a_node_that_is_asked_to_stop_under_load_costs_nothing_at_all(mut cluster: Cluster) {
    let load = Load::on(&cluster.client).await;

    for first in [true, false] {
        load.is_answered().await;
        let node = if first { &mut cluster.program.node } else { &mut cluster.second };
        let begun = Instant::now();
        node.signal("-TERM");
        assert_eq!(block_in_place(|| node.exit_code()), Some(0));
        assert!(begun.elapsed() < STOPPED, "it took {:?}", begun.elapsed());
        load.is_answered().await;
        block_in_place(|| node.start_again());
        cluster.proxy.reaches(node.address).await;
    }
    let (answers, repeated) = load.end().await;
    assert_eq!(repeated, 0, "of {answers} requests");
}

/// Eight clients that never rest: half of them refresh, and half of them ask for themselves.
struct Load {
    answers: Arc<watch::Sender<u64>>,
    over: Arc<AtomicBool>,
    workers: JoinSet<u32>,
}

impl Load {
    async fn on(client: &Client) -> Self {
        let answers = Arc::new(watch::Sender::new(0));
        let over = Arc::new(AtomicBool::new(false));
        let mut workers = JoinSet::new();
        for _ in 0..4 {
            let code = client.sign_in(&browser()).await.unwrap();
            let (_, tokens) = client.redeem(&code).await.unwrap();
            for token in [Some(text(&tokens, "refresh_token")), None] {
                workers.spawn(work(client.clone(), token, answers.clone(), over.clone()));
            }
        }
        Self { answers, over, workers }
    }

    /// Wait for sixty more answers.
    async fn is_answered(&self) {
        let mut answers = self.answers.subscribe();
        let enough = *answers.borrow_and_update() + 60;
        let enough = answers.wait_for(|count| *count >= enough);
        timeout(PATIENCE, enough).await.expect("a node is of use").unwrap();
    }

    /// How many requests were answered, and how many of them at the second attempt only.
    async fn end(self) -> (u64, u32) {
        self.over.store(true, Ordering::Relaxed);
        let repeated = self.workers.join_all().await.into_iter().sum();
        (*self.answers.borrow(), repeated)
    }
}

/// Ask again and again, and once more where a node died before it answered: how often that was.
async fn work(
    client: Client,
    mut token: Option<String>,
    answers: Arc<watch::Sender<u64>>,
    over: Arc<AtomicBool>,
) -> u32 {
    let mut repeated = 0;
    while !over.load(Ordering::Relaxed) {
        let ask = async || match &token {
            Some(token) => client.refresh(token).await,
            None => client.machine_token().await,
        };
        let mut answer = ask().await.expect("the proxy is up");
        if answer.0 == BAD_GATEWAY {
            repeated += 1;
            answer = ask().await.expect("the proxy is up");
        }
        assert_eq!(answer.0, 200, "{answer:?}");
        token = token.map(|_| text(&answer.1, "refresh_token"));
        answers.send_modify(|count| *count += 1);
    }
    repeated
}

impl Cluster {
    fn start() -> Option<Self> {
        let schema = Schema::make()?;
        let mut proxy = Proxy::new();
        let (issuer, [first, second]) = (proxy.issuer(), proxy.nodes());
        let directory = tempfile::tempdir().unwrap();
        let program = Program::start_at(first, issuer, directory, Some(schema), &[]);
        let schema = program.schema.as_ref();
        let second = Node::start(&program.directory, schema, second, &program.issuer, &[]);
        proxy.start();
        let client = Client::of(&program);
        Some(Self { program, second, proxy, client })
    }

    /// Past the proxy.
    fn nodes(&self) -> [Client; 2] {
        [self.program.node.address, self.second.address].map(|node| self.client.at(node))
    }

    /// Register a client that signs.
    fn signing_client(&self) -> SigningClient {
        let (key, _) = SigningKey::generate(Algorithm::Es256).unwrap();
        let file = self.program.directory.path().join("jwks.json");
        fs::write(&file, json!({ "keys": [key.public().to_jwk()] }).to_string()).unwrap();
        let file = file.display().to_string();
        let client = ["client", "create", "--client-id", "signing", "--jwks-file", &file];
        let method = ["--token-endpoint-auth-method", "private_key_jwt"];
        let grant = ["--grant", "client_credentials"];
        self.program.run(&[&client[..], &method, &grant].concat(), "");
        SigningClient(key)
    }
}

/// A client that proves itself with a key (RFC 7523).
struct SigningClient(SigningKey);

impl SigningClient {
    fn assertion(&self, issuer: &str, round: usize) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let claims = json!({
            "iss": "signing", "sub": "signing", "aud": issuer, "jti": format!("round {round}"),
            "iat": now, "exp": now + 60,
        });
        self.0.sign("JWT", &claims).unwrap()
    }
}

/// The same request from many at once.
async fn race<F>(client: &Client, request: impl Fn(Client) -> F) -> Vec<Answer>
where
    F: Future<Output = Option<Answer>> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for _ in 0..RACERS {
        tasks.spawn(request(client.clone()));
    }
    tasks.join_all().await.into_iter().map(|answer| answer.expect("both nodes are up")).collect()
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    answers.iter().map(|(status, _)| *status).collect()
}

fn statuses_are(answers: &[Answer], status: u16) -> bool {
    answers.iter().all(|(other, _)| *other == status)
}

async fn gives_tokens(node: &Client) -> bool {
    match node.machine_token().await.expect("the node is up") {
        (200, _) => true,
        (401, _) => false,
        other => panic!("{other:?}"),
    }
}

/// Wait until this is so on both nodes.
async fn in_force(change: &str, nodes: &[Client; 2], on: impl AsyncFn(&Client) -> bool) {
    let begun = Instant::now();
    for node in nodes {
        while !on(node).await {
            assert!(begun.elapsed() < IN_FORCE, "{change} is not in force");
        }
    }
    println!("{change} was in force after {} ms", begun.elapsed().as_millis());
}
