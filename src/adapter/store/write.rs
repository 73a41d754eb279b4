//! Notes into rows, all of a call in one transaction.

use sqlx::{Connection, SqliteConnection};

use super::log::compressed;
use super::text::{json, millis, word};
use crate::port::records::{CheckLog, Note};
use crate::promotion::check::CheckResult;
use crate::promotion::event::{Event, Fact};
use crate::promotion::record::Outcome;

/// Keeps these, all or none.
pub(super) async fn keep(
    connection: &mut SqliteConnection,
    notes: &[Note],
) -> Result<(), sqlx::Error> {
    // Whoever only began to read is refused, not made to wait, once it writes.
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for note in notes {
        match note {
            Note::Event(event) => keep_event(&mut transaction, event).await?,
            Note::Plan {
                group,
                promotion,
                summary,
            } => {
                let sql = "INSERT INTO plan (group_name, promotion, body) VALUES ($1, $2, $3) \
                           ON CONFLICT (group_name, promotion) DO NOTHING";
                let query = sqlx::query(sql).bind(group.as_str());
                let query = query.bind(promotion.as_ref());
                let query = query.bind(compressed(&json(summary)?)?);
                query.execute(&mut *transaction).await?;
            }
            Note::Log {
                group,
                promotion,
                log,
            } => {
                let of = Of {
                    group: group.as_str(),
                    promotion: promotion.as_ref(),
                };
                keep_log(&mut transaction, of, log).await?;
            }
        }
    }
    transaction.commit().await
}

/// What rows are about.
#[derive(Clone, Copy)]
struct Of<'a> {
    group: &'a str,
    /// Empty: no single one.
    promotion: &'a str,
}

async fn keep_event(connection: &mut SqliteConnection, event: &Event) -> Result<(), sqlx::Error> {
    let of = Of {
        group: event.group.as_str(),
        promotion: event.promotion.as_ref().map_or("", AsRef::as_ref),
    };
    match &event.fact {
        Fact::Started { .. } => begin(connection, of, event).await?,
        Fact::Entered { phase, .. } => {
            let sql = "UPDATE promotion SET phase = $3 \
                       WHERE group_name = $1 AND id = $2 AND outcome IS NULL";
            let query = sqlx::query(sql).bind(of.group).bind(of.promotion);
            query.bind(word(phase)).execute(&mut *connection).await?;
        }
        Fact::CheckEnded { result } => {
            let mut bare = result.clone();
            bare.keep_failed(0);
            if keep_result(connection, of, &bare).await? {
                keep_cases(connection, of, result).await?;
            }
            let fact = Fact::CheckEnded { result: bare };
            let event = Event {
                fact,
                ..event.clone()
            };
            return keep_row(connection, of, &event).await;
        }
        Fact::Finished { outcome } => end(connection, of, outcome).await?,
        _ => {}
    }
    keep_row(connection, of, event).await
}

async fn keep_row(
    connection: &mut SqliteConnection,
    of: Of<'_>,
    event: &Event,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO event (group_name, promotion, position, at_ms, once, body) \
               SELECT $1, $2, COALESCE(MAX(position), 0) + 1, $3, $4, $5 FROM event \
               WHERE group_name = $1 AND promotion = $2 \
               ON CONFLICT (group_name, promotion, once) DO NOTHING";
    let query = sqlx::query(sql).bind(of.group).bind(of.promotion);
    let query = query.bind(millis(event.at)).bind(event.fact.once());
    query.bind(json(event)?).execute(connection).await?;
    Ok(())
}

async fn begin(
    connection: &mut SqliteConnection,
    of: Of<'_>,
    event: &Event,
) -> Result<(), sqlx::Error> {
    let Fact::Started {
        actor,
        release,
        candidate,
        ..
    } = &event.fact
    else {
        return Ok(());
    };
    let sql = "INSERT INTO promotion \
               (group_name, id, release_id, color, actor, started_ms, phase) \
               VALUES ($1, $2, $3, $4, $5, $6, 'Planned') \
               ON CONFLICT (group_name, id) DO NOTHING";
    let query = sqlx::query(sql).bind(of.group).bind(of.promotion);
    let query = query.bind(word(release)).bind(candidate.as_str());
    let query = query.bind(json(actor)?).bind(millis(event.at));
    query.execute(connection).await?;
    Ok(())
}

/// How it ended, be its beginning known or not. What was told first stays: it
/// may be told again in short.
async fn end(
    connection: &mut SqliteConnection,
    of: Of<'_>,
    outcome: &Outcome,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO promotion \
               (group_name, id, release_id, color, actor, started_ms, phase, outcome) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
               ON CONFLICT (group_name, id) DO UPDATE \
               SET phase = excluded.phase, outcome = excluded.outcome, \
                   started_ms = excluded.started_ms \
               WHERE promotion.outcome IS NULL";
    let query = sqlx::query(sql).bind(of.group).bind(of.promotion);
    let query = query
        .bind(word(&outcome.release))
        .bind(outcome.color.as_str());
    let query = query
        .bind(json(&outcome.actor)?)
        .bind(millis(outcome.started_at));
    let query = query.bind(word(&outcome.phase)).bind(json(outcome)?);
    query.execute(connection).await?;
    Ok(())
}

/// Says whether it is kept only now.
async fn keep_result(
    connection: &mut SqliteConnection,
    of: Of<'_>,
    result: &CheckResult,
) -> Result<bool, sqlx::Error> {
    let sql = "INSERT INTO check_result \
               (group_name, promotion, check_name, attempt, verdict, duration_ms, body) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) \
               ON CONFLICT (group_name, promotion, check_name) DO NOTHING";
    let query = sqlx::query(sql).bind(of.group).bind(of.promotion);
    let query = query
        .bind(result.check.as_str())
        .bind(i64::from(result.attempt));
    let duration = result
        .duration
        .map(|d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX));
    let query = query.bind(word(&result.verdict)).bind(duration);
    let done = query.bind(json(result)?).execute(connection).await?;
    Ok(done.rows_affected() > 0)
}

async fn keep_cases(
    connection: &mut SqliteConnection,
    of: Of<'_>,
    result: &CheckResult,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO test_case \
               (group_name, promotion, check_name, position, name, outcome, duration_ms, diagnostic) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    for (position, case) in (1_i64..).zip(&result.cases) {
        let query = sqlx::query(sql).bind(of.group).bind(of.promotion);
        let query = query.bind(result.check.as_str()).bind(position);
        let query = query.bind(&case.name).bind(word(&case.outcome));
        let duration = case
            .duration_ms
            .map(|d| i64::try_from(d).unwrap_or(i64::MAX));
        let query = query.bind(duration).bind(&case.diagnostic);
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// A run that is read once more is read from its beginning: the longer text stays.
async fn keep_log(
    connection: &mut SqliteConnection,
    of: Of<'_>,
    log: &CheckLog,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO check_log (group_name, promotion, check_name, attempt, body) \
               VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (group_name, promotion, check_name, attempt) DO UPDATE \
               SET body = excluded.body WHERE LENGTH(excluded.body) > LENGTH(check_log.body)";
    let query = sqlx::query(sql).bind(of.group).bind(of.promotion);
    let query = query.bind(log.check.as_str()).bind(i64::from(log.attempt));
    query
        .bind(compressed(&log.text)?)
        .execute(connection)
        .await?;
    Ok(())
}
