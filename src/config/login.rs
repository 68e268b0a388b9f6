//! How people sign in, and for how long.

use std::{num::NonZero, thread};

use super::{ConfigError, Setting, sources::Sources};

pub(super) const SETTINGS: [Setting; 3] =
    [SESSION_IDLE_LIFETIME, SESSION_LIFETIME, ARGON2_CONCURRENCY];

const SESSION_IDLE_LIFETIME: Setting = Setting {
    name: "session_idle_lifetime",
    default: "43200",
    help: "How long somebody stays signed in without using the session, in seconds (12 hours).",
};

const SESSION_LIFETIME: Setting = Setting {
    name: "session_lifetime",
    default: "604800",
    help: "How long somebody stays signed in, however much the session is used, in seconds (7 days).",
};

const ARGON2_CONCURRENCY: Setting = Setting {
    name: "argon2_concurrency",
    default: "auto",
    help: "How many passwords are checked at the same time, each with 19 MiB of memory; `auto` is \
           one for each core.",
};

/// How people sign in, and for how long.
#[derive(Clone, Debug)]
pub struct LoginConfig {
    /// How many seconds a session lasts without use.
    pub session_idle: i64,
    /// How many seconds a session lasts, however much it is used.
    pub session_lifetime: i64,
    /// How many passwords are checked at the same time.
    pub argon2_concurrency: usize,
}

impl LoginConfig {
    pub(super) fn read(sources: &Sources) -> Result<Self, ConfigError> {
        const YEAR: i64 = 365 * 24 * 60 * 60;
        Ok(Self {
            session_idle: sources.seconds(&SESSION_IDLE_LIFETIME, 60..=YEAR)?,
            session_lifetime: sources.seconds(&SESSION_LIFETIME, 60..=YEAR)?,
            argon2_concurrency: sources.read(&ARGON2_CONCURRENCY, concurrency)?,
        })
    }
}

fn concurrency(text: &str) -> Result<usize, String> {
    if text == "auto" {
        return Ok(thread::available_parallelism().map_or(1, NonZero::get));
    }
    let number = text.parse().ok().filter(|number| (1..=1024).contains(number));
    number.ok_or_else(|| "must be auto, or a whole number from 1 to 1024".to_owned())
}
