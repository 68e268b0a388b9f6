//! People.

use std::collections::BTreeSet;

use crate::values::{Email, PasswordHash, Profile, Role, Timestamp, UserId, Username};

/// A person who can sign in.
#[derive(Clone, Debug)]
pub struct User {
    /// Who it is in every token.
    pub id: UserId,
    /// What the person types to sign in; unique.
    pub username: Username,
    /// An address that works instead of the username; unique.
    pub email: Option<Email>,
    /// Whether the address is known to be the person's.
    pub email_verified: bool,
    /// Everything else that is known, in the words of OpenID Connect.
    pub profile: Profile,
    /// The roles that belong to no API. Tokens for APIs that have roles of their own do not carry them.
    pub roles: BTreeSet<Role>,
    /// The password; without one nobody can sign in with a password.
    pub password: Option<PasswordHash>,
    /// Since when the person may do nothing at all.
    pub disabled_at: Option<Timestamp>,
    /// How often the account has been changed: whoever changes it says which state they have read.
    pub revision: i64,
    /// When the account was made.
    pub created_at: Timestamp,
    /// When it was last changed: `updated_at`.
    pub updated_at: Timestamp,
}

impl User {
    /// What the person is called on our pages.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.profile.name.as_deref().unwrap_or(self.username.as_str())
    }
}
