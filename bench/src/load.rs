//! Load: visitors who come again as soon as they were answered, each over a connection of its own.

use std::{
    cell::Cell,
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{task::LocalSet, time::sleep};

use crate::{
    figures::{count, percentile},
    process::Usage,
    wire::Connection,
};

/// Somebody who asks for the same thing again and again.
pub(crate) trait Visitor {
    /// Ask once. Anything but the expected answer is an error.
    async fn visit(&mut self, connection: &mut Connection) -> anyhow::Result<()>;
}

/// What a load did.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    pub(crate) requests: usize,
    pub(crate) per_second: f64,
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// Seconds of the server's processor for a thousand requests.
    pub(crate) cpu_per_thousand: f64,
    /// How much of one core the server used.
    pub(crate) server_busy: f64,
    /// How much of one core the load used.
    pub(crate) own_busy: f64,
    pub(crate) errors: usize,
    pub(crate) first_error: Option<String>,
}

/// How long visitors come before anybody counts.
const WARM_UP: Duration = Duration::from_millis(400);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    WarmUp,
    Count,
    Stop,
}

#[derive(Default)]
struct Tally {
    latencies: Vec<Duration>,
    errors: usize,
    first_error: Option<String>,
}

/// Load a server with these visitors.
pub(crate) async fn load<V: Visitor + 'static>(
    address: SocketAddr,
    server: Option<u32>,
    visitors: Vec<V>,
    length: Duration,
) -> anyhow::Result<Load> {
    let connections = visitors.len();
    let phase = Rc::new(Cell::new(Phase::WarmUp));
    let tasks = LocalSet::new();
    let handles: Vec<_> = visitors
        .into_iter()
        .map(|visitor| tasks.spawn_local(come_again(visitor, address, phase.clone())))
        .collect();

    let measured = tasks.run_until(async {
        sleep(WARM_UP).await;
        let before = (Usage::of(server), Usage::of(None), Instant::now());
        phase.set(Phase::Count);
        sleep(length).await;
        phase.set(Phase::Stop);
        let took = before.2.elapsed().as_secs_f64();
        let (server, own) = (Usage::of(server)?, Usage::of(None)?);
        anyhow::Ok((server.since(before.0?), own.since(before.1?), took))
    });
    let (server_cpu, load_cpu, took) = measured.await?;

    let mut all = Tally::default();
    for handle in handles {
        let tally = tasks.run_until(handle).await?;
        all.latencies.extend(tally.latencies);
        all.errors += tally.errors;
        all.first_error = all.first_error.or(tally.first_error);
    }
    all.latencies.sort_unstable();
    let requests = all.latencies.len();
    Ok(Load {
        connections,
        requests,
        per_second: count(requests) / took,
        p50: percentile(&all.latencies, 0.50),
        p99: percentile(&all.latencies, 0.99),
        cpu_per_thousand: server_cpu * 1000.0 / count(requests.max(1)),
        server_busy: server_cpu / took,
        own_busy: load_cpu / took,
        errors: all.errors,
        first_error: all.first_error,
    })
}

async fn come_again<V: Visitor>(
    mut visitor: V,
    address: SocketAddr,
    phase: Rc<Cell<Phase>>,
) -> Tally {
    let mut connection = Connection::to(address);
    let mut tally = Tally::default();
    while phase.get() != Phase::Stop {
        let began = Instant::now();
        let done = visitor.visit(&mut connection).await;
        match done {
            Ok(()) if phase.get() == Phase::Count => tally.latencies.push(began.elapsed()),
            Ok(()) => {}
            Err(why) => {
                tally.errors += 1;
                tally.first_error.get_or_insert_with(|| format!("{why:#}"));
                // A server that refuses is not asked in a tight loop.
                sleep(Duration::from_millis(20)).await;
            }
        }
    }
    tally
}
