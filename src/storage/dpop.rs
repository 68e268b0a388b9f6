//! Proofs of possession that were used: each works once
//! ([RFC 9449 §11.1](https://www.rfc-editor.org/rfc/rfc9449#section-11.1)).

use super::{Result, Store, columns::Column, statement};
use crate::values::{Timestamp, TokenHash};

impl Store {
    /// Remembers a proof by its hash until nobody accepts it any more. False if it has been seen before.
    pub async fn remember_proof(&self, hash: &TokenHash, until: Timestamp) -> Result<bool> {
        let remembered = statement!(
            self,
            sqlx::query("insert into proofs (hash, until) values ($1, $2) on conflict do nothing")
                .bind(hash.kept())
                .bind(until.kept())
        )?;
        Ok(remembered > 0)
    }
}
