//! `signet key`.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand};

use super::{
    open,
    output::{self, Output, Record},
    parse,
};
use crate::{
    config::Config,
    flows::app::{Clock, Random},
    keys::{Keys, KeysError, MasterSource, schedule},
    model::SigningKeyRecord,
    values::{Algorithm, KeyId, Timestamp},
};

/// Manage signing keys.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  signet key list                          which keys there are, and when each one signs
  signet key rotate                        let the next key sign as soon as everybody has it
  signet key export --pem > signet.pem     the public key, to verify tokens with
  signet key import --file key.pem         bring a key along from another server")]
pub(super) struct Key {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the keys that are not forgotten, with their timetable.
    List(Output),
    /// Promote the announced key and announce another.
    ///
    /// The key takes over at once if every key set that was served without it has expired, and
    /// otherwise as soon as they have.
    Rotate(Rotate),
    /// Stop trusting a key at once: every token that it signed becomes invalid.
    Revoke(Revoke),
    /// Take in a private key in PEM form, to be announced after the others.
    Import(Import),
    /// Print a public key, as a JWK or in PEM form.
    Export(Export),
    /// Change the master key without stopping anything, and seal the signing keys with the new one.
    ///
    /// The new master key stands beside the old one in `master.key` until every node has read it; then
    /// it comes first. The old one goes on to open what was sealed with it: remove its line when the
    /// last refresh token from before has expired.
    Reseal(Reseal),
}

#[derive(Debug, Args)]
struct Reseal {
    /// Make no new master key: seal with the first one that there is.
    #[arg(long)]
    as_it_is: bool,
    /// How many seconds to wait until every node has read the new master key.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct Rotate {
    /// The algorithm whose key is rotated.
    #[arg(long, default_value = "RS256", value_parser = parse::algorithm())]
    alg: Algorithm,
    /// Do not wait for caches. Verifiers that have kept an older key set may refuse valid tokens
    /// until they fetch it anew.
    #[arg(long)]
    now: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct Revoke {
    /// The key's `kid`.
    kid: KeyId,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct Import {
    /// The file: PKCS#8, PKCS#1 or SEC1.
    #[arg(long, short)]
    file: PathBuf,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct Export {
    /// The key's `kid`; without it, the RS256 key that signs now.
    kid: Option<KeyId>,
    /// Print PEM (SPKI) instead of a JWK.
    #[arg(long, conflicts_with = "json")]
    pem: bool,
    /// Print one JSON value, which a JWK is in any case.
    #[arg(long)]
    json: bool,
}

impl Key {
    pub(super) async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let now = Clock::system().now();
        let keys = keys(&config, now).await?;
        match self.command {
            Command::List(output) => list(&keys, now, output)?,
            Command::Rotate(rotate) => rotate.run(&keys, now).await?,
            Command::Revoke(revoke) => {
                if !keys.revoke(&revoke.kid, now).await? {
                    bail!("there is no key {}: see `signet key list`", revoke.kid);
                }
                let record =
                    Record::default().with("kid", revoke.kid.as_str()).with("revoked", true);
                let text = format!("The key {} is no longer trusted.", revoke.kid);
                revoke.output.done(&text, &record)?;
            }
            Command::Import(import) => import.run(&keys, now).await?,
            Command::Export(export) => export.run(&keys, now)?,
            Command::Reseal(reseal) => reseal.run(&keys).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Rotate {
    async fn run(self, keys: &Keys, now: Timestamp) -> anyhow::Result<()> {
        let rotation = keys.rotate(self.alg, self.now, now).await?;
        let wait = rotation.active_at.since(now).max(0);
        let record = Record::default()
            .with("kid", rotation.kid.as_str())
            .with("active_at", rotation.active_at.0)
            .with("in_force", wait == 0)
            .with("announced", rotation.announced.as_str())
            .with("pending", rotation.pending);
        let text = if rotation.pending {
            format!(
                "A rotation is under way: the key {} signs in {wait} seconds. --now does not wait.",
                rotation.kid
            )
        } else if wait == 0 {
            format!("The key {} signs now; {} is announced.", rotation.kid, rotation.announced)
        } else {
            format!(
                "The key {} signs in {wait} seconds, when no verifier can hold a key set without \
                 it; {} is announced. --now does not wait.",
                rotation.kid, rotation.announced
            )
        };
        Ok(self.output.done(&text, &record)?)
    }
}

impl Import {
    async fn run(self, keys: &Keys, now: Timestamp) -> anyhow::Result<()> {
        let shown = self.file.display();
        let pem =
            std::fs::read_to_string(&self.file).with_context(|| format!("cannot read {shown}"))?;
        let kid = keys.import(&pem, now).await.map_err(|error| match error {
            KeysError::Key(why) => anyhow!(why).context(format!(
                "{shown} is not a private RSA key of at least 2048 bits, P-256 or Ed25519 key"
            )),
            other => other.into(),
        })?;
        let Some(kid) = kid else { bail!("the key in {shown} is here already") };
        let text =
            format!("The key {kid} is announced; `signet key rotate` promotes it in its turn.");
        Ok(self.output.done(&text, &Record::default().with("kid", kid.as_str()))?)
    }
}

impl Reseal {
    async fn run(self, keys: &Keys) -> anyhow::Result<()> {
        if !self.as_it_is {
            keys.add_master_key(Random::system().bytes())?;
            output::note(&format!("waiting {} s until every node has the new key", self.wait));
            tokio::time::sleep(Duration::from_secs(self.wait)).await;
            keys.promote_master_key()?;
        }
        let resealed = keys.reseal().await?;
        let text = format!("The first master key now seals every signing key ({resealed} anew).");
        Ok(self.output.done(&text, &Record::default().with("resealed", resealed))?)
    }
}

impl Export {
    fn run(self, keys: &Keys, now: Timestamp) -> anyhow::Result<()> {
        let records = keys.records();
        let record = match &self.kid {
            Some(kid) => records.iter().find(|record| record.kid == *kid),
            None => schedule::active(&records, Algorithm::Rs256, now),
        };
        let record = record.context("there is no such key: see `signet key list`")?;
        let text = if self.pem {
            keys.public_pem(&record.kid).context("the key cannot be written in PEM form")?
        } else {
            format!("{}\n", record.public)
        };
        Ok(output::print(&text)?)
    }
}

async fn keys(config: &Config, now: Timestamp) -> anyhow::Result<Keys> {
    let store = open::admin(config).await?.store;
    let source = MasterSource::new(&config.keys);
    Ok(Keys::open(store, source, Random::system().bytes(), now).await?)
}

fn list(keys: &Keys, now: Timestamp, output: Output) -> anyhow::Result<()> {
    let records: Vec<_> = keys.records().iter().map(|record| describe(record, now)).collect();
    Ok(output.several(&["kid", "alg", "phase", "active_at"], &records)?)
}

fn describe(record: &SigningKeyRecord, now: Timestamp) -> Record {
    let seconds = |time: Option<Timestamp>| time.map(|time| time.0);
    Record::default()
        .with("kid", record.kid.as_str())
        .with("alg", record.algorithm.as_str())
        .with("phase", schedule::phase(record, now).as_str())
        .with("announced_at", record.announced_at.0)
        .with("active_at", record.active_at.0)
        .with_some("retired_at", seconds(record.retired_at))
        .with_some("forgotten_at", seconds(record.forgotten_at))
        .with_some("revoked_at", seconds(record.revoked_at))
}
