//! `signet dev`: the two-minute start.

use std::{collections::BTreeSet, fs, path::Path, process::ExitCode};

use anyhow::Context;
use clap::Args;

use super::{
    output::{Output, Record},
    serve::Server,
};
use crate::{
    config::Config,
    flows::{
        App,
        admin::{Admin, ClientChange, NewClient, NewResource, NewUser},
    },
    jobs,
    model::GrantType,
    values::{Issuer, Profile},
    web::Demo,
};

/// Try it out: a server with everything made for you.
///
/// Keeps its database and keys under .signet/, makes a demo user and three demo clients, and prints
/// commands to copy and paste.
#[derive(Debug, Args)]
pub(super) struct Dev {
    #[command(flatten)]
    output: Output,
}

/// Where everything is kept, beside whatever else is in the directory.
pub(super) const DEFAULTS: [(&str, &str); 2] =
    [("database_url", "sqlite:.signet/signet.db"), ("keys_dir", ".signet/keys")];

const USERNAME: &str = "demo";
const PASSWORD: &str = "demo-password";
const SPA: &str = "demo-spa";
const CLI: &str = super::session::CLIENT;
const SERVICE: &str = "demo-service";
const API: &str = "urn:signet:demo-api";
const SCOPE: &str = "openid profile email offline_access";

impl Dev {
    pub(super) async fn run(self, config: Config) -> anyhow::Result<ExitCode> {
        make_directory(&config)?;
        let server = Server::open(config).await?;
        let app = &server.app;
        let secret = furnish(app).await?;
        jobs::follow(app).await;

        let record = Record::default()
            .with("issuer", app.issuer().as_str())
            .with("demo", app.issuer().join("/demo"))
            .with("username", USERNAME)
            .with("password", PASSWORD)
            .with("client_id", SPA)
            .with("cli_client_id", CLI)
            .with("service_client_id", SERVICE)
            .with("service_client_secret", secret.clone());
        self.output.text(&guide(app, &secret)?, &record)?;
        let demo = Demo { client: SPA.parse()?, scope: SCOPE.to_owned() };
        server.run(Some(demo)).await;
        Ok(ExitCode::SUCCESS)
    }
}

/// Make the demo user, API and clients where they are missing. The service gets a new secret each
/// time, since of the old one only the hash is kept.
async fn furnish(app: &App) -> anyhow::Result<String> {
    let (store, clock, random) = (app.store.clone(), app.clock.clone(), app.random.clone());
    let admin = Admin { store, clock, random };
    if admin.user(USERNAME).await.is_err() {
        admin.create_user(demo_user()?).await?;
    }
    make_spa(&admin, app.issuer()).await?;
    make_cli(&admin).await?;
    let secret = make_service(&admin).await?;
    if admin.resource(&API.parse()?).await.is_err() {
        admin.create_resource(demo_api()?).await?;
    }
    Ok(secret)
}

fn demo_user() -> anyhow::Result<NewUser> {
    Ok(NewUser {
        username: USERNAME.parse()?,
        email: Some("demo@example.com".parse()?),
        email_verified: true,
        profile: Profile { name: Some("Demo Person".to_owned()), ..Profile::default() },
        roles: BTreeSet::new(),
        password: Some(PASSWORD.parse()?),
    })
}

fn demo_api() -> anyhow::Result<NewResource> {
    Ok(NewResource {
        id: API.parse()?,
        name: Some("Demo API".to_owned()),
        scope: "demo:read".parse()?,
        client: Some(SERVICE.parse()?),
        algorithm: None,
    })
}

/// The app's addresses follow the issuer, which may be another than the last time.
async fn make_spa(admin: &Admin, issuer: &Issuer) -> anyhow::Result<()> {
    let (id, address) = (SPA.parse()?, issuer.join("/demo"));
    let redirect_uris = vec![address.parse()?];
    let post_logout_redirect_uris = vec![address.parse()?];
    if admin.client(&id).await.is_ok() {
        let change = ClientChange {
            redirect_uris: Some(redirect_uris),
            post_logout_redirect_uris: Some(post_logout_redirect_uris),
            ..ClientChange::default()
        };
        admin.update_client(&id, change).await?;
        return Ok(());
    }
    let new = NewClient {
        id: Some(id),
        name: Some("Demo app".to_owned()),
        public: true,
        redirect_uris,
        post_logout_redirect_uris,
        grants: BTreeSet::from([GrantType::AuthorizationCode, GrantType::RefreshToken]),
        scope: Some(SCOPE.parse()?),
        first_party: true,
        ..NewClient::default()
    };
    admin.create_client(new).await?;
    Ok(())
}

/// For `signet login`. It is not first-party: whatever runs on somebody's computer can pass for it
/// (RFC 8252 §8.6), so that people are asked.
async fn make_cli(admin: &Admin) -> anyhow::Result<()> {
    let id = CLI.parse()?;
    if admin.client(&id).await.is_ok() {
        return Ok(());
    }
    let grants = [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::DeviceCode];
    let new = NewClient {
        id: Some(id),
        name: Some("Command line".to_owned()),
        public: true,
        redirect_uris: vec!["http://127.0.0.1/callback".parse()?],
        grants: BTreeSet::from(grants),
        scope: Some(format!("{SCOPE} demo:read").parse()?),
        ..NewClient::default()
    };
    admin.create_client(new).await?;
    Ok(())
}

async fn make_service(admin: &Admin) -> anyhow::Result<String> {
    let id = SERVICE.parse()?;
    if admin.client(&id).await.is_ok() {
        let (_, secret) = admin.rotate_client_secret(&id, 0).await?;
        return Ok(secret.expose().to_owned());
    }
    let new = NewClient {
        id: Some(id),
        name: Some("Demo service".to_owned()),
        grants: BTreeSet::from([GrantType::ClientCredentials]),
        scope: Some("demo:read".parse()?),
        ..NewClient::default()
    };
    let (_, secret) = admin.create_client(new).await?;
    secret.map(|secret| secret.expose().to_owned()).context("the service has no secret")
}

/// The directory of the defaults, where they are used.
fn make_directory(config: &Config) -> anyhow::Result<()> {
    let used = DEFAULTS.iter().any(|(_, default)| {
        config.database.url == *default || config.keys.directory == Path::new(default)
    });
    if used {
        fs::create_dir_all(".signet").context(
            "cannot make the directory .signet here: change to one that may be written to, or \
             choose other places with --database-url and --keys-dir",
        )?;
    }
    Ok(())
}

/// What to do next, to copy and paste, in whichever directory.
fn guide(app: &App, secret: &str) -> anyhow::Result<String> {
    let issuer = app.issuer();
    let signet = quoted(&std::env::current_exe()?.display().to_string());
    let keys = std::path::absolute(&app.config.keys.directory)?;
    let keys = quoted(&keys.display().to_string());
    let database = match app.config.database.url.strip_prefix("sqlite:") {
        Some(file) => format!("sqlite:{}", std::path::absolute(file)?.display()),
        None => app.config.database.without_password(),
    };
    let database = quoted(&database);
    Ok(format!(
        r#"Signet is at {issuer}

Sign in with a browser:
  {issuer}/demo        username {USERNAME}, password {PASSWORD}

Get a token for a service (client credentials):
  curl -sS -w '\n' -u {SERVICE}:{secret} -d grant_type=client_credentials {issuer}/token

Sign in from the command line, and call an API as yourself:
  {signet} login --issuer {issuer}
  curl -sS -w '\n' -H "Authorization: Bearer $({signet} token)" {issuer}/userinfo

Keep one, and ask the server what it is worth (introspection):
  TOKEN=$(curl -sS -u {SERVICE}:{secret} -d grant_type=client_credentials {issuer}/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  curl -sS -w '\n' -u {SERVICE}:{secret} -d token=$TOKEN {issuer}/introspect

Verify it without asking (offline, with the public key alone):
  {signet} key export --pem --database-url {database} --keys-dir {keys} > /tmp/signet.pem
  printf '%s==' "${{TOKEN##*.}}" | tr '_-' '/+' | base64 -d > /tmp/signet.sig
  printf '%s' "${{TOKEN%.*}}" | openssl dgst -sha256 -verify /tmp/signet.pem -signature /tmp/signet.sig

Register an app of your own:
  {signet} client create --database-url {database} --client-id my-app --public --redirect-uri http://localhost:3000/callback

The service's secret is new at every start. Everything is kept in {database} and {keys}.
Stop with Ctrl-C.
"#
    ))
}

/// As a shell takes it for one word.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/:._-@%+=".contains(c);
    if word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_spaces_stays_one_word() {
        assert_eq!(quoted("/opt/signet"), "/opt/signet");
        assert_eq!(quoted("/my dir/it's"), r"'/my dir/it'\''s'");
    }
}
