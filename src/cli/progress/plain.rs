//! One line per event, each of which can be read alone: for logs of CI and
//! whatever else is no terminal.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use anstream::AutoStream;

use super::words;
use crate::cli::view::terminal;
use crate::cli::view::{BAD, BOLD, DIM, GOOD, Line, WARN, between, of, took};
use crate::group::name::CheckName;
use crate::plan::Serving;
use crate::plan::color::Color;
use crate::plan::fingerprint::ReleaseId;
use crate::port::Recorder;
use crate::promotion::check::{CheckResult, Verdict};
use crate::promotion::event::{Event, Fact};
use crate::promotion::phase::Phase;
use crate::promotion::record::AppVersion;

/// Columns before the rest of a line that was broken.
const INDENT: usize = 11;

/// Writes each event as one line with its time in UTC.
pub struct Plain<W = AutoStream<std::io::Stderr>>(Mutex<Written<W>>);

struct Written<W> {
    out: W,
    stream: bool,
    columns: usize,
    /// Nothing while no promotion is told of.
    phase: Option<Phase>,
    hooks: Vec<CheckName>,
    last: String,
}

impl Plain {
    /// Writes to standard error; `stream` also writes every line of the checks.
    pub fn new(stream: bool) -> Self {
        Self::to(anstream::stderr(), stream, terminal::messages())
    }
}

impl<W: Write> Plain<W> {
    /// Writes to anything else; longer lines are broken between words.
    pub fn to(out: W, stream: bool, columns: usize) -> Self {
        Self(Mutex::new(Written {
            out,
            stream,
            columns,
            phase: None,
            hooks: Vec::new(),
            last: String::new(),
        }))
    }
}

impl Plain<Vec<u8>> {
    /// All that was written.
    pub fn into_text(self) -> String {
        let written = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&written.out).into_owned()
    }
}

impl<W: Write + Send> Recorder for Plain<W> {
    fn record(&self, event: Event) {
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, group) = (event.at, event.group.clone());
        for text in written.texts(event) {
            let plain = text.plain();
            // What is said again and again is said once.
            if plain == written.last {
                continue;
            }
            written.last = plain;
            let line = Line::new().with(DIM, at.strftime("%H:%M:%S ").to_string());
            let line = line
                .with(BOLD, group.as_str())
                .and(format!("  {:<9}  ", written.phase_word()))
                .join(text);
            // A reader that is gone must not fail the promotion.
            for line in line.wrap(written.columns, INDENT) {
                drop(writeln!(written.out, "{}", line.styled()));
            }
        }
    }
}

impl<W> Written<W> {
    fn texts(&mut self, event: Event) -> Vec<Line> {
        let text = Line::new();
        let promotion = event.promotion.as_ref();
        vec![match event.fact {
            Fact::LockAwaited { .. }
            | Fact::AbortAsked { .. }
            | Fact::ReturnAsked { .. }
            | Fact::ReturnSeen { .. }
            | Fact::Held { .. }
            | Fact::Unheld { .. }
            | Fact::Removing { .. }
            | Fact::Removed
            | Fact::Overridden { .. }
            | Fact::TakenOver { .. }
            | Fact::GivenBack { .. }
            | Fact::Rebuilt { .. }
            | Fact::Repaired { .. }
            | Fact::Astray { .. } => {
                let said = words::of_group(&event.fact);
                return said.map(|said| text.with(WARN, said)).into_iter().collect();
            }
            Fact::Started {
                release,
                candidate,
                replaces,
                apps,
                checks,
                hooks,
                ..
            } => {
                self.phase = Some(Phase::Planned);
                self.hooks = hooks;
                let name = promotion.map_or("", AsRef::as_ref);
                let begins = begins(name, &release, candidate, replaces.as_ref());
                return vec![begins, deployed(&apps), tested(&checks)];
            }
            Fact::Resumed { phase } => {
                self.phase = Some(phase);
                let name = promotion.map_or("", AsRef::as_ref);
                text.with(WARN, words::resumed(name, phase))
            }
            Fact::Entered { phase, reasons } => return self.enter(phase, &reasons),
            Fact::Waiting { wait_for, until } => {
                let until = until.strftime("%H:%M:%S");
                text.and(words::waiting(&wait_for))
                    .with(DIM, format!(", until {until} at the latest"))
            }
            Fact::App {
                app,
                color,
                ready,
                wanted,
                trouble,
            } => {
                let style = if ready >= wanted { GOOD } else { WARN };
                let text = text.and(format!("{app} ")).with(of(color), color.as_str());
                let text = text.with(style, format!(" {ready}/{wanted} ready"));
                match trouble {
                    Some(trouble) => text.and(format!(": {trouble}")),
                    None => text,
                }
            }
            Fact::CheckStarted { check, attempt: 1 } => {
                text.and(format!("{} started", self.called(&check)))
            }
            Fact::CheckStarted { check, attempt } => {
                text.and(format!("{} started, run {attempt}", self.called(&check)))
            }
            Fact::CheckOutput { check, line, .. } if self.stream => {
                // The same line twice is no noise: the check wrote it twice.
                self.last.clear();
                text.with(DIM, format!("{check} │ ")).and(line.trim_end())
            }
            // Said at the end, where the result is.
            Fact::CheckOutput { .. } | Fact::Left { .. } | Fact::Refused { .. } => {
                return Vec::new();
            }
            Fact::CheckRepeated { check, reason } => {
                text.with(WARN, words::repeated(&check, &reason))
            }
            Fact::CheckEnded { result } => ended(&self.called(&result.check), &result),
            Fact::Switched {
                services,
                color,
                skew,
            } => text.with(GOOD, words::switched(services, color, skew)),
            Fact::SwitchedBack => text.with(BAD, words::SWITCHED_BACK),
            Fact::OldGone { app, color } => text.and(format!("{app} {color} is gone")),
            Fact::Warning { message } => text.with(WARN, "warning: ").and(message),
            Fact::Finished { outcome } => {
                let passed = took(between(outcome.started_at, outcome.ended_at));
                let style = if outcome.phase == Phase::Promoted {
                    GOOD
                } else {
                    BAD
                };
                text.with(style, format!("ended after {passed}"))
            }
        }]
    }

    fn phase_word(&self) -> String {
        self.phase
            .map_or_else(String::new, |phase| phase.to_string())
    }

    fn called(&self, check: &CheckName) -> String {
        let is_hook = self.hooks.contains(check);
        format!("{} {check}", if is_hook { "hook" } else { "check" })
    }

    fn enter(&mut self, phase: Phase, reasons: &[crate::promotion::Reason]) -> Vec<Line> {
        let done = self.phase.and_then(|left| words::done(left, phase));
        self.phase = Some(phase);
        self.last.clear();
        let done = done.into_iter().map(|done| Line::new().with(GOOD, done));
        done.chain(
            reasons
                .iter()
                .map(|reason| Line::new().with(BAD, &reason.text)),
        )
        .collect()
    }
}

fn begins(
    promotion: &str,
    release: &ReleaseId,
    candidate: Color,
    replaces: Option<&Serving>,
) -> Line {
    let text = Line::new().and(format!("promotion {promotion}: release {release} into "));
    let text = text.with(of(candidate), candidate.as_str());
    match replaces {
        Some(old) => text.and(format!("; {} serves release {}", old.color, old.release)),
        None => text.and("; nothing serves yet"),
    }
}

fn deployed(apps: &[AppVersion]) -> Line {
    let apps = apps.iter().map(|app| format!("{} {}", app.app, app.tag));
    let apps: Vec<_> = apps.collect();
    Line::new().and(format!("apps: {}", apps.join(", ")))
}

fn tested(checks: &[CheckName]) -> Line {
    let checks: Vec<_> = checks.iter().map(ToString::to_string).collect();
    let checks = if checks.is_empty() {
        "none".to_owned()
    } else {
        checks.join(", ")
    };
    Line::new().and(format!("checks: {checks}"))
}

fn ended(called: &str, result: &CheckResult) -> Line {
    let style = match result.verdict {
        Verdict::Passed => GOOD,
        Verdict::Failed | Verdict::TimedOut => BAD,
        Verdict::Errored => WARN,
    };
    let time = result
        .duration
        .map(|time| format!(" in {}", took(time)))
        .unwrap_or_default();
    let text = Line::new().and(format!("{called} "));
    text.with(style, format!("{}{time}", result.verdict))
        .and(format!(": {}", result.reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::progress::sample::{aborted, promoted};
    use crate::cli::view::sample::plain;

    fn lines(events: Vec<Event>, stream: bool) -> String {
        let shown = Plain::to(Vec::new(), stream, usize::MAX);
        for event in events {
            shown.record(event);
        }
        plain(&shown.into_text())
    }

    #[test]
    fn a_promotion_line_by_line() {
        insta::assert_snapshot!(lines(promoted(), false), @r"
        10:04:07 master  planned    promotion 0tq00001: release 9f8e7d6c5b4a into green; blue serves release bluerelease0
        10:04:07 master  planned    apps: hello-a master-42-000002a, hello-b master-42-000002a
        10:04:07 master  planned    checks: greets, smoke
        10:04:08 master  deploying  hello-a green 0/2 ready
        10:04:08 master  deploying  waits for pods of hello-a, hello-b to be ready, until 10:09:07 at the latest
        10:04:11 master  deploying  hello-a green 2/2 ready
        10:04:12 master  deploying  hello-b green 1/2 ready: unschedulable: 0/2 nodes are available: 2 Insufficient memory
        10:04:13 master  deploying  warning: failed to reach the cluster; trying again
        10:04:16 master  deploying  hello-b green 2/2 ready
        10:04:16 master  checking   all candidates are ready
        10:04:18 master  checking   check greets started
        10:04:18 master  checking   check smoke started
        10:04:18 master  checking   waits for check greets: its container to end; check smoke: its container to end, until 10:09:07 at the latest
        10:04:21 master  checking   check smoke is run again: its pod was deleted
        10:04:21 master  checking   check smoke started, run 2
        10:04:22 master  checking   check greets passed in 4.2s: 14 test cases passed
        10:04:27 master  checking   check smoke passed in 4.2s: exit 0
        10:04:27 master  promoting  the gate lets it pass
        10:04:27 master  promoting  switched 2 Services to green in 14 ms
        10:04:28 master  settling   keep_old: blue stays for an instant way back, until 10:09:07 at the latest
        10:04:58 master  settling   hello-a blue is gone
        10:04:59 master  settling   hello-b blue is gone
        10:04:59 master  promoted   the old colour is gone
        10:04:59 master  promoted   ended after 52s
        ");
    }

    #[test]
    fn an_abort_with_all_that_checks_write() {
        let lines = lines(aborted(), true);
        let end = lines.lines().skip_while(|line| !line.contains('│'));
        insta::assert_snapshot!(end.collect::<Vec<_>>().join("\n"), @r"
        10:04:19 master  checking   greets │ ok 1 - greets
        10:04:19 master  checking   greets │ 
        10:04:22 master  checking   check greets failed in 4.2s: exit 1; 2 of 14 test cases failed: greets > in French, with accents
        10:04:22 master  aborting   check greets failed: exit 1
        10:04:22 master  aborting   app hello-a: somebody changed its candidate
        10:04:25 master  aborted    the candidate is gone
        10:04:25 master  aborted    ended after 18s
        ");
    }
}
