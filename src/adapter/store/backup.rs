//! All records, written down to be restored elsewhere, be that in the other database.
//!
//! A backup is lines of JSON, compressed with gzip: first what it is, then a line
//! per row, last how many these were. So one that was cut off is told from a whole
//! one. Rows go through one by one, however many there are. Reads only.

use std::io::{self, BufWriter, IntoInnerError, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::TryStreamExt as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use thiserror::Error;

use super::connection::answered;
use super::table::{Kind, TABLES, Table};
use super::{Shape, Store, transaction};
use crate::port::RecordsError;

/// How backups are written by this build.
pub(super) const FORMAT: u32 = 1;

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Header {
    /// How it is written: [`FORMAT`].
    pub(super) promoter_records: u32,
    /// The shape of the records in it.
    pub(super) shape: i64,
    /// When it was made.
    pub(super) at: Timestamp,
}

/// The last line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct End {
    /// How many rows there are before.
    pub(super) end: u64,
}

/// Why records could not be written down.
#[derive(Debug, Error)]
pub enum BackupError {
    /// They cannot be read.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// There is no room, or nobody reads on.
    #[error("failed to write the backup")]
    Write(#[source] io::Error),
}

/// What went wrong, before it is known to whom to say it.
enum Fault {
    Database(sqlx::Error),
    Output(io::Error),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl Store {
    /// Writes all records to `out`, as they are at one moment, and says how many rows
    /// these were. Whoever writes to a server's records goes on meanwhile; who writes
    /// to a file waits.
    ///
    /// # Errors
    /// The records cannot be read, or `out` not be written. What was written is then
    /// no backup.
    pub async fn backup(&self, out: impl Write + Send, now: Timestamp) -> Result<u64, BackupError> {
        let mut taken = self.take().await?;
        let mut out = BufWriter::new(GzEncoder::new(out, Compression::default()));
        let written = write(&mut taken.connection, &mut out, now).await;
        let (done, broken) = match written {
            Ok(rows) => (Ok(rows), None),
            Err(Fault::Database(error)) => (Err(error), None),
            Err(Fault::Output(error)) => (Ok(0), Some(error)),
        };
        let rows = self.put_back(taken, "read", done)?;
        if let Some(error) = broken {
            return Err(BackupError::Write(error));
        }
        let finish = || {
            out.into_inner()
                .map_err(IntoInnerError::into_error)?
                .finish()?
                .flush()
        };
        finish().map_err(BackupError::Write)?;
        Ok(rows)
    }
}

async fn write(
    connection: &mut AnyConnection,
    out: &mut (impl Write + Send),
    now: Timestamp,
) -> Result<u64, Fault> {
    let mut transaction = transaction::begin_to_read(connection).await?;
    let header = Header {
        promoter_records: FORMAT,
        shape: Shape::known().to,
        at: now,
    };
    line(out, &header)?;
    let mut number = 0;
    for table in &TABLES {
        let query = sqlx::query(AssertSqlSafe(table.select()));
        let mut rows = query.fetch(&mut *transaction);
        while let Some(row) = answered(rows.try_next()).await? {
            line(out, &json!({ table.name: values(table, &row)? }))?;
            number += 1;
        }
    }
    line(out, &End { end: number })?;
    answered(transaction.rollback()).await?;
    Ok(number)
}

fn line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

fn values(table: &Table, row: &AnyRow) -> Result<Map<String, Value>, sqlx::Error> {
    let columns = table.columns.iter().map(|&(column, kind)| {
        let value = match kind {
            Kind::Text => row.try_get::<Option<String>, _>(column)?.map(Value::from),
            Kind::Number => row.try_get::<Option<i64>, _>(column)?.map(Value::from),
            Kind::Bytes => {
                let bytes: Option<Vec<u8>> = row.try_get(column)?;
                bytes.map(|bytes| BASE64.encode(bytes).into())
            }
        };
        Ok((column.to_owned(), value.unwrap_or(Value::Null)))
    });
    columns.collect()
}
