//! `signet serve`.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use anyhow::anyhow;
use clap::Args;
use sd_notify::NotifyState;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    time::timeout,
};

use super::open::cannot_reach;
use crate::{
    config::Config,
    edge::{self, Door, Tls},
    flows::{
        App, Cause, Error,
        app::{Clock, Random},
    },
    http, jobs, telemetry,
    web::{self, Demo},
};

/// Run the server.
#[derive(Debug, Args)]
pub(super) struct Serve {}

impl Serve {
    pub(super) async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        let server = Server::open(config).await?;
        let address = server.listener.local_addr()?;
        tracing::info!(issuer = %server.app.issuer(), %address, "serving");
        server.run(None).await;
        Ok(ExitCode::SUCCESS)
    }
}

/// For how long a node that was asked to stop goes on as before, so that whoever distributes the
/// traffic can notice.
const NOTICE: Duration = Duration::from_secs(2);

/// The way to everything that a running server answers.
#[must_use]
pub fn door(app: Arc<App>, demo: Option<Demo>) -> Door {
    let router = http::router(app.clone()).merge(web::router(app.clone(), demo));
    let documents = http::documents(app.issuer());
    Door::new(app, documents, router)
}

/// A server with everything opened that it needs: what can be refused has been.
pub(super) struct Server {
    pub(super) app: Arc<App>,
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    signals: Signals,
}

impl Server {
    pub(super) async fn open(config: Config) -> anyhow::Result<Self> {
        telemetry::start(&config.log);
        // From here on, whoever asks to stop is heard.
        let signals = Signals::new()?;
        let address = config.server.listen;
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|why| cannot_listen(address, &why))?;
        let tls = match config.server.tls.clone() {
            Some((certificate, key)) => Some(Arc::new(Tls::open(certificate, key)?)),
            None => None,
        };
        let opened = App::open(config.clone(), Clock::system(), Random::system()).await;
        let app = opened.map_err(|error| match error {
            Error::Failed(Cause::Storage(cause)) => cannot_reach(&config, cause),
            other => anyhow!(other).context("cannot start"),
        })?;
        Ok(Self { app, listener, tls, signals })
    }

    /// Serve until somebody asks to stop, and then until every request has its answer. Who asks twice
    /// does not wait for that.
    pub(super) async fn run(self, demo: Option<Demo>) {
        let Self { app, listener, tls, mut signals } = self;
        jobs::start(&app);
        if let Some(tls) = &tls {
            jobs::renew(tls.clone());
        }
        // Where no systemd waits to hear it, nothing is said.
        let _ = sd_notify::notify(&[NotifyState::Ready]);

        let (asked, on_request) = oneshot::channel();
        let leave = async move {
            let _ = on_request.await;
        };
        tokio::select! {
            () = edge::serve(listener, door(app.clone(), demo), tls, leave) => {}
            () = signals.heard(&app, asked) => tracing::warn!("stopped without waiting for requests"),
        }
        tracing::info!("stopped");
    }
}

fn cannot_listen(address: SocketAddr, why: &io::Error) -> anyhow::Error {
    let remedy = match why.kind() {
        ErrorKind::AddrInUse => "stop what uses it, or choose another with --listen",
        ErrorKind::PermissionDenied => {
            "ports below 1024 need a right of their own (CAP_NET_BIND_SERVICE): choose another \
             with --listen"
        }
        _ => "choose an address of this machine with --listen",
    };
    anyhow!("cannot listen at {address}: {remedy}: {why}")
}

/// The ways in which a system asks a program to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Pass on the first request to stop: at once if it came from a terminal, and otherwise after the
    /// traffic had time to go elsewhere. Ends at the second request.
    async fn heard(&mut self, app: &App, asked: oneshot::Sender<()>) {
        let patient = tokio::select! {
            _ = self.terminate.recv() => true,
            _ = self.interrupt.recv() => false,
        };
        app.leaving.begin();
        let _ = sd_notify::notify(&[NotifyState::Stopping]);
        if patient && timeout(NOTICE, self.next()).await.is_ok() {
            return;
        }
        let _ = asked.send(());
        self.next().await;
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
