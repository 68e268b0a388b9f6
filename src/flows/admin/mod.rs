//! What operators do: make, change, stop and remove clients, people, APIs and roles.

mod api_keys;
mod client_rules;
mod clients;
mod groups;
mod resources;
mod roles;
mod users;

pub use api_keys::NewApiKey;
pub use client_rules::{AuthMethod, public_keys};
pub use clients::{ClientChange, NewClient};
pub use resources::{NewResource, ResourceChange};
pub use roles::{Bearers, NewRole, RoleEdit};
pub use users::{NewUser, UserChange};

use super::{
    app::{Clock, Random},
    password::NotHashed,
};
use crate::{
    model::{Revocation, Revoked},
    storage::{StorageError, Store},
    values::{Timestamp, keeps_the_line},
};

/// How often a change is begun anew because others changed the same thing.
const ATTEMPTS: usize = 5;

/// Everything that an operator's deeds need.
#[derive(Clone)]
pub struct Admin {
    /// Where everything is kept.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
}

/// Why an operator's wish was not fulfilled.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// It must not be; the text says why, and what to do instead.
    #[error("{0}")]
    Refused(String),
    /// The database failed.
    #[error(transparent)]
    Failed(#[from] StorageError),
    /// A password could not be hashed.
    #[error(transparent)]
    NotHashed(#[from] NotHashed),
}

/// What happens to something that may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Edit<T> {
    /// It stays as it is.
    #[default]
    Keep,
    /// It goes.
    Remove,
    /// It becomes this.
    Set(T),
}

impl<T> Edit<T> {
    /// What it becomes, if it is set.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Keep | Self::Remove => None,
        }
    }

    /// Make the change.
    pub fn apply(self, to: &mut Option<T>) {
        match self {
            Self::Keep => {}
            Self::Remove => *to = None,
            Self::Set(value) => *to = Some(value),
        }
    }
}

impl Admin {
    /// The revocation of everything that was issued to `what` until now.
    fn revocation(&self, what: Revoked, now: Timestamp) -> Revocation {
        Revocation::new(self.random.id(now), what, now)
    }
}

fn refused<T>(reason: impl Into<String>) -> Result<T, AdminError> {
    Err(AdminError::Refused(reason.into()))
}

/// Others were faster every time.
fn overtaken<T>(what: &str) -> Result<T, AdminError> {
    refused(format!("{what} is being changed by somebody else at this moment: try again"))
}

/// A name that pages show: something to see, and nothing that breaks or turns the line.
fn check_name(name: &str) -> Result<(), AdminError> {
    let visible = !name.trim().is_empty() && name.chars().all(keeps_the_line);
    if !visible || name.chars().count() > 256 {
        return refused("a name has 1 to 256 visible characters");
    }
    Ok(())
}

/// What people read about something: one line, or nothing.
fn check_description(text: &str) -> Result<(), AdminError> {
    if !text.chars().all(keeps_the_line) || text.chars().count() > 256 {
        return refused("a description is one line of at most 256 characters");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_keeps_removes_or_sets() {
        for (edit, result) in [(Edit::Keep, Some(1)), (Edit::Remove, None), (Edit::Set(2), Some(2))]
        {
            let mut value = Some(1);
            edit.apply(&mut value);
            assert_eq!(value, result);
        }
    }

    #[test]
    fn a_name_can_be_seen_on_one_line() {
        for name in ["Café Zürich", "قهوة", "בית קפה"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in
            ["", "  ", "a\nb", "\u{1b}[31mred", "shop\u{202e}knab", "a\u{2066}b", &"x".repeat(257)]
        {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }
}
