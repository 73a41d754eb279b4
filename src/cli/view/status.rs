//! What the cluster knows of groups.

#[cfg(test)]
mod tests;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::line::{BAD, BOLD, DIM, Line, PLAIN, WARN, of};
use super::outcome::{sign, why, word};
use super::restraint;
use super::table::Table;
use super::terminal::{self, Room};
use super::text::Text;
use super::time::{ago, between, clock, moment, took};
use crate::adapter::kubernetes::GroupStatus;
use crate::plan::policy::KIND;
use crate::plan::wall;
use crate::port::sight::Upcoming;
use crate::promotion::phase::Phase;
use crate::promotion::record::Outcome;
use crate::promotion::restraint::Restraint;
use crate::promotion::{Mark, Promotion};

/// All groups of a namespace, one per line.
pub fn status(groups: &[GroupStatus], now: Timestamp) -> String {
    listed(groups, now, terminal::prose())
}

fn listed(groups: &[GroupStatus], now: Timestamp, columns: usize) -> String {
    if groups.is_empty() {
        return "no group was promoted here yet\n".to_owned();
    }
    let mut table = Table::new(&["GROUP", "COLOR", "RELEASE", "NOW", "LAST PROMOTION"]);
    for group in groups {
        let record = &group.record;
        let (color, release) = match &record.serving {
            Some(serving) => (
                (of(serving.color), serving.color.to_string()),
                serving.release.to_string(),
            ),
            None => ((DIM, "none".to_owned()), "nothing serves".to_owned()),
        };
        let busy = match &record.in_flight {
            Some(promotion) => (
                WARN,
                format!("{} for {}", promotion.phase, since(promotion, now)),
            ),
            None if group.hold.is_some() => (WARN, "held".to_owned()),
            None if !record.astray.is_empty() => (WARN, "Services changed".to_owned()),
            None => (DIM, "idle".to_owned()),
        };
        let last = match record.outcomes.first() {
            Some(outcome) => {
                let (style, word) = word(outcome);
                (style, format!("{word} {}", ago(outcome.ended_at, now)))
            }
            None => (DIM, "none yet".to_owned()),
        };
        table.row(vec![
            (BOLD, group.name.clone()),
            color,
            (PLAIN, release),
            busy,
            last,
        ]);
    }
    table.render(columns)
}

/// One group: what serves, what is under way, how the last promotions ended.
pub fn status_detail(group: &GroupStatus, now: Timestamp) -> String {
    detail(group, now, Room::of_results())
}

fn detail(group: &GroupStatus, now: Timestamp, room: Room) -> String {
    let record = &group.record;
    let mut text = Text::new(room.prose);
    text.line(Line::new().with(BOLD, &group.name));
    let named = |name: &str| Line::new().and("  ").with(DIM, name).pad(12);
    match &record.serving {
        Some(serving) => {
            let line = named("serves").with(of(serving.color), serving.color.as_str());
            text.line(line.and(format!(", release {}", serving.release)));
            let promoted = |outcome: &&Outcome| {
                outcome.phase == Phase::Promoted && outcome.release == serving.release
            };
            let apps = record.outcomes.iter().find(promoted).map(apps);
            let apps = apps.unwrap_or_default();
            for (n, app) in apps.into_iter().enumerate() {
                text.line(named(if n == 0 { "apps" } else { "" }).and(app));
            }
        }
        None => text.line(named("serves").and("nothing: no promotion went through yet")),
    }
    if let Some(previous) = &record.previous {
        let line = named("before").with(of(previous.color), previous.color.as_str());
        text.line(line.and(format!(", release {}", previous.release)));
    }
    if !record.earlier.is_empty() {
        let earlier = record
            .earlier
            .iter()
            .map(|earlier| earlier.release.to_string());
        let earlier: Vec<_> = earlier.collect();
        let line = named("earlier").and(format!("release {}", earlier.join(", ")));
        text.line(line.with(DIM, "; `promoter rollback --to` goes back to one"));
    }
    if let Some(upcoming) = group
        .upcoming
        .as_ref()
        .filter(|_| record.in_flight.is_none())
    {
        text.line(named("next").and(next(upcoming, now)));
    }
    let problem = group
        .upcoming
        .as_ref()
        .and_then(|next| next.problem.as_ref());
    if let Some(problem) = problem {
        let line = Line::new().with(WARN, "  ! ").and(problem);
        text.line(line.with(DIM, "; `promoter validate` shows what is wrong"));
    }
    if let Some(by) = &record.removing {
        let line = Line::new()
            .with(BAD, "  ! ")
            .and(format!("{by} began to remove it"));
        text.line(line.with(DIM, "; `promoter remove` goes on"));
    }
    if let Some(hold) = &group.hold {
        let hold = Restraint::Held { by: hold.clone() };
        text.line(restraint::in_the_way(&hold, now));
    }
    let banned = group.banned.iter();
    text.lines(banned.map(|banned| restraint::in_the_way(banned, now)));
    for found in &record.astray {
        let line = Line::new().with(WARN, "  ! ").and(found);
        text.line(line.with(DIM, "; `promoter resume` puts it right"));
    }
    if let Some(promotion) = &record.in_flight {
        text.gap();
        text.lines(in_flight(group, promotion, now));
    }
    if !record.outcomes.is_empty() {
        text.gap();
        text.block(&outcomes(&record.outcomes, now, room.table));
    }
    text.finish()
}

/// An outcome's apps with their tags, a line each.
pub(super) fn apps(outcome: &Outcome) -> Vec<String> {
    let listed = outcome.apps.iter();
    let listed = listed.map(|version| format!("{}  {}", version.app, version.tag));
    let more = Some(outcome.left_out.apps).filter(|more| *more > 0);
    let more = more.map(|more| format!("and {more} more"));
    listed.chain(more).collect()
}

/// What a daemon does next, and when.
fn next(upcoming: &Upcoming, now: Timestamp) -> String {
    let Upcoming { at, what, .. } = upcoming;
    let Some(at) = *at else {
        return what.clone();
    };
    let left = between(now, at);
    if left.is_zero() {
        // It is behind, or gone.
        return format!("was due {} ({}): {what}", moment(at), ago(at, now));
    }
    format!("{} (in {}): {what}", moment(at), clock(left))
}

fn in_flight(group: &GroupStatus, promotion: &Promotion, now: Timestamp) -> Vec<Line> {
    let line = Line::new().with(
        WARN,
        format!("{} for {}", promotion.phase, since(promotion, now)),
    );
    let line = line.and(format!(": release {} into ", promotion.release));
    let line = line.with(of(promotion.candidate), promotion.candidate.as_str());
    let began = ago(promotion.started_at, now);
    let driver = group.driver.as_ref();
    let driver = driver.filter(|driver| **driver != promotion.actor.name);
    let driver = driver.map_or_else(String::new, |driver| format!(", driven on by {driver}"));
    let about = format!(
        "  promotion {} by {}, begun {began}{driver}",
        promotion.id, promotion.actor.name
    );
    let mut lines = vec![line, Line::new().with(DIM, about)];
    if promotion.marks.contains(&Mark::Walled) && !promotion.marks.contains(&Mark::Pruned) {
        let wall = wall::name(&group.name, promotion.candidate);
        let told = format!("  {KIND} {wall} keeps the colours from calling each other");
        lines.push(Line::new().with(DIM, told));
    }
    let waits = promotion.waits_for.iter();
    lines.extend(waits.map(|what| Line::new().with(DIM, format!("  waits for {what}"))));
    for check in promotion.attempts.keys() {
        let line = Line::new().and("  ");
        lines.push(match promotion.result(check) {
            Some(result) => {
                let (sign, style) = sign(result.verdict);
                line.with(style, format!("{sign} "))
                    .and(format!("{check}: {}", result.reason))
            }
            None => line.with(DIM, "○ ").and(format!("{check}: runs")),
        });
    }
    let reasons = promotion.reasons.iter();
    lines.extend(reasons.map(|reason| Line::new().with(BAD, "  ✗ ").and(&reason.text)));
    lines
}

fn outcomes(outcomes: &[Outcome], now: Timestamp, columns: usize) -> String {
    let mut table = Table::new(&["ENDED", "", "BY", "RELEASE", "TOOK", "OUTCOME", "WHY"]);
    for outcome in outcomes {
        let (style, word) = word(outcome);
        table.row(vec![
            (PLAIN, moment(outcome.ended_at)),
            (DIM, ago(outcome.ended_at, now)),
            (PLAIN, outcome.actor.name.clone()),
            (PLAIN, outcome.release.to_string()),
            (DIM, took(between(outcome.started_at, outcome.ended_at))),
            (style, word.to_owned()),
            (PLAIN, why(outcome)),
        ]);
    }
    table.render(columns)
}

fn since(promotion: &Promotion, now: Timestamp) -> String {
    clock(between(promotion.phase_since, now))
}

/// Groups for programs: a list of `group` and, of its record, `serving` and
/// `previous` (each null or `color`, `release`, `plan`), `inFlight` (null or
/// the checkpoint: `id`, `release`, `candidate`, `actor`, `startedAt`, `phase`,
/// `phaseSince`, `waitsFor`, `results`, `reasons`), `driver` (who has its lock, while
/// something is under way), `next` (null, or `what`, and maybe `at` and `problem`, as a daemon says), `astray` (what somebody
/// changed, in words) and `outcomes`, newest first
/// (`promotion`, `phase`, `release`, `color`, `actor`, `startedAt`, `endedAt`,
/// `reasons`, `apps`, `checks`). Keys stay as they are; new ones may come.
pub fn status_json(groups: &[GroupStatus]) -> Value {
    groups
        .iter()
        .map(|group| {
            let record = &group.record;
            json!({
                "group": group.name,
                "serving": record.serving,
                "previous": record.previous,
                "inFlight": record.in_flight,
                "driver": group.driver,
                "next": group.upcoming,
                "astray": record.astray,
                "outcomes": record.outcomes,
            })
        })
        .collect()
}
