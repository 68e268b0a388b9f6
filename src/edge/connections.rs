//! Connections: accepted within limits, over TLS or not, in HTTP/1.1 or HTTP/2, and ended with care.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use super::{
    Door, Tls,
    listener::{Arrival, Listener},
};
use axum::body::Body;
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
    net::TcpListener,
    time::{sleep, timeout},
};

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

/// For how long those are served still who were about to arrive when the server stops.
const LAST_CALL: Duration = Duration::from_millis(500);

/// Answer every connection until `stopped`, and then every request that has begun, within six seconds.
pub async fn serve(
    listener: TcpListener,
    door: Door,
    tls: Option<Arc<Tls>>,
    stopped: impl Future<Output = ()>,
) {
    let connections = GracefulShutdown::new();
    let listener = Listener::new(listener);
    let accepting = async {
        loop {
            let Arrival { stream, from, place } = listener.accept().await;
            let (door, tls) = (door.clone(), tls.clone());
            let watcher = connections.watcher();
            spawn(async move {
                match tls {
                    None => talk(stream, from, door, watcher).await,
                    Some(tls) => match timeout(HANDSHAKE, tls.accept(stream)).await {
                        Ok(Ok(stream)) => talk(stream, from, door, watcher).await,
                        Ok(Err(why)) => tracing::debug!(%from, cause = %why, "no TLS handshake"),
                        Err(_) => tracing::debug!(%from, "a TLS handshake took too long"),
                    },
                }
                drop(place);
            });
        }
    };
    let closing = async {
        stopped.await;
        listener.bar();
        sleep(LAST_CALL).await;
    };
    tokio::select! {
        () = accepting => {}
        () = closing => {}
    }
    drop(listener);
    if timeout(DRAIN, connections.shutdown()).await.is_err() {
        tracing::warn!("some requests had not ended when the server stopped");
    }
}

async fn talk(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    from: SocketAddr,
    door: Door,
    watcher: Watcher,
) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let door = door.clone();
        async move { Ok::<_, Infallible>(door.answer(request.map(Body::new), from).await) }
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

#[expect(clippy::disallowed_methods, reason = "the drain waits for these tasks")]
fn spawn(work: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(work);
}
