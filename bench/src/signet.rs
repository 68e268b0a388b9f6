//! The server under load: started and furnished as an operator would.

use std::{
    env, fs,
    io::Write,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::{cores::Cores, wire::Connection};

pub(crate) const USERNAME: &str = "ada";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const CALLBACK: &str = "https://app.test/callback";
const API: &str = "https://api.test/";
const ES256_API: &str = "https://es256.test/";

/// A running `signet serve` with two APIs, a person, and clients of each kind.
pub(crate) struct Signet {
    program: PathBuf,
    directory: TempDir,
    database: Option<String>,
    server: Child,
    pub(crate) address: SocketAddr,
    pub(crate) machine_secret: String,
    pub(crate) es256_secret: String,
    pub(crate) web_secret: String,
}

impl Signet {
    /// Start one on the server's core, in a fresh directory, and furnish it.
    pub(crate) async fn start(
        program: &Path,
        database: Option<String>,
        cores: &Cores,
    ) -> anyhow::Result<Self> {
        let program = fs::canonicalize(program)
            .with_context(|| format!("no {}: cargo build --release", program.display()))?;
        let directory = tempfile::tempdir()?;
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let spawn = || serve(&program, directory.path(), database.as_ref(), address).spawn();
        let server = cores.as_server(spawn)??;
        let [machine_secret, es256_secret, web_secret] = [const { String::new() }; 3];
        let mut signet = Self {
            program,
            directory,
            database,
            server,
            address,
            machine_secret,
            es256_secret,
            web_secret,
        };
        signet.ready().await?;
        signet.furnish()?;
        Ok(signet)
    }

    pub(crate) fn id(&self) -> u32 {
        self.server.id()
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The host, as requests name it.
    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }

    /// Stop it and start it again on the same database: the time from the start to the first answer.
    pub(crate) async fn restart(&mut self, cores: &Cores) -> anyhow::Result<Duration> {
        self.stop()?;
        let mut command = self.serve();
        let (server, began) = cores.as_server(|| (command.spawn(), Instant::now()))?;
        self.server = server?;
        self.ready().await?;
        Ok(began.elapsed())
    }

    /// The same on two cores, if there are two.
    pub(crate) async fn restart_on_two(&mut self, cores: &Cores) -> anyhow::Result<bool> {
        self.stop()?;
        let mut command = self.serve();
        let Some(server) = cores.as_server_on_two(|| command.spawn())? else { return Ok(false) };
        self.server = server?;
        self.ready().await?;
        Ok(true)
    }

    fn serve(&self) -> Command {
        serve(&self.program, self.directory.path(), self.database.as_ref(), self.address)
    }

    fn stop(&mut self) -> anyhow::Result<()> {
        kill_process(Pid::from_child(&self.server), Signal::INT)?;
        self.server.wait()?;
        Ok(())
    }

    async fn ready(&mut self) -> anyhow::Result<()> {
        let request = format!("GET /readyz HTTP/1.1\r\nHost: {}\r\n\r\n", self.host());
        let began = Instant::now();
        loop {
            let mut connection = Connection::to(self.address);
            if connection.exchange(request.as_bytes()).await.is_ok_and(|it| it.status == 200) {
                return Ok(());
            }
            if let Some(status) = self.server.try_wait()? {
                bail!("the server has ended: {status}");
            }
            ensure!(began.elapsed() < Duration::from_secs(20), "the server is never ready");
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }

    fn furnish(&mut self) -> anyhow::Result<()> {
        let user = ["user", "create", "--username", USERNAME, "--password-stdin"];
        self.run(&user, PASSWORD)?;
        self.run(&["resource", "create", "--id", API, "--scope", "orders:read"], "")?;
        let other = ["resource", "create", "--id", ES256_API, "--scope", "stock:read"];
        self.run(&[&other[..], &["--signing-alg", "ES256"]].concat(), "")?;

        let grants = ["--grant", "authorization_code", "--grant", "refresh_token"];
        let scope = ["--scope", "openid profile email offline_access orders:read"];
        let app = [&["--redirect-uri", CALLBACK, "--first-party"], &grants[..], &scope].concat();
        let service = ["--grant", "client_credentials", "--scope"];
        self.web_secret = self.client("web", &app)?;
        self.client("spa", &[&app[..], &["--public"]].concat())?;
        self.machine_secret = self.client("machine", &[&service[..], &["orders:read"]].concat())?;
        self.es256_secret = self.client("es256", &[&service[..], &["stock:read"]].concat())?;
        Ok(())
    }

    /// Register a client: its secret, if it has one.
    fn client(&self, id: &str, rest: &[&str]) -> anyhow::Result<String> {
        let made = self.run(&[&["client", "create", "--client-id", id], rest].concat(), "")?;
        Ok(made["client_secret"].as_str().unwrap_or_default().to_owned())
    }

    fn run(&self, arguments: &[&str], stdin: &str) -> anyhow::Result<Value> {
        let mut command = bare(&self.program, self.directory.path(), self.database.as_ref());
        command.args(arguments).arg("--json").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        // A command that reads nothing may be gone before it was told anything.
        let _ = child.stdin.take().context("an input")?.write_all(stdin.as_bytes());
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "signet {arguments:?} failed");
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

impl Drop for Signet {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn serve(program: &Path, directory: &Path, database: Option<&String>, at: SocketAddr) -> Command {
    let mut command = bare(program, directory, database);
    let issuer = format!("http://localhost:{}", at.port());
    command.args(["serve", "--listen", &at.to_string(), "--issuer", &issuer]);
    command.stderr(Stdio::null());
    command
}

/// The program, with nothing from our environment but the database.
fn bare(program: &Path, directory: &Path, database: Option<&String>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("SIGNET_") || name == "RUST_LOG" {
            command.env_remove(name);
        }
    }
    if let Some(url) = database {
        command.env("SIGNET_DATABASE_URL", url);
    }
    command.current_dir(directory);
    command
}
