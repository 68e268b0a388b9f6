//! The nginx that stands before several nodes, configured as `docs/how-to/behind-a-proxy.md` says.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::program::free_address;

const PATIENCE: Duration = Duration::from_secs(20);

/// Which node has answered: a header that only this proxy adds.
const NODE: &str = "x-node";

/// A proxy that distributes the requests among two nodes.
pub(crate) struct Proxy {
    address: SocketAddr,
    nodes: [SocketAddr; 2],
    directory: TempDir,
    nginx: Option<Child>,
}

impl Proxy {
    /// A place for a proxy, and for two nodes behind it.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let nodes = [free_address(), free_address()];
        Self { address: free_address(), nodes, directory, nginx: None }
    }

    /// Where the nodes have to listen.
    pub(crate) fn nodes(&self) -> [SocketAddr; 2] {
        self.nodes
    }

    /// What the world knows the nodes as.
    pub(crate) fn issuer(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    /// Pass every request on.
    pub(crate) fn start(&mut self) {
        let directory = self.directory.path();
        let file = directory.join("nginx.conf");
        fs::write(&file, self.configuration()).unwrap();
        let mut nginx = Command::new("nginx");
        nginx
            .arg("-e")
            .arg(directory.join("error.log"))
            .arg("-p")
            .arg(directory)
            .arg("-c")
            .arg(file);
        let nginx = nginx.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.nginx = Some(nginx.expect("nginx is installed (apt-get install nginx-light)"));

        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            let log = || fs::read_to_string(directory.join("error.log"));
            assert!(begun.elapsed() < PATIENCE, "nginx does not listen: {:?}", log());
        }
    }

    /// Wait until requests are passed on to this node.
    pub(crate) async fn reaches(&self, node: SocketAddr) {
        let begun = Instant::now();
        let node = node.to_string();
        loop {
            let answer = reqwest::get(format!("{}/healthz", self.issuer())).await.unwrap();
            // Where a node was down, all that were tried are named.
            let answered = answer.headers().get(NODE).unwrap().to_str().unwrap();
            if answer.status() == 200 && answered.ends_with(&node) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{node} gets no requests");
        }
    }

    fn configuration(&self) -> String {
        let (address, [first, second]) = (self.address, self.nodes);
        format!(
            "daemon off;
             master_process off;
             pid nginx.pid;
             events {{}}
             http {{
                 access_log off;
                 client_body_temp_path body;
                 proxy_temp_path proxy;
                 fastcgi_temp_path fastcgi;
                 uwsgi_temp_path uwsgi;
                 scgi_temp_path scgi;
                 upstream signet {{
                     server {first} fail_timeout=1s;
                     server {second} fail_timeout=1s;
                     keepalive 32;
                     keepalive_timeout 20s;
                 }}
                 server {{
                     listen {address};
                     large_client_header_buffers 4 32k;
                     proxy_buffer_size 32k;
                     proxy_buffers 8 32k;
                     add_header {NODE} $upstream_addr always;
                     location / {{
                         proxy_pass http://signet;
                         proxy_http_version 1.1;
                         proxy_set_header Connection \"\";
                         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                     }}
                 }}
             }}
            "
        )
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(nginx) = &mut self.nginx {
            let _ = nginx.kill();
            let _ = nginx.wait();
        }
    }
}
