//! What is known of a promotion from its events, and which events leave a
//! line that stays.

use std::time::Duration;

use jiff::Timestamp;

use crate::cli::progress::words;
use crate::cli::view::{BAD, DIM, GOOD, Line, WARN, between, took};
use crate::group::name::{AppName, CheckName, GroupName};
use crate::plan::Serving;
use crate::plan::color::Color;
use crate::plan::fingerprint::ReleaseId;
use crate::promotion::check::Verdict;
use crate::promotion::event::{Event, Fact};
use crate::promotion::id::PromotionId;
use crate::promotion::phase::Phase;
use crate::promotion::{Reason, ReasonKind};

/// What is known so far.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Whether every line of a check stays.
    pub(super) stream: bool,
    /// The promotion under way, once there is one.
    pub(super) run: Option<Run>,
}

/// One promotion.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) group: GroupName,
    pub(super) promotion: PromotionId,
    pub(super) began: Timestamp,
    /// Its release and colour; not known of one that is resumed.
    pub(super) candidate: Option<(ReleaseId, Color)>,
    pub(super) replaces: Option<Serving>,
    pub(super) apps: Vec<App>,
    pub(super) checks: Vec<Check>,
    pub(super) phase: Phase,
    pub(super) phase_since: Timestamp,
    /// What it waits for, and until when.
    pub(super) waiting: Option<(String, Timestamp)>,
    /// Whether the candidate serves.
    pub(super) switched: bool,
    /// The last warning.
    warned: Option<String>,
}

/// One app's candidate.
#[derive(Debug)]
pub(super) struct App {
    pub(super) name: AppName,
    /// Colour, pods that are ready and pods wanted, once seen.
    pub(super) pods: Option<(Color, u32, u32)>,
    pub(super) trouble: Option<String>,
    /// The colour whose last old pod is gone.
    pub(super) gone: Option<Color>,
}

/// One check.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) name: CheckName,
    /// Whether it is no check, but a hook.
    pub(super) is_hook: bool,
    pub(super) state: CheckState,
}

/// How far a check is.
#[derive(Debug)]
pub(super) enum CheckState {
    /// Not started.
    Open,
    /// Its Job is there.
    Running {
        since: Timestamp,
        attempt: u32,
        last: String,
    },
    /// It has a result.
    Ended {
        verdict: Verdict,
        reason: String,
        took: Option<Duration>,
    },
}

impl State {
    /// Takes note of an event. Returns the lines that stay.
    pub(super) fn take(&mut self, event: Event) -> Vec<Line> {
        let Some(promotion) = event.promotion.clone() else {
            return words::of_group(&event.fact)
                .map(again)
                .into_iter()
                .collect();
        };
        let mut lines = Vec::new();
        let mut run = match self.run.take() {
            Some(run) if run.promotion == promotion => run,
            // Its tree makes room for the next one's.
            Some(ended) => {
                lines.push(ended.epitaph());
                Run::new(&event, promotion)
            }
            None => Run::new(&event, promotion),
        };
        lines.extend(run.take(event, self.stream));
        self.run = Some(run);
        lines
    }
}

impl Run {
    fn new(event: &Event, promotion: PromotionId) -> Self {
        Self {
            group: event.group.clone(),
            promotion,
            began: event.at,
            candidate: None,
            replaces: None,
            apps: Vec::new(),
            checks: Vec::new(),
            phase: Phase::Planned,
            phase_since: event.at,
            waiting: None,
            switched: false,
            warned: None,
        }
    }

    /// How it ended, or where it was left.
    fn epitaph(&self) -> Line {
        let text = format!("promotion {}: {}", self.promotion, self.phase);
        if self.phase == Phase::Promoted {
            good(text)
        } else {
            bad(text)
        }
    }

    fn take(&mut self, event: Event, stream: bool) -> Option<Line> {
        let at = event.at;
        match event.fact {
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
            | Fact::Astray { .. } => return words::of_group(&event.fact).map(again),
            Fact::Started {
                release,
                candidate,
                replaces,
                apps,
                checks,
                hooks,
                ..
            } => {
                self.candidate = Some((release, candidate));
                self.replaces = replaces;
                for version in apps {
                    self.app(version.app);
                }
                for name in checks {
                    self.check(name);
                }
                for name in hooks {
                    self.check(name).is_hook = true;
                }
            }
            Fact::Resumed { phase } => {
                (self.phase, self.phase_since) = (phase, at);
                self.switched = phase == Phase::Settling;
                return Some(again(words::resumed(self.promotion.as_ref(), phase)));
            }
            Fact::Entered { phase, reasons } => return self.enter(phase, &reasons, at),
            Fact::Waiting { wait_for, until } => self.waiting = Some((wait_for, until)),
            Fact::App {
                app,
                color,
                ready,
                wanted,
                trouble,
            } => {
                let app = self.app(app);
                app.pods = Some((color, ready, wanted));
                app.trouble = trouble;
            }
            Fact::CheckStarted { check, attempt } => {
                let last = String::new();
                self.check(check).state = CheckState::Running {
                    since: at,
                    attempt,
                    last,
                };
            }
            Fact::CheckOutput { check, line, .. } if stream => {
                return Some(Line::new().with(DIM, format!("{check} │ ")).and(line));
            }
            Fact::CheckOutput { check, line, .. } => self.check(check).write(line),
            Fact::CheckRepeated { check, reason } => {
                return Some(again(words::repeated(&check, &reason)));
            }
            Fact::CheckEnded { result } => {
                self.check(result.check).state = CheckState::Ended {
                    verdict: result.verdict,
                    reason: result.reason,
                    took: result.duration,
                };
            }
            Fact::Switched {
                services,
                color,
                skew,
            } => {
                self.switched = true;
                return Some(good(words::switched(services, color, skew)));
            }
            Fact::SwitchedBack => {
                self.switched = false;
                return Some(bad(words::SWITCHED_BACK));
            }
            Fact::OldGone { app, color } => self.app(app).gone = Some(color),
            // Said at the end, where the result is.
            Fact::Left { .. } | Fact::Refused { .. } => {}
            Fact::Warning { message } => return self.warn(message),
            Fact::Finished { outcome } => {
                (self.phase, self.waiting) = (outcome.phase, None);
            }
        }
        None
    }

    /// What was achieved, or why it goes no further. What a check said stands
    /// in the tree, and all reasons in the outcome.
    fn enter(&mut self, phase: Phase, reasons: &[Reason], at: Timestamp) -> Option<Line> {
        let passed = format!("  {}", took(between(self.phase_since, at)));
        let done = words::done(self.phase, phase).map(|done| good(done).with(DIM, passed));
        (self.phase, self.phase_since, self.waiting) = (phase, at, None);
        let news: Vec<_> = reasons.iter().filter(|reason| !of_check(reason)).collect();
        match news.as_slice() {
            [] => done,
            [reason] => Some(bad(&reason.text)),
            [reason, rest @ ..] => {
                let more = format!("  and {} more", words::reasons(rest.len()));
                Some(bad(&reason.text).with(DIM, more))
            }
        }
    }

    /// What is tried again and again is warned about once.
    fn warn(&mut self, message: String) -> Option<Line> {
        if self.warned.as_ref() == Some(&message) {
            return None;
        }
        let line = Line::new().with(WARN, "warning: ").and(&message);
        self.warned = Some(message);
        Some(line)
    }

    fn app(&mut self, name: AppName) -> &mut App {
        let known = self.apps.iter().position(|app| app.name == name);
        let at = known.unwrap_or_else(|| {
            self.apps.push(App {
                name,
                pods: None,
                trouble: None,
                gone: None,
            });
            self.apps.len() - 1
        });
        &mut self.apps[at]
    }

    fn check(&mut self, name: CheckName) -> &mut Check {
        let known = self.checks.iter().position(|check| check.name == name);
        let at = known.unwrap_or_else(|| {
            self.checks.push(Check {
                name,
                is_hook: false,
                state: CheckState::Open,
            });
            self.checks.len() - 1
        });
        &mut self.checks[at]
    }
}

impl Check {
    /// Keeps the last line that says something.
    fn write(&mut self, line: String) {
        if let CheckState::Running { last, .. } = &mut self.state
            && !line.trim().is_empty()
        {
            *last = line;
        }
    }
}

fn of_check(reason: &Reason) -> bool {
    matches!(reason.kind, ReasonKind::Check | ReasonKind::CheckErrored)
}

fn good(text: impl AsRef<str>) -> Line {
    Line::new().with(GOOD, "✓ ").and(text)
}

fn bad(text: impl AsRef<str>) -> Line {
    Line::new().with(BAD, "✗ ").and(text)
}

fn again(text: impl AsRef<str>) -> Line {
    Line::new().with(WARN, "↻ ").and(text)
}
