//! The program, as an operator starts and furnishes it.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::schema::Schema;

pub(crate) const USERNAME: &str = "ada";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const CALLBACK: &str = "https://app.test/callback";
pub(crate) const API: &str = "https://api.test/";

/// A running `signet serve` and the directory that it was started in. There is a person, `ada`, an
/// API with the scope `orders:read`, and the clients `web` (which signs people in) and `machine`.
pub(crate) struct Program {
    pub(crate) issuer: String,
    pub(crate) web_secret: String,
    pub(crate) machine_secret: String,
    pub(crate) node: Node,
    pub(crate) directory: TempDir,
    pub(crate) schema: Option<Schema>,
}

/// One process that serves.
pub(crate) struct Node {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    serve: Command,
    server: Child,
}

impl Program {
    /// In this schema of PostgreSQL, or in a file of its own.
    pub(crate) fn start(schema: Option<Schema>) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), schema, "http", &[])
    }

    /// In this directory, with these settings.
    pub(crate) fn start_in(
        directory: TempDir,
        schema: Option<Schema>,
        protocol: &str,
        settings: &[&str],
    ) -> Self {
        let address = free_address();
        let issuer = format!("{protocol}://localhost:{}", address.port());
        Self::start_at(address, issuer, directory, schema, settings)
    }

    /// At this address, which the world knows as that issuer.
    pub(crate) fn start_at(
        address: SocketAddr,
        issuer: String,
        directory: TempDir,
        schema: Option<Schema>,
        settings: &[&str],
    ) -> Self {
        let node = Node::start(&directory, schema.as_ref(), address, &issuer, settings);
        let (web_secret, machine_secret) = (String::new(), String::new());
        let mut program = Self { issuer, web_secret, machine_secret, node, directory, schema };
        program.furnish();
        program
    }

    /// The same again, after a sudden end.
    pub(crate) fn restarted(mut self) -> Self {
        self.node.kill();
        self.node.start_again();
        self
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        self.node.address.to_string()
    }

    /// Run another command beside the server: the value that it prints.
    pub(crate) fn run(&self, arguments: &[&str], stdin: &str) -> Value {
        let mut command = signet(&self.directory, self.schema.as_ref());
        command.args(arguments).arg("--json").stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // A command that reads nothing may be gone before it was told anything.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "signet {arguments:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn furnish(&mut self) {
        let user = ["user", "create", "--username", USERNAME, "--email", "ada@example.test"];
        self.run(&[&user[..], &["--email-verified", "--password-stdin"]].concat(), PASSWORD);
        self.run(&["resource", "create", "--id", API, "--scope", "orders:read"], "");
        let web = ["client", "create", "--client-id", "web", "--redirect-uri", CALLBACK];
        let scope = "openid profile email offline_access orders:read";
        let grants = ["--grant", "authorization_code", "--grant", "refresh_token"];
        let web = self.run(&[&web[..], &grants, &["--scope", scope]].concat(), "");
        let machine = ["client", "create", "--client-id", "machine", "--scope", "orders:read"];
        let machine = self.run(&[&machine[..], &["--grant", "client_credentials"]].concat(), "");

        let secret = |client: &Value| client["client_secret"].as_str().map(str::to_owned).unwrap();
        (self.web_secret, self.machine_secret) = (secret(&web), secret(&machine));
    }
}

impl Node {
    /// A process on this database, with these settings.
    pub(crate) fn start(
        directory: &TempDir,
        schema: Option<&Schema>,
        address: SocketAddr,
        issuer: &str,
        settings: &[&str],
    ) -> Self {
        let mut serve = signet(directory, schema);
        serve.args(["serve", "--listen", &address.to_string(), "--issuer", issuer]).args(settings);
        let server = started(&mut serve);
        Self { address, serve, server }
    }

    pub(crate) fn id(&self) -> u32 {
        self.server.id()
    }

    /// Ask it to stop.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// How it ended.
    pub(crate) fn exit_code(&mut self) -> Option<i32> {
        self.server.wait().unwrap().code()
    }

    /// End it at once, in the middle of whatever it does (`kill -9`).
    pub(crate) fn kill(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    /// Start it again at the same address.
    pub(crate) fn start_again(&mut self) {
        self.server = started(&mut self.serve);
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// An address at which nobody listens.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// The program in this directory, on this database, with nothing else from our environment.
pub(crate) fn signet(directory: &TempDir, schema: Option<&Schema>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_signet"));
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("SIGNET_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    if let Some(schema) = schema {
        command.env("SIGNET_DATABASE_URL", schema.url());
    }
    command.current_dir(directory.path());
    command
}

/// Serving; a moment later, if somebody's outgoing connection has the port just now.
fn started(serve: &mut Command) -> Child {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let mut server = serve.stderr(Stdio::piped()).spawn().unwrap();
        match wait_until_serving(&mut server) {
            Ok(()) => return server,
            Err(log) => {
                server.wait().unwrap();
                let repeatable = log.contains("stop what uses it") && Instant::now() < deadline;
                assert!(repeatable, "it stopped: {log}");
            }
        }
    }
}

/// Read its log until it says so, and leave the rest of the log to a thread; or all of the log, if it
/// stops before that.
fn wait_until_serving(server: &mut Child) -> Result<(), String> {
    let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
    let mut seen = String::new();
    loop {
        let Some(line) = log.next() else { return Err(seen) };
        let line = line.unwrap();
        if line.contains("serving") {
            break;
        }
        seen.push_str(&line);
    }
    std::thread::spawn(move || log.for_each(drop));
    Ok(())
}
