//! What commands print: for people a list or a table, for programs exactly one JSON value.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write as _},
};

use serde::{Serialize, Serializer};
use serde_json::Value;

/// How the result is printed.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct Output {
    /// Print exactly one JSON value
    #[arg(long)]
    json: bool,
}

/// Named values in the order in which they are to be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Record(Vec<(Cow<'static, str>, Value)>);

impl Output {
    /// Print one thing.
    pub(super) fn one(self, record: &Record) -> io::Result<()> {
        if self.json {
            return json(record);
        }
        let widest = record.0.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let mut text = String::new();
        for (name, value) in &record.0 {
            let _ = writeln!(text, "{name:widest$}  {}", shown(name, value));
        }
        print(&text)
    }

    /// Print several things of a kind, for people only these columns.
    pub(super) fn several(self, columns: &[&str], records: &[Record]) -> io::Result<()> {
        if self.json { json(&records) } else { print(&table(columns, records)) }
    }

    /// Print that something was done: for people this sentence.
    pub(super) fn done(self, sentence: &str, record: &Record) -> io::Result<()> {
        if self.json { json(record) } else { print(&format!("{}\n", visible(sentence))) }
    }

    /// Print something to read: for people this text.
    pub(super) fn text(self, text: &str, record: &Record) -> io::Result<()> {
        if self.json { json(record) } else { print(text) }
    }
}

/// Tell whoever looks on something that is no part of the result.
pub(super) fn note(sentence: &str) {
    // Whoever closed standard error does not want to know.
    let _ = writeln!(io::stderr(), "{}", visible(sentence));
}

/// Write text to standard output.
pub(super) fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // Whoever read it has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

impl Record {
    /// The record with one value more.
    pub(super) fn with(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Value>,
    ) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// The record with one value more, if there is one.
    pub(super) fn with_some(self, name: &'static str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn json(value: &impl Serialize) -> io::Result<()> {
    print(&format!("{}\n", serde_json::to_string(value)?))
}

fn table(columns: &[&str], records: &[Record]) -> String {
    let heading = columns.iter().map(|column| column.to_uppercase().replace('_', " ")).collect();
    let row = |record: &Record| columns.iter().map(|column| cell(record, column)).collect();
    let rows: Vec<Vec<String>> = std::iter::once(heading).chain(records.iter().map(row)).collect();
    let widths: Vec<usize> = (0..columns.len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();

    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn cell(record: &Record, column: &str) -> String {
    let found = record.0.iter().find(|(name, _)| name == column);
    found.map_or_else(|| "-".to_owned(), |(name, value)| shown(name, value))
}

fn shown(name: &str, value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(seconds) if name.ends_with("_at") => {
            seconds.as_i64().map_or_else(|| seconds.to_string(), date)
        }
        Value::String(text) if text.is_empty() => "-".to_owned(),
        Value::String(text) => visible(text),
        Value::Array(values) if values.is_empty() => "-".to_owned(),
        Value::Array(values) => {
            values.iter().map(|value| shown(name, value)).collect::<Vec<_>>().join(", ")
        }
        Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

/// Names come from strangers: what they hold must not move the cursor or break the line.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A moment as people read it, in UTC. The days are counted from the first of March, so that the day
/// that leap years add is the last one.
fn date(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400) + 719_468, seconds.rem_euclid(86_400));
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + i64::from(month <= 2);
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_shown_as_dates() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (-1, "1969-12-31 23:59:59 UTC"),
            (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_709_251_199, "2024-02-29 23:59:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(date(seconds), text);
        }
    }

    #[test]
    fn a_table_lines_up_and_hides_nothing() {
        let records = [
            Record::default().with("name", "Café").with("roles", vec!["a", "b"]),
            Record::default().with("name", "x\u{1b}[31m"),
        ];
        assert_eq!(table(&["name", "roles"], &records), "NAME    ROLES\nCafé    a, b\nx [31m  -\n");
    }

    #[test]
    fn a_record_is_an_object_in_its_own_order() {
        let record = Record::default().with("b", 1).with("a", true).with_some("c", None::<&str>);
        assert_eq!(serde_json::to_string(&record).unwrap(), r#"{"b":1,"a":true}"#);
    }
}
