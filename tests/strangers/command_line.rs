//! `signet login`, `token`, `whoami` and `logout`, as somebody uses them who has a shell and a browser.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use crate::{
    browser::{answer_for_a_device, sign_in_for},
    program::{Program, signet},
};

on_both_engines! {
    somebody_signs_in_with_a_browser_and_calls_an_api
    somebody_signs_in_with_a_code
    terminals_that_refresh_at_once_are_no_theft
    what_the_environment_gives_comes_first
}

const GRANTS: [&str; 6] = [
    "--grant",
    "authorization_code",
    "--grant",
    "refresh_token",
    "--grant",
    "urn:ietf:params:oauth:grant-type:device_code",
];

/// A person with a home of their own, and no keyring in it.
struct Shell<'a> {
    program: &'a Program,
    home: TempDir,
}

impl<'a> Shell<'a> {
    fn new(program: &'a Program) -> Self {
        let make = ["client", "create", "--client-id", "cli", "--public"];
        let address = ["--redirect-uri", "http://127.0.0.1/callback"];
        let scope = ["--scope", "openid profile email offline_access orders:read"];
        program.run(&[&make[..], &address, &GRANTS, &scope].concat(), "");
        Self { program, home: tempfile::tempdir().unwrap() }
    }

    /// A command in a graphical session whose browser does nothing.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = signet(&self.home, None);
        for name in ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "WAYLAND_DISPLAY"] {
            command.env_remove(name);
        }
        let home = self.home.path();
        command.env("HOME", home).env("XDG_STATE_HOME", home).env("DISPLAY", ":0");
        command.env("BROWSER", "true").env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
        command.args(arguments).args(["--issuer", &self.program.issuer]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What `signet token` prints.
    fn token(&self) -> String {
        printed(self.run(&["token"]))
    }

    fn refusal(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!((output.status.code(), &*output.stdout), (Some(1), &b""[..]), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Sign in through the browser.
    async fn signs_in(&self) -> Value {
        let mut login = self.command(&["login", "--json"]).spawn().unwrap();
        let address: Url = told_address(&mut login).parse().unwrap();
        let answer = sign_in_for(address, "http://127.0.0.1:").await;
        assert!(answer.path() == "/callback", "{answer}");
        let page = reqwest::get(answer).await.unwrap().text().await.unwrap();
        assert!(page.contains("You are signed in"), "{page}");
        let output = login.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The access token that is kept is as good as over.
    fn time_passes(&self) {
        let path = self.kept("tokens");
        let mut tokens: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let (from, to) = (&tokens["obtained_at"], &tokens["expires_at"]);
        let (from, to) = (from.as_i64().unwrap(), to.as_i64().unwrap());
        (tokens["obtained_at"], tokens["expires_at"]) = (json!(from - 1000), json!(to - 1000));
        fs::write(&path, tokens.to_string()).unwrap();
    }

    /// The file of this kind.
    fn kept(&self, ending: &str) -> PathBuf {
        let files = self.home.path().join("signet").read_dir().unwrap();
        let mut paths = files.map(|entry| entry.unwrap().path());
        paths.find(|path| path.extension().is_some_and(|one| one == ending)).unwrap()
    }

    async fn userinfo(&self, token: &str) -> reqwest::Response {
        let url = format!("{}/userinfo", self.program.issuer);
        reqwest::Client::builder()
            .build()
            .unwrap()
            .get(url)
            .bearer_auth(token)
            .send()
            .await
            .unwrap()
    }
}

fn printed(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    let line = String::from_utf8(output.stdout).unwrap();
    assert_eq!(line.lines().count(), 1);
    line.trim_end().to_owned()
}

/// The last address that is shown, indented, on standard error, which is then left to a thread.
fn told_address(child: &mut Child) -> String {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.find(|line| line.starts_with("  http")).unwrap();
    std::thread::spawn(move || lines.for_each(drop));
    address.trim().to_owned()
}

async fn somebody_signs_in_with_a_browser_and_calls_an_api(program: Program) {
    let shell = Shell::new(&program);
    assert!(shell.refusal(&["token"]).contains("run `signet login`"));
    let record = shell.signs_in().await;
    assert_eq!((&record["client_id"], &record["kept"]), (&"cli".into(), &"file".into()));

    let token = shell.token();
    let userinfo: Value = shell.userinfo(&token).await.json().await.unwrap();
    assert_eq!(userinfo["sub"], record["subject"]);
    let who = shell.json(&["whoami"]);
    assert_eq!((&who["subject"], &who["issuer"]), (&userinfo["sub"], &json!(program.issuer)));
    assert_eq!(who["scope"], "email offline_access openid profile");
    assert!(who["expires_at"].is_i64());

    shell.json(&["logout"]);
    assert_eq!(shell.userinfo(&token).await.status(), 401);
    for command in ["token", "whoami", "logout"] {
        assert!(shell.refusal(&[command]).contains("nobody is signed in"));
    }
}

async fn somebody_signs_in_with_a_code(program: Program) {
    let shell = Shell::new(&program);
    let arguments = ["login", "--device", "--scope", "openid offline_access"];
    let mut login = shell.command(&arguments).spawn().unwrap();
    answer_for_a_device(told_address(&mut login).parse().unwrap(), "allow").await;
    let output = login.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with(&format!("Signed in at {} as ", program.issuer)), "{said}");
    assert_eq!(shell.userinfo(&shell.token()).await.status(), 200);
}

async fn terminals_that_refresh_at_once_are_no_theft(program: Program) {
    let shell = Shell::new(&program);
    shell.signs_in().await;
    let mut before = shell.token();
    for _ in 0..3 {
        shell.time_passes();
        let terminals: Vec<_> =
            (0..8).map(|_| shell.command(&["token"]).spawn().unwrap()).collect();
        let outputs = terminals.into_iter().map(|terminal| terminal.wait_with_output().unwrap());
        let tokens: Vec<String> = outputs.map(printed).collect();
        assert_ne!(tokens[0], before);
        assert!(tokens.iter().all(|token| *token == tokens[0]), "{tokens:?}");
        assert_eq!(shell.userinfo(&tokens[0]).await.status(), 200);
        before = tokens[0].clone();
    }
}

async fn what_the_environment_gives_comes_first(program: Program) {
    let shell = Shell::new(&program);
    let with = |arguments: &[&str], variables: &[(&str, &str)]| {
        shell.command(arguments).envs(variables.iter().copied()).output().unwrap()
    };
    let both = [("SIGNET_API_KEY", "sgk_key"), ("SIGNET_TOKEN", "given")];
    assert_eq!(printed(with(&["token"], &both)), "given");
    assert_eq!(printed(with(&["token"], &both[..1])), "sgk_key");
    assert_eq!(printed(with(&["whoami"], &both)).split_whitespace().last(), Some("SIGNET_TOKEN"));
    let refused = with(&["token"], &[("SIGNET_TOKEN", "two words")]);
    let reason = String::from_utf8(refused.stderr).unwrap();
    assert!(reason.contains("not a token") && !reason.contains("two words"), "{reason}");
}
