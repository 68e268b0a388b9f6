//! The one way in which reading a word fails.

/// The text is not a valid spelling of the named thing. What was given is never echoed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0}")]
pub struct Invalid(pub &'static str);
