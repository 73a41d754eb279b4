//! Two texts as a unified diff.

use similar::{ChangeTag, TextDiff};

use super::line::{BAD, BOLD, GOOD, Line, PLACE, PLAIN};

/// Lines around a change.
const CONTEXT: usize = 3;

/// What changed, marked as new, gone or otherwise.
pub(super) fn heading(name: &str, before: &str, after: &str) -> Line {
    let (mark, style) = match (before.is_empty(), after.is_empty()) {
        (true, _) => ("+ ", GOOD),
        (_, true) => ("- ", BAD),
        _ => ("~ ", PLACE),
    };
    Line::new().with(style, mark).with(BOLD, name)
}

/// The lines that differ, and some around them.
pub(super) fn lines(before: &str, after: &str) -> Vec<Line> {
    let diff = TextDiff::from_lines(before, after);
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
