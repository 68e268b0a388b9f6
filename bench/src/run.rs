//! A run: each load between two measurements of what limits it, since a machine that others use is
//! not the same machine a minute later.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;

use crate::{
    cores::Cores,
    limits::{Limit, Limits, Static},
    load::{Load, Visitor, load},
    process::resident,
    signet::Signet,
    visitors::{Browser, Repeat, SignIn, get, post},
    wire::Connection,
};

/// How thorough a run is.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) connections: &'static [usize],
    pub(crate) load: Duration,
    pub(crate) limit: Duration,
}

/// What a load cannot be faster than, on the same core.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// So many RS256 signatures for each request.
    Rs256(u8),
    /// An answer of this length and an ES256 signature.
    Es256Answer(usize),
    /// The verification of an RS256 signature.
    Verification,
    /// An answer of this length.
    Answer(usize),
    /// A password hash.
    Argon2,
}

impl Bound {
    /// How many connections it is loaded with: no more than may wait for their password to be
    /// checked on one core.
    fn most(self, connections: usize) -> usize {
        if matches!(self, Self::Argon2) { connections.min(32) } else { connections }
    }
}

/// A load, and how often in a second its limit would have allowed it.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) load: Load,
    pub(crate) limit: Limit,
    /// What was resident afterwards, in MB.
    pub(crate) memory: Option<f64>,
}

impl Measured {
    /// Which part of its limit was reached.
    pub(crate) fn ratio(&self) -> f64 {
        self.load.per_second / self.limit.per_second
    }

    /// Which part of the server's time on the processor its limit would have taken, too: nearly
    /// the same number wherever others do not take time from either.
    pub(crate) fn share(&self) -> f64 {
        self.limit.cpu * 1000.0 / self.load.cpu_per_thousand
    }
}

/// What was asked, with every number of connections.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) bound: Bound,
    pub(crate) measured: Vec<Measured>,
}

/// What loads, and what it measures beside.
pub(crate) struct Bench {
    pub(crate) plan: Plan,
    limits: Limits,
    axum: Static,
}

impl Bench {
    pub(crate) fn new(plan: Plan, cores: &Cores) -> anyhow::Result<Self> {
        let limits = Limits::new(cores.clone(), plan.limit)?;
        Ok(Self { plan, limits, axum: Static::start(cores)? })
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Every workload, on this server.
    pub(crate) async fn signet(
        &self,
        signet: &Signet,
        wanted: impl Fn(&str) -> bool,
    ) -> anyhow::Result<Vec<Workload>> {
        let (host, at) = (signet.host(), (signet.address, Some(signet.id())));
        let mut done = Vec::new();
        let grant = [("grant_type", "client_credentials")];
        let machine = Some(("machine", signet.machine_secret.as_str()));
        let rs256 = post(&host, "/token", machine, &grant);
        let es256 = Some(("es256", signet.es256_secret.as_str()));
        let es256 = post(&host, "/token", es256, &grant);
        let (_, length) = ask(signet.address, &es256, "access_token").await?;
        let (token, _) = ask(signet.address, &rs256, "access_token").await?;

        for (name, bound, request, contains) in [
            ("client_credentials RS256", Bound::Rs256(1), rs256, "access_token"),
            ("client_credentials ES256", Bound::Es256Answer(length), es256, "access_token"),
            (
                "introspection of a JWT",
                Bound::Verification,
                post(&host, "/introspect", machine, &[("token", &token)]),
                "\"active\":true",
            ),
            ("JWKS", Bound::Answer(0), get(&host, "/jwks", ""), "\"keys\""),
            (
                "discovery",
                Bound::Answer(0),
                get(&host, "/.well-known/openid-configuration", ""),
                "\"issuer\"",
            ),
        ] {
            if wanted(name) {
                done.push(self.repeated(name, bound, request, contains, at).await?);
            }
        }

        for (name, bound, scope) in [
            ("refresh, one token", Bound::Rs256(1), "orders:read"),
            ("refresh, two tokens", Bound::Rs256(2), "openid offline_access orders:read"),
        ] {
            if wanted(name) {
                let visitors = async |number| self.families(signet, scope, number).await;
                done.push(self.workload(name, bound, at, visitors).await?);
            }
        }
        if wanted("code flow, two tokens") {
            let signed_in = signed_in(signet, "spa", "openid profile email").await?;
            let visitors = async |number| Ok(vec![signed_in.clone(); number]);
            done.push(self.workload("code flow, two tokens", Bound::Rs256(2), at, visitors).await?);
        }
        if wanted("sign-in with a password") {
            let browser = browser(signet, "spa", "openid profile email");
            let visitors =
                async |number| Ok((0..number).map(|_| SignIn(browser.clone())).collect());
            let done_last = self.workload("sign-in with a password", Bound::Argon2, at, visitors);
            done.push(done_last.await?);
        }
        Ok(done)
    }

    /// One request, again and again.
    pub(crate) async fn repeated(
        &self,
        name: &'static str,
        bound: Bound,
        request: Vec<u8>,
        contains: &'static str,
        at: (SocketAddr, Option<u32>),
    ) -> anyhow::Result<Workload> {
        let bound = match bound {
            Bound::Answer(_) => Bound::Answer(ask(at.0, &request, "").await?.1),
            other => other,
        };
        let visitor = Repeat { request, contains };
        self.workload(name, bound, at, async |number| Ok(vec![visitor.clone(); number])).await
    }

    async fn workload<V: Visitor + 'static>(
        &self,
        name: &'static str,
        bound: Bound,
        (address, server): (SocketAddr, Option<u32>),
        visitors: impl AsyncFn(usize) -> anyhow::Result<Vec<V>>,
    ) -> anyhow::Result<Workload> {
        let mut measured = Vec::new();
        for connections in self.plan.connections.iter().map(|number| bound.most(*number)) {
            let visitors = visitors(connections).await?;
            let before = self.limit(bound, connections).await?;
            let load = load(address, server, visitors, self.plan.load).await?;
            let after = self.limit(bound, connections).await?;
            let memory = server.map(resident).transpose()?;
            measured.push(Measured { load, limit: before.between(after), memory });
        }
        Ok(Workload { name, bound, measured })
    }

    async fn limit(&self, bound: Bound, connections: usize) -> anyhow::Result<Limit> {
        Ok(match bound {
            Bound::Rs256(tokens) => self.limits.rs256_signatures()?.times(tokens),
            Bound::Es256Answer(length) => {
                let answer = self.answers(length, connections).await?;
                answer.and(self.limits.es256_signatures()?)
            }
            Bound::Verification => self.limits.rs256_verifications()?,
            Bound::Answer(length) => self.answers(length, connections).await?,
            Bound::Argon2 => self.limits.argon2_hashes()?,
        })
    }

    /// Answers of this length in a second, by a server that does nothing else.
    pub(crate) async fn answers(&self, length: usize, connections: usize) -> anyhow::Result<Limit> {
        let request = get("localhost", &format!("/{length}"), "");
        let visitors = vec![Repeat { request, contains: "" }; connections];
        let id = Some(self.axum.id());
        let load = load(self.axum.address, id, visitors, self.plan.limit).await?;
        Ok(Limit { per_second: load.per_second, cpu: load.cpu_per_thousand / 1000.0 })
    }

    async fn families(
        &self,
        signet: &Signet,
        scope: &'static str,
        number: usize,
    ) -> anyhow::Result<Vec<crate::visitors::Refresh>> {
        let browser = signed_in(signet, "web", scope).await?;
        let mut connection = Connection::to(signet.address);
        let mut families = Vec::new();
        for _ in 0..number {
            let tokens = browser.authorize(&mut connection).await?;
            families.push(crate::visitors::Refresh {
                host: signet.host(),
                secret: signet.web_secret.clone(),
                token: tokens.refresh.context("no refresh token")?,
            });
        }
        Ok(families)
    }
}

fn browser(signet: &Signet, client: &'static str, scope: &'static str) -> Browser {
    let secret = (client == "web").then(|| signet.web_secret.clone());
    Browser { host: signet.host(), client, secret, scope, cookies: String::new() }
}

async fn signed_in(
    signet: &Signet,
    client: &'static str,
    scope: &'static str,
) -> anyhow::Result<Browser> {
    let mut browser = browser(signet, client, scope);
    browser.sign_in(&mut Connection::to(signet.address)).await?;
    Ok(browser)
}

/// One answer: a text of it, and the length of its body.
pub(crate) async fn ask(
    address: SocketAddr,
    request: &[u8],
    name: &str,
) -> anyhow::Result<(String, usize)> {
    let mut connection = Connection::to(address);
    let answer = connection.exchange(request).await?.expect(200)?;
    Ok((answer.text(name).unwrap_or_default().to_owned(), answer.body.len()))
}
