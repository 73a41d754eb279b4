//! What went wrong and what to do, in the manner of rustc: `error: …`, its
//! causes, and `hint: …`, each on a line of its own.

#[cfg(test)]
mod tests;

use std::error::Error;

use super::line::{BAD, BOLD, DIM, Line, PLACE};
use super::terminal;
use super::text::Text;
use super::words::count;
use crate::cli::called;
use crate::engine::resolve::ResolveError;
use crate::plan::refusal::Refusal;

/// An error with its causes, each said once.
pub fn error(error: &dyn Error) -> String {
    let mut text = Text::new(terminal::messages());
    text.lines(chain(error));
    text.finish()
}

/// All images that could not be resolved.
pub fn resolve_errors(errors: &[ResolveError]) -> String {
    let mut text = Text::new(terminal::messages());
    for error in errors {
        text.lines(chain(error));
        text.gap();
    }
    if errors.len() > 1 {
        text.line(said(&format!(
            "failed to find {}",
            count(errors.len(), "image")
        )));
    }
    text.finish()
}

/// All reasons against a plan, each with what to do about it.
pub fn refusals(refusals: &[Refusal]) -> String {
    let mut text = Text::new(terminal::messages());
    for refusal in refusals {
        text.line(said(&refusal.to_string()));
        if !refusal.hint.is_empty() {
            text.line(hint(&refusal.hint));
        }
    }
    if refusals.len() > 1 {
        text.gap();
        let all = count(refusals.len(), "reason");
        text.line(said(&format!(
            "the group cannot be promoted as it stands, for {all}"
        )));
    }
    text.finish()
}

fn said(message: &str) -> Line {
    Line::new()
        .with(BAD.bold(), "error")
        .with(BOLD, ": ")
        .and(on_one_line(message))
}

fn chain(error: &dyn Error) -> Vec<Line> {
    let mut last = error.to_string();
    let (text, help) = apart(&last);
    let mut lines = vec![said(text)];
    let mut hints: Vec<_> = help.map(str::to_owned).into_iter().collect();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        // An error that only wraps another repeats it.
        if !last.contains(&text) {
            let (wrong, help) = apart(&text);
            lines.push(
                Line::new()
                    .with(DIM, "  caused by: ")
                    .and(on_one_line(wrong)),
            );
            hints.extend(help.map(str::to_owned));
            last = text;
        }
        source = cause.source();
    }
    lines.extend(hints.into_iter().map(hint));
    lines
}

/// What went wrong, and the command that helps where the text ends with one.
fn apart(text: &str) -> (&str, Option<&str>) {
    match text.split_once("; `promoter ") {
        Some((wrong, _)) => (wrong, text.get(wrong.len() + 2..)),
        None => (text, None),
    }
}

fn hint(text: impl AsRef<str>) -> Line {
    Line::new()
        .with(PLACE, "  hint: ")
        .and(on_one_line(text.as_ref()))
}

fn on_one_line(text: &str) -> String {
    let text = called::said(text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
