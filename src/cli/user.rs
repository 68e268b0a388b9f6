//! `signet user`.

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal, Read},
};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::Value;

use super::{
    open,
    output::{Output, Record, note},
    parse,
    profile::ProfileOptions,
};
use crate::{
    config::Config,
    flows::admin::{Admin, Edit, NewUser, UserChange},
    model::User,
    values::{Email, Password, Profile, Role, Username},
};

/// What can be done with people.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    Create(Create),
    /// List all users.
    #[command(after_help = "Example:\n  signet user list --json")]
    List(Output),
    /// Show a user.
    #[command(after_help = "Example:\n  signet user show alice@example.com")]
    Show(One),
    Update(Update),
    /// Delete a user, with every session, consent and token.
    #[command(after_help = "Example:\n  signet user delete alice")]
    Delete(One),
    SetPassword(SetPassword),
    /// Stop a user from signing in, and end every session and token.
    #[command(after_help = "Example:\n  signet user disable alice")]
    Disable(One),
    /// Let a disabled user sign in again.
    #[command(after_help = "Example:\n  signet user enable alice")]
    Enable(One),
}

/// Make a user.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  signet user create --username alice --email alice@example.com --name \"Alice Example\" \\
    --password-stdin < password.txt
  signet user create --username root --role admin --password-stdin")]
pub(super) struct Create {
    /// What the person types to sign in
    #[arg(long, value_parser = parse::username)]
    username: Username,
    #[command(flatten)]
    description: Description,
    /// Read the password from standard input; without one the user cannot sign in yet
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    output: Output,
}

/// Change a user: what is not named stays.
///
/// An option that can be repeated replaces the whole list. An empty value removes what was there. A
/// new e-mail address or telephone number is not verified unless that is said, too.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  signet user update alice --email alice@new.example --email-verified
  signet user update alice --role editor --role admin
  signet user update alice --nickname \"\" --role \"\"")]
pub(super) struct Update {
    #[command(flatten)]
    which: Which,
    /// The new username
    #[arg(long, value_parser = parse::username)]
    username: Option<Username>,
    #[command(flatten)]
    description: Description,
    /// Read a new password from standard input, and end the user's sessions
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    output: Output,
}

/// Give a user a new password, and end every session and token.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  signet user set-password alice --password-stdin < password.txt"
)]
pub(super) struct SetPassword {
    #[command(flatten)]
    which: Which,
    /// Read the password from standard input, the only place where it is read from
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    output: Output,
}

/// One, and how it is printed.
#[derive(Debug, Args)]
pub(super) struct One {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
struct Which {
    /// The username, the e-mail address or the identifier (`sub`)
    #[arg(value_name = "USER")]
    user: String,
}

#[derive(Debug, Args)]
struct Description {
    /// An address that works instead of the username
    #[arg(long, value_parser = parse::edit(parse::email))]
    email: Option<Edit<Email>>,
    /// The address is known to be the person's
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    email_verified: Option<bool>,
    /// A role that belongs to no API (may be repeated); `signet role grant` gives those of an API
    #[arg(long, value_parser = parse::edit(parse::role))]
    role: Vec<Edit<Role>>,
    #[command(flatten)]
    profile: ProfileOptions,
}

const COLUMNS: [&str; 5] = ["username", "email", "name", "roles", "disabled"];

impl Command {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<()> {
        let admin = open::admin(config).await?;
        match self {
            Self::Create(create) => create.run(&admin).await,
            Self::Update(update) => update.run(&admin).await,
            Self::SetPassword(set) => set.run(&admin).await,
            Self::Show(One { which, output }) => show(&admin.user(&which.user).await?, output),
            Self::List(output) => {
                let records: Vec<_> = everybody(&admin).await?.iter().map(record).collect();
                output.several(&COLUMNS, &records)?;
                Ok(())
            }
            Self::Disable(One { which, output }) => {
                let user = admin.user(&which.user).await?;
                show(&admin.disable_user(user.id).await?, output)
            }
            Self::Enable(One { which, output }) => {
                let user = admin.user(&which.user).await?;
                show(&admin.enable_user(user.id).await?, output)
            }
            Self::Delete(One { which, output }) => {
                let user = admin.user(&which.user).await?;
                admin.delete_user(user.id).await?;
                output.done(
                    &format!("user {} is deleted", user.username),
                    &brief(&user).with("deleted", true),
                )?;
                Ok(())
            }
        }
    }
}

impl Create {
    async fn run(self, admin: &Admin) -> anyhow::Result<()> {
        let password = if self.password_stdin { Some(password()?) } else { None };
        let given = self.description;
        let user = admin
            .create_user(NewUser {
                username: self.username,
                email: given.email.and_then(Edit::value),
                email_verified: given.email_verified.unwrap_or(false),
                profile: given.profile.applied_to(Profile::default()),
                roles: parse::list(given.role).unwrap_or_default(),
                password,
            })
            .await?;

        show(&user, self.output)?;
        if user.password.is_none() {
            let name = &user.username;
            note(&format!("{name} has no password yet: `signet user set-password {name}` sets it"));
        }
        Ok(())
    }
}

impl Update {
    async fn run(self, admin: &Admin) -> anyhow::Result<()> {
        let password = if self.password_stdin { Some(password()?) } else { None };
        let user = admin.user(&self.which.user).await?;
        let given = self.description;
        let change = UserChange {
            username: self.username,
            email: given.email.unwrap_or_default(),
            email_verified: given.email_verified,
            profile: Some(given.profile.applied_to(user.profile)),
            roles: parse::list::<_, BTreeSet<_>>(given.role),
        };
        let mut user = admin.update_user(user.id, change).await?;
        if let Some(password) = password {
            user = admin.set_password(user.id, password).await?;
        }
        show(&user, self.output)
    }
}

impl SetPassword {
    async fn run(self, admin: &Admin) -> anyhow::Result<()> {
        let user = admin.user(&self.which.user).await?;
        admin.set_password(user.id, password()?).await?;
        let sentence = format!(
            "user {} has a new password, and every session from before has ended",
            user.username
        );
        self.output.done(&sentence, &brief(&user).with("password_set", true))?;
        Ok(())
    }
}

async fn everybody(admin: &Admin) -> anyhow::Result<Vec<User>> {
    const PAGE: u32 = 500;
    let mut users: Vec<User> = Vec::new();
    loop {
        let page = admin.store.users(users.last().map(|user| &user.username), PAGE).await?;
        if page.is_empty() {
            return Ok(users);
        }
        users.extend(page);
    }
}

/// The password on standard input, which may end with a line break or without.
fn password() -> anyhow::Result<Password> {
    let mut text = String::new();
    if io::stdin().is_terminal() {
        note("the password, which will show as you type:");
        io::stdin().read_line(&mut text).context("cannot read the password")?;
    } else {
        io::stdin().read_to_string(&mut text).context("cannot read the password")?;
    }

    let line = text.strip_suffix('\n').unwrap_or(&text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        bail!("there is no password on standard input: pipe it in, as in `… < password.txt`");
    }
    if line.contains('\n') {
        bail!("standard input has more than one line: give the password alone");
    }
    line.parse().ok().context("the password is longer than 1024 bytes: choose a shorter one")
}

fn show(user: &User, output: Output) -> anyhow::Result<()> {
    output.one(&record(user))?;
    Ok(())
}

fn brief(user: &User) -> Record {
    Record::default().with("sub", user.id.to_string()).with("username", user.username.as_str())
}

/// A user in the words of OpenID Connect, and never the password.
fn record(user: &User) -> Record {
    let roles: Vec<_> = user.roles.iter().map(Role::as_str).collect();
    let mut record = brief(user)
        .with_some("email", user.email.as_ref().map(Email::as_str))
        .with("email_verified", user.email_verified);
    if let Ok(Value::Object(claims)) = serde_json::to_value(&user.profile) {
        record = claims.into_iter().fold(record, |record, (name, value)| record.with(name, value));
    }
    record
        .with("roles", roles)
        .with("disabled", user.disabled_at.is_some())
        .with("created_at", user.created_at.0)
        .with("updated_at", user.updated_at.0)
}
