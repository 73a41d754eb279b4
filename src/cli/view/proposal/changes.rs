//! What a plan changes, object by object, as unified diffs.

use similar::{ChangeTag, TextDiff};

use crate::cli::view::line::{BAD, BOLD, DIM, GOOD, Line, PLACE, PLAIN};
use crate::engine::propose::Proposal;
use crate::plan::diff::Change;

/// Lines around a change.
const CONTEXT: usize = 3;

/// Changed objects as diffs; objects that come or go by name, or whole if `full`.
pub(super) fn lines(proposal: &Proposal, full: bool) -> Vec<Line> {
    if proposal.changes.is_empty() {
        return Vec::new();
    }
    let mut lines = Vec::new();
    if let Some(old) = &proposal.plan.replaces {
        let text = format!(
            "changes against what serves, with names as in {}:",
            old.color
        );
        lines.push(Line::new().with(DIM, text));
    }
    for change in &proposal.changes {
        lines.push(heading(change));
        if full || !(change.before.is_empty() || change.after.is_empty()) {
            lines.extend(diff(change));
        }
    }
    if !full
        && proposal
            .changes
            .iter()
            .any(|change| change.before.is_empty())
    {
        lines.push(Line::new().with(DIM, "  (--full shows whole objects)"));
    }
    lines
}

fn heading(change: &Change) -> Line {
    let (mark, style) = match (change.before.is_empty(), change.after.is_empty()) {
        (true, _) => ("+ ", GOOD),
        (_, true) => ("- ", BAD),
        _ => ("~ ", PLACE),
    };
    let line = Line::new().with(style, mark).with(BOLD, &change.object);
    line.with(DIM, format!("  of {}", change.app))
}

fn diff(change: &Change) -> Vec<Line> {
    let diff = TextDiff::from_lines(change.before.as_str(), change.after.as_str());
    let mut lines = Vec::new();
    for (n, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if n > 0 {
            lines.push(Line::new().with(PLACE, "    ⋮"));
        }
        for part in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (mark, style) = match part.tag() {
                ChangeTag::Delete => ("- ", BAD),
                ChangeTag::Insert => ("+ ", GOOD),
                ChangeTag::Equal => ("  ", PLAIN),
            };
            lines.push(Line::new().with(style, format!("  {mark}{}", part.value().trim_end())));
        }
    }
    lines
}
