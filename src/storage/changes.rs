//! Notes by which nodes learn that something which they keep in memory has changed.

use super::{Result, Store, columns::column, from_row, read};
use crate::model::Change;

/// Tells every node about a change, in the transaction that makes it.
macro_rules! note {
    ($tx:ident, $change:expr, $at:expr) => {
        sqlx::query("insert into changes (what, at) values ($1, $2)")
            .bind($change.kept())
            .bind($at.kept())
            .execute(&mut *$tx)
            .await?
    };
}

pub(super) use note;

struct Note {
    id: i64,
    change: Change,
}

from_row!(Note, |row| Ok(Self { id: column(row, "id")?, change: column(row, "what")? }));

impl Store {
    /// What was changed after this note, each change with the number of its own. A number is never
    /// used again; but a lower one may appear after a higher one, if its transaction took longer.
    pub async fn changes_after(&self, note: i64) -> Result<Vec<(i64, Change)>> {
        let notes: Vec<Note> = read!(self, |db| {
            sqlx::query_as("select id, what from changes where id > $1 order by id")
                .bind(note)
                .fetch_all(db)
                .await
        })?;
        Ok(notes.into_iter().map(|note| (note.id, note.change)).collect())
    }
}
