//! What the published status lists say
//! ([Token Status List §4](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-status-list#section-4)).

use crate::values::{StatusPlace, Timestamp};

/// Places whose tokens are revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevokedPlaces {
    /// The first.
    pub first: StatusPlace,
    /// How many.
    pub count: i64,
    /// When the last token that was found there has expired, and the places need not be spoken of.
    pub until: Timestamp,
}
