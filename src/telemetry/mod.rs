//! Logs, set up once: to standard error, since standard output is for results.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::config::LogConfig;

/// Log from now on what the configuration asks for. A second call changes nothing.
pub fn start(config: &LogConfig) {
    // The configuration has checked the filter; it cannot be wrong here.
    let filter = EnvFilter::new(&config.filter);
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    let _ = logs.try_init();
}
