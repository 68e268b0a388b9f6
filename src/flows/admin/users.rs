//! People, as operators make and change them.

use std::collections::BTreeSet;

use tokio::task;

use super::{ATTEMPTS, Admin, AdminError, Edit, check_name, overtaken, refused};
use crate::{
    flows::password::{self, NotHashed},
    model::{Revoked, User},
    storage::{UserCreation, UserUpdate},
    values::{Email, Password, PasswordHash, Profile, Role, UserId, Username},
};

/// A person to be.
#[derive(Debug)]
pub struct NewUser {
    /// What the person types to sign in.
    pub username: Username,
    /// An address that works instead.
    pub email: Option<Email>,
    /// Whether the address is known to be the person's.
    pub email_verified: bool,
    /// What else is known.
    pub profile: Profile,
    /// The person's roles.
    pub roles: BTreeSet<Role>,
    /// The password; without one the person cannot sign in yet.
    pub password: Option<Password>,
}

/// What is to be different about a person. What is left out stays.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// What the person types to sign in.
    pub username: Option<Username>,
    /// An address that works instead. A new one is not verified unless that is said, too.
    pub email: Edit<Email>,
    /// Whether the address is known to be the person's.
    pub email_verified: Option<bool>,
    /// What else is known, all of it.
    pub profile: Option<Profile>,
    /// The person's roles, all of them.
    pub roles: Option<BTreeSet<Role>>,
}

impl Admin {
    /// Make a person.
    pub async fn create_user(&self, new: NewUser) -> Result<User, AdminError> {
        let now = self.clock.now();
        let mut user = User {
            id: self.random.id(now),
            username: new.username,
            email: new.email,
            email_verified: new.email_verified,
            profile: new.profile,
            roles: new.roles,
            password: None,
            disabled_at: None,
            revision: 0,
            created_at: now,
            updated_at: now,
        };
        check(&user)?;
        if let Some(password) = new.password {
            user.password = Some(self.hash(password).await?);
        }

        match self.store.create_user(&user).await? {
            UserCreation::Created => Ok(user),
            UserCreation::UsernameTaken => username_taken(&user.username),
            UserCreation::EmailTaken => email_taken(user.email.as_ref()),
        }
    }

    /// The person with this username, e-mail address or identifier.
    pub async fn user(&self, name: &str) -> Result<User, AdminError> {
        let by_id = match name.parse() {
            Ok(id) => self.store.user(id).await?,
            Err(_) => None,
        };
        let user = match by_id {
            Some(user) => Some(user),
            None => self.store.user_by_login(name).await?,
        };
        match user {
            Some(user) => Ok(user),
            None => unknown(name),
        }
    }

    /// Change what is known of a person.
    pub async fn update_user(&self, id: UserId, change: UserChange) -> Result<User, AdminError> {
        for _ in 0..ATTEMPTS {
            let mut user = self.known_user(id).await?;
            apply(change.clone(), &mut user);
            user.updated_at = self.clock.now();
            check(&user)?;

            match self.store.update_user(&user).await? {
                UserUpdate::Updated => return self.known_user(id).await,
                UserUpdate::Stale => {}
                UserUpdate::UsernameTaken => return username_taken(&user.username),
                UserUpdate::EmailTaken => return email_taken(user.email.as_ref()),
                UserUpdate::Gone => return unknown(user.username.as_str()),
            }
        }
        overtaken("this user")
    }

    /// Remove a person, with every session, consent and token.
    pub async fn delete_user(&self, id: UserId) -> Result<(), AdminError> {
        let revocation = self.revocation(Revoked::User(id), self.clock.now());
        if self.store.delete_user(id, &revocation).await? {
            Ok(())
        } else {
            unknown(&id.to_string())
        }
    }

    /// Give a person a new password, and end every session and token: whoever knew the old one is out.
    pub async fn set_password(&self, id: UserId, password: Password) -> Result<User, AdminError> {
        let hash = self.hash(password).await?;
        let revocation = self.revocation(Revoked::User(id), self.clock.now());
        if self.store.set_password(id, &hash, &revocation).await? {
            self.known_user(id).await
        } else {
            unknown(&id.to_string())
        }
    }

    /// Let a person do nothing at all, and end every session and token.
    pub async fn disable_user(&self, id: UserId) -> Result<User, AdminError> {
        let revocation = self.revocation(Revoked::User(id), self.clock.now());
        self.store.disable_user(id, &revocation).await?;
        self.known_user(id).await
    }

    /// Let a person sign in again. Sessions and tokens from before stay dead.
    pub async fn enable_user(&self, id: UserId) -> Result<User, AdminError> {
        self.store.enable_user(id, self.clock.now()).await?;
        self.known_user(id).await
    }

    /// The person as they are now. Whoever was stopped before is stopped: that is no refusal.
    async fn known_user(&self, id: UserId) -> Result<User, AdminError> {
        match self.store.user(id).await? {
            Some(user) => Ok(user),
            None => unknown(&id.to_string()),
        }
    }

    async fn hash(&self, password: Password) -> Result<PasswordHash, AdminError> {
        if !password.is_long_enough() {
            return refused(format!("a password has at least {} characters", Password::LEAST));
        }
        let salt = self.random.bytes();
        let hashed = task::spawn_blocking(move || password::hash(&password, salt)).await;
        Ok(hashed.unwrap_or(Err(NotHashed))?)
    }
}

fn apply(change: UserChange, user: &mut User) {
    let address = user.email.clone();
    change.email.apply(&mut user.email);
    user.email_verified = match change.email_verified {
        Some(verified) => verified,
        None => user.email_verified && user.email == address,
    };
    if let Some(username) = change.username {
        user.username = username;
    }
    if let Some(profile) = change.profile {
        user.profile = profile;
    }
    if let Some(roles) = change.roles {
        user.roles = roles;
    }
}

fn check(user: &User) -> Result<(), AdminError> {
    if user.email_verified && user.email.is_none() {
        return refused("there is no e-mail address to be verified: give --email");
    }
    if user.profile.phone_number_verified && user.profile.phone_number.is_none() {
        return refused("there is no telephone number to be verified: give --phone-number");
    }
    if !user.profile.birthdate.as_deref().is_none_or(is_birthdate) {
        return refused(
            "a birthdate is YYYY-MM-DD, 0000-MM-DD when the year is not told, or YYYY alone",
        );
    }
    if let Some(name) = &user.profile.name {
        check_name(name)?;
    }
    Ok(())
}

/// Whether this is a date in one of the forms of
/// [OpenID Connect Core §5.1](https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims).
fn is_birthdate(text: &str) -> bool {
    let number = |text: &str, digits| {
        (text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse::<u16>().ok())
            .flatten()
    };
    match text.split('-').collect::<Vec<_>>()[..] {
        [year] => number(year, 4).is_some(),
        [year, month, day] => {
            number(year, 4).is_some()
                && number(month, 2).is_some_and(|month| (1..=12).contains(&month))
                && number(day, 2).is_some_and(|day| (1..=31).contains(&day))
        }
        _ => false,
    }
}

fn username_taken<T>(username: &Username) -> Result<T, AdminError> {
    refused(format!(
        "there is a user called {username} already: choose another username, or change that one \
         with `signet user update {username}`"
    ))
}

fn email_taken<T>(email: Option<&Email>) -> Result<T, AdminError> {
    let email = email.map_or("this", Email::as_str);
    refused(format!(
        "the e-mail address {email} belongs to somebody else: `signet user show {email}` says to \
         whom"
    ))
}

fn unknown<T>(name: &str) -> Result<T, AdminError> {
    refused(format!("there is no user called {name}: `signet user list` shows those there are"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_birthdate_is_a_date_or_a_year() {
        for text in ["1990-12-31", "0000-02-29", "1990"] {
            assert!(is_birthdate(text), "{text}");
        }
        for text in
            ["", "90-12-31", "1990-13-01", "1990-00-01", "1990-1-1", "31.12.1990", "1990-12"]
        {
            assert!(!is_birthdate(text), "{text}");
        }
    }
}
