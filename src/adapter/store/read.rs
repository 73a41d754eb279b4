//! Rows into what people look back on.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::log::inflated;
use super::text::{name, parsed, structure, time};
use crate::group::name::{CheckName, GroupName};
use crate::plan::summary::Summary;
use crate::port::records::{CheckLog, Entry};
use crate::promotion::check::{CheckResult, TestCase};
use crate::promotion::event::Event;
use crate::promotion::id::PromotionId;

/// The last promotions, newest first.
pub(super) async fn last(
    connection: &mut SqliteConnection,
    group: Option<&GroupName>,
    most: u32,
) -> Result<Vec<Entry>, sqlx::Error> {
    let sql = "SELECT * FROM promotion WHERE $1 IS NULL OR group_name = $1 \
               ORDER BY started_ms DESC, id DESC LIMIT $2";
    let query = sqlx::query(sql).bind(group.map(GroupName::as_str));
    let rows = query.bind(i64::from(most)).fetch_all(connection).await?;
    rows.iter().map(entry).collect()
}

/// The promotions of that identity.
pub(super) async fn of(
    connection: &mut SqliteConnection,
    promotion: &PromotionId,
) -> Result<Vec<Entry>, sqlx::Error> {
    let sql = "SELECT * FROM promotion WHERE id = $1 ORDER BY group_name";
    let query = sqlx::query(sql).bind(promotion.as_ref());
    let rows = query.fetch_all(connection).await?;
    rows.iter().map(entry).collect()
}

fn entry(row: &SqliteRow) -> Result<Entry, sqlx::Error> {
    let outcome: Option<String> = row.try_get("outcome")?;
    Ok(Entry {
        group: name(row, "group_name")?,
        promotion: name(row, "id")?,
        release: name(row, "release_id")?,
        color: name(row, "color")?,
        actor: structure(row, "actor")?,
        started_at: time(row, "started_ms")?,
        phase: name(row, "phase")?,
        outcome: match outcome {
            Some(_) => Some(structure(row, "outcome")?),
            None => None,
        },
    })
}

/// What happened in a promotion. Another version may know more kinds of events.
pub(super) async fn events(
    connection: &mut SqliteConnection,
    entry: &Entry,
) -> Result<Vec<Event>, sqlx::Error> {
    let sql = "SELECT body FROM event WHERE group_name = $1 AND promotion = $2 ORDER BY position";
    let rows = about(sql, entry).fetch_all(connection).await?;
    let mut events = Vec::new();
    for row in rows {
        let body: String = row.try_get("body")?;
        events.extend(serde_json::from_str(&body).ok());
    }
    Ok(events)
}

/// What its checks said.
pub(super) async fn results(
    connection: &mut SqliteConnection,
    entry: &Entry,
) -> Result<Vec<CheckResult>, sqlx::Error> {
    let sql = "SELECT body FROM check_result \
               WHERE group_name = $1 AND promotion = $2 ORDER BY check_name";
    let rows = about(sql, entry).fetch_all(&mut *connection).await?;
    let mut results = Vec::new();
    for row in rows {
        let mut result: CheckResult = structure(&row, "body")?;
        let cases = cases(connection, entry, &result.check).await?;
        for case in &cases {
            // They were counted when they were taken out.
            if let Some(left) = result.left_out.get_mut(&case.outcome) {
                *left = left.saturating_sub(1);
            }
        }
        result.left_out.retain(|_, left| *left > 0);
        result.cases = cases;
        results.push(result);
    }
    Ok(results)
}

async fn cases(
    connection: &mut SqliteConnection,
    entry: &Entry,
    check: &CheckName,
) -> Result<Vec<TestCase>, sqlx::Error> {
    let sql = "SELECT name, outcome, duration_ms, diagnostic FROM test_case \
               WHERE group_name = $1 AND promotion = $2 AND check_name = $3 ORDER BY position";
    let query = about(sql, entry).bind(check.as_str());
    let rows = query.fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let duration: Option<i64> = row.try_get("duration_ms")?;
            Ok(TestCase {
                name: row.try_get("name")?,
                outcome: name(row, "outcome")?,
                duration_ms: duration.and_then(|ms| u64::try_from(ms).ok()),
                diagnostic: row.try_get("diagnostic")?,
            })
        })
        .collect()
}

/// What it was made from, if that is kept.
pub(super) async fn plan(
    connection: &mut SqliteConnection,
    entry: &Entry,
) -> Result<Option<Summary>, sqlx::Error> {
    let sql = "SELECT body FROM plan WHERE group_name = $1 AND promotion = $2";
    let row = about(sql, entry).fetch_optional(connection).await?;
    let Some(row) = row else { return Ok(None) };
    let body: Vec<u8> = row.try_get("body")?;
    parsed("body", &inflated(&body)?).map(Some)
}

/// The last promotion of the group that passed before this one began.
pub(super) async fn passed_before(
    connection: &mut SqliteConnection,
    entry: &Entry,
) -> Result<Option<Entry>, sqlx::Error> {
    let sql = "SELECT * FROM promotion WHERE group_name = $1 AND id < $2 AND phase = 'Promoted' \
               ORDER BY id DESC LIMIT 1";
    let row = about(sql, entry).fetch_optional(connection).await?;
    row.as_ref().map(self::entry).transpose()
}

/// What its checks wrote.
pub(super) async fn logs(
    connection: &mut SqliteConnection,
    entry: &Entry,
    check: Option<&CheckName>,
) -> Result<Vec<CheckLog>, sqlx::Error> {
    let sql = "SELECT check_name, attempt, body FROM check_log \
               WHERE group_name = $1 AND promotion = $2 AND ($3 IS NULL OR check_name = $3) \
               ORDER BY check_name, attempt";
    let query = about(sql, entry).bind(check.map(CheckName::as_str));
    let rows = query.fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let attempt: i64 = row.try_get("attempt")?;
            let body: Vec<u8> = row.try_get("body")?;
            Ok(CheckLog {
                check: name(row, "check_name")?,
                attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
                text: inflated(&body)?,
            })
        })
        .collect()
}

type Query<'a> = sqlx::query::Query<'a, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

/// A question about one promotion, `$1` and `$2`.
fn about<'a>(sql: &'static str, entry: &'a Entry) -> Query<'a> {
    let query = sqlx::query(sql).bind(entry.group.as_str());
    query.bind(entry.promotion.as_ref())
}
