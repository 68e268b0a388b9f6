//! Loads a Signet server and sets what it does beside what the machine can do: see
//! `docs/reference/performance.md`.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, and its environment is its own"
)]

mod compare;
mod cores;
mod figures;
mod limits;
mod load;
mod process;
mod report;
mod run;
mod signet;
mod visitors;
mod wire;

use std::{
    env,
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::Parser;
use url::Url;

use crate::{
    compare::Other,
    cores::Cores,
    figures::median,
    process::resident,
    report::Report,
    run::{Bench, Plan},
    signet::Signet,
};

/// Load a signet server, and set what it does beside what the machine can do.
#[derive(Debug, Parser)]
struct Options {
    /// Load for one second each, to see that everything works
    #[arg(long)]
    quick: bool,
    /// Print JSON instead of tables
    #[arg(long)]
    json: bool,
    /// Load only the workloads whose name contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// A fresh PostgreSQL database, instead of SQLite in a fresh directory
    #[arg(long, value_name = "URL")]
    database_url: Option<String>,
    /// The server to load
    #[arg(long, value_name = "FILE", default_value = "target/release/signet")]
    signet: PathBuf,
    /// The issuer of another server, which is loaded as well; it must speak http
    #[arg(long, value_name = "URL", requires_all = ["compare_client_id", "compare_client_secret"])]
    compare: Option<Url>,
    /// A client that the other server lets use client credentials
    #[arg(long, value_name = "ID")]
    compare_client_id: Option<String>,
    /// Its secret
    #[arg(long, value_name = "SECRET")]
    compare_client_secret: Option<String>,
    /// The scope that it asks for
    #[arg(long, value_name = "SCOPE")]
    compare_scope: Option<String>,
}

fn main() -> anyhow::Result<ExitCode> {
    if env::args().nth(1).as_deref() == Some(limits::STATIC) {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(limits::serve_static())?;
        return Ok(ExitCode::SUCCESS);
    }

    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = runtime.block_on(run(&options))?;
    let text = if options.json { format!("{:#}", report.json()) } else { report.text() };
    writeln!(io::stdout(), "{text}")?;
    Ok(if report.errors() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn run(options: &Options) -> anyhow::Result<Report> {
    let cores = Cores::find()?;
    cores.load()?;
    let seconds = |load, limit| Plan {
        connections: &[1, 16, 64],
        load: Duration::from_secs_f64(load),
        limit: Duration::from_secs_f64(limit),
    };
    let plan = if options.quick { seconds(1.0, 0.3) } else { seconds(4.0, 1.0) };
    let bench = Bench::new(plan, &cores)?;
    let mut signet = Signet::start(&options.signet, options.database_url.clone(), &cores).await?;

    let mut starts = Vec::new();
    for _ in 0..7 {
        starts.push(signet.restart(&cores).await?.as_secs_f64() * 1e3);
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let idle = resident(signet.id())?;

    let wanted = |name: &str| options.only.as_ref().is_none_or(|only| name.contains(only));
    let mut workloads = bench.signet(&signet, wanted).await?;
    let after = resident(signet.id())?;
    let limits = limits(&bench, &signet).await?;
    let second_core = second_core(&bench, &mut signet, &cores, &workloads).await?;
    if let Some(other) = other(options) {
        workloads.extend(other.load(&bench).await?);
    }
    Ok(Report {
        workloads,
        limits,
        memory: vec![("idle", idle), ("after everything", after)],
        start: Some(median(&starts)),
        second_core,
        shared: !cores.has_a_third(),
    })
}

/// Every limit once, for the record; the ratios use what was measured beside each load.
async fn limits(bench: &Bench, signet: &Signet) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let limits = bench.limits();
    Ok(vec![
        ("RS256 signatures", limits.rs256_signatures()?.per_second),
        ("ES256 signatures", limits.es256_signatures()?.per_second),
        ("RS256 verifications", limits.rs256_verifications()?.per_second),
        ("Argon2 hashes", limits.argon2_hashes()?.per_second),
        ("static answers of 1 KB, 64 connections", bench.answers(1000, 64).await?.per_second),
        ("writes of 4 KB with fdatasync", limits.syncs(signet.directory())?),
    ])
}

/// What a second core adds to client credentials, where the load can do without it.
async fn second_core(
    bench: &Bench,
    signet: &mut Signet,
    cores: &Cores,
    workloads: &[run::Workload],
) -> anyhow::Result<Option<f64>> {
    const NAME: &str = "client_credentials RS256";
    let one = workloads.iter().find(|workload| workload.name == NAME);
    let Some(one) = one.and_then(|workload| workload.measured.last()) else { return Ok(None) };
    if !signet.restart_on_two(cores).await? {
        return Ok(None);
    }
    let two = bench.signet(signet, |name| name == NAME).await?;
    let two = two.first().and_then(|workload| workload.measured.last());
    Ok(two.map(|two| two.load.per_second / one.load.per_second))
}

fn other(options: &Options) -> Option<Other> {
    Some(Other {
        issuer: options.compare.clone()?,
        client_id: options.compare_client_id.clone()?,
        client_secret: options.compare_client_secret.clone()?,
        scope: options.compare_scope.clone(),
    })
}
