//! The records in SQL: in a file of `SQLite`, or in a database of Postgres.
//!
//! Input: notes to keep, and questions. One text of SQL serves both. A connection
//! is made once it is needed, and anew after anything went wrong, so that records
//! that are locked, full, read-only or away for a while are used as soon as they
//! can be. Nothing here decides what is worth keeping, and nobody drives a
//! promotion by what is kept here.

mod backup;
mod connection;
mod key;
mod location;
mod log;
mod prune;
mod read;
mod recording;
mod recordings;
mod restore;
mod shape;
mod table;
mod text;
mod transaction;
mod write;

use std::fmt::Display;
use std::num::NonZeroU16;

use async_trait::async_trait;
use jiff::Timestamp;
use sqlx::migrate::MigrateError;

use crate::group::name::CheckName;
use crate::plan::summary::Summary;
use crate::port::records::{Entry, Note, PlaceName, Refusal, Run, Which};
use crate::port::{Records, RecordsError};
use crate::promotion::check::CheckResult;
use crate::promotion::event::Event;
use crate::promotion::id::PromotionId;
use connection::{Connections, Taken};
use prune::Since;

pub use backup::BackupError;
pub use location::{Address, Location, LocationError};
pub use recording::Recording;
pub use recordings::Recordings;
pub use restore::RestoreError;
pub use shape::Shape;

/// For how many days promotions are kept, unless told.
pub(crate) const DAYS: u16 = 400;
/// For how many days logs are kept, which take most of the room.
const LOG_DAYS: u16 = 90;

/// Records in one place; many may share them.
pub struct Store {
    days: u16,
    connections: Connections,
}

impl Store {
    /// Records in that place. A file is made together with its folder once they
    /// are used; others than its owner may not read it: logs of checks are in it.
    pub fn new(location: Location) -> Self {
        Self {
            days: DAYS,
            connections: Connections::new(location),
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
    pub fn location(&self) -> &Location {
        self.connections.to()
    }

    /// Brings them into the shape of this build; whoever uses them does that, too.
    ///
    /// # Errors
    /// They are of a newer promoter, or cannot be reached or written.
    pub async fn migrate(&self) -> Result<Shape, RecordsError> {
        let (taken, shape) = self.shaped().await?;
        self.connections.put_back(taken);
        Ok(shape)
    }

    /// A connection to the records in their present shape.
    async fn take(&self) -> Result<Taken<'_>, RecordsError> {
        self.shaped().await.map(|(taken, _)| taken)
    }

    async fn shaped(&self) -> Result<(Taken<'_>, Shape), RecordsError> {
        let taken = self.connections.take().await;
        let mut taken = taken.map_err(|error| self.failed("open", reason(&error)))?;
        let mut shape = Shape::known();
        if taken.is_new {
            let brought = shape::bring_up(&mut taken.connection).await;
            shape = brought.map_err(|error| self.not_migrated(&error))?;
        }
        if shape.is_new() {
            let (Shape { from, to }, at) = (shape, self.location());
            tracing::info!(from, to, %at, "the records were brought up to date");
        }
        Ok((taken, shape))
    }

    /// Puts the connection back, unless something went wrong by it.
    fn put_back<T>(
        &self,
        taken: Taken<'_>,
        action: &'static str,
        done: Result<T, sqlx::Error>,
    ) -> Result<T, RecordsError> {
        let done = done.map_err(|error| self.failed(action, reason(&error)))?;
        self.connections.put_back(taken);
        Ok(done)
    }

    fn not_migrated(&self, error: &MigrateError) -> RecordsError {
        match error {
            MigrateError::VersionMissing(_) | MigrateError::VersionTooNew(..) => {
                RecordsError::Newer {
                    place: self.location().to_string(),
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
            place: self.location().to_string(),
            reason: reason.to_string(),
        }
    }
}

/// In the database's own words, without what the client puts around them.
fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
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
