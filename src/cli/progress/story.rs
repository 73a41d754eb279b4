//! What is said of a promotion, event by event: each line can be read alone.

use super::words;
use crate::cli::view::{BAD, DIM, GOOD, Line, WARN, between, of, took};
use crate::group::name::CheckName;
use crate::plan::Serving;
use crate::plan::color::Color;
use crate::plan::fingerprint::ReleaseId;
use crate::promotion::Reason;
use crate::promotion::check::{CheckResult, Verdict};
use crate::promotion::event::{Event, Fact};
use crate::promotion::phase::Phase;
use crate::promotion::record::AppVersion;

/// Tells of one promotion after the other.
pub(super) struct Story {
    stream: bool,
    /// Nothing while no promotion is told of.
    phase: Option<Phase>,
    hooks: Vec<CheckName>,
    last: String,
}

impl Story {
    /// Nothing was told yet; `stream`: every line of the checks is, too.
    pub(super) fn new(stream: bool) -> Self {
        Self {
            stream,
            phase: None,
            hooks: Vec::new(),
            last: String::new(),
        }
    }

    /// Where the promotion stands that is told of.
    pub(super) fn phase(&self) -> Option<Phase> {
        self.phase
    }

    /// What is to be said of an event.
    pub(super) fn tell(&mut self, event: Event) -> Vec<Line> {
        let texts = self.texts(event).into_iter();
        let mut said = Vec::new();
        for text in texts {
            let plain = text.plain();
            // What is said again and again is said once.
            if plain != self.last {
                self.last = plain;
                said.push(text);
            }
        }
        said
    }

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
                let text = text.with(style, format!(" {}", words::pods(ready, wanted)));
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

    fn called(&self, check: &CheckName) -> String {
        let is_hook = self.hooks.contains(check);
        format!("{} {check}", if is_hook { "hook" } else { "check" })
    }

    fn enter(&mut self, phase: Phase, reasons: &[Reason]) -> Vec<Line> {
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
