//! The shape of the records: which tables there are, by the steps they came about.
//!
//! Only a shape that is behind is written to. So somebody else may bring it up to
//! date where this process may not make tables, or not write at all.

use std::borrow::Cow;

use sqlx::migrate::{Migrate as _, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AnyConnection, SqlSafeStr};

/// Where it is kept which steps were taken.
const TABLE: &str = "_sqlx_migrations";
/// Every step there ever was, in order; none may be changed once it was released.
const STEPS: [(&str, &str); 1] = [("records", include_str!("0001_records.sql"))];

/// How far the shape was brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The number of steps that were taken before; none: there was nothing yet.
    pub from: i64,
    /// That of this build.
    pub to: i64,
}

impl Shape {
    /// That of this build.
    pub(super) fn known() -> Self {
        let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
        Self {
            from: known,
            to: known,
        }
    }

    /// Whether it was changed.
    pub fn is_new(self) -> bool {
        self.from != self.to
    }
}

/// Takes the steps that are left.
pub(super) async fn bring_up(connection: &mut AnyConnection) -> Result<Shape, MigrateError> {
    let steps = steps();
    // Without that table it is an error, as is what the steps will say.
    let taken = connection.list_applied_migrations(TABLE).await;
    let taken = taken.unwrap_or_default();
    let from = taken.last().map_or(0, |step| step.version);
    let Shape { to, .. } = Shape::known();
    if from > to {
        return Err(MigrateError::VersionMissing(from));
    }
    let expected = steps.iter().map(|step| &step.checksum);
    if !taken.iter().map(|step| &step.checksum).eq(expected) {
        // `Migrator::run` takes whatever a connection can be had from, which the compiler
        // cannot tell to be `Send`.
        let mut done = steps.run_direct(None, connection, false).await;
        if matches!(done, Err(MigrateError::ExecuteMigration(..))) {
            // Somebody else opened the file for the first time at the same moment.
            done = steps.run_direct(None, connection, false).await;
        }
        done?;
    }
    Ok(Shape { from, to })
}

fn steps() -> Migrator {
    let steps = (1..).zip(STEPS).map(|(version, (name, sql))| {
        let (name, sql) = (Cow::Borrowed(name), sql.into_sql_str());
        Migration::new(version, name, MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(steps.collect())
}
