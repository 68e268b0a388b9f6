//! What stands before several nodes: each connection goes to the next node that takes it.

use std::{net::SocketAddr, sync::Arc};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};

/// Where nodes are reached that do not run yet.
pub(crate) struct Proxy {
    pub(crate) issuer: String,
    listener: TcpListener,
}

impl Proxy {
    pub(crate) async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        Self { issuer, listener }
    }

    /// Pass every connection on.
    pub(crate) fn lead_to(self, nodes: [SocketAddr; 2]) {
        let nodes = Arc::new(nodes);
        tokio::spawn(async move {
            for turn in 0.. {
                let (client, _) = self.listener.accept().await.unwrap();
                tokio::spawn(pass_on(client, nodes.clone(), turn));
            }
        });
    }
}

async fn pass_on(mut client: TcpStream, nodes: Arc<[SocketAddr; 2]>, turn: usize) {
    for attempt in 0..nodes.len() {
        if let Ok(mut node) = TcpStream::connect(nodes[(turn + attempt) % nodes.len()]).await {
            // Who breaks off, breaks off for both.
            let _ = copy_bidirectional(&mut client, &mut node).await;
            return;
        }
    }
}
