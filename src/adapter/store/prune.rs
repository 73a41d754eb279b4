//! What is too old to be kept, forgotten a little at a time.
//!
//! Each call does a bounded amount of work, and more than one promotion adds. The
//! file does not shrink: what is free in it is used again.

use jiff::{SignedDuration, Timestamp};
use sqlx::AnyConnection;

use super::connection::answered;
use super::key::Key;
use super::text::{millis, name};
use super::transaction::{self, Turn};
use crate::group::name::GroupName;
use crate::port::records::PlaceName;
use crate::promotion::id::PromotionId;

/// Most promotions that are forgotten at one go, and most whose logs are.
const PROMOTIONS: usize = 10;
/// Most facts about groups that are forgotten at one go.
const FACTS: i64 = 500;

/// All that is kept of a promotion.
const TABLES: [&str; 6] = [
    "DELETE FROM check_log WHERE place = $1 AND group_name = $2 AND promotion = $3",
    "DELETE FROM test_case WHERE place = $1 AND group_name = $2 AND promotion = $3",
    "DELETE FROM check_result WHERE place = $1 AND group_name = $2 AND promotion = $3",
    "DELETE FROM event WHERE place = $1 AND group_name = $2 AND promotion = $3",
    "DELETE FROM plan WHERE place = $1 AND group_name = $2 AND promotion = $3",
    "DELETE FROM promotion WHERE place = $1 AND group_name = $2 AND id = $3",
];

/// From when on things are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Since {
    promotions: Timestamp,
    logs: Timestamp,
}

impl Since {
    /// So many days before that time.
    pub(super) fn days_before(now: Timestamp, promotions: u16, logs: u16) -> Self {
        let before = |days: u16| {
            let age = SignedDuration::from_hours(24 * i64::from(days));
            now.saturating_sub(age).unwrap_or(Timestamp::MIN)
        };
        Self {
            promotions: before(promotions),
            logs: before(logs),
        }
    }
}

/// Forgets some of what is older, all of that or nothing.
pub(super) async fn prune(connection: &mut AnyConnection, since: Since) -> Result<(), sqlx::Error> {
    let turns = [Turn::of_pruning()].into();
    let mut transaction = transaction::begin(connection, turns).await?;
    for _ in 0..PROMOTIONS {
        let Some(old) = oldest_log(&mut transaction, since.logs).await? else {
            break;
        };
        old.forget(&mut transaction, &TABLES[..1]).await?;
    }
    for _ in 0..PROMOTIONS {
        let Some(old) = oldest(&mut transaction, since.promotions).await? else {
            break;
        };
        old.forget(&mut transaction, &TABLES).await?;
    }
    let facts = [
        "DELETE FROM event WHERE promotion = '' AND (place, group_name, position) IN \
         (SELECT place, group_name, position FROM event \
          WHERE promotion = '' AND at_ms < $1 ORDER BY at_ms LIMIT $2)",
        "DELETE FROM refusal WHERE (place, group_name, same) IN \
         (SELECT place, group_name, same FROM refusal WHERE last_ms < $1 ORDER BY last_ms LIMIT $2)",
    ];
    for sql in facts {
        let query = sqlx::query(sql).bind(millis(since.promotions)).bind(FACTS);
        answered(query.execute(&mut *transaction)).await?;
    }
    answered(transaction.commit()).await
}

/// A promotion that is forgotten, or its logs are.
struct Old {
    place: PlaceName,
    group: GroupName,
    promotion: PromotionId,
}

impl Old {
    async fn forget(
        &self,
        connection: &mut AnyConnection,
        tables: &'static [&'static str],
    ) -> Result<(), sqlx::Error> {
        for sql in tables {
            let key = Key::new(&self.place, &self.group, Some(&self.promotion));
            answered(key.query(*sql).execute(&mut *connection)).await?;
        }
        Ok(())
    }
}

/// The oldest promotion, if it began before that time. What passed last in a group
/// stays, however long ago: later ones are compared with it.
async fn oldest(
    connection: &mut AnyConnection,
    before: Timestamp,
) -> Result<Option<Old>, sqlx::Error> {
    let sql = "SELECT place, group_name, id AS promotion FROM promotion WHERE started_ms < $1 \
               AND id <> COALESCE((SELECT MAX(passed.id) FROM promotion AS passed \
               WHERE passed.place = promotion.place AND passed.group_name = promotion.group_name \
               AND passed.phase = 'Promoted'), '') ORDER BY started_ms LIMIT 1";
    found(connection, sql, before).await
}

/// The promotion with the oldest log, if that was whole before that time.
async fn oldest_log(
    connection: &mut AnyConnection,
    before: Timestamp,
) -> Result<Option<Old>, sqlx::Error> {
    let sql = "SELECT place, group_name, promotion FROM check_log WHERE at_ms < $1 \
               ORDER BY at_ms LIMIT 1";
    found(connection, sql, before).await
}

async fn found(
    connection: &mut AnyConnection,
    sql: &'static str,
    before: Timestamp,
) -> Result<Option<Old>, sqlx::Error> {
    let query = sqlx::query(sql).bind(millis(before));
    let row = answered(query.fetch_optional(connection)).await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Old {
        place: name(&row, "place")?,
        group: name(&row, "group_name")?,
        promotion: name(&row, "promotion")?,
    }))
}
