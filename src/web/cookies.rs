//! The two cookies: which browser this is, and who is signed in to it. With https both have the
//! `__Host-` prefix, so that no sibling domain can plant one.

use std::str::FromStr;

use axum::http::{HeaderMap, HeaderValue, header};

use crate::values::Issuer;

/// Which cookie.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cookie {
    /// A [`BrowserToken`](crate::values::BrowserToken).
    Browser,
    /// A [`SessionToken`](crate::values::SessionToken).
    Session,
}

impl Cookie {
    fn name(self, issuer: &Issuer) -> &'static str {
        match (self, issuer.is_https()) {
            (Self::Browser, true) => "__Host-signet_browser",
            (Self::Browser, false) => "signet_browser",
            (Self::Session, true) => "__Host-signet_session",
            (Self::Session, false) => "signet_session",
        }
    }

    /// What the request's cookie holds, if it is well formed.
    pub(super) fn read<T: FromStr>(self, headers: &HeaderMap, issuer: &Issuer) -> Option<T> {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == self.name(issuer))
            .find_map(|(_, value)| value.parse().ok())
    }

    /// The header that sets it: for `seconds`, or until the browser closes.
    pub(super) fn set(self, value: &str, seconds: Option<i64>, issuer: &Issuer) -> HeaderValue {
        let secure = if issuer.is_https() { "; Secure" } else { "" };
        let age = seconds.map_or(String::new(), |seconds| format!("; Max-Age={seconds}"));
        let name = self.name(issuer);
        HeaderValue::from_str(&format!(
            "{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}"
        ))
        .expect("cookie values are base64url")
    }
}
