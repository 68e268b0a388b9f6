//! What every value promises, for the tests of this layer.

use std::{fmt::Display, str::FromStr};

use super::Invalid;

/// Whatever the text is, reading it does not panic; and what it is read as is read again from its own
/// text, which does not change any more.
#[track_caller]
pub(super) fn assert_round_trip<T: FromStr<Err = Invalid> + Display>(text: &str) {
    let Ok(value) = text.parse::<T>() else { return };
    let kept = value.to_string();
    let again = kept.parse::<T>().map(|again| again.to_string());
    assert_eq!(again, Ok(kept), "from {text:?}");
}
