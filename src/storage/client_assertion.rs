//! Client assertions that were used: each works once
//! ([RFC 7523 §3](https://www.rfc-editor.org/rfc/rfc7523#section-3)).

use super::{Result, Store, columns::Column, statement};
use crate::values::{Timestamp, TokenHash};

impl Store {
    /// Remembers an assertion by its hash until it expires. False if it has been seen before.
    pub async fn remember_assertion(
        &self,
        hash: &TokenHash,
        expires_at: Timestamp,
    ) -> Result<bool> {
        let remembered = statement!(
            self,
            sqlx::query(
                "insert into assertions (hash, expires_at) values ($1, $2) on conflict do nothing",
            )
            .bind(hash.kept())
            .bind(expires_at.kept())
        )?;
        Ok(remembered > 0)
    }
}
