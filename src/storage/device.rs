//! Devices that ask to be let in ([RFC 8628](https://www.rfc-editor.org/rfc/rfc8628)): each gets its
//! tokens once.

use super::{
    Result, Store,
    authorization_code::Redemption,
    columns::{Column, column},
    from_row, read,
    refresh::keep_family,
    statement, transaction,
};
use crate::{
    model::{Approval, Asker, DeviceRequest, DeviceState, RefreshFamily},
    values::{Authentication, DeviceId, Timestamp, TokenHash, UserId},
};

/// Whether a request is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceAdmission {
    /// It is.
    Kept,
    /// Another request has the same user code.
    CodeTaken,
    /// The client has as many requests waiting as it may.
    TooMany,
}

/// How many wrong user codes one person may type.
#[derive(Clone, Copy, Debug)]
pub struct EntryLimit {
    /// So many,
    pub entries: i64,
    /// in so many seconds.
    pub seconds: i64,
}

/// What a user code is good for that somebody has typed.
#[derive(Clone, Debug)]
pub enum Entry {
    /// It is this request's, and nobody has answered that.
    Found(Box<DeviceRequest>),
    /// It is none.
    Wrong,
    /// Whoever typed it has typed too many that were none.
    TooMany,
}

from_row!(DeviceRequest, |row| {
    let (spent, denied): (Option<Timestamp>, Option<Timestamp>) =
        (column(row, "spent_at")?, column(row, "denied_at")?);
    let user: Option<UserId> = column(row, "user_id")?;
    let state = match (spent, denied, user) {
        (Some(_), ..) => DeviceState::Spent,
        (None, Some(_), _) => DeviceState::Denied,
        (None, None, None) => DeviceState::Pending,
        (None, None, Some(user)) => DeviceState::Allowed(Approval {
            user,
            authentication: Authentication {
                session: column(row, "session_id")?,
                at: column(row, "auth_time")?,
                acr: column(row, "acr")?,
                amr: column(row, "amr")?,
            },
        }),
    };
    Ok(Self {
        id: column(row, "id")?,
        secret: column(row, "secret_hash")?,
        user_code: column(row, "user_code")?,
        client: column(row, "client_id")?,
        scope: column(row, "scope")?,
        resources: column(row, "resources")?,
        asker: Asker { address: column(row, "address")?, user_agent: column(row, "user_agent")? },
        interval: column(row, "pace")?,
        polled_at: column(row, "polled_at")?,
        created_at: column(row, "created_at")?,
        expires_at: column(row, "expires_at")?,
        state,
    })
});

impl Store {
    /// Keeps a fresh request, if its client has fewer than `most` that have not expired. Of several
    /// that come at once, a few more may get in.
    pub async fn keep_device(&self, device: &DeviceRequest, most: i64) -> Result<DeviceAdmission> {
        transaction!(self, |tx| {
            let waiting: i64 = sqlx::query_scalar(
                "select count(1) from (
                     select 1 from device_requests
                     where client_id = $1 and expires_at > $2 limit $3
                 ) as waiting",
            )
            .bind(device.client.kept())
            .bind(device.created_at.kept())
            .bind(most)
            .fetch_one(&mut *tx)
            .await?;
            if waiting >= most {
                DeviceAdmission::TooMany
            } else {
                let kept = sqlx::query(
                    "insert into device_requests (
                         id, secret_hash, user_code, client_id, scope, resources, address,
                         user_agent, pace, created_at, expires_at
                     )
                     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                     on conflict do nothing",
                )
                .bind(device.id.kept())
                .bind(device.secret.kept())
                .bind(device.user_code.kept())
                .bind(device.client.kept())
                .bind(device.scope.kept())
                .bind(device.resources.kept())
                .bind(&device.asker.address)
                .bind(&device.asker.user_agent)
                .bind(device.interval)
                .bind(device.created_at.kept())
                .bind(device.expires_at.kept())
                .execute(&mut *tx)
                .await?;
                if kept.rows_affected() > 0 {
                    DeviceAdmission::Kept
                } else {
                    DeviceAdmission::CodeTaken
                }
            }
        })
    }

    /// The request of this row, whatever has become of it.
    pub async fn device(&self, id: DeviceId) -> Result<Option<DeviceRequest>> {
        Ok(read!(self, |db| {
            sqlx::query_as(
                "select
                     id, secret_hash, user_code, client_id, scope, resources, address, user_agent,
                     pace, polled_at, created_at, expires_at, user_id, session_id, auth_time, acr,
                     amr, denied_at, spent_at
                 from device_requests where id = $1",
            )
            .bind(id.kept())
            .fetch_optional(db)
            .await
        })?)
    }

    /// Remembers that a device has polled, which was last seen doing so at `before`. False if another
    /// poll was first.
    pub async fn device_polled(
        &self,
        id: DeviceId,
        before: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<bool> {
        // No time is negative.
        let polled = statement!(
            self,
            sqlx::query(
                "update device_requests set polled_at = $3
                 where id = $1 and coalesce(polled_at, -1) = $2",
            )
            .bind(id.kept())
            .bind(before.map_or(-1, |before| before.0))
            .bind(now.kept())
        )?;
        Ok(polled > 0)
    }

    /// Lets a device wait longer between two polls. False if another poll was first.
    pub async fn slow_device(&self, id: DeviceId, before: i64, interval: i64) -> Result<bool> {
        let slowed = statement!(
            self,
            sqlx::query("update device_requests set pace = $3 where id = $1 and pace = $2")
                .bind(id.kept())
                .bind(before)
                .bind(interval)
        )?;
        Ok(slowed > 0)
    }

    /// The unanswered request with one of these user codes, which this person has typed. Wrong ones
    /// are counted, on every node and however many come at once: beyond the limit none is looked at.
    pub async fn enter_user_code(
        &self,
        user: UserId,
        codes: &[TokenHash],
        limit: EntryLimit,
        now: Timestamp,
    ) -> Result<Entry> {
        transaction!(self, |tx| {
            // Counted before it is looked at: whoever types many at once waits here for their turn.
            let counted = sqlx::query(
                "insert into wrong_user_codes (user_id, entries, since) values ($1, 1, $2)
                 on conflict (user_id) do update set
                     entries = case when wrong_user_codes.since > $3
                         then wrong_user_codes.entries + 1 else 1 end,
                     since = case when wrong_user_codes.since > $3
                         then wrong_user_codes.since else $2 end
                 where wrong_user_codes.since <= $3 or wrong_user_codes.entries < $4",
            )
            .bind(user.kept())
            .bind(now.kept())
            .bind(now.minus(limit.seconds).kept())
            .bind(limit.entries)
            .execute(&mut *tx)
            .await?;
            if counted.rows_affected() == 0 {
                Entry::TooMany
            } else {
                let mut found: Option<DeviceRequest> = None;
                for code in codes {
                    if found.is_none() {
                        found = sqlx::query_as(
                            "select
                                 id, secret_hash, user_code, client_id, scope, resources, address,
                                 user_agent, pace, polled_at, created_at, expires_at, user_id,
                                 session_id, auth_time, acr, amr, denied_at, spent_at
                             from device_requests
                             where user_code = $1 and expires_at > $2 and user_id is null
                                 and denied_at is null",
                        )
                        .bind(code.kept())
                        .bind(now.kept())
                        .fetch_optional(&mut *tx)
                        .await?;
                    }
                }
                match found {
                    Some(device) => {
                        sqlx::query(
                            "update wrong_user_codes set entries = entries - 1 where user_id = $1",
                        )
                        .bind(user.kept())
                        .execute(&mut *tx)
                        .await?;
                        Entry::Found(Box::new(device))
                    }
                    None => Entry::Wrong,
                }
            }
        })
    }

    /// Somebody allows a request. False if it was answered before or has expired, or they have been
    /// signed out or shut out meanwhile.
    pub async fn allow_device(
        &self,
        id: DeviceId,
        approval: &Approval,
        now: Timestamp,
    ) -> Result<bool> {
        let allowed = statement!(
            self,
            sqlx::query(
                "update device_requests set
                     user_id = $2, session_id = $3, auth_time = $4, acr = $5, amr = $6
                 where id = $1 and user_id is null and denied_at is null and expires_at > $7
                     and exists (
                         select 1 from users where users.id = $2 and users.disabled_at is null
                     ) and exists (
                         select 1 from sessions
                         where sessions.id = $3 and sessions.ended_at is null
                     )",
            )
            .bind(id.kept())
            .bind(approval.user.kept())
            .bind(approval.authentication.session.kept())
            .bind(approval.authentication.at.kept())
            .bind(approval.authentication.acr.kept())
            .bind(approval.authentication.amr.kept())
            .bind(now.kept())
        )?;
        Ok(allowed > 0)
    }

    /// Somebody denies a request. False if it was answered before or has expired.
    pub async fn deny_device(&self, id: DeviceId, now: Timestamp) -> Result<bool> {
        let denied = statement!(
            self,
            sqlx::query(
                "update device_requests set denied_at = $2
                 where id = $1 and user_id is null and denied_at is null and expires_at > $2",
            )
            .bind(id.kept())
            .bind(now.kept())
        )?;
        Ok(denied > 0)
    }

    /// Spends a request that was allowed, and keeps its family. Of any number of polls racing for it, one redeems it, and none after whoever allowed it has signed out
    /// or was shut out.
    pub async fn redeem_device(
        &self,
        id: DeviceId,
        family: &RefreshFamily,
        now: Timestamp,
    ) -> Result<Redemption> {
        transaction!(self, |tx| {
            let spent = sqlx::query(
                "update device_requests set spent_at = $2
                 where id = $1 and spent_at is null and denied_at is null and expires_at > $2
                     and exists (
                         select 1 from users
                         where users.id = device_requests.user_id and users.disabled_at is null
                     ) and exists (
                         select 1 from sessions
                         where sessions.id = device_requests.session_id
                             and sessions.ended_at is null
                     )",
            )
            .bind(id.kept())
            .bind(now.kept())
            .execute(&mut *tx)
            .await?;
            if spent.rows_affected() == 0 {
                Redemption::Replayed
            } else {
                keep_family!(tx, family);
                Redemption::Redeemed
            }
        })
    }
}
