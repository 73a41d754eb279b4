//! A first group, before and after its files are written.

use super::line::{BOLD, DIM, Line, WARN};
use super::terminal::Room;
use super::text::Text;
use crate::cli::called;
use crate::plan::init::Draft;

/// What would be written; `there` are files that stay as they are.
pub fn draft(draft: &Draft, there: &[String], room: Room) -> String {
    let mut text = Text::new(room.prose);
    for file in &draft.files {
        let line = Line::new().with(BOLD, &file.path);
        if there.contains(&file.path) {
            text.line(line.with(DIM, "  is there already, and stays as it is"));
            continue;
        }
        let lines = file.text.lines().count();
        text.line(line.with(DIM, format!("  {} ({lines} lines)", file.what)));
        // Manifests are what runs, and long.
        if file.path.ends_with(".toml") {
            let lines = file.text.lines();
            text.quote(lines.map(|line| Line::new().and(format!("  {line}").trim_end())));
            text.gap();
        }
    }
    text.gap();
    for note in &draft.notes {
        text.line(Line::new().with(WARN, "note: ").and(note));
    }
    text.finish()
}

/// What to type once they are written.
pub fn next_steps(draft: &Draft) -> String {
    let (group, environment) = (&draft.group, &draft.environment);
    let name = called::name();
    let (first, what) = if draft.adopts {
        ("adopt", "show how what runs is taken over; `--yes` does it")
    } else {
        ("deploy", "deploy, test and promote it")
    };
    let steps = [
        (format!("{name} validate"), "every problem of the files"),
        (
            format!("{name} install --environment {environment}"),
            "once: prepare cluster and namespace",
        ),
        (
            format!("{name} plan {group}"),
            "what would be deployed; writes nothing",
        ),
        (format!("{name} {first} {group}"), what),
    ];
    let mut text = Text::new(usize::MAX);
    text.line(Line::new().and("written. Look the files through, and then:"));
    let widest = steps.iter().map(|(step, _)| step.len()).max().unwrap_or(0);
    text.lines(steps.iter().map(|(step, what)| {
        Line::new()
            .and(format!("  {step:<widest$}"))
            .with(DIM, format!("   # {what}"))
    }));
    text.finish()
}
