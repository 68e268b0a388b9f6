//! The registered claims every reader checks
//! ([RFC 7519 §4.1](https://www.rfc-editor.org/rfc/rfc7519#section-4.1)).

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    audience::Audience,
    expected::{Expected, Expiry},
    rejected::Rejected::{self, BadClaims, Expired, NotYetValid, WrongAudience, WrongIssuer},
    timestamp::Timestamp,
};

/// Checks `exp`, `nbf` and `iat`, and answers when the token expires.
pub(crate) fn check_times(
    claims: &Map<String, Value>,
    expected: &Expected<'_>,
) -> Result<Option<Timestamp>, Rejected> {
    let expires_at = moment(claims, "exp")?;
    let begins = [moment(claims, "nbf")?, moment(claims, "iat")?];

    if expected.expiry == Expiry::Required {
        let expires_at = expires_at.ok_or(BadClaims("exp is missing"))?;
        if expected.now >= expires_at.plus(expected.leeway) {
            return Err(Expired);
        }
    }
    if begins.into_iter().flatten().any(|begin| begin > expected.now.plus(expected.ahead)) {
        return Err(NotYetValid);
    }
    Ok(expires_at)
}

/// Checks that `iss` is the expected one, byte for byte.
pub(crate) fn check_issuer(
    claims: &Map<String, Value>,
    expected: &Expected<'_>,
) -> Result<(), Rejected> {
    match expected.issuer {
        Some(issuer) if claims.get("iss").and_then(Value::as_str) != Some(issuer) => {
            Err(WrongIssuer)
        }
        _ => Ok(()),
    }
}

/// Checks that `aud` is well-formed if it is there, and names one of the expected.
pub(crate) fn check_audience(
    claims: &Map<String, Value>,
    expected: &Expected<'_>,
) -> Result<(), Rejected> {
    if let (Some(Value::String(only)), Some(names)) = (claims.get("aud"), expected.audience)
        && !only.is_empty()
    {
        // Most have one, of which no list need be made.
        return if names.contains(&only.as_str()) { Ok(()) } else { Err(WrongAudience) };
    }
    let audience = (claims.get("aud").map(Audience::deserialize).transpose())
        .map_err(|_| BadClaims("aud is neither a string nor an array of strings"))?;
    let Some(names) = expected.audience else {
        return Ok(());
    };

    let meant = audience.is_some_and(|audience| names.iter().any(|name| audience.contains(name)));
    if meant { Ok(()) } else { Err(WrongAudience) }
}

/// A `NumericDate` that may be absent. Fractions of a second are dropped.
pub(crate) fn moment(
    claims: &Map<String, Value>,
    name: &str,
) -> Result<Option<Timestamp>, Rejected> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };

    whole_seconds(value).map(Some).ok_or(BadClaims("a time is not a number of seconds"))
}

fn whole_seconds(value: &Value) -> Option<Timestamp> {
    // Beyond this, numbers of seconds are no longer exact for every reader (RFC 8259 §6).
    const LATEST: f64 = 9_007_199_254_740_992.0;

    let seconds = value.as_f64().filter(|seconds| (0.0..=LATEST).contains(seconds))?;
    #[expect(clippy::cast_possible_truncation, reason = "fractions are dropped on purpose")]
    Some(Timestamp(seconds as i64))
}
