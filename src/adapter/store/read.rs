//! Rows into what people look back on.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row};

use super::connection::answered;
use super::key::Key;
use super::text::{name, parsed, structure, time};
use crate::group::name::CheckName;
use crate::plan::summary::Summary;
use crate::port::Packed;
use crate::port::records::{Entry, Refusal, Run, Which};
use crate::promotion::check::{CheckResult, TestCase};
use crate::promotion::event::Event;
use crate::promotion::id::PromotionId;

/// The last promotions, newest first.
pub(super) async fn last(
    connection: &mut AnyConnection,
    of: &Which,
    most: u32,
) -> Result<Vec<Entry>, sqlx::Error> {
    let sql = "SELECT * FROM promotion {} ORDER BY started_ms DESC, id DESC";
    let rows = chosen(connection, sql, of, most).await?;
    rows.iter().map(entry).collect()
}

/// What was refused, the last first.
pub(super) async fn refused(
    connection: &mut AnyConnection,
    of: &Which,
    most: u32,
) -> Result<Vec<Refusal>, sqlx::Error> {
    let sql = "SELECT * FROM refusal {} ORDER BY last_ms DESC";
    let rows = chosen(connection, sql, of, most).await?;
    let refusals = rows.iter().map(|row| {
        let times: i64 = row.try_get("times")?;
        Ok(Refusal {
            place: name(row, "place")?,
            group: name(row, "group_name")?,
            actor: structure(row, "actor")?,
            release: name(row, "release_id")?,
            restraints: structure(row, "restraints")?,
            first_at: time(row, "first_ms")?,
            last_at: time(row, "last_ms")?,
            times: u64::try_from(times).unwrap_or(1),
        })
    });
    refusals.collect()
}

/// Only what is said is compared, so that there is an index for it.
async fn chosen(
    connection: &mut AnyConnection,
    sql: &'static str,
    of: &Which,
    most: u32,
) -> Result<Vec<AnyRow>, sqlx::Error> {
    let compared = match (&of.group, &of.place) {
        (None, None) => "",
        (Some(_), None) => "WHERE group_name = $2",
        (None, Some(_)) => "WHERE place = $2",
        (Some(_), Some(_)) => "WHERE group_name = $2 AND place = $3",
    };
    let sql = sql.replace("{}", compared) + " LIMIT $1";
    let mut query = sqlx::query(AssertSqlSafe(sql)).bind(i64::from(most));
    if let Some(group) = &of.group {
        query = query.bind(group.as_str());
    }
    if let Some(place) = &of.place {
        query = query.bind(place.as_str());
    }
    answered(query.fetch_all(connection)).await
}

/// The promotions of that identity.
pub(super) async fn of(
    connection: &mut AnyConnection,
    promotion: &PromotionId,
) -> Result<Vec<Entry>, sqlx::Error> {
    let sql = "SELECT * FROM promotion WHERE id = $1 ORDER BY group_name, place";
    let query = sqlx::query(sql).bind(promotion.as_ref());
    let rows = answered(query.fetch_all(connection)).await?;
    rows.iter().map(entry).collect()
}

fn entry(row: &AnyRow) -> Result<Entry, sqlx::Error> {
    let outcome: Option<String> = row.try_get("outcome")?;
    Ok(Entry {
        place: name(row, "place")?,
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

/// What happened in a promotion, by time and not as it was heard of: its end may be
/// filled in while the process that drove it is behind with the rest. Another version
/// may know more kinds of events.
pub(super) async fn events(
    connection: &mut AnyConnection,
    entry: &Entry,
) -> Result<Vec<Event>, sqlx::Error> {
    let sql = "SELECT body FROM event WHERE place = $1 AND group_name = $2 AND promotion = $3 \
               ORDER BY CASE once WHEN 'started' THEN 0 WHEN 'finished' THEN 2 ELSE 1 END, \
               at_ms, position";
    let query = Key::from(entry).query(sql);
    let rows = answered(query.fetch_all(connection)).await?;
    let mut events = Vec::new();
    for row in rows {
        let body: String = row.try_get("body")?;
        events.extend(serde_json::from_str(&body).ok());
    }
    Ok(events)
}

/// What its checks said.
pub(super) async fn results(
    connection: &mut AnyConnection,
    entry: &Entry,
) -> Result<Vec<CheckResult>, sqlx::Error> {
    let sql = "SELECT body FROM check_result \
               WHERE place = $1 AND group_name = $2 AND promotion = $3 ORDER BY check_name";
    let query = Key::from(entry).query(sql);
    let rows = answered(query.fetch_all(&mut *connection)).await?;
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
    connection: &mut AnyConnection,
    entry: &Entry,
    check: &CheckName,
) -> Result<Vec<TestCase>, sqlx::Error> {
    let sql = "SELECT name, outcome, duration_ms, diagnostic FROM test_case \
               WHERE place = $1 AND group_name = $2 AND promotion = $3 AND check_name = $4 \
               ORDER BY position";
    let query = Key::from(entry).query(sql).bind(check.as_str());
    let rows = answered(query.fetch_all(connection)).await?;
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
    connection: &mut AnyConnection,
    entry: &Entry,
) -> Result<Option<Summary>, sqlx::Error> {
    let sql = "SELECT body FROM plan WHERE place = $1 AND group_name = $2 AND promotion = $3";
    let query = Key::from(entry).query(sql);
    let row = answered(query.fetch_optional(connection)).await?;
    let Some(row) = row else { return Ok(None) };
    let body: Vec<u8> = row.try_get("body")?;
    parsed("body", &Packed::from_bytes(body).unpack()?).map(Some)
}

/// The last promotion of the group, in its place, that passed before this one began.
pub(super) async fn passed_before(
    connection: &mut AnyConnection,
    entry: &Entry,
) -> Result<Option<Entry>, sqlx::Error> {
    let sql = "SELECT * FROM promotion WHERE place = $1 AND group_name = $2 AND id < $3 \
               AND phase = 'Promoted' ORDER BY id DESC LIMIT 1";
    let query = Key::from(entry).query(sql);
    let row = answered(query.fetch_optional(connection)).await?;
    row.as_ref().map(self::entry).transpose()
}

/// Which runs have a log.
pub(super) async fn logged(
    connection: &mut AnyConnection,
    entry: &Entry,
    check: Option<&CheckName>,
) -> Result<Vec<Run>, sqlx::Error> {
    let sql = "SELECT check_name, attempt FROM check_log \
               WHERE place = $1 AND group_name = $2 AND promotion = $3 \
               AND ($4 IS NULL OR check_name = $4) ORDER BY check_name, attempt";
    let query = Key::from(entry).query(sql);
    let query = query.bind(check.map(CheckName::as_str));
    let rows = answered(query.fetch_all(connection)).await?;
    let runs = rows.iter().map(|row| {
        let attempt: i64 = row.try_get("attempt")?;
        Ok(Run {
            check: name(row, "check_name")?,
            attempt: u32::try_from(attempt).unwrap_or(u32::MAX),
        })
    });
    runs.collect()
}

/// What one run wrote.
pub(super) async fn log(
    connection: &mut AnyConnection,
    entry: &Entry,
    run: &Run,
) -> Result<Option<String>, sqlx::Error> {
    let sql = "SELECT body FROM check_log WHERE place = $1 AND group_name = $2 \
               AND promotion = $3 AND check_name = $4 AND attempt = $5";
    let query = Key::from(entry).query(sql).bind(run.check.as_str());
    let query = query.bind(i64::from(run.attempt));
    let row = answered(query.fetch_optional(connection)).await?;
    let Some(row) = row else { return Ok(None) };
    let body: Vec<u8> = row.try_get("body")?;
    Ok(Some(Packed::from_bytes(body).unpack()?))
}
