//! Where everything is kept.

use std::fmt;

use url::Url;

use super::{ConfigError, Setting, sources::Sources};

pub(super) const SETTINGS: [Setting; 1] = [DATABASE_URL];

const DATABASE_URL: Setting = Setting {
    name: "database_url",
    default: "sqlite:signet.db",
    help: "The database: `sqlite:` and a file, which is made when absent, or \
           `postgres://user:password@host/database`.",
};

/// Where everything is kept.
#[derive(Clone)]
pub struct DatabaseConfig {
    /// The database's address, its password included.
    pub url: String,
}

impl DatabaseConfig {
    pub(super) fn read(sources: &Sources) -> Result<Self, ConfigError> {
        Ok(Self { url: sources.read(&DATABASE_URL, database_url)? })
    }

    /// The address as it may be shown.
    #[must_use]
    pub fn without_password(&self) -> String {
        if self.url.starts_with("sqlite:") {
            return self.url.clone();
        }
        let Ok(mut url) = Url::parse(&self.url) else { return "postgres://…".to_owned() };
        // The query may hold a password too.
        url.set_query(None);
        match url.set_password(None) {
            Ok(()) => url.to_string(),
            Err(()) => "postgres://…".to_owned(),
        }
    }
}

impl fmt::Debug for DatabaseConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatabaseConfig").field("url", &self.without_password()).finish()
    }
}

fn database_url(text: &str) -> Result<String, String> {
    let file = text.strip_prefix("sqlite:").map(|file| file.trim_start_matches("//"));
    let server =
        ["postgres://", "postgresql://"].into_iter().any(|scheme| text.starts_with(scheme));
    match file {
        Some(file) if file.starts_with(":memory:") || file.contains("mode=memory") => {
            Err("must name a file, such as sqlite:signet.db: a database in memory would be \
                 forgotten"
                .to_owned())
        }
        Some(file) if !file.is_empty() => Ok(text.to_owned()),
        None if server && Url::parse(text).is_ok() => Ok(text.to_owned()),
        _ => Err("must begin with sqlite: and name a file, or be an address such as \
                  postgres://user:password@host/database"
            .to_owned()),
    }
}
