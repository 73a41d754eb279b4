//! What the records know of promotions that are over.

use jiff::Timestamp;

use super::line::{BOLD, DIM, Line, PLAIN, WARN, of};
use super::outcome::{why, word};
use super::table::Table;
use super::terminal;
use super::text::Text;
use super::time::{ago, between, moment, took};
use crate::plan::text::one_line;
use crate::port::records::Entry;

/// Bytes of a reason: `promoter show` has all of it.
const WHY: usize = 100;

/// The last promotions, newest first, a row each.
pub fn history(entries: &[Entry], now: Timestamp) -> String {
    rendered(entries, now, terminal::width())
}

fn rendered(entries: &[Entry], now: Timestamp, columns: usize) -> String {
    if entries.is_empty() {
        return "no promotion is on record\n".to_owned();
    }
    let heading = [
        "PROMOTION",
        "GROUP",
        "BEGUN",
        "",
        "BY",
        "TOOK",
        "OUTCOME",
        "WHY",
    ];
    let mut table = Table::new(&heading);
    for entry in entries {
        let (style, ended) = match &entry.outcome {
            Some(outcome) => word(outcome),
            None => (WARN, "no end known"),
        };
        let (passed, why) = match &entry.outcome {
            Some(outcome) => (
                took(between(outcome.started_at, outcome.ended_at)),
                one_line(&why(outcome), WHY),
            ),
            None => (String::new(), format!("last seen {}", entry.phase)),
        };
        table.row(vec![
            (BOLD, entry.promotion.to_string()),
            (PLAIN, entry.group.to_string()),
            (PLAIN, moment(entry.started_at)),
            (DIM, ago(entry.started_at, now)),
            (PLAIN, entry.actor.name.clone()),
            (DIM, passed),
            (style, ended.to_owned()),
            (PLAIN, why),
        ]);
    }
    table.render(columns)
}

/// Who asked for a promotion, when, and what it ran.
pub fn entry(entry: &Entry, now: Timestamp) -> String {
    let mut text = Text::new(terminal::prose());
    let line = Line::new()
        .and("promotion ")
        .with(BOLD, entry.promotion.as_ref());
    text.line(line.and(" of ").with(BOLD, entry.group.as_str()));
    let named = |name: &str| Line::new().and("  ").with(DIM, name).pad(12);
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
    use crate::promotion::{Reason, ReasonKind};

    fn at(text: &str) -> Timestamp {
        format!("2026-11-21T{text}Z").parse().unwrap()
    }

    fn ended(phase: Phase, reasons: Vec<Reason>) -> Entry {
        let promotion = format!("0tq0000{}", reasons.len());
        Entry {
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

    #[test]
    fn a_row_says_who_what_and_why() {
        let reason = Reason::new(ReasonKind::Check, "check greets failed: exit 1");
        let lost = Entry {
            outcome: None,
            ..ended(Phase::Checking, Vec::new())
        };
        let entries = [
            lost,
            ended(Phase::Aborted, vec![reason]),
            ended(Phase::Promoted, Vec::new()),
        ];
        let shown = plain(&rendered(&entries, at("09:00:00"), 120));
        insta::assert_snapshot!(shown, @r"
        PROMOTION  GROUP   BEGUN                         BY          TOOK   OUTCOME       WHY
        0tq00000   master  2026-11-21 02:00 UTC  7h ago  ada@laptop         no end known  last seen checking
        0tq00001   master  2026-11-21 02:00 UTC  7h ago  ada@laptop  1m12s  failed        check greets failed: exit 1
        0tq00000   master  2026-11-21 02:00 UTC  7h ago  ada@laptop  1m12s  promoted      nothing was tested
        ");
        fits(|columns| rendered(&entries, at("09:00:00"), columns));
        assert_eq!(
            rendered(&[], at("09:00:00"), 120),
            "no promotion is on record\n"
        );
    }

    #[test]
    fn one_says_what_it_ran() {
        let shown = plain(&entry(&ended(Phase::Promoted, Vec::new()), at("09:00:00")));
        insta::assert_snapshot!(shown, @r"
        promotion 0tq00000 of master
          begun     2026-11-21 02:00 UTC, 7h ago
          by        ada@laptop
          release   bluerelease0 into blue
          apps      hello-a  master-41-0000029
        ");
    }
}
