//! What goes with a group, and that it is gone.

use std::collections::BTreeMap;

use super::line::{BAD, BOLD, DIM, GOOD, Line, PLACE, WARN};
use super::terminal;
use super::text::Text;
use super::words::count;
use crate::cli::called;
use crate::engine::remove::{Removal, Removed};
use crate::group::name::{GroupName, Namespace};
use crate::plan::object::ObjectRef;

/// What of a group is there, what goes and in which order.
pub fn removal(group: &GroupName, namespace: &Namespace, removal: &Removal) -> String {
    let mut text = Text::new(terminal::prose());
    let place = format!("  namespace {namespace}");
    text.line(Line::new().with(BOLD, group.as_str()).with(DIM, place));
    if let Some(promotion) = &removal.in_flight {
        let line = Line::new().with(BAD.bold(), "error").with(BOLD, ": ");
        text.line(line.and(format!(
            "promotion {promotion} is under way, and has to end first"
        )));
        let hint = "`promoter abort` gives it up; `promoter resume` drives on what was left";
        text.line(Line::new().with(PLACE, "  hint: ").and(called::said(hint)));
        return text.finish();
    }
    if removal.is_adopted {
        let line = Line::new().with(BAD.bold(), "error").with(BOLD, ": ");
        text.line(line.and("what serves was there before promoter, and is not its own"));
        let hint = format!("`promoter adopt {group} --undo` gives it back as it was found");
        text.line(Line::new().with(PLACE, "  hint: ").and(called::said(&hint)));
        return text.finish();
    }
    if removal.goes.is_empty() {
        text.line(Line::new().and("nothing of it is in the cluster"));
        return text.finish();
    }
    text.lines(listed(&removal.goes, "- ", BAD));
    text.lines(listed(&removal.stays, "= ", WARN));
    if !removal.stays.is_empty() {
        text.line(Line::new().with(DIM, "what is marked = holds data and stays"));
    }
    let levels = removal.levels.iter().map(|level| {
        let names: Vec<_> = level.iter().map(ToString::to_string).collect();
        names.join(", ")
    });
    let levels: Vec<_> = levels.collect();
    if levels.len() > 1 {
        text.line(Line::new().with(
            DIM,
            format!("apps go in this order: {}", levels.join("; then ")),
        ));
    }
    text.finish()
}

/// Kinds with their names, a kind on a line.
fn listed(objects: &[ObjectRef], mark: &str, style: anstyle::Style) -> Vec<Line> {
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for object in objects {
        kinds.entry(&object.kind).or_default().push(&object.name);
    }
    let lines = kinds.into_iter().map(|(kind, names)| {
        let line = Line::new().with(style, mark).with(BOLD, kind).and(" ");
        line.and(names.join(", "))
    });
    lines.collect()
}

/// What came of it.
pub fn removed(group: &GroupName, removed: &Removed) -> String {
    let mut text = Text::new(terminal::prose());
    text.line(match removed {
        Removed::Gone(removal) => {
            let line = Line::new().with(GOOD.bold(), "✓ removed");
            let objects = count(removal.goes.len(), "object");
            line.and(format!(
                ": {objects} of {group}, its record and its plans are gone"
            ))
        }
        Removed::Nothing => Line::new().and("nothing of it is in the cluster"),
        Removed::InFlight(promotion) => {
            let line = Line::new().with(BAD.bold(), "✗ not removed");
            line.and(format!(": promotion {promotion} was begun meanwhile"))
        }
        Removed::Adopted => {
            let line = Line::new().with(BAD.bold(), "✗ not removed");
            line.and(": what serves was adopted meanwhile")
        }
        Removed::Stopped => {
            let line = Line::new().with(WARN, "stopped");
            line.and(called::said(
                ": part of it is gone; the next `promoter remove` goes on",
            ))
        }
    });
    text.finish()
}
