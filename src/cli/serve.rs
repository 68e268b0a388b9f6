//! `signet serve`.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    process::ExitCode,
};

use anyhow::anyhow;
use axum::{Router, middleware};
use clap::Args;
use tokio::{net::TcpListener, signal::unix};

use super::open::cannot_reach;
use crate::{
    config::Config,
    edge,
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
        let (app, listener) = open(config).await?;
        tracing::info!(issuer = %app.issuer(), address = %listener.local_addr()?, "serving");
        serve(app, listener, None).await?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Everything that a running server answers.
pub fn router(app: App, demo: Option<Demo>) -> Router {
    let https = app.issuer().is_https();
    http::router(app.clone())
        .merge(web::router(app.clone(), demo))
        .layer(middleware::from_fn(move |request, next| edge::harden(https, request, next)))
        .layer(middleware::from_fn_with_state(app, edge::identify))
}

/// Open what a server needs, and the address that it listens at.
pub(super) async fn open(config: Config) -> anyhow::Result<(App, TcpListener)> {
    telemetry::start(&config.log);
    let address: SocketAddr = config.server.listen;
    let listener = TcpListener::bind(address).await.map_err(|why| cannot_listen(address, &why))?;
    let opened = App::open(config.clone(), Clock::system(), Random::system()).await;
    let app = opened.map_err(|error| match error {
        Error::Failed(Cause::Storage(cause)) => cannot_reach(&config, cause),
        other => anyhow!(other).context("cannot start"),
    })?;
    Ok((app, listener))
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

/// Serve until somebody asks to stop, and then until every request has its answer.
pub(super) async fn serve(
    app: App,
    listener: TcpListener,
    demo: Option<Demo>,
) -> anyhow::Result<()> {
    jobs::start(&app);
    axum::serve(listener, router(app, demo)).with_graceful_shutdown(asked_to_stop()).await?;
    tracing::info!("stopped");
    Ok(())
}

async fn asked_to_stop() {
    let terminate = async {
        match unix::signal(unix::SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = terminate => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
