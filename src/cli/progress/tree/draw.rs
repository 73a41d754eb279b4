//! From what is known of a promotion to the lines of the tree. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::state::{App, Check, CheckState, Run, State};
use crate::cli::progress::words;
use crate::cli::view::terminal::Size;
use crate::cli::view::{
    BAD, BOLD, DIM, GOOD, Line, PLACE, PLAIN, WARN, between, clock, columns, of, took,
};
use crate::promotion::check::Verdict;

/// The pictures of what runs, one per tick.
const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/// Columns before a name.
const INDENT: usize = 4;
/// Columns of names, at most.
const NAMES: usize = 24;
/// Rows of a text that does not fit beside its name, at most.
const TEXT_ROWS: usize = 3;

/// When it is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// The time of the promotion.
    pub(super) now: Timestamp,
    /// Since drawing began.
    pub(super) passed: Duration,
    /// Whether this is the last drawing.
    pub(super) finished: bool,
}

/// How much a line matters where not all fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// Nothing happens there any more.
    Settled,
    /// Something happens, or is wrong.
    Moving,
    /// Without it nothing can be understood.
    Frame,
}

/// The whole tree, no wider and no higher than the terminal.
pub(super) fn lines(state: &State, moment: Moment, size: Size) -> Vec<Line> {
    let mut lines = Vec::new();
    match &state.run {
        Some(run) => {
            let drawing = Drawing {
                run,
                moment,
                columns: size.columns,
                names: names(run),
            };
            lines.push((Weight::Frame, drawing.head()));
            lines.extend(run.apps.iter().flat_map(|app| drawing.app(app)));
            lines.extend(run.checks.iter().flat_map(|check| drawing.check(check)));
            lines.extend(drawing.phase());
        }
        None => lines.extend(before(moment).map(|line| (Weight::Frame, line))),
    }
    if moment.finished && !lines.is_empty() {
        // What is printed next is no part of the tree.
        lines.push((Weight::Frame, Line::new()));
    }
    // The cursor stands on the row below. What is not drawn over again may
    // scroll away.
    let rows = if moment.finished {
        usize::MAX
    } else {
        size.rows.saturating_sub(1)
    };
    let fitting = fit(lines, rows);
    fitting
        .into_iter()
        .map(|line| line.cut(size.columns))
        .collect()
}

/// Before there is a promotion, registry and cluster are asked.
fn before(moment: Moment) -> Option<Line> {
    let line = Line::new()
        .with(PLACE, spinner(moment))
        .and(" planning: asks registry and cluster  ");
    (!moment.finished).then(|| line.with(DIM, clock(moment.passed)))
}

/// Leaves out what matters least until the rest fits.
fn fit(mut lines: Vec<(Weight, Line)>, rows: usize) -> Vec<Line> {
    let mut hidden = 0;
    for weight in [Weight::Settled, Weight::Moving] {
        while lines.len() + usize::from(hidden > 0) > rows {
            let Some(last) = lines.iter().rposition(|(found, _)| *found == weight) else {
                break;
            };
            lines.remove(last);
            hidden += 1;
        }
    }
    if hidden > 0 {
        let note = Line::new().with(
            DIM,
            format!("  … {hidden} more, for which there is no room"),
        );
        let bottom = lines
            .iter()
            .rposition(|(weight, _)| *weight != Weight::Frame);
        lines.insert(
            bottom.map_or(1.min(lines.len()), |at| at + 1),
            (Weight::Frame, note),
        );
    }
    lines.into_iter().map(|(_, line)| line).take(rows).collect()
}

/// Columns of the widest name.
fn names(run: &Run) -> usize {
    let apps = run.apps.iter().map(|app| columns(app.name.as_str()));
    let checks = run.checks.iter().map(|check| columns(check.name.as_str()));
    apps.chain(checks).max().unwrap_or(0).min(NAMES)
}

fn spinner(moment: Moment) -> &'static str {
    let tick = moment.passed.as_millis() / 100 % 10;
    SPINNER[usize::try_from(tick).unwrap_or(0)]
}

struct Drawing<'a> {
    run: &'a Run,
    moment: Moment,
    columns: usize,
    names: usize,
}

impl Drawing<'_> {
    fn head(&self) -> Line {
        let run = self.run;
        let passed = clock(between(run.began, self.moment.now));
        let line = Line::new()
            .with(BOLD, run.group.as_str())
            .with(DIM, format!("  {passed}  "));
        let Some((release, color)) = &run.candidate else {
            return line.and(format!("promotion {}", run.promotion));
        };
        let line = line
            .and(format!("release {release} in "))
            .with(of(*color), color.as_str());
        let line = line.and(if run.switched { " serves" } else { "" });
        match &run.replaces {
            Some(old) if !run.switched => line
                .and(", ")
                .with(of(old.color), old.color.as_str())
                .and(" serves"),
            Some(old) if !run.phase.is_final() => line
                .and(", ")
                .with(of(old.color), old.color.as_str())
                .and(" served before"),
            None if !run.switched => line.and(", nothing serves yet"),
            _ => line,
        }
    }

    fn app(&self, app: &App) -> Vec<(Weight, Line)> {
        let Some((color, ready, wanted)) = app.pods else {
            let line = self.named(Line::new().with(DIM, "○"), DIM, app.name.as_str());
            return vec![(Weight::Moving, line.with(DIM, "app, no pods yet"))];
        };
        let whole = ready >= wanted && app.trouble.is_none();
        let dot = match ready {
            0 if wanted == 0 => "○",
            _ if ready >= wanted => "●",
            0 => "○",
            _ => "◐",
        };
        let line = self.named(Line::new().with(of(color), dot), PLAIN, app.name.as_str());
        let line = line.with(if whole { PLAIN } else { WARN }, words::pods(ready, wanted));
        let line = match app.gone {
            Some(gone) => line.with(DIM, format!("  {gone} gone")),
            None => line,
        };
        let weight = if whole {
            Weight::Settled
        } else {
            Weight::Moving
        };
        self.explained(weight, line, app.trouble.as_deref().unwrap_or_default())
    }

    fn check(&self, check: &Check) -> Vec<(Weight, Line)> {
        let name = check.name.as_str();
        let kind = if check.is_hook { "hook" } else { "check" };
        match &check.state {
            CheckState::Open => {
                let line = self.named(Line::new().with(DIM, "○"), DIM, name);
                vec![(
                    Weight::Moving,
                    line.with(DIM, format!("{kind}, not started")),
                )]
            }
            CheckState::Running { .. } if self.moment.finished => {
                let line = self.named(Line::new().with(DIM, "○"), DIM, name);
                vec![(
                    Weight::Moving,
                    line.with(DIM, format!("{kind}, did not end")),
                )]
            }
            CheckState::Running {
                since,
                attempt,
                last,
            } => {
                let line = self.named(Line::new().with(PLACE, spinner(self.moment)), PLAIN, name);
                let passed = clock(between(*since, self.moment.now));
                let run = if *attempt > 1 {
                    format!("run {attempt}  ")
                } else {
                    String::new()
                };
                let line = line.and(format!("{passed:<5}  ")).with(WARN, run);
                vec![(Weight::Moving, line.with(DIM, last.trim()))]
            }
            CheckState::Ended {
                verdict,
                reason,
                took: time,
            } => {
                let (glyph, style) = match verdict {
                    Verdict::Passed => ("✓", GOOD),
                    Verdict::Failed | Verdict::TimedOut => ("✗", BAD),
                    Verdict::Errored => ("!", WARN),
                };
                let line = self.named(Line::new().with(style, glyph), PLAIN, name);
                let time = time
                    .map(|time| format!(" {}", took(time)))
                    .unwrap_or_default();
                let line = line.with(style, verdict.to_string()).with(DIM, time);
                if *verdict == Verdict::Passed {
                    return vec![(Weight::Settled, line.with(DIM, format!("  {reason}")))];
                }
                self.explained(Weight::Moving, line, reason)
            }
        }
    }

    /// The line at the bottom: phase, how long at most, what it waits for.
    fn phase(&self) -> Vec<(Weight, Line)> {
        let run = self.run;
        if self.moment.finished || run.phase.is_final() {
            return Vec::new();
        }
        let line = Line::new().with(PLACE, format!("  {} ", spinner(self.moment)));
        let line = line.with(BOLD, run.phase.to_string());
        let Some((wait_for, until)) = &run.waiting else {
            return vec![(Weight::Frame, line)];
        };
        let left = format!("  {} left", clock(between(self.moment.now, *until)));
        self.explained(
            Weight::Frame,
            line.with(DIM, left),
            &words::waiting(wait_for),
        )
    }

    fn named(&self, glyph: Line, style: anstyle::Style, name: &str) -> Line {
        let name = Line::new().with(style, name).cut(NAMES);
        let line = Line::new().and("  ").join(glyph).pad(INDENT).join(name);
        line.pad(INDENT + self.names + 2)
    }

    /// The line with a text behind it, or below it if it does not fit there.
    fn explained(&self, weight: Weight, line: Line, text: &str) -> Vec<(Weight, Line)> {
        if text.is_empty() {
            return vec![(weight, line)];
        }
        let beside = line.clone().and(format!("  {text}"));
        if beside.width() <= self.columns {
            return vec![(weight, beside)];
        }
        let text = Line::new().and(" ".repeat(INDENT + 2)).and(text);
        let mut below = text.wrap(self.columns, INDENT + 2);
        if below.len() > TEXT_ROWS {
            below.truncate(TEXT_ROWS);
            let last = below.pop().unwrap_or_default();
            below.push(last.and(" …"));
        }
        std::iter::once(line)
            .chain(below)
            .map(|line| (weight, line))
            .collect()
    }
}
