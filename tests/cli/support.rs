//! An operator with a shell.

use std::{
    env,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::schema::Schema;

/// A directory to work in and a database to work on.
pub(crate) struct Signet {
    directory: TempDir,
    schema: Option<Schema>,
}

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Run a test on each database that there is.
pub(crate) fn on_each_database(test: impl Fn(&Signet)) {
    test(&Signet::on_sqlite());
    if let Some(schema) = Schema::make() {
        test(&Signet { schema: Some(schema), ..Signet::on_sqlite() });
    }
}

impl Signet {
    /// On a file in an empty directory.
    pub(crate) fn on_sqlite() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), schema: None }
    }

    /// The directory in which commands run.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Run a command.
    pub(crate) fn runs(&self, arguments: &[&str]) -> Outcome {
        self.runs_with(arguments, &[], "")
    }

    /// Run a command that reads this.
    pub(crate) fn runs_reading(&self, arguments: &[&str], stdin: &str) -> Outcome {
        self.runs_with(arguments, &[], stdin)
    }

    /// Run a command in this environment.
    pub(crate) fn runs_with(
        &self,
        arguments: &[&str],
        environment: &[(&str, &str)],
        stdin: &str,
    ) -> Outcome {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signet"));
        for (name, _) in env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("SIGNET_") || text == "RUST_LOG" {
                command.env_remove(&name);
            }
        }
        if let Some(schema) = &self.schema {
            command.env("SIGNET_DATABASE_URL", schema.url());
        }
        command.envs(environment.iter().copied()).args(arguments).current_dir(self.directory());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());

        let mut child = command.spawn().unwrap();
        // A command that reads nothing may be gone before it was told anything.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let output = child.wait_with_output().unwrap();
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Run a command with `--json`: the one value that it prints.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        self.runs(&[arguments, &["--json"]].concat()).json()
    }

    /// Run a command that is refused: the reason.
    pub(crate) fn refusal(&self, arguments: &[&str]) -> String {
        self.runs(arguments).refusal()
    }

    /// Run a command that is not understood: what is said about that.
    pub(crate) fn misuse(&self, arguments: &[&str]) -> String {
        self.runs(arguments).misuse()
    }
}

impl Outcome {
    /// What was printed, if the command did what it should.
    pub(crate) fn text(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.stdout, self.stderr);
        self.stdout
    }

    /// The one JSON value that was printed.
    pub(crate) fn json(self) -> Value {
        let text = self.text();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Why the command was refused.
    pub(crate) fn refusal(self) -> String {
        assert_eq!(self.code, Some(1), "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "", "standard output is for results");
        assert!(self.stderr.starts_with("signet: "), "{}", self.stderr);
        assert!(self.stderr.lines().count() <= 2, "{}", self.stderr);
        self.stderr
    }

    /// Why the command was not understood.
    pub(crate) fn misuse(self) -> String {
        assert_eq!(self.code, Some(2), "{}{}", self.stdout, self.stderr);
        assert_eq!(self.stdout, "", "standard output is for results");
        self.stderr
    }
}
