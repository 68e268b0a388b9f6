//! How long tokens live, and what is asked of those who prove to hold a key.

use super::{ConfigError, Setting, sources::Sources};
use crate::model::LONGEST_ACCESS_TOKEN;

pub(super) const SETTINGS: [Setting; 10] = [
    ACCESS_TOKEN_LIFETIME,
    ID_TOKEN_LIFETIME,
    CODE_LIFETIME,
    DEVICE_CODE_LIFETIME,
    REFRESH_IDLE_LIFETIME,
    REFRESH_LIFETIME,
    REFRESH_GRACE,
    DPOP_NONCE,
    API_KEY_LIFETIME,
    API_KEY_MAX_LIFETIME,
];

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;
const YEAR: i64 = 365 * DAY;

const ACCESS_TOKEN_LIFETIME: Setting = Setting {
    name: "access_token_lifetime",
    default: "900",
    help: "How long an access token is valid, in seconds.",
};

const ID_TOKEN_LIFETIME: Setting = Setting {
    name: "id_token_lifetime",
    default: "900",
    help: "How long an ID token is valid, in seconds.",
};

const CODE_LIFETIME: Setting = Setting {
    name: "code_lifetime",
    default: "60",
    help: "How long an authorization code is valid, in seconds: at most 600.",
};

const DEVICE_CODE_LIFETIME: Setting = Setting {
    name: "device_code_lifetime",
    default: "600",
    help: "How long a code that a device shows may be typed into a browser, in seconds: at least 60 \
           and at most 1800.",
};

const REFRESH_IDLE_LIFETIME: Setting = Setting {
    name: "refresh_idle_lifetime",
    default: "2592000",
    help: "How long a refresh token is valid when it is not used, in seconds (30 days).",
};

const REFRESH_LIFETIME: Setting = Setting {
    name: "refresh_lifetime",
    default: "7776000",
    help: "How long after the sign-in refreshing ends, however much it is used, in seconds (90 days).",
};

const REFRESH_GRACE: Setting = Setting {
    name: "refresh_grace",
    default: "30",
    help: "For how many seconds a refresh token that was just used gives the same answer again, \
           for clients whose tabs race or whose answer was lost; 0 turns this off.",
};

const DPOP_NONCE: Setting = Setting {
    name: "dpop_nonce",
    default: "off",
    help: "Whether a DPoP proof must repeat a nonce of the server: `off` or `required`. Nonces cost \
           each client a request now and then; with them nobody can make proofs ahead, and clients \
           whose clocks are wrong can prove something, too.",
};

const API_KEY_LIFETIME: Setting = Setting {
    name: "api_key_lifetime",
    default: "7776000",
    help: "How long an API key is valid if nothing is said when it is made, in seconds (90 days).",
};

const API_KEY_MAX_LIFETIME: Setting = Setting {
    name: "api_key_max_lifetime",
    default: "31536000",
    help: "How long an API key can be made valid, in seconds (365 days).",
};

/// How long tokens live, in seconds, and what is asked of those who prove to hold a key.
#[derive(Clone, Debug)]
pub struct TokensConfig {
    /// An access token.
    pub access_lifetime: i64,
    /// An ID token.
    pub id_lifetime: i64,
    /// An authorization code.
    pub code_lifetime: i64,
    /// The two codes of a device.
    pub device_code_lifetime: i64,
    /// A refresh token that is not used.
    pub refresh_idle: i64,
    /// A family of refresh tokens, however much it is used.
    pub refresh_absolute: i64,
    /// How long a spent refresh token gives the same successor again.
    pub refresh_grace: i64,
    /// Whether a proof of possession must repeat a nonce of ours.
    pub dpop_nonce: bool,
    /// An API key of which nothing else is said.
    pub api_key: i64,
    /// The longest-lived API key.
    pub api_key_longest: i64,
}

impl TokensConfig {
    pub(super) fn read(sources: &Sources) -> Result<Self, ConfigError> {
        let api_key_longest = sources.seconds(&API_KEY_MAX_LIFETIME, MINUTE..=10 * YEAR)?;
        Ok(Self {
            access_lifetime: sources
                .seconds(&ACCESS_TOKEN_LIFETIME, MINUTE..=LONGEST_ACCESS_TOKEN)?,
            id_lifetime: sources.seconds(&ID_TOKEN_LIFETIME, MINUTE..=DAY)?,
            // RFC 6749 §4.1.2 recommends ten minutes as the maximum.
            code_lifetime: sources.seconds(&CODE_LIFETIME, 10..=10 * MINUTE)?,
            // RFC 8628 §5.4: long enough to fetch a telephone and sign in, too short for a code in a mail.
            device_code_lifetime: sources.seconds(&DEVICE_CODE_LIFETIME, MINUTE..=30 * MINUTE)?,
            refresh_idle: sources.seconds(&REFRESH_IDLE_LIFETIME, MINUTE..=YEAR)?,
            refresh_absolute: sources.seconds(&REFRESH_LIFETIME, MINUTE..=10 * YEAR)?,
            refresh_grace: sources.seconds(&REFRESH_GRACE, 0..=5 * MINUTE)?,
            dpop_nonce: sources.read(&DPOP_NONCE, nonce)?,
            api_key: sources.seconds(&API_KEY_LIFETIME, MINUTE..=api_key_longest)?,
            api_key_longest,
        })
    }
}

fn nonce(text: &str) -> Result<bool, String> {
    match text {
        "off" => Ok(false),
        "required" => Ok(true),
        _ => Err("must be off or required".to_owned()),
    }
}
