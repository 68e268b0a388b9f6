//! Connections: accepted within limits, over TLS or not, in HTTP/1.1 or HTTP/2, and ended with care.

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{
        conn::auto::Builder,
        graceful::{GracefulShutdown, Watcher},
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{sleep, timeout},
};
use tower::Service;

use super::Tls;

/// How many connections are open at a time, where the system allows it; more wait to be accepted.
const MOST_CONNECTIONS: usize = 16_384;

/// Files and sockets that are no clients' connections: the database's, and the program's own.
const RESERVED_FILES: usize = 128;

/// How long a connection may take to say who it is.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a connection may take for the head of a request, and how long it may wait for the next.
const HEADER: Duration = Duration::from_secs(30);

/// The largest head of a request, in bytes.
const LARGEST_HEAD: usize = 64 * 1024;

/// How many requests an HTTP/2 connection may have under way.
const STREAMS: u32 = 100;

/// How often an HTTP/2 connection is asked whether anybody is there.
const PING: Duration = Duration::from_secs(20);

/// How long requests may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(6);

/// How long to wait when the system has no room for another connection.
const BREATH: Duration = Duration::from_millis(50);

/// Answer every connection until `stopped`, and then every request that has begun, within six seconds.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    tls: Option<Arc<Tls>>,
    stopped: impl Future<Output = ()>,
) {
    let connections = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(room()));
    let mut stopped = pin!(stopped);
    loop {
        let (place, stream, from) = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            () = &mut stopped => break,
        };
        let (router, tls) = (router.clone(), tls.clone());
        let watcher = connections.watcher();
        spawn(async move {
            match tls {
                None => talk(stream, from, router, watcher).await,
                Some(tls) => match timeout(HANDSHAKE, tls.accept(stream)).await {
                    Ok(Ok(stream)) => talk(stream, from, router, watcher).await,
                    Ok(Err(why)) => tracing::debug!(%from, cause = %why, "no TLS handshake"),
                    Err(_) => tracing::debug!(%from, "a TLS handshake took too long"),
                },
            }
            drop(place);
        });
    }
    drop(listener);
    if timeout(DRAIN, connections.shutdown()).await.is_err() {
        tracing::warn!("some requests had not ended when the server stopped");
    }
}

/// The next connection, as soon as there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (OwnedSemaphorePermit, TcpStream, SocketAddr) {
    let place = places.clone().acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                // Answers are short: waiting to fill a packet would only delay them.
                let _ = stream.set_nodelay(true);
                return (place, stream, from);
            }
            Err(why) if is_of_one_connection(&why) => {}
            Err(why) => {
                tracing::error!(cause = %why, "a connection could not be accepted");
                sleep(BREATH).await;
            }
        }
    }
}

fn is_of_one_connection(why: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(why.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    from: SocketAddr,
    router: Router,
    watcher: Watcher,
) {
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(from));
        router.clone().call(request)
    });
    let mut protocols = Builder::new(TokioExecutor::new());
    protocols
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER)
        .max_buf_size(LARGEST_HEAD);
    protocols
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(LARGEST_HEAD).unwrap_or(u32::MAX))
        .max_concurrent_streams(STREAMS)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    let connection = protocols.serve_connection(TokioIo::new(stream), service).into_owned();
    if let Err(why) = watcher.watch(connection).await {
        tracing::debug!(%from, cause = %why, "a connection broke off");
    }
}

/// How many connections there is room for, after asking the system for as much as it gives.
fn room() -> usize {
    let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    let files = usize::try_from(files).unwrap_or(usize::MAX);
    files.saturating_sub(RESERVED_FILES).clamp(16, MOST_CONNECTIONS)
}

#[expect(clippy::disallowed_methods, reason = "the drain waits for these tasks")]
fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work);
}
