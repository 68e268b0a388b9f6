//! The handles: the command line, with one file for each command.
//!
//! A command reads its options, lets the layers below do the deed, and prints the result. Results go
//! to standard output, everything else to standard error. The exit status is 0 when it is done, 1 when
//! it was refused, and 2 when the usage was wrong.

mod api_key;
mod client;
mod completions;
mod db;
mod dev;
mod flags;
mod group;
mod holder;
mod key;
mod login;
mod logout;
mod migrate;
mod open;
mod output;
mod parse;
mod profile;
mod reference;
mod resource;
mod role;
mod serve;
mod session;
mod token;
mod user;
mod whoami;

use std::process::ExitCode;

use anyhow::Context;
use clap::{FromArgMatches, Parser, Subcommand};
pub use reference::reference;
pub use serve::door;

use crate::config::{self, Config};

/// An OAuth 2.0 and OpenID Connect authorization server in one binary.
#[derive(Debug, Parser)]
#[command(name = "signet", version, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Examples:
  signet dev                      try it out, with everything made for you
  signet serve                    run the server
  signet client create --help     what a client can be
  signet login                    sign in yourself, and call APIs with `signet token`

Every setting is a flag, a SIGNET_ variable and a key in signet.toml: see `signet serve --help`.";

#[derive(Debug, Subcommand)]
enum Command {
    Dev(dev::Dev),
    Serve(serve::Serve),
    /// Manage clients: the applications that ask for tokens.
    #[command(subcommand)]
    Client(client::Command),
    /// Manage users: the people who sign in.
    #[command(subcommand)]
    User(Box<user::Command>),
    /// Manage resources: the APIs that tokens are for, and their scopes.
    #[command(subcommand)]
    Resource(resource::Command),
    /// Manage roles: what users, clients and groups may do at an API.
    #[command(subcommand)]
    Role(Box<role::Command>),
    /// Manage groups: users who are given roles together.
    #[command(subcommand)]
    Group(group::Command),
    /// Manage API keys: what scripts hold that cannot ask for tokens.
    #[command(subcommand)]
    ApiKey(Box<api_key::Command>),
    Key(key::Key),
    /// Ask the database about itself.
    #[command(subcommand)]
    Db(db::Command),
    Migrate(migrate::Migrate),
    Login(login::Login),
    Token(token::Token),
    Whoami(whoami::Whoami),
    Logout(logout::Logout),
    Completions(completions::Completions),
}

/// Run what the command line asks for. A command line that cannot be understood, or that asks for
/// help, ends the process.
pub fn run() -> anyhow::Result<ExitCode> {
    let matches = command().get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if let Command::Completions(completions) = &cli.command {
        completions.print()?;
        return Ok(ExitCode::SUCCESS);
    }

    let defaults = flags::defaults(matches.subcommand_name().unwrap_or_default());
    let config = Config::load_over(defaults, flags::given(&matches), config::environment())?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(cli.command.run(config))
}

impl Command {
    async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        match self {
            Self::Dev(dev) => return dev.run(config).await,
            Self::Serve(serve) => return serve.run(config).await,
            Self::Key(key) => return key.run(config).await,
            Self::Client(client) => client.run(&config).await?,
            Self::User(user) => user.run(&config).await?,
            Self::Resource(resource) => resource.run(&config).await?,
            Self::Role(role) => role.run(&config).await?,
            Self::Group(group) => group.run(&config).await?,
            Self::ApiKey(key) => key.run(&config).await?,
            Self::Db(db) => db.run(&config).await?,
            Self::Migrate(migrate) => migrate.run(&config).await?,
            Self::Login(login) => login.run(&config).await?,
            Self::Token(token) => token.run(&config).await?,
            Self::Whoami(whoami) => whoami.run(&config).await?,
            Self::Logout(logout) => logout.run(&config).await?,
            Self::Completions(completions) => completions.print()?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Why a command was refused, with the causes that say something new.
#[must_use]
pub fn reason(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |said, cause| {
        if said.is_empty() {
            cause
        } else if said.contains(&cause) {
            said
        } else {
            format!("{said}: {cause}")
        }
    })
}

/// The whole command line: the commands, and on each of them the settings.
fn command() -> clap::Command {
    flags::on_every_command(<Cli as clap::CommandFactory>::command())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_cause_that_was_told_is_not_told_again() {
        let error = anyhow::anyhow!("b: c").context("a");
        assert_eq!(super::reason(&error), "a: b: c");
        let error = anyhow::anyhow!("c").context("b: c").context("a");
        assert_eq!(super::reason(&error), "a: b: c");
    }

    #[test]
    fn the_command_line_is_sound() {
        super::command().debug_assert();
    }
}
