//! The settings: flags over environment over `signet.toml` over defaults become one typed
//! `Config`.
//!
//! Each section declares its settings beside the code that reads them. A setting's flag, variable and
//! key, and its line in `docs/reference/configuration.md`, all follow from that declaration.
//!
//! Architecture invariant: the process environment is read here and nowhere else.

mod database;
mod keys;
mod log;
mod login;
mod reference;
mod server;
mod setting;
mod sources;
mod tokens;

use std::path::Path;

pub use database::DatabaseConfig;
pub use keys::KeysConfig;
pub use log::LogConfig;
pub use login::LoginConfig;
pub use reference::reference;
pub use server::{ProxyHeader, ServerConfig};
pub use setting::{Section, Setting};
pub use sources::ConfigError;
use sources::Sources;
pub use tokens::TokensConfig;

/// Everything that can be configured, read and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where the server is.
    pub server: ServerConfig,
    /// Where everything is kept.
    pub database: DatabaseConfig,
    /// Where the keys are.
    pub keys: KeysConfig,
    /// How long tokens live, and what is asked of those who prove to hold a key.
    pub tokens: TokensConfig,
    /// How people sign in, and for how long.
    pub login: LoginConfig,
    /// What is logged.
    pub log: LogConfig,
}

/// Every setting, in the order in which the documentation lists them.
pub const SECTIONS: [Section; 6] = [
    Section { title: "Server", settings: &server::SETTINGS },
    Section { title: "Database", settings: &database::SETTINGS },
    Section { title: "Keys", settings: &keys::SETTINGS },
    Section { title: "Tokens", settings: &tokens::SETTINGS },
    Section { title: "Signing in", settings: &login::SETTINGS },
    Section { title: "Logs", settings: &log::SETTINGS },
];

/// Every setting of every section.
pub fn settings() -> impl Iterator<Item = Setting> {
    SECTIONS.iter().flat_map(|section| section.settings.iter().copied())
}

impl Config {
    /// Read the configuration of these flags and this environment, and the file that they name or
    /// `signet.toml`. A flag is the name of a setting, or `config`, and its value.
    pub fn load<'a>(
        flags: impl IntoIterator<Item = (&'a str, String)>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        Self::load_over(&[], flags, environment)
    }

    /// Read the configuration as [`load`](Self::load) does, with these defaults for some settings.
    pub fn load_over<'a>(
        defaults: &[(&str, &str)],
        flags: impl IntoIterator<Item = (&'a str, String)>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let sources = Sources::gather(defaults, flags, environment, Path::new("signet.toml"))?;

        Ok(Self {
            server: ServerConfig::read(&sources)?,
            database: DatabaseConfig::read(&sources)?,
            keys: KeysConfig::read(&sources)?,
            tokens: TokensConfig::read(&sources)?,
            login: LoginConfig::read(&sources)?,
            log: LogConfig::read(&sources)?,
        })
    }
}

/// The environment of this process. Names that are not Unicode are none of ours.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| {
        Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(flags: &[(&str, &str)], environment: &[(&str, &str)]) -> Result<Config, String> {
        let flags = flags.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Config::load(flags, environment.iter().map(own)).map_err(|error| error.to_string())
    }

    fn refusal(name: &str, value: &str) -> String {
        load(&[(name, value)], &[]).unwrap_err()
    }

    #[test]
    fn the_defaults_are_valid() {
        let config = load(&[], &[]).unwrap();
        assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.server.issuer.as_str(), "http://localhost:8080");
        assert_eq!(config.database.url, "sqlite:signet.db");
        assert_eq!(config.tokens.refresh_grace, 30);
        assert!(config.login.argon2_concurrency > 0);
        assert_eq!(config.log.filter, "info");
        assert!(config.keys.master_key.is_none());
    }

    #[test]
    fn every_setting_is_read_and_can_be_wrong() {
        for setting in settings() {
            let reason = refusal(setting.name, "\0=\0=");
            assert!(reason.starts_with(&format!("{} must ", setting.flag())), "{reason}");
        }
    }

    #[test]
    fn every_setting_has_one_name_in_three_places() {
        let names: Vec<_> = settings().map(|setting| setting.name).collect();
        for (index, name) in names.iter().enumerate() {
            assert!(
                name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            );
            assert!(!names[..index].contains(name), "{name}");
        }
        let setting = settings().find(|setting| setting.name == "database_url").unwrap();
        assert_eq!(setting.flag(), "--database-url");
        assert_eq!(setting.variable(), "SIGNET_DATABASE_URL");
    }

    #[test]
    fn flags_win_over_the_environment_and_the_environment_over_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("my.toml");
        std::fs::write(&file, "listen = '0.0.0.0:1'\nrefresh_grace = 5\nkeys_dir = 'k'\n").unwrap();
        let file = file.to_str().unwrap();

        let config = load(
            &[("listen", "0.0.0.0:3")],
            &[
                ("SIGNET_CONFIG", file),
                ("SIGNET_LISTEN", "0.0.0.0:2"),
                ("SIGNET_REFRESH_GRACE", "7"),
            ],
        )
        .unwrap();

        assert_eq!(config.server.listen.port(), 3);
        assert_eq!(config.tokens.refresh_grace, 7);
        assert_eq!(config.keys.directory, Path::new("k"));
    }

    #[test]
    fn other_defaults_count_less_than_everything_else() {
        let defaults = [("keys_dir", "a"), ("database_url", "sqlite:a.db")];
        let environment = [("SIGNET_KEYS_DIR".to_owned(), "b".to_owned())];
        let config = Config::load_over(&defaults, [], environment).unwrap();
        assert_eq!(config.keys.directory, Path::new("b"));
        assert_eq!(config.database.url, "sqlite:a.db");
    }

    #[test]
    fn the_config_flag_wins_over_its_variable() {
        let reason = load(&[("config", "a.toml")], &[("SIGNET_CONFIG", "b.toml")]).unwrap_err();
        assert_eq!(reason, "cannot read the configuration file a.toml");
    }

    #[test]
    fn an_unknown_variable_names_the_nearest_known_one() {
        for (given, nearest) in [
            ("SIGNET_ISUER", "SIGNET_ISSUER"),
            ("SIGNET_DATABASE", "SIGNET_DATABASE_URL"),
            ("SIGNET_MASTERKEY", "SIGNET_MASTER_KEY"),
        ] {
            let reason = load(&[], &[(given, "")]).unwrap_err();
            assert_eq!(reason, format!("{given} is not a setting: did you mean {nearest}?"));
        }
        assert!(load(&[], &[("SIGNETISSUER", "x"), ("PATH", "y")]).is_ok());
    }

    #[test]
    fn an_unknown_key_names_the_nearest_known_one() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("signet.toml");
        let read = |text: &str| {
            std::fs::write(&file, text).unwrap();
            load(&[("config", file.to_str().unwrap())], &[]).unwrap_err()
        };

        let named = file.display();
        assert_eq!(
            read("isuer = 'https://a'"),
            format!("isuer in {named} is not a setting: did you mean issuer?")
        );
        assert_eq!(
            read("issuer = ['https://a']"),
            format!("issuer in {named} must be a text in quotes or a whole number")
        );
        assert!(read("listen = '127.0.0.1:1'\nissuer =").contains("line 2 is not TOML"));
    }

    #[test]
    fn a_variable_that_is_empty_is_not_set() {
        assert_eq!(load(&[], &[("SIGNET_REFRESH_GRACE", "")]).unwrap().tokens.refresh_grace, 30);
    }

    #[test]
    fn an_issuer_is_refused_with_its_remedy() {
        for (issuer, remedy) in [
            ("http://id.example.com", "must begin with https://"),
            ("https://id.example.com/", "without the slash at its end: https://id.example.com"),
            ("https://id.example.com?x=1", "must be an address such as https://id.example.com"),
            ("id.example.com", "must be an address such as https://id.example.com"),
        ] {
            let reason = refusal("issuer", issuer);
            assert!(reason.starts_with("--issuer must ") && reason.contains(remedy), "{reason}");
        }
        for issuer in ["https://id.example.com/t1", "http://127.0.0.1:9", "http://[::1]:9"] {
            assert!(load(&[("issuer", issuer)], &[]).is_ok(), "{issuer}");
        }
    }

    #[test]
    fn the_issuer_follows_the_port_unless_it_is_given() {
        let issuer = |flags: &[(&str, &str)]| load(flags, &[]).unwrap().server.issuer.to_string();
        assert_eq!(issuer(&[]), "http://localhost:8080");
        assert_eq!(issuer(&[("listen", "127.0.0.1:9000")]), "http://localhost:9000");
        let given = [("listen", "127.0.0.1:9000"), ("issuer", "https://id.example.com")];
        assert_eq!(issuer(&given), "https://id.example.com");
    }

    #[test]
    fn a_table_in_the_file_is_pointed_out() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("signet.toml");
        std::fs::write(&file, "[server]\nlisten = '127.0.0.1:1'\n").unwrap();
        let reason = load(&[("config", file.to_str().unwrap())], &[]).unwrap_err();
        assert!(reason.contains("without [sections]"), "{reason}");
    }

    #[test]
    fn a_name_like_none_is_sent_to_the_list() {
        let reason = load(&[], &[("SIGNET_FOO", "1")]).unwrap_err();
        assert_eq!(reason, "SIGNET_FOO is not a setting: `signet serve --help` lists them all");
    }

    #[test]
    fn a_lifetime_stays_within_its_bounds() {
        let reason = refusal("code_lifetime", "601");
        assert_eq!(reason, "--code-lifetime must be a whole number of seconds from 10 to 600");
        assert!(load(&[("refresh_grace", "0")], &[]).is_ok());
        assert!(load(&[("refresh_grace", "-1")], &[]).is_err());
    }

    #[test]
    fn rust_log_is_heard_when_log_is_silent() {
        let filter = |environment: &[(&str, &str)]| load(&[], environment).unwrap().log.filter;
        assert_eq!(filter(&[("RUST_LOG", "debug")]), "debug");
        assert_eq!(filter(&[("RUST_LOG", "debug"), ("SIGNET_LOG", "warn")]), "warn");
        assert!(load(&[], &[("RUST_LOG", "=x=")]).unwrap_err().starts_with("RUST_LOG must "));
    }

    #[test]
    fn the_password_of_the_database_and_the_master_key_do_not_show() {
        let config = load(
            &[("database_url", "postgres://signet:hunter2@db:5432/signet?password=hunter2")],
            &[("SIGNET_MASTER_KEY", "hunter2")],
        )
        .unwrap();
        assert!(!format!("{config:?}").contains("hunter2"));
        assert_eq!(config.database.without_password(), "postgres://signet@db:5432/signet");
    }
}
