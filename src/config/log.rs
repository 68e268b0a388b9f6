//! What is logged.

use tracing_subscriber::EnvFilter;

use super::{ConfigError, Setting, sources::Sources};

pub(super) const SETTINGS: [Setting; 1] = [LOG];

const LOG: Setting = Setting {
    name: "log",
    default: "info",
    help: "What is logged: `error`, `warn`, `info`, `debug` or `trace`, or a level for each part, \
           such as `info,signet::flows=debug`. `RUST_LOG` says it too, when nothing else does.",
};

/// What is logged.
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// A filter that [`EnvFilter`] understands.
    pub filter: String,
}

impl LogConfig {
    pub(super) fn read(sources: &Sources) -> Result<Self, ConfigError> {
        let filter = match &sources.rust_log {
            Some(text) if !sources.is_given(&LOG) => filter(text)
                .map_err(|remedy| ConfigError::Wrong { place: "RUST_LOG".to_owned(), remedy })?,
            _ => sources.read(&LOG, filter)?,
        };
        Ok(Self { filter })
    }
}

fn filter(text: &str) -> Result<String, String> {
    let remedy = "must be a level such as info, or levels for parts such as info,sqlx=warn";
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|_| remedy.to_owned())
}
