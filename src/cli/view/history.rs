//! What the records know of promotions that are over, or were never begun.

use std::collections::BTreeMap;

use anstyle::Style;
use jiff::Timestamp;
use serde::Serialize;

use super::line::{BAD, BOLD, DIM, Line, PLAIN, WARN, of};
use super::outcome::{why, word};
use super::table::Table;
use super::terminal;
use super::text::Text;
use super::time::{ago, between, moment, took};
use crate::plan::text::one_line;
use crate::port::records::{Entry, PlaceName, Refusal};

/// Bytes of a reason: `promoter show` has all of it.
const WHY: usize = 100;

/// One row of the history.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum HistoryRow {
    /// A promotion.
    Promotion(Box<Entry>),
    /// One that was asked for and not begun, as often as that was.
    Refusal(Refusal),
}

impl HistoryRow {
    /// Where it belongs in time.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Promotion(entry) => entry.started_at,
            Self::Refusal(refusal) => refusal.last_at,
        }
    }

    fn place(&self) -> &PlaceName {
        match self {
            Self::Promotion(entry) => &entry.place,
            Self::Refusal(refusal) => &refusal.place,
        }
    }
}

/// Promotions and refusals in this order, a row each; `names` are what people call
/// places. They are shown only where there are several.
pub fn history(rows: &[HistoryRow], names: &BTreeMap<PlaceName, String>, now: Timestamp) -> String {
    rendered(rows, names, now, terminal::width())
}

fn rendered(
    rows: &[HistoryRow],
    names: &BTreeMap<PlaceName, String>,
    now: Timestamp,
    columns: usize,
) -> String {
    let Some(first) = rows.first() else {
        return "no promotion is on record\n".to_owned();
    };
    let are_several = rows.iter().any(|row| row.place() != first.place());
    let mut heading = vec!["PROMOTION", "GROUP"];
    heading.extend(are_several.then_some("WHERE"));
    heading.extend(["BEGUN", "", "BY", "TOOK", "OUTCOME", "WHY"]);
    let mut table = Table::new(&heading);
    for row in rows {
        let (promotion, group, rest) = match row {
            HistoryRow::Promotion(entry) => (
                entry.promotion.to_string(),
                &entry.group,
                of_promotion(entry, now),
            ),
            HistoryRow::Refusal(refusal) => {
                (String::new(), &refusal.group, of_refusal(refusal, now))
            }
        };
        let mut cells = vec![(BOLD, promotion), (PLAIN, group.to_string())];
        if are_several {
            let place = row.place();
            let name = names.get(place).cloned();
            cells.push((PLAIN, name.unwrap_or_else(|| place.to_string())));
        }
        cells.extend(rest);
        table.row(cells);
    }
    table.render(columns)
}

/// The cells from `BEGUN` on.
type Cells = [(Style, String); 6];

fn of_promotion(entry: &Entry, now: Timestamp) -> Cells {
    let ((style, ended), passed, why) = match &entry.outcome {
        Some(outcome) => (
            word(outcome),
            took(between(outcome.started_at, outcome.ended_at)),
            one_line(&why(outcome), WHY),
        ),
        None => (
            (WARN, "no end known"),
            String::new(),
            format!("last seen {}", entry.phase),
        ),
    };
    [
        (PLAIN, moment(entry.started_at)),
        (DIM, ago(entry.started_at, now)),
        (PLAIN, entry.actor.name.clone()),
        (DIM, passed),
        (style, ended.to_owned()),
        (PLAIN, why),
    ]
}

fn of_refusal(refusal: &Refusal, now: Timestamp) -> Cells {
    let why = refusal.restraints.iter().map(ToString::to_string);
    let why = one_line(&why.collect::<Vec<_>>().join("; "), WHY);
    let why = match refusal.times {
        1 => why,
        times => format!("{why}; {times} times since {}", moment(refusal.first_at)),
    };
    [
        (PLAIN, moment(refusal.last_at)),
        (DIM, ago(refusal.last_at, now)),
        (PLAIN, refusal.actor.name.clone()),
        (DIM, String::new()),
        (BAD, "refused".to_owned()),
        (PLAIN, why),
    ]
}

/// Who asked for a promotion, when, and what it ran.
pub fn entry(entry: &Entry, now: Timestamp) -> String {
    let mut text = Text::new(terminal::prose());
    let line = Line::new()
        .and("promotion ")
        .with(BOLD, entry.promotion.as_ref());
    text.line(line.and(" of ").with(BOLD, entry.group.as_str()));
    let named = |name: &str| Line::new().and("  ").with(DIM, name).pad(12);
    text.line(named("where").and(entry.place.as_str()));
    let (begun, passed) = (moment(entry.started_at), ago(entry.started_at, now));
    text.line(named("begun").and(begun).with(DIM, format!(", {passed}")));
    text.line(named("by").and(&entry.actor.name));
    let line = named("release").and(format!("{} into ", entry.release));
    text.line(line.with(of(entry.color), entry.color.as_str()));
    let overrides = entry.outcome.iter().flat_map(|o| &o.overrides);
    text.lines(overrides.map(|overrides| named("in spite").and(overrides.to_string())));
    let outcome = entry.outcome.iter();
    for (n, app) in outcome.flat_map(super::status::apps).enumerate() {
        text.line(named(if n == 0 { "apps" } else { "" }).and(app));
    }
    text.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::sample::{actor, fits, from, plain};
    use crate::plan::color::Color;
    use crate::promotion::phase::Phase;
    use crate::promotion::record::{AppVersion, LeftOut, Outcome};
    use crate::promotion::restraint::{Restraint, Statement};
    use crate::promotion::{Reason, ReasonKind};

    fn at(text: &str) -> Timestamp {
        format!("2026-11-21T{text}Z").parse().unwrap()
    }

    fn ended(phase: Phase, reasons: Vec<Reason>) -> Entry {
        let promotion = format!("0tq0000{}", reasons.len());
        Entry {
            place: from("testbed/v2"),
            group: from("master"),
            promotion: from(&promotion),
            release: from("bluerelease000000"),
            color: Color::Blue,
            actor: actor(),
            started_at: at("02:00:00"),
            phase,
            outcome: Some(Outcome {
                promotion: from(&promotion),
                phase,
                release: from("bluerelease000000"),
                fingerprint: from("print"),
                color: Color::Blue,
                actor: actor(),
                started_at: at("02:00:00"),
                ended_at: at("02:01:12"),
                why: None,
                leaves: None,
                overrides: None,
                reasons,
                apps: vec![AppVersion {
                    app: from("hello-a"),
                    tag: "master-41-0000029".to_owned(),
                }],
                checks: Vec::new(),
                hooks: Vec::new(),
                left_out: LeftOut::default(),
            }),
        }
    }

    /// `production` is an environment.
    fn told(rows: &[HistoryRow]) -> String {
        let production = "arn:aws:eks:us-east-1:123456789012:cluster/blue/production";
        let names = [(from(production), "production".to_owned())].into();
        plain(&rendered(rows, &names, at("09:00:00"), 120))
    }

    #[test]
    fn a_row_says_who_what_and_why() {
        let reason = Reason::new(ReasonKind::Check, "check greets failed: exit 1");
        let lost = Entry {
            outcome: None,
            ..ended(Phase::Checking, Vec::new())
        };
        let rows = [
            lost,
            ended(Phase::Aborted, vec![reason]),
            ended(Phase::Promoted, Vec::new()),
        ];
        let rows = rows.map(Box::new).map(HistoryRow::Promotion);
        fits(|columns| rendered(&rows, &BTreeMap::new(), at("09:00:00"), columns));
        let shown = told(&rows);
        insta::assert_snapshot!(shown, @r"
        PROMOTION  GROUP   BEGUN                         BY          TOOK   OUTCOME       WHY
        0tq00000   master  2026-11-21 02:00 UTC  7h ago  ada@laptop         no end known  last seen checking
        0tq00001   master  2026-11-21 02:00 UTC  7h ago  ada@laptop  1m12s  failed        check greets failed: exit 1
        0tq00000   master  2026-11-21 02:00 UTC  7h ago  ada@laptop  1m12s  promoted      nothing was tested
        ");
        assert_eq!(told(&[]), "no promotion is on record\n");
    }

    #[test]
    fn what_was_refused_is_told_once_and_how_often() {
        let refused = |times| {
            HistoryRow::Refusal(Refusal {
                place: from("testbed/v2"),
                group: from("master"),
                actor: actor(),
                release: from("bluerelease000000"),
                restraints: vec![Restraint::Held {
                    by: Statement {
                        actor: "bob@desk".to_owned(),
                        reason: "the database moves".to_owned(),
                        at: at("01:00:00"),
                    },
                }],
                first_at: at("02:00:00"),
                last_at: at("07:00:00"),
                times,
            })
        };
        insta::assert_snapshot!(told(&[refused(5), refused(1)]), @r"
        PROMOTION  GROUP   BEGUN                         BY          TOOK  OUTCOME  WHY
                   master  2026-11-21 07:00 UTC  2h ago  ada@laptop        refused  held by bob@desk: the database moves; 5
                                                                                    times since 2026-11-21 02:00 UTC
                   master  2026-11-21 07:00 UTC  2h ago  ada@laptop        refused  held by bob@desk: the database moves
        ");
    }

    #[test]
    fn places_are_told_where_there_are_several() {
        let elsewhere = Entry {
            place: from("arn:aws:eks:us-east-1:123456789012:cluster/blue/production"),
            ..ended(Phase::Promoted, Vec::new())
        };
        let there = Entry {
            place: from("testbed/other"),
            ..elsewhere.clone()
        };
        let rows = [elsewhere, ended(Phase::Promoted, Vec::new()), there];
        let shown = told(&rows.map(Box::new).map(HistoryRow::Promotion));
        insta::assert_snapshot!(shown, @r"
        PROMOTION  GROUP   WHERE          BEGUN                         BY          TOOK   OUTCOME   WHY
        0tq00000   master  production     2026-11-21 02:00 UTC  7h ago  ada@laptop  1m12s  promoted  nothing was tested
        0tq00000   master  testbed/v2     2026-11-21 02:00 UTC  7h ago  ada@laptop  1m12s  promoted  nothing was tested
        0tq00000   master  testbed/other  2026-11-21 02:00 UTC  7h ago  ada@laptop  1m12s  promoted  nothing was tested
        ");
    }

    #[test]
    fn one_says_what_it_ran() {
        let shown = plain(&entry(&ended(Phase::Promoted, Vec::new()), at("09:00:00")));
        insta::assert_snapshot!(shown, @r"
        promotion 0tq00000 of master
          where     testbed/v2
          begun     2026-11-21 02:00 UTC, 7h ago
          by        ada@laptop
          release   bluerelease0 into blue
          apps      hello-a  master-41-0000029
        ");
    }
}
