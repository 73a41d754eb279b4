//! Holds and bans: what was noted, and what they keep from users.

use jiff::Timestamp;

use super::line::{BAD, BOLD, DIM, GOOD, Line, PLACE, PLAIN, WARN};
use super::table::Table;
use super::terminal;
use super::text::Text;
use super::time::{ago, moment};
use crate::cli::called;
use crate::group::name::{GroupName, Namespace};
use crate::promotion::restraint::{Ban, Restraint, Statement};

/// Why nothing was deployed, and what to do about it.
pub fn restrained(group: &GroupName, restraints: &[Restraint], now: Timestamp) -> String {
    let mut text = Text::new(terminal::messages());
    for restraint in restraints {
        text.lines(refused(group, restraint, now));
    }
    text.line(hint(
        "`promoter plan` shows what would have been deployed; nothing was",
    ));
    text.finish()
}

/// What stands in the way of a release, on a line.
pub(super) fn in_the_way(restraint: &Restraint, now: Timestamp) -> Line {
    let line = Line::new().with(WARN, "  ! ").and(restraint.to_string());
    match restraint {
        Restraint::Held { by } | Restraint::Banned { by, .. } => line.with(DIM, since(by, now)),
        Restraint::Required { .. }
        | Restraint::Older { .. }
        | Restraint::Budget { .. }
        | Restraint::Failed { .. } => line,
    }
}

fn refused(group: &GroupName, restraint: &Restraint, now: Timestamp) -> Vec<Line> {
    let said = Line::new().with(BAD.bold(), "error").with(BOLD, ": ");
    let said = match restraint {
        Restraint::Held { by } => said
            .and(format!("group {group} is {restraint}"))
            .with(DIM, since(by, now)),
        Restraint::Banned { by, .. } => said.and(restraint.to_string()).with(DIM, since(by, now)),
        Restraint::Required { .. }
        | Restraint::Older { .. }
        | Restraint::Budget { .. }
        | Restraint::Failed { .. } => said.and(restraint.to_string()),
    };
    let help = match restraint {
        Restraint::Held { .. } => format!(
            "`promoter unhold {group} --reason …` lets it go; `--override REASON` promotes in spite of it, on record"
        ),
        Restraint::Banned { image, .. } => format!(
            "push another image, or `promoter unban {image} --reason …`; `--override REASON` promotes in spite of it, on record"
        ),
        Restraint::Required { group, .. } => format!(
            "promote {group} first: `promoter deploy {group}`; `--override REASON` promotes in spite of it, on record"
        ),
        Restraint::Older { .. } => {
            "`promoter plan` shows what was passed over; `promoter rollback` goes back, and `--override REASON` promotes in spite of it, on record".to_owned()
        }
        Restraint::Budget { .. } => {
            "`promoter doctor` tells more of the alarms; `--despite-budget --reason TEXT` promotes in spite of it, on record".to_owned()
        }
        Restraint::Failed { promotion, .. } => format!(
            "`promoter show {promotion}` tells more; `promoter retry {group}` tries the same again"
        ),
    };
    vec![said, hint(&help)]
}

/// That a group is held from now on.
pub fn held(group: &GroupName) -> String {
    let line = Line::new().with(GOOD.bold(), "✓ held");
    let what = format!(": nothing of {group} is promoted until `promoter unhold {group}`");
    one(line.and(what))
}

/// That a group was let go, or was not held.
pub fn unheld(group: &GroupName, hold: Option<&Statement>, now: Timestamp) -> String {
    match hold {
        Some(hold) => {
            let line = Line::new().with(GOOD.bold(), "✓ let go");
            let was = format!(": {group} was held by {hold}");
            one(line.and(was).with(DIM, since(hold, now)))
        }
        None => one(Line::new().with(BOLD, group.as_str()).and(": was not held")),
    }
}

/// That an image is banned from now on.
pub fn banned(ban: &Ban, namespace: &Namespace) -> String {
    let line = Line::new().with(GOOD.bold(), "✓ banned");
    let what = format!(
        ": no group of namespace {namespace} promotes image {}",
        ban.image
    );
    let mut text = Text::new(terminal::prose());
    text.line(line.and(what));
    text.line(Line::new().with(
        DIM,
        "  what serves already goes on; `promoter status` says where it does",
    ));
    text.finish()
}

/// That an image may be promoted again.
pub fn unbanned(ban: &Ban, namespace: &Namespace) -> String {
    let line = Line::new().with(GOOD.bold(), "✓ lifted");
    let what = format!(
        ": groups of namespace {namespace} may promote image {} again",
        ban.image
    );
    one(line.and(what))
}

/// All bans, those that hold first.
pub fn bans(bans: &[Ban], now: Timestamp) -> String {
    if bans.is_empty() {
        return "no image was ever banned here\n".to_owned();
    }
    let mut table = Table::new(&["IMAGE", "BANNED", "", "BY", "WHY", "LIFTED"]);
    let mut sorted: Vec<_> = bans.iter().collect();
    sorted.sort_by_key(|ban| (ban.lifted.is_some(), std::cmp::Reverse(ban.by.at)));
    for ban in sorted {
        let (style, lifted) = match &ban.lifted {
            None => (WARN, "no".to_owned()),
            Some(by) => (DIM, format!("{} by {by}", ago(by.at, now))),
        };
        table.row(vec![
            (BOLD, ban.image.to_string()),
            (PLAIN, moment(ban.by.at)),
            (DIM, ago(ban.by.at, now)),
            (PLAIN, ban.by.actor.clone()),
            (PLAIN, ban.by.reason.clone()),
            (style, lifted),
        ]);
    }
    table.render(terminal::width())
}

fn since(by: &Statement, now: Timestamp) -> String {
    format!("  since {}, {}", moment(by.at), ago(by.at, now))
}

fn hint(text: &str) -> Line {
    Line::new().with(PLACE, "  hint: ").and(called::said(text))
}

fn one(line: Line) -> String {
    let mut text = Text::new(terminal::prose());
    text.line(line);
    text.finish()
}
