//! `signet serve`.

use std::{net::SocketAddr, process::ExitCode};

use anyhow::Context;
use axum::{Router, middleware};
use clap::Args;
use tokio::{net::TcpListener, signal::unix};

use crate::{
    config::Config,
    edge,
    flows::{
        App,
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
    let listener = TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen at {address}: stop what uses it, or choose another with --listen")
    })?;
    let shown = config.database.without_password();
    let app = App::open(config, Clock::system(), Random::system())
        .await
        .with_context(|| format!("cannot start on the database {shown}"))?;
    Ok((app, listener))
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
