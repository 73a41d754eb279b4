//! How a promotion ended: what each check said, then the verdict and what to
//! do next.

#[cfg(test)]
mod tests;

use anstyle::Style;

use super::line::{BAD, BOLD, DIM, GOOD, Line, PLACE, PLAIN, WARN, of};
use super::table::Table;
use super::terminal;
use super::text::Text;
use super::time::{between, took};
use super::words::count;
use crate::cli::called;
use crate::promotion::check::{CaseOutcome, CheckResult, TestCase, Verdict};
use crate::promotion::phase::Phase;
use crate::promotion::record::rebuild::is_rebuilt;
use crate::promotion::record::{Ending, Outcome};
use crate::promotion::{Reason, ReasonKind};

/// Failed test cases shown of a check.
const CASES: usize = 20;
/// Lines shown of what a test case says.
const DIAGNOSTIC: usize = 12;
/// Last lines shown of a check's log.
const TAIL: usize = 15;

/// How a promotion ended; `results` are what its checks said in full.
pub fn outcome(outcome: &Outcome, results: &[CheckResult]) -> String {
    rendered(outcome, results, terminal::width())
}

fn rendered(outcome: &Outcome, results: &[CheckResult], columns: usize) -> String {
    let mut text = Text::new(columns);
    if !outcome.checks.is_empty() || !outcome.hooks.is_empty() {
        text.block(&checks(outcome, results, columns));
    }
    for (verdict, more) in &outcome.left_out.checks {
        text.line(Line::new().with(DIM, format!("and {more} more {verdict}")));
    }
    for result in results
        .iter()
        .filter(|result| result.verdict != Verdict::Passed)
    {
        text.gap();
        text.quote(details(result));
    }
    for reason in outcome
        .reasons
        .iter()
        .filter(|reason| !reason.last_lines.is_empty())
    {
        text.gap();
        text.quote(last_lines(reason));
    }
    text.gap();
    text.lines(verdict(outcome));
    text.finish()
}

/// The sign and the style of a verdict.
pub(super) fn sign(verdict: Verdict) -> (&'static str, Style) {
    match verdict {
        Verdict::Passed => ("✓", GOOD),
        Verdict::Failed | Verdict::TimedOut => ("✗", BAD),
        Verdict::Errored => ("!", WARN),
    }
}

fn checks(outcome: &Outcome, results: &[CheckResult], columns: usize) -> String {
    let mut table = Table::new(&["CHECK", "VERDICT", "TIME", "WHY"]);
    let checks = outcome.checks.iter().map(|check| (check, ""));
    let hooks = outcome.hooks.iter().map(|hook| (hook, "hook "));
    for (summary, kind) in checks.chain(hooks) {
        let result = results.iter().find(|result| result.check == summary.check);
        let time = result
            .and_then(|result| result.duration)
            .map(took)
            .unwrap_or_default();
        let (sign, style) = sign(summary.verdict);
        table.row(vec![
            (BOLD, format!("{kind}{}", summary.check)),
            (style, format!("{sign} {}", summary.verdict)),
            (DIM, time),
            (PLAIN, summary.reason.clone()),
        ]);
    }
    table.render(columns)
}

/// What failed in a check and what it wrote last.
fn details(result: &CheckResult) -> Vec<Line> {
    let mut lines = Vec::new();
    let failed: Vec<_> = result
        .cases
        .iter()
        .filter(|case| case.outcome == CaseOutcome::Failed)
        .collect();
    if !failed.is_empty() {
        let named = Line::new().with(BOLD, result.check.as_str());
        lines.push(named.and(format!(": {} failed", count(failed.len(), "test case"))));
    }
    lines.extend(failed.iter().take(CASES).flat_map(|case| of_case(case)));
    if failed.len() > CASES {
        lines.push(Line::new().with(DIM, format!("  … and {} more", failed.len() - CASES)));
    }
    let tail = &result.tail[result.tail.len().saturating_sub(TAIL)..];
    if !tail.is_empty() {
        let run = if result.attempt > 1 {
            format!(", run {}", result.attempt)
        } else {
            String::new()
        };
        let said = format!(": last lines of its log{run}");
        lines.push(Line::new().with(BOLD, result.check.as_str()).and(said));
    }
    lines.extend(quoted(tail));
    lines
}

/// What the container that a reason is about wrote last.
fn last_lines(reason: &Reason) -> Vec<Line> {
    let subject = reason
        .text
        .split_once(": ")
        .map_or(reason.text.as_str(), |(subject, _)| subject);
    let mut lines = vec![
        Line::new()
            .with(BOLD, subject)
            .and(": last lines of its container"),
    ];
    lines.extend(quoted(&reason.last_lines));
    lines
}

fn quoted(said: &[String]) -> impl Iterator<Item = Line> {
    said.iter()
        .map(|line| Line::new().with(DIM, "  │ ").and(line))
}

fn of_case(case: &TestCase) -> Vec<Line> {
    let mut lines = vec![Line::new().with(BAD, "  ✗ ").and(&case.name)];
    let said: Vec<_> = case
        .diagnostic
        .iter()
        .flat_map(|text| text.lines())
        .collect();
    let shown = said.iter().take(DIAGNOSTIC);
    lines.extend(shown.map(|line| Line::new().and("      ").with(DIM, line.trim_end())));
    if said.len() > DIAGNOSTIC {
        lines.push(Line::new().with(
            DIM,
            format!("      … {} more lines", said.len() - DIAGNOSTIC),
        ));
    }
    lines
}

/// The last lines: what came of it, why, and what to do next.
fn verdict(outcome: &Outcome) -> Vec<Line> {
    let passed = took(between(outcome.started_at, outcome.ended_at));
    let about = format!("promotion {}, {passed}", outcome.promotion);
    if outcome.phase == Phase::Promoted {
        return promoted(outcome, &about);
    }
    let short = outcome
        .reasons
        .iter()
        .map(|reason| in_short(outcome, reason));
    let mut reasons: Vec<_> = short.collect();
    reasons.dedup();
    let (said, then) = if outcome.phase == Phase::Failed {
        (
            "✗ not promoted, and the abort did not finish: ",
            "a person has to look at the cluster",
        )
    } else {
        ("✗ not promoted: ", "what served before keeps serving")
    };
    let mut lines = Vec::new();
    let why = match reasons.as_slice() {
        [] => "no reason is on record".to_owned(),
        [one] => (*one).to_owned(),
        several => {
            lines.extend(
                several
                    .iter()
                    .map(|reason| Line::new().with(BAD, "✗ ").and(reason)),
            );
            count(several.len(), "reason")
        }
    };
    lines.push(
        Line::new()
            .with(BAD.bold(), said)
            .with(BOLD, format!("{why}; {then}")),
    );
    lines.push(Line::new().with(DIM, format!("  release {}, {about}", outcome.release)));
    lines.push(
        Line::new()
            .with(PLACE, "  hint: ")
            .and(called::said(&hint(outcome))),
    );
    lines
}

/// How it ended, in a word or two.
pub(super) fn word(outcome: &Outcome) -> (Style, &'static str) {
    let ending = outcome.ending();
    let style = match ending {
        Ending::Promoted => GOOD,
        Ending::RolledBack | Ending::Stopped | Ending::Held | Ending::Banned => WARN,
        Ending::AbortStuck
        | Ending::Regressed
        | Ending::Failed
        | Ending::Errored
        | Ending::Refused
        | Ending::NotDeployed => BAD,
    };
    (style, ending.word())
}

/// Why it ended so, on one line.
pub(super) fn why(outcome: &Outcome) -> String {
    let reasons = outcome.reasons.iter().map(|reason| reason.text.as_str());
    let reasons: Vec<_> = reasons.collect();
    match (reasons.is_empty(), outcome.tested()) {
        (false, _) => reasons.join("; "),
        (true, 0) => "nothing was tested".to_owned(),
        (true, 1) => "its check passed".to_owned(),
        (true, n) => format!("all {n} checks passed"),
    }
}

/// What a check said stands in its row already.
fn in_short<'a>(outcome: &Outcome, reason: &'a Reason) -> &'a str {
    let text = reason.text.as_str();
    let is_told = outcome
        .checks
        .iter()
        .any(|check| text.contains(&check.reason));
    match text.split_once(": ") {
        Some((short, _)) if is_told && reason.kind != ReasonKind::Gate => short,
        _ => text,
    }
}

fn promoted(outcome: &Outcome, about: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    if outcome.tested() == 0 && !is_rebuilt(outcome) {
        lines.push(
            Line::new()
                .with(WARN, "warning: ")
                .and("nothing was tested: the group has no check"),
        );
    }
    let left = outcome
        .reasons
        .iter()
        .map(|reason| Line::new().with(WARN, "warning: ").and(&reason.text));
    lines.extend(left);
    let line = Line::new().with(GOOD.bold(), "✓ promoted");
    let line = line.with(BOLD, format!(": release {} is active in ", outcome.release));
    let line = line.with(of(outcome.color).bold(), outcome.color.as_str());
    lines.push(line.with(DIM, format!("  {about}")));
    lines
}

fn hint(outcome: &Outcome) -> String {
    let has = |kind| outcome.reasons.iter().any(|reason| reason.kind == kind);
    let says_how = |text: &str| text.contains("`promoter resume`");
    let hint = if outcome.reasons.iter().any(|reason| says_how(&reason.text)) {
        "`promoter status` shows what is left"
    } else if outcome.phase == Phase::Failed {
        "`promoter status` shows what is left; `promoter deploy` clears it away and tries again"
    } else if has(ReasonKind::RolledBack) {
        "the next deploy does not promote the same again; `promoter retry` does"
    } else if has(ReasonKind::Held) {
        "`promoter unhold` lets the group go; `promoter deploy` starts over then"
    } else if has(ReasonKind::Banned) {
        "push another image; `promoter bans` lists what is banned"
    } else if has(ReasonKind::Interrupted) {
        "`promoter deploy` starts over"
    } else if has(ReasonKind::Check) || has(ReasonKind::CheckErrored) {
        let promotion = &outcome.promotion;
        return format!("`promoter logs {promotion}` prints all that the checks wrote");
    } else {
        "put it right and run `promoter plan` to see what the next deploy would do"
    };
    hint.to_owned()
}
