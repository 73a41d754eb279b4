//! What columns hold: names as words, structures as JSON, times as milliseconds.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sqlx::Row;
use sqlx::any::AnyRow;

/// A structure as JSON.
pub(super) fn json<T: Serialize>(value: &T) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// A name or one of a few words, as JSON would have it between quotes.
pub(super) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

/// What others wrote, as every database takes it: Postgres takes no zero bytes.
pub(super) fn plain(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}

/// A time.
pub(super) fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

/// A number as far as a column holds it.
pub(super) fn number(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

/// A column that [`json`] wrote.
pub(super) fn structure<T: DeserializeOwned>(row: &AnyRow, column: &str) -> Result<T, sqlx::Error> {
    let text: String = row.try_get(column)?;
    parsed(column, &text)
}

/// What [`json`] wrote into a column.
pub(super) fn parsed<T: DeserializeOwned>(column: &str, text: &str) -> Result<T, sqlx::Error> {
    serde_json::from_str(text).map_err(|error| unreadable(column, error))
}

/// A column that [`word`] wrote.
pub(super) fn name<T: DeserializeOwned>(row: &AnyRow, column: &str) -> Result<T, sqlx::Error> {
    let text: String = row.try_get(column)?;
    serde_json::from_value(Value::String(text)).map_err(|error| unreadable(column, error))
}

/// A column that [`millis`] wrote.
pub(super) fn time(row: &AnyRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    let millis: i64 = row.try_get(column)?;
    Timestamp::from_millisecond(millis).map_err(|error| sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: error.into(),
    })
}

fn unreadable(column: &str, error: serde_json::Error) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source: error.into(),
    }
}
