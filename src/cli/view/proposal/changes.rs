//! What a plan changes, object by object, as unified diffs.

use crate::cli::view::line::{DIM, Line};
use crate::cli::view::unified;
use crate::engine::propose::Proposal;

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
        let (before, after) = (&change.before, &change.after);
        let heading = unified::heading(&change.object, before, after);
        lines.push(heading.with(DIM, format!("  of {}", change.app)));
        if full || !(before.is_empty() || after.is_empty()) {
            lines.extend(unified::lines(before, after));
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
