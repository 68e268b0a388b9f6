//! The program, as an operator starts and furnishes it.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    process::{Child, Command, Stdio},
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
    serve: Command,
    server: Child,
    directory: TempDir,
    schema: Option<Schema>,
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
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let issuer = format!("{protocol}://localhost:{}", address.port());
        let mut serve = signet(&directory, schema.as_ref());
        serve.args(["serve", "--listen", &address.to_string(), "--issuer", &issuer]);
        serve.args(settings);
        let server = started(&mut serve);

        let (web_secret, machine_secret) = (String::new(), String::new());
        let mut program =
            Self { issuer, web_secret, machine_secret, serve, server, directory, schema };
        program.furnish();
        program
    }

    /// The same again, after a sudden end.
    pub(crate) fn restarted(mut self) -> Self {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
        self.server = started(&mut self.serve);
        self
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.issuer.rsplit(':').next().unwrap())
    }

    /// Ask it to stop.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.server.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
    }

    /// How it ended.
    pub(crate) fn exit_code(mut self) -> Option<i32> {
        self.server.wait().unwrap().code()
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

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The program in this directory, on this database, with nothing else from our environment.
fn signet(directory: &TempDir, schema: Option<&Schema>) -> Command {
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

fn started(serve: &mut Command) -> Child {
    let mut server = serve.stderr(Stdio::piped()).spawn().unwrap();
    wait_until_serving(&mut server);
    server
}

/// Read its log until it says so, and leave the rest of the log to a thread.
fn wait_until_serving(server: &mut Child) {
    let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
    let mut seen = String::new();
    loop {
        let line = log.next().unwrap_or_else(|| panic!("it stopped: {seen}")).unwrap();
        if line.contains("serving") {
            break;
        }
        seen.push_str(&line);
    }
    std::thread::spawn(move || log.for_each(drop));
}
