//! A backup, put into empty records: all of it, or nothing.
//!
//! It is read line by line and trusted with nothing: what is cut off, damaged, of
//! a newer promoter, or no backup at all leaves the records as they were.

use std::io::{self, BufRead, BufReader, Read};
use std::mem;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use flate2::read::GzDecoder;
use serde_json::{Map, Value};
use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::{Any, AnyConnection, AssertSqlSafe, Transaction};
use thiserror::Error;

use super::backup::{End, FORMAT, Header};
use super::connection::answered;
use super::key::Query;
use super::table::{Kind, TABLES, Table};
use super::text::plain;
use super::{Shape, Store, transaction};
use crate::port::RecordsError;

/// Longer than any row is, in bytes.
const LONGEST_LINE: u64 = 64 << 20;
/// Most rows that are put in by one statement: a server answers each.
const ROWS: usize = 50;
/// After as many bytes of lines it is enough: a log may be long.
const BYTES: usize = 1 << 20;

/// Why a backup was not restored. Nothing of it is in the records then.
#[derive(Debug, Error)]
pub enum RestoreError {
    /// They cannot be written.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// It cannot be read.
    #[error("failed to read the backup")]
    Read(#[source] io::Error),
    /// It is something else.
    #[error("this is no backup of records; `promoter store backup` makes one")]
    Foreign,
    /// A later version of promoter wrote it.
    #[error("the backup is of a newer promoter; restore it with that one")]
    Newer,
    /// The tables were others then.
    #[error(
        "the backup has records of version {shape}, and this promoter has version {known}; \
         restore it with the promoter that made it, and bring the records up to date then"
    )]
    Older {
        /// The version in it.
        shape: i64,
        /// That of this build.
        known: i64,
    },
    /// Its end is missing, or it was changed.
    #[error("the backup is cut off or damaged after {rows} rows; nothing was restored")]
    Damaged {
        /// How many rows were read until then.
        rows: u64,
    },
    /// What is there would be mixed with it.
    #[error("there are records in {place} already; a backup is restored into empty ones")]
    NotEmpty {
        /// Where they are.
        place: String,
    },
}

/// What went wrong, before it is known to whom to say it.
enum Fault {
    Database(sqlx::Error),
    Input(RestoreError),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<RestoreError> for Fault {
    fn from(error: RestoreError) -> Self {
        Self::Input(error)
    }
}

impl Store {
    /// Puts a backup into these records, which have to be empty, and says how many
    /// rows it has.
    ///
    /// # Errors
    /// The backup is no whole one that this build knows, there are records already,
    /// or these cannot be written.
    pub async fn restore(&self, from: impl Read + Send) -> Result<u64, RestoreError> {
        let mut backup = Backup::open(from)?;
        let mut taken = self.take().await?;
        let (done, refused) = match self.put_in(&mut taken.connection, &mut backup).await {
            Ok(()) => (Ok(()), None),
            Err(Fault::Database(error)) => (Err(error), None),
            Err(Fault::Input(error)) => (Ok(()), Some(error)),
        };
        self.put_back(taken, "write", done)?;
        refused.map_or(Ok(backup.rows), Err)
    }

    async fn put_in(
        &self,
        connection: &mut AnyConnection,
        backup: &mut Backup<impl Read + Send>,
    ) -> Result<(), Fault> {
        let mut transaction = transaction::begin(connection, [].into()).await?;
        let filled = fill(&mut transaction, backup).await;
        match filled {
            Ok(true) => Ok(answered(transaction.commit()).await?),
            Ok(false) => {
                answered(transaction.rollback()).await?;
                let place = self.location().to_string();
                Err(RestoreError::NotEmpty { place }.into())
            }
            Err(Fault::Input(error)) => {
                answered(transaction.rollback()).await?;
                Err(error.into())
            }
            Err(error) => Err(error),
        }
    }
}

/// Says whether there was nothing before.
async fn fill(
    transaction: &mut Transaction<'_, Any>,
    backup: &mut Backup<impl Read + Send>,
) -> Result<bool, Fault> {
    for table in &TABLES {
        let sql = format!("SELECT 1 FROM {} LIMIT 1", table.name);
        let query = sqlx::query(AssertSqlSafe(sql));
        if answered(query.fetch_optional(&mut **transaction))
            .await?
            .is_some()
        {
            return Ok(false);
        }
    }
    while let Some((table, rows)) = backup.next()? {
        let mut query = sqlx::query(AssertSqlSafe(table.insert(rows.len())));
        for row in &rows {
            let damaged = RestoreError::Damaged { rows: backup.rows };
            query = bind(query, table, row).ok_or(damaged)?;
        }
        let put = answered(query.execute(&mut **transaction)).await;
        put.map_err(|error| match error.as_database_error() {
            Some(refused) if is_of_rows(refused) => {
                RestoreError::Damaged { rows: backup.rows }.into()
            }
            _ => Fault::Database(error),
        })?;
    }
    Ok(true)
}

/// Whether rows cannot be together, as one of them that comes twice: no backup has such.
fn is_of_rows(refused: &dyn DatabaseError) -> bool {
    refused.is_unique_violation()
        || refused.is_foreign_key_violation()
        || refused.is_check_violation()
        || matches!(refused.kind(), ErrorKind::NotNullViolation)
}

/// `None`: something else is in it than its columns have.
fn bind<'a>(mut query: Query<'a>, table: &Table, row: &Map<String, Value>) -> Option<Query<'a>> {
    if row.len() != table.columns.len() {
        return None;
    }
    for (column, kind) in table.columns {
        let value = Some(row.get(*column)?).filter(|value| !value.is_null());
        query = match kind {
            Kind::Text => {
                let text = value.map(|value| value.as_str().map(plain).ok_or(()));
                query.bind(text.transpose().ok()?)
            }
            Kind::Number => {
                let number = value.map(|value| value.as_i64().ok_or(()));
                query.bind(number.transpose().ok()?)
            }
            Kind::Bytes => {
                let bytes = |value: &Value| BASE64.decode(value.as_str()?).ok();
                let bytes = value.map(|value| bytes(value).ok_or(()));
                query.bind(bytes.transpose().ok()?)
            }
        };
    }
    Some(query)
}

/// A backup as it is read.
struct Backup<R> {
    lines: BufReader<GzDecoder<R>>,
    /// So many were read.
    rows: u64,
    /// The length of the last line.
    length: usize,
    /// The first one of another table than those before it.
    ahead: Option<Row>,
    is_over: bool,
}

type Row = (&'static Table, Map<String, Value>);
type Rows = (&'static Table, Vec<Map<String, Value>>);

impl<R: Read> Backup<R> {
    fn open(from: R) -> Result<Self, RestoreError> {
        let mut backup = Self {
            lines: BufReader::new(GzDecoder::new(from)),
            rows: 0,
            length: 0,
            ahead: None,
            is_over: false,
        };
        let first = backup.line().map_err(|error| match error {
            RestoreError::Damaged { .. } => RestoreError::Foreign,
            error => error,
        })?;
        let known = Shape::known().to;
        match serde_json::from_str(&first) {
            Err(_) => Err(RestoreError::Foreign),
            Ok(Header {
                promoter_records,
                shape,
                ..
            }) if promoter_records > FORMAT || shape > known => Err(RestoreError::Newer),
            Ok(Header { shape, .. }) if shape < known => Err(RestoreError::Older { shape, known }),
            Ok(_) => Ok(backup),
        }
    }

    /// The next rows of one table; `None` once it is over, and whole.
    fn next(&mut self) -> Result<Option<Rows>, RestoreError> {
        let first = match self.ahead.take() {
            Some(row) => Some(row),
            None => self.row()?,
        };
        let Some((table, first)) = first else {
            return Ok(None);
        };
        let (mut rows, mut bytes) = (vec![first], self.length);
        while rows.len() < ROWS
            && bytes < BYTES
            && let Some((other, row)) = self.row()?
        {
            if other.name != table.name {
                self.ahead = Some((other, row));
                break;
            }
            bytes += self.length;
            rows.push(row);
        }
        Ok(Some((table, rows)))
    }

    fn row(&mut self) -> Result<Option<Row>, RestoreError> {
        if self.is_over {
            return Ok(None);
        }
        let line = self.line()?;
        if let Ok(End { end }) = serde_json::from_str(&line) {
            self.is_over = true;
            // Reading on is what compares the checksum.
            let after = self.lines.fill_buf().map(<[u8]>::is_empty);
            let is_last = after.map_err(|error| self.unread(error))?;
            let is_whole = is_last && end == self.rows;
            return is_whole.then_some(None).ok_or(self.damaged());
        }
        let row = parsed(&line).ok_or(self.damaged())?;
        self.rows += 1;
        Ok(Some(row))
    }

    fn line(&mut self) -> Result<String, RestoreError> {
        let mut line = String::new();
        let read = (&mut self.lines).take(LONGEST_LINE).read_line(&mut line);
        read.map_err(|error| self.unread(error))?;
        self.length = line.len();
        line.ends_with('\n').then_some(line).ok_or(self.damaged())
    }

    fn unread(&self, error: io::Error) -> RestoreError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::InvalidData
            | io::ErrorKind::InvalidInput => self.damaged(),
            _ => RestoreError::Read(error),
        }
    }

    fn damaged(&self) -> RestoreError {
        RestoreError::Damaged { rows: self.rows }
    }
}

fn parsed(line: &str) -> Option<Row> {
    let mut line: Map<String, Value> = serde_json::from_str(line).ok()?;
    let (name, row) = line.iter_mut().next()?;
    let table = Table::named(name)?;
    match mem::take(row) {
        Value::Object(row) => Some((table, row)),
        _ => None,
    }
}
