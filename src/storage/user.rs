//! People.

use super::{
    Result, Store, change,
    columns::{Column, column},
    from_row, read,
    revocation::keep_revocation,
    transaction,
};
use crate::{
    model::{Revocation, User},
    values::{Email, PasswordHash, Timestamp, UserId, Username},
};

/// Whether an account could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserCreation {
    /// It was.
    Created,
    /// The username belongs to somebody else.
    UsernameTaken,
    /// The e-mail address belongs to somebody else.
    EmailTaken,
}

/// Whether an account could be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserUpdate {
    /// It was.
    Updated,
    /// The username belongs to somebody else.
    UsernameTaken,
    /// The e-mail address belongs to somebody else.
    EmailTaken,
    /// It has been changed since it was read.
    Stale,
    /// There is no such account.
    Gone,
}

/// Binds what an account's owner and the administrators can change to seven parameters, the id first.
macro_rules! bind_user {
    ($query:expr, $user:expr) => {
        $query
            .bind($user.id.kept())
            .bind($user.username.kept())
            .bind($user.email.kept())
            .bind($user.email_verified)
            .bind($user.profile.kept())
            .bind($user.roles.kept())
            .bind($user.updated_at.kept())
    };
}

/// Takes from somebody everything that was begun in their name.
macro_rules! end_everything {
    ($tx:ident, $user:expr, $revocation:expr) => {
        sqlx::query("update sessions set ended_at = $2 where user_id = $1 and ended_at is null")
            .bind($user.kept())
            .bind($revocation.at.kept())
            .execute(&mut *$tx)
            .await?;
        // Codes before families: whoever is redeeming one has then either lost it or kept the family.
        for statement in [
            "delete from codes where user_id = $1",
            "delete from device_requests where user_id = $1",
        ] {
            sqlx::query(statement).bind($user.kept()).execute(&mut *$tx).await?;
        }
        sqlx::query(
            "update refresh_families set revoked_at = $2
             where user_id = $1 and revoked_at is null",
        )
        .bind($user.kept())
        .bind($revocation.at.kept())
        .execute(&mut *$tx)
        .await?;
        keep_revocation!($tx, $revocation);
    };
}

from_row!(User, |row| Ok(Self {
    id: column(row, "user_id")?,
    username: column(row, "username")?,
    email: column(row, "email")?,
    email_verified: column(row, "email_verified")?,
    profile: column(row, "profile")?,
    roles: column(row, "roles")?,
    password: column(row, "password")?,
    disabled_at: column(row, "disabled_at")?,
    revision: column(row, "revision")?,
    created_at: column(row, "created_at")?,
    updated_at: column(row, "updated_at")?,
}));

impl Store {
    /// Makes an account.
    pub async fn create_user(&self, user: &User) -> Result<UserCreation> {
        let created = transaction!(self, |tx| {
            let query = sqlx::query(
                "insert into users (
                     id, username, email, email_verified, profile, roles, updated_at, password,
                     disabled_at, revision, created_at
                 )
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                 on conflict do nothing",
            );
            let created = bind_user!(query, user)
                .bind(user.password.kept())
                .bind(user.disabled_at.kept())
                .bind(user.revision)
                .bind(user.created_at.kept())
                .execute(&mut *tx)
                .await?;
            created.rows_affected() > 0
        })?;
        if created {
            Ok(UserCreation::Created)
        } else if self.user_by_username(&user.username).await?.is_some() {
            Ok(UserCreation::UsernameTaken)
        } else {
            Ok(UserCreation::EmailTaken)
        }
    }

    /// The person with this identifier.
    pub async fn user(&self, id: UserId) -> Result<Option<User>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select
                     id as user_id, username, email, email_verified, profile, roles, password,
                     disabled_at, revision, created_at, updated_at
                 from users where id = $1",
            )
            .bind(id.kept())
            .fetch_optional(db)
            .await
        })?)
    }

    /// The person with this username.
    pub async fn user_by_username(&self, username: &Username) -> Result<Option<User>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select
                     id as user_id, username, email, email_verified, profile, roles, password,
                     disabled_at, revision, created_at, updated_at
                 from users where username = $1",
            )
            .bind(username.kept())
            .fetch_optional(db)
            .await
        })?)
    }

    /// The person who is meant by what was typed to sign in: a username, or an e-mail address.
    pub async fn user_by_login(&self, login: &str) -> Result<Option<User>> {
        if let Ok(username) = login.parse::<Username>() {
            self.user_by_username(&username).await
        } else if let Ok(email) = login.parse::<Email>() {
            self.user_by_email(&email).await
        } else {
            Ok(None)
        }
    }

    async fn user_by_email(&self, email: &Email) -> Result<Option<User>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select
                     id as user_id, username, email, email_verified, profile, roles, password,
                     disabled_at, revision, created_at, updated_at
                 from users where email = $1",
            )
            .bind(email.kept())
            .fetch_optional(db)
            .await
        })?)
    }

    /// People by username, from the one after `after` on.
    pub async fn users(&self, after: Option<&Username>, limit: u32) -> Result<Vec<User>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select
                     id as user_id, username, email, email_verified, profile, roles, password,
                     disabled_at, revision, created_at, updated_at
                 from users where username > $1 order by username limit $2",
            )
            // Every username is greater than the empty text.
            .bind(after.map(Column::kept).unwrap_or_default())
            .bind(i64::from(limit))
            .fetch_all(db)
            .await
        })?)
    }

    /// Changes what is known of somebody, if nobody has changed the account since it was read: not the
    /// id, the password, whether they are shut out, and when the account was made.
    pub async fn update_user(&self, user: &User) -> Result<UserUpdate> {
        let updated = transaction!(self, |tx| {
            let query = sqlx::query(
                "update users set
                     username = $2, email = $3, email_verified = $4, profile = $5, roles = $6,
                     updated_at = $7, revision = revision + 1
                 where id = $1 and revision = $8",
            );
            let updated = bind_user!(query, user).bind(user.revision).execute(&mut *tx).await?;
            updated.rows_affected() > 0
        });
        match updated {
            Ok(true) => Ok(UserUpdate::Updated),
            Ok(false) if self.user(user.id).await?.is_some() => Ok(UserUpdate::Stale),
            Ok(false) => Ok(UserUpdate::Gone),
            Err(why) if why.is_duplicate() => {
                let holder = self.user_by_username(&user.username).await?;
                let taken = holder.is_some_and(|holder| holder.id != user.id);
                Ok(if taken { UserUpdate::UsernameTaken } else { UserUpdate::EmailTaken })
            }
            Err(why) => Err(why),
        }
    }

    /// Changes a password, and ends everything that was begun in this person's name: whoever knew the
    /// old one is out. False if there is no such account.
    pub async fn set_password(
        &self,
        id: UserId,
        password: &PasswordHash,
        revocation: &Revocation,
    ) -> Result<bool> {
        change!(self, |tx| {
            let set = sqlx::query(
                "update users set password = $2, updated_at = $3, revision = revision + 1
                 where id = $1",
            )
            .bind(id.kept())
            .bind(password.kept())
            .bind(revocation.at.kept())
            .execute(&mut *tx)
            .await?;
            let set = set.rows_affected() > 0;
            if set {
                end_everything!(tx, id, revocation);
            }
            set
        })
    }

    /// Shuts somebody out and ends everything that was begun in their name. False if they were shut
    /// out before, or do not exist.
    pub async fn disable_user(&self, id: UserId, revocation: &Revocation) -> Result<bool> {
        change!(self, |tx| {
            let disabled = sqlx::query(
                "update users set disabled_at = $2, updated_at = $2, revision = revision + 1
                 where id = $1 and disabled_at is null",
            )
            .bind(id.kept())
            .bind(revocation.at.kept())
            .execute(&mut *tx)
            .await?;
            let disabled = disabled.rows_affected() > 0;
            if disabled {
                end_everything!(tx, id, revocation);
            }
            disabled
        })
    }

    /// Lets somebody in again. What was ended stays so. False if they were not shut out.
    pub async fn enable_user(&self, id: UserId, at: Timestamp) -> Result<bool> {
        transaction!(self, |tx| {
            let enabled = sqlx::query(
                "update users set disabled_at = null, updated_at = $2, revision = revision + 1
                 where id = $1 and disabled_at is not null",
            )
            .bind(id.kept())
            .bind(at.kept())
            .execute(&mut *tx)
            .await?;
            enabled.rows_affected() > 0
        })
    }

    /// Deletes an account with everything that belongs to it, and revokes what was issued for it.
    /// False if there was none.
    pub async fn delete_user(&self, id: UserId, revocation: &Revocation) -> Result<bool> {
        change!(self, |tx| {
            let known: Option<String> = sqlx::query_scalar("select id from users where id = $1")
                .bind(id.kept())
                .fetch_optional(&mut *tx)
                .await?;
            if known.is_none() {
                false
            } else {
                // Codes and requests before families: whoever is redeeming one has then either lost
                // it or kept the family. Revoked before they are deleted, as long as their places
                // are known.
                for statement in [
                    "delete from codes where user_id = $1",
                    "delete from device_requests where user_id = $1",
                ] {
                    sqlx::query(statement).bind(id.kept()).execute(&mut *tx).await?;
                }
                keep_revocation!(tx, revocation);
                // Sessions, consents, families and keys go with the row.
                sqlx::query("delete from users where id = $1")
                    .bind(id.kept())
                    .execute(&mut *tx)
                    .await?;
                true
            }
        })
    }
}
