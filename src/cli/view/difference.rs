//! What changed from one promotion to another.

use super::line::{BAD, BOLD, DIM, GOOD, Line, PLAIN};
use super::outcome::word;
use super::table::Table;
use super::terminal;
use super::text::Text;
use super::time::moment;
use super::unified;
use crate::plan::image::ResolvedImage;
use crate::plan::summary::{Difference, ImageChange, TextChange};
use crate::port::records::Entry;

/// Characters of a commit that are shown.
const COMMIT: usize = 12;

/// Images, checks and objects that differ.
pub fn difference(before: &Entry, after: &Entry, found: &Difference) -> String {
    let mut text = Text::new(terminal::prose());
    text.line(Line::new().with(DIM, "from ").join(named(before)));
    text.line(Line::new().with(DIM, "to   ").join(named(after)));
    text.gap();
    if found.is_none() {
        text.line(Line::new().and(if found.inputs {
            "the same images, checks and objects, but for what is masked: a Secret or a setting changed"
        } else {
            "nothing changed: the same images, checks and objects"
        }));
        return text.finish();
    }
    if !found.apps.is_empty() {
        text.block(&images(&found.apps));
        text.gap();
    }
    let checks = found.checks.iter().map(|change| ("check ", change));
    let objects = found.objects.iter().map(|change| ("", change));
    for (kind, change) in checks.chain(objects) {
        text.quote(changed(kind, change));
    }
    text.finish()
}

fn named(entry: &Entry) -> Line {
    let line = Line::new().with(BOLD, entry.promotion.as_ref());
    let line = line.and(format!(" of {}", entry.group));
    let line = line.and(format!(", release {}, ", entry.release));
    let line = match &entry.outcome {
        Some(outcome) => {
            let (style, word) = word(outcome);
            line.with(style, word)
        }
        None => line.with(PLAIN, entry.phase.to_string()),
    };
    line.with(DIM, format!(" {}", moment(entry.started_at)))
}

fn images(changes: &[ImageChange]) -> String {
    let mut table = Table::new(&["APP", "BEFORE", "AFTER", "COMMITS"]);
    for change in changes {
        let tag = |image: &Option<ResolvedImage>| image.as_ref().map(|image| image.tag.clone());
        let commit = |image: &Option<ResolvedImage>| {
            let commit = image.as_ref().and_then(|image| image.commit.clone());
            commit.map(|commit| commit.chars().take(COMMIT).collect::<String>())
        };
        let commits = match (commit(&change.before), commit(&change.after)) {
            (Some(before), Some(after)) if before == after => format!("{after}, built again"),
            (Some(before), Some(after)) => format!("{before}..{after}"),
            (before, after) => before.or(after).unwrap_or_default(),
        };
        let (old, new) = (tag(&change.before), tag(&change.after));
        let style = if new.is_some() { GOOD } else { BAD };
        table.row(vec![
            (BOLD, change.app.to_string()),
            (PLAIN, old.unwrap_or_else(|| "new".to_owned())),
            (style, new.unwrap_or_else(|| "gone".to_owned())),
            (DIM, commits),
        ]);
    }
    table.render(terminal::width())
}

fn changed(kind: &str, change: &TextChange) -> Vec<Line> {
    let (before, after) = (&change.before, &change.after);
    let name = format!("{kind}{}", change.name);
    let mut lines = vec![unified::heading(&name, before, after)];
    if !before.is_empty() && !after.is_empty() {
        lines.extend(unified::lines(before, after));
    }
    lines
}
