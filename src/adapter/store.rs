//! The records in a file of `SQLite`.
//!
//! Input: notes to keep, and questions. The file is opened once it is needed,
//! and again after anything went wrong, so that one that is locked, full or
//! read-only for a while is used as soon as it can be. Nothing here decides
//! what is worth keeping, and nobody drives a promotion by what is kept here.

mod key;
mod log;
mod prune;
mod read;
mod recording;
mod text;
mod write;

use std::borrow::Cow;
use std::fmt::Display;
use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::num::NonZeroU16;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqlSafeStr, SqliteConnection};
use tokio::sync::{Mutex, MutexGuard};

use crate::group::name::CheckName;
use crate::plan::summary::Summary;
use crate::port::records::{Entry, Note, PlaceName, Refusal, Run, Which};
use crate::port::{Records, RecordsError};
use crate::promotion::check::CheckResult;
use crate::promotion::event::Event;
use crate::promotion::id::PromotionId;
use prune::Since;
pub use recording::Recording;

/// How long a file that another process writes to is waited for.
const BUSY: Duration = Duration::from_secs(2);

/// For how many days promotions are kept, unless told.
pub(crate) const DAYS: u16 = 400;
/// For how many days logs are kept, which take most of the room.
const LOG_DAYS: u16 = 90;
/// Memory for pages of the file, in KiB, instead of two thousand: what is kept is
/// hardly read again, and 20,000 test cases are kept as fast (measured).
const CACHE: &str = "-64";

/// Records in one file.
pub struct Store {
    path: PathBuf,
    days: u16,
    open: Mutex<Option<SqliteConnection>>,
}

impl Store {
    /// Records in that file, which is made together with its folder once they
    /// are used. Others than its owner may not read it: logs of checks are in it.
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            days: DAYS,
            open: Mutex::default(),
        }
    }

    /// Keeps promotions for so many days, and logs for no more.
    #[must_use]
    pub fn keeping(self, days: NonZeroU16) -> Self {
        Self {
            days: days.get(),
            ..self
        }
    }

    /// Where they are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The connection to the file in its present shape; nobody else has it
    /// meanwhile.
    async fn take(&self) -> Result<Taken<'_>, RecordsError> {
        let mut slot = self.open.lock().await;
        let connection = match slot.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        Ok(Taken { slot, connection })
    }

    /// Puts the connection back; one by which something went wrong is not used again.
    fn put_back<T>(
        &self,
        mut taken: Taken<'_>,
        action: &'static str,
        done: Result<T, sqlx::Error>,
    ) -> Result<T, RecordsError> {
        let done = done.map_err(|error| self.failed(action, reason(&error)))?;
        *taken.slot = Some(taken.connection);
        Ok(done)
    }

    async fn connect(&self) -> Result<SqliteConnection, RecordsError> {
        make_file(&self.path).map_err(|error| self.failed("open", error))?;
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .busy_timeout(BUSY)
            .pragma("cache_size", CACHE)
            .disable_statement_logging();
        let connected = options.connect().await;
        let mut connection = connected.map_err(|error| self.failed("open", reason(&error)))?;
        // `Migrator::run` takes whatever a connection can be had from, which the compiler
        // cannot tell to be `Send`.
        let mut migrated = migrations().run_direct(None, &mut connection, false).await;
        if matches!(migrated, Err(MigrateError::ExecuteMigration(..))) {
            // Somebody else opened it for the first time at the same moment.
            migrated = migrations().run_direct(None, &mut connection, false).await;
        }
        migrated.map_err(|error| self.not_migrated(&error))?;
        Ok(connection)
    }

    fn not_migrated(&self, error: &MigrateError) -> RecordsError {
        match error {
            MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => {
                RecordsError::Newer {
                    place: self.place(),
                }
            }
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                self.failed("open", reason(error))
            }
            error => self.failed("open", error),
        }
    }

    fn failed(&self, action: &'static str, reason: impl Display) -> RecordsError {
        RecordsError::Failed {
            action,
            place: self.place(),
            reason: reason.to_string(),
        }
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }
}

/// The connection, out of its place.
struct Taken<'a> {
    slot: MutexGuard<'a, Option<SqliteConnection>>,
    connection: SqliteConnection,
}

/// Makes the file and its folder, so that only their owner may read them.
fn make_file(path: &Path) -> io::Result<()> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    if path.exists() {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    options.open(path).map(drop)
}

/// Every shape that the records ever had, in order; none may be changed once it
/// was released.
fn migrations() -> Migrator {
    let steps = [("records", include_str!("store/0001_records.sql"))];
    let steps = (1..).zip(steps).map(|(version, (name, sql))| {
        let (name, sql) = (Cow::Borrowed(name), sql.into_sql_str());
        Migration::new(version, name, MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(steps.collect())
}

/// In the database's own words, without what the client puts around them.
fn reason(error: &sqlx::Error) -> String {
    error
        .as_database_error()
        .map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

#[async_trait]
impl Records for Store {
    async fn keep(&self, place: &PlaceName, notes: &[Note]) -> Result<(), RecordsError> {
        let mut taken = self.take().await?;
        let kept = write::keep(&mut taken.connection, place, notes).await;
        self.put_back(taken, "write", kept)
    }

    async fn prune(&self, now: Timestamp) -> Result<(), RecordsError> {
        let since = Since::days_before(now, self.days, self.days.min(LOG_DAYS));
        let mut taken = self.take().await?;
        let pruned = prune::prune(&mut taken.connection, since).await;
        self.put_back(taken, "prune", pruned)
    }

    async fn last(&self, of: &Which, most: u32) -> Result<Vec<Entry>, RecordsError> {
        let mut taken = self.take().await?;
        let read = read::last(&mut taken.connection, of, most).await;
        self.put_back(taken, "read", read)
    }

    async fn refused(&self, of: &Which, most: u32) -> Result<Vec<Refusal>, RecordsError> {
        let mut taken = self.take().await?;
        let read = read::refused(&mut taken.connection, of, most).await;
        self.put_back(taken, "read", read)
    }

    async fn of(&self, promotion: &PromotionId) -> Result<Vec<Entry>, RecordsError> {
        let mut taken = self.take().await?;
        let read = read::of(&mut taken.connection, promotion).await;
        self.put_back(taken, "read", read)
    }

    async fn events(&self, entry: &Entry) -> Result<Vec<Event>, RecordsError> {
        let mut taken = self.take().await?;
        let read = read::events(&mut taken.connection, entry).await;
        self.put_back(taken, "read", read)
    }

    async fn results(&self, entry: &Entry) -> Result<Vec<CheckResult>, RecordsError> {
        let mut taken = self.take().await?;
        let read = read::results(&mut taken.connection, entry).await;
        self.put_back(taken, "read", read)
    }

    async fn plan(&self, entry: &Entry) -> Result<Option<Summary>, RecordsError> {
        let mut taken = self.take().await?;
        let read = read::plan(&mut taken.connection, entry).await;
        self.put_back(taken, "read", read)
    }

    async fn passed_before(&self, entry: &Entry) -> Result<Option<Entry>, RecordsError> {
        let mut taken = self.take().await?;
        let read = read::passed_before(&mut taken.connection, entry).await;
        self.put_back(taken, "read", read)
    }

    async fn logged(
        &self,
        entry: &Entry,
        check: Option<&CheckName>,
    ) -> Result<Vec<Run>, RecordsError> {
        let mut taken = self.take().await?;
        let read = read::logged(&mut taken.connection, entry, check).await;
        self.put_back(taken, "read", read)
    }

    async fn log(&self, entry: &Entry, run: &Run) -> Result<Option<String>, RecordsError> {
        let mut taken = self.take().await?;
        let read = read::log(&mut taken.connection, entry, run).await;
        self.put_back(taken, "read", read)
    }
}
