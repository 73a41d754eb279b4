//! How writers keep out of each other's way.
//!
//! A file has one writer at a time. A server has many, so those that write about
//! the same take turns: what comes next in a group is told by what is there.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};
use sqlx::{Any, AnyConnection, Connection, Transaction};

use super::connection::answered;
use crate::group::name::GroupName;
use crate::port::records::PlaceName;

/// What writers take turns at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn(i64);

impl Turn {
    /// What happens to a group.
    pub(super) fn of_group(place: &PlaceName, group: &GroupName) -> Self {
        Self::named(&format!("{place} {group}"))
    }

    /// Forgetting what is old.
    pub(super) fn of_pruning() -> Self {
        Self::named("prune")
    }

    /// Two that have one number by chance only wait for each other.
    fn named(name: &str) -> Self {
        let digest = Sha256::digest(format!("promoter records: {name}"));
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&digest[..8]);
        Self(i64::from_be_bytes(bytes))
    }
}

/// Begins to write, once it is this writer's turn at all of these. All take them in
/// one order, so that no two wait for each other.
pub(super) async fn begin(
    connection: &mut AnyConnection,
    turns: BTreeSet<Turn>,
) -> Result<Transaction<'_, Any>, sqlx::Error> {
    if is_file(connection) {
        // Whoever only began to read is refused, not made to wait, once it writes.
        return answered(connection.begin_with("BEGIN IMMEDIATE")).await;
    }
    // What those before have written is seen, whatever the server's default is.
    let begin = "BEGIN ISOLATION LEVEL READ COMMITTED";
    let mut transaction = answered(connection.begin_with(begin)).await?;
    for Turn(number) in turns {
        let query = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(number);
        answered(query.execute(&mut *transaction)).await?;
    }
    Ok(transaction)
}

/// Begins to read what does not change meanwhile.
pub(super) async fn begin_to_read(
    connection: &mut AnyConnection,
) -> Result<Transaction<'_, Any>, sqlx::Error> {
    let begin = if is_file(connection) {
        "BEGIN"
    } else {
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    };
    answered(connection.begin_with(begin)).await
}

fn is_file(connection: &AnyConnection) -> bool {
    connection.backend_name() == "SQLite"
}
