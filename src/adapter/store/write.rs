//! Notes into rows, all of a call in one transaction.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use sqlx::{AnyConnection, AssertSqlSafe};

use super::connection::answered;
use super::key::Key;
use super::table::TEST_CASE;
use super::text::{json, millis, number, plain, word};
use super::transaction::{self, Turn};
use crate::group::name::GroupName;
use crate::plan::color::Color;
use crate::plan::fingerprint::{ReleaseId, hex};
use crate::port::Packed;
use crate::port::records::{Note, PlaceName, Run};
use crate::promotion::Actor;
use crate::promotion::check::CheckResult;
use crate::promotion::event::{Event, Fact};
use crate::promotion::phase::Phase;
use crate::promotion::record::Outcome;
use crate::promotion::restraint::Restraint;

/// Most test cases that are kept by one statement.
const CASES: usize = 50;

/// Keeps what happened in a place, all or none.
pub(super) async fn keep(
    connection: &mut AnyConnection,
    place: &PlaceName,
    notes: &[Note],
) -> Result<(), sqlx::Error> {
    let turns = notes.iter().map(|note| Turn::of_group(place, group(note)));
    let mut transaction = transaction::begin(connection, turns.collect()).await?;
    for note in notes {
        match note {
            Note::Event(event) => keep_event(&mut transaction, place, event).await?,
            Note::Plan {
                group,
                promotion,
                summary,
            } => {
                let of = Key::new(place, group, Some(promotion));
                keep_plan(&mut transaction, of, summary).await?;
            }
            Note::Log {
                group,
                promotion,
                run,
                at,
                text,
            } => {
                let of = Key::new(place, group, Some(promotion));
                keep_log(&mut transaction, of, (run, *at), text).await?;
            }
        }
    }
    answered(transaction.commit()).await
}

fn group(note: &Note) -> &GroupName {
    match note {
        Note::Event(event) => &event.group,
        Note::Plan { group, .. } | Note::Log { group, .. } => group,
    }
}

async fn keep_event(
    connection: &mut AnyConnection,
    place: &PlaceName,
    event: &Event,
) -> Result<(), sqlx::Error> {
    let of = Key::new(place, &event.group, event.promotion.as_ref());
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
            let sql = "UPDATE promotion SET phase = $4 \
                       WHERE place = $1 AND group_name = $2 AND id = $3 AND outcome IS NULL";
            let query = of.query(sql).bind(word(phase));
            answered(query.execute(&mut *connection)).await?;
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
        Fact::Refused {
            actor,
            release,
            restraints,
        } => {
            let refused = Refused {
                actor,
                release,
                restraints,
                at: event.at,
            };
            return keep_refusal(connection, (place, &event.group), &refused).await;
        }
        _ => {}
    }
    keep_row(connection, of, event).await
}

async fn keep_row(
    connection: &mut AnyConnection,
    of: Key<'_>,
    event: &Event,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO event (place, group_name, promotion, position, at_ms, once, body) \
               SELECT $1, $2, $3, COALESCE(MAX(position), 0) + 1, $4, $5, $6 FROM event \
               WHERE place = $1 AND group_name = $2 AND promotion = $3 \
               ON CONFLICT (place, group_name, promotion, once) DO NOTHING";
    let body = json(event)?;
    // Whether a transaction was kept whose answer was lost, nobody knows. What is told
    // once more is known by what it says, its time included.
    let once = event.fact.once().unwrap_or_else(|| digest(&body));
    let query = of.query(sql).bind(millis(event.at)).bind(once);
    answered(query.bind(body).execute(connection)).await?;
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
    connection: &mut AnyConnection,
    of: Key<'_>,
    begun: &Begun<'_>,
    outcome: Option<&Outcome>,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO promotion \
               (place, group_name, id, release_id, color, actor, started_ms, phase, outcome) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
               ON CONFLICT (place, group_name, id) DO UPDATE \
               SET phase = excluded.phase, outcome = excluded.outcome, \
                   started_ms = excluded.started_ms \
               WHERE promotion.outcome IS NULL AND excluded.outcome IS NOT NULL";
    let phase = outcome.map_or(Phase::Planned, |outcome| outcome.phase);
    let query = of.query(sql).bind(word(begun.release));
    let query = query.bind(begun.color.as_str());
    let query = query.bind(json(begun.actor)?).bind(millis(begun.at));
    let query = query.bind(word(&phase));
    let query = query.bind(outcome.map(json).transpose()?);
    answered(query.execute(connection)).await?;
    Ok(())
}

/// What was asked for in vain.
struct Refused<'a> {
    actor: &'a Actor,
    release: &'a ReleaseId,
    restraints: &'a Vec<Restraint>,
    at: Timestamp,
}

/// It is counted, not kept each time: a schedule asks again and again. One that is
/// told once more is no later than the last.
async fn keep_refusal(
    connection: &mut AnyConnection,
    (place, group): (&PlaceName, &GroupName),
    refused: &Refused<'_>,
) -> Result<(), sqlx::Error> {
    let (actor, restraints) = (json(refused.actor)?, json(refused.restraints)?);
    let same = digest(&format!("{actor}\n{restraints}"));
    let sql = "INSERT INTO refusal \
               (place, group_name, same, actor, release_id, restraints, first_ms, last_ms, times) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $7, 1) \
               ON CONFLICT (place, group_name, same) DO UPDATE \
               SET times = refusal.times + 1, release_id = excluded.release_id, \
                   last_ms = excluded.last_ms \
               WHERE excluded.last_ms > refusal.last_ms";
    let query = sqlx::query(sql).bind(place.as_str()).bind(group.as_str());
    let query = query.bind(same).bind(actor).bind(word(refused.release));
    let query = query.bind(restraints).bind(millis(refused.at));
    answered(query.execute(connection)).await?;
    Ok(())
}

async fn keep_plan(
    connection: &mut AnyConnection,
    of: Key<'_>,
    summary: &Packed,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO plan (place, group_name, promotion, body) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (place, group_name, promotion) DO NOTHING";
    let query = of.query(sql).bind(summary.as_bytes());
    answered(query.execute(connection)).await?;
    Ok(())
}

/// Says whether it is kept only now.
async fn keep_result(
    connection: &mut AnyConnection,
    of: Key<'_>,
    result: &CheckResult,
) -> Result<bool, sqlx::Error> {
    let sql = "INSERT INTO check_result \
               (place, group_name, promotion, check_name, attempt, verdict, duration_ms, body) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
               ON CONFLICT (place, group_name, promotion, check_name) DO NOTHING";
    let query = of.query(sql).bind(result.check.as_str());
    let query = query.bind(i64::from(result.attempt));
    let duration = result.duration.map(|taken| number(taken.as_millis()));
    let query = query.bind(word(&result.verdict)).bind(duration);
    let done = answered(query.bind(json(result)?).execute(connection)).await?;
    Ok(done.rows_affected() > 0)
}

/// Many by one statement: a server answers each, however far it is away.
async fn keep_cases(
    connection: &mut AnyConnection,
    of: Key<'_>,
    result: &CheckResult,
) -> Result<(), sqlx::Error> {
    let mut position = 0_i64;
    for cases in result.cases.chunks(CASES) {
        let mut query = sqlx::query(AssertSqlSafe(TEST_CASE.insert(cases.len())));
        for case in cases {
            position += 1;
            query = of.bind(query).bind(result.check.as_str()).bind(position);
            query = query.bind(plain(&case.name)).bind(word(&case.outcome));
            query = query.bind(case.duration_ms.map(number));
            query = query.bind(case.diagnostic.as_deref().map(plain));
        }
        answered(query.execute(&mut *connection)).await?;
    }
    Ok(())
}

/// A run that is read once more is read from its beginning: the longer text stays.
async fn keep_log(
    connection: &mut AnyConnection,
    of: Key<'_>,
    (run, at): (&Run, Timestamp),
    text: &Packed,
) -> Result<(), sqlx::Error> {
    let sql = "INSERT INTO check_log (place, group_name, promotion, check_name, attempt, at_ms, body) \
               VALUES ($1, $2, $3, $4, $5, $6, $7) \
               ON CONFLICT (place, group_name, promotion, check_name, attempt) DO UPDATE \
               SET body = excluded.body WHERE LENGTH(excluded.body) > LENGTH(check_log.body)";
    let query = of.query(sql).bind(run.check.as_str());
    let query = query.bind(i64::from(run.attempt)).bind(millis(at));
    let query = query.bind(text.as_bytes());
    answered(query.execute(connection)).await?;
    Ok(())
}

/// What tells texts apart.
fn digest(text: &str) -> String {
    hex(&Sha256::digest(text)[..16])
}
