//! Refresh token families: one row for a grant, however often it is refreshed.

use crate::{
    model::Authorization,
    values::{Binding, FamilyId, StatusPlace, Timestamp},
};

/// Everything that came of one authorization, whether or not there were refresh tokens.
#[derive(Clone, Debug)]
pub struct RefreshFamily {
    /// Which family.
    pub id: FamilyId,
    /// What was authorized.
    pub authorization: Authorization,
    /// Whose tokens they are: those of a public client may be bound to a key
    /// ([RFC 9449 §5](https://www.rfc-editor.org/rfc/rfc9449#section-5)).
    pub binding: Binding,
    /// How often it has been refreshed: the one valid token carries this number.
    pub generation: i64,
    /// When it was last refreshed, or made.
    pub rotated_at: Timestamp,
    /// When it ends if it is not used.
    pub idle_until: Timestamp,
    /// When it ends, however much it is used. Never moves.
    pub expires_at: Timestamp,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// Where its access tokens are found in the status lists. None when those that were issued so far have
    /// been revoked: the next one needs another place.
    pub status_place: Option<StatusPlace>,
}

impl RefreshFamily {
    /// Whether it outlives the session that it began in
    /// ([OpenID Connect Core §11](https://openid.net/specs/openid-connect-core-1_0.html#OfflineAccess)).
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.authorization.scope.contains("offline_access")
    }

    /// Whether its newest token can still be used.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.idle_until && now < self.expires_at
    }
}
