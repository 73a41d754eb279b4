//! Notes into rows, all of a call in one transaction.

use jiff::Timestamp;
use sqlx::{Connection, SqliteConnection};

use super::log::compressed;
use super::text::{json, millis, number, word};
use crate::group::name::GroupName;
use crate::plan::color::Color;
use crate::plan::fingerprint::ReleaseId;
use crate::plan::summary::Summary;
use crate::port::records::{CheckLog, Note};
use crate::promotion::Actor;
use crate::promotion::check::CheckResult;
use crate::promotion::event::{Event, Fact};
use crate::promotion::id::PromotionId;
use crate::promotion::phase::Phase;
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
            } => keep_plan(&mut transaction, Of::promotion(group, promotion), summary).await?,
            Note::Log {
                group,
                promotion,
                log,
            } => keep_log(&mut transaction, Of::promotion(group, promotion), log).await?,
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

impl<'a> Of<'a> {
    fn promotion(group: &'a GroupName, promotion: &'a PromotionId) -> Self {
        Self {
            group: group.as_str(),
            promotion: promotion.as_ref(),
        }
    }
}

async fn keep_event(connection: &mut SqliteConnection, event: &Event) -> Result<(), sqlx::Error> {
    let of = Of {
        group: event.group.as_str(),
        promotion: event.promotion.as_ref().map_or("", AsRef::as_ref),
    };
    match &event.fact {
        Fact::Started {
            actor,
            release,
            candidate,
            ..
        } => {
            let begun = Begun {
                release,
                color: *candidate,
                actor,
                at: event.at,
            };
            keep_promotion(connection, of, &begun, None).await?;
        }
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
        Fact::Finished { outcome } => {
            let begun = Begun {
                release: &outcome.release,
                color: outcome.color,
                actor: &outcome.actor,
                at: outcome.started_at,
            };
            keep_promotion(connection, of, &begun, Some(outcome)).await?;
        }
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

/// What is known of a promotion from its beginning on.
struct Begun<'a> {
    release: &'a ReleaseId,
    color: Color,
    actor: &'a Actor,
    at: Timestamp,
}

/// That it began, and how it ended once that is known, be its beginning known or
/// not. What was told first stays: it may be told again in short.
async fn keep_promotion(
    connection: &mut SqliteConnection,
    of: Of<'_>,
    begun: &Begun<'_>,
    outcome: Option<&Outcome>,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO promotion \
               (group_name, id, release_id, color, actor, started_ms, phase, outcome) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
               ON CONFLICT (group_name, id) DO UPDATE \
               SET phase = excluded.phase, outcome = excluded.outcome, \
                   started_ms = excluded.started_ms \
               WHERE promotion.outcome IS NULL AND excluded.outcome IS NOT NULL";
    let phase = outcome.map_or(Phase::Planned, |outcome| outcome.phase);
    let query = sqlx::query(sql).bind(of.group).bind(of.promotion);
    let query = query.bind(word(begun.release)).bind(begun.color.as_str());
    let query = query.bind(json(begun.actor)?).bind(millis(begun.at));
    let query = query.bind(word(&phase));
    let query = query.bind(outcome.map(json).transpose()?);
    query.execute(connection).await?;
    Ok(())
}

async fn keep_plan(
    connection: &mut SqliteConnection,
    of: Of<'_>,
    summary: &Summary,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO plan (group_name, promotion, body) VALUES ($1, $2, $3) \
               ON CONFLICT (group_name, promotion) DO NOTHING";
    let query = sqlx::query(sql).bind(of.group).bind(of.promotion);
    let query = query.bind(compressed(&json(summary)?)?);
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
    let duration = result.duration.map(|taken| number(taken.as_millis()));
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
        let query = query
            .bind(case.duration_ms.map(number))
            .bind(&case.diagnostic);
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
