//! Counts what happens to one group.
//!
//! What is told again by whoever takes a promotion over is counted once. Its end
//! may be counted by two processes, if its owner died right after it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::groups::Groups;
use super::seconds;
use super::series::Labels;
use crate::group::name::CheckName;
use crate::port::Recorder;
use crate::promotion::Trigger;
use crate::promotion::check::CheckResult;
use crate::promotion::event::news::News;
use crate::promotion::event::{Event, Fact};
use crate::promotion::id::PromotionId;
use crate::promotion::phase::Phase;
use crate::promotion::record::{Ending, Outcome};
use crate::promotion::restraint::Restraint;

/// A group's part of the metrics, and a consumer of its events.
pub struct Counting {
    metrics: Arc<Groups>,
    of: Labels,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The group is not configured, or no more: what happens to it is not counted.
    forgotten: bool,
    phase: Option<(Phase, Timestamp)>,
    hooks: BTreeSet<CheckName>,
    news: News,
    due: Option<Timestamp>,
    /// What this process left by itself, to begin something new.
    left: Option<PromotionId>,
}

impl Counting {
    pub(super) fn new(metrics: Arc<Groups>, of: Labels) -> Self {
        let counting = Self {
            metrics,
            of,
            state: Mutex::default(),
        };
        // So that there is something to compare with before anything happens: a counter
        // that begins with its first failure has not grown, to who looks at it.
        let metrics = &counting.metrics;
        for gauge in [&metrics.under_way, &metrics.lock_held, &metrics.due] {
            gauge.with(counting.of.clone()).set(0.0);
        }
        for ending in Ending::ALL {
            for trigger in Trigger::ALL {
                metrics.promotions.with(counting.ended_by(ending, trigger));
            }
        }
        counting
    }

    /// That of a group which is not configured: it counts nothing.
    pub(super) fn none(metrics: Arc<Groups>, of: Labels) -> Self {
        let state = State {
            forgotten: true,
            ..State::default()
        };
        Self {
            metrics,
            of,
            state: Mutex::new(state),
        }
    }

    /// When the group was last promoted, and when a promotion of it last ended, as
    /// the cluster remembers it: from a time before this process began.
    pub fn remember(&self, success: Option<Timestamp>, end: Option<Timestamp>) {
        let state = self.state();
        if state.forgotten {
            return;
        }
        let gauges = [
            (&self.metrics.last_success, success),
            (&self.metrics.last_end, end),
        ];
        for (gauge, at) in gauges {
            if let Some(at) = at {
                gauge.with(self.of.clone()).set(seconds(at));
            }
        }
    }

    /// Whether this process holds the group's lock.
    pub fn lock_held(&self, held: bool) {
        let mut state = self.state();
        if state.forgotten {
            return;
        }
        let held_now = f64::from(u8::from(held));
        self.metrics.lock_held.with(self.of.clone()).set(held_now);
        if !held {
            // Whoever has it now drives on.
            state.phase = None;
            self.drives(false);
        }
    }

    /// A run of the group's schedule is due since then, its jitter included. Later ones
    /// are one run with it until it is answered. Only for who acts for the group: of who
    /// stands by nobody answers.
    pub fn due(&self, since: Timestamp) {
        let mut state = self.state();
        if state.forgotten {
            return;
        }
        let since = *state.due.get_or_insert(since);
        self.metrics.due.with(self.of.clone()).set(seconds(since));
    }

    /// No run is due: one that was is of no use any more, or was somebody else's.
    pub fn not_due(&self) {
        let mut state = self.state();
        if state.due.take().is_some() && !state.forgotten {
            self.metrics.due.with(self.of.clone()).set(0.0);
        }
    }

    /// The run that was due was begun or refused; nothing happens if none was.
    pub fn answered(&self, now: Timestamp) {
        let mut state = self.state();
        let Some(since) = state.due.take().filter(|_| !state.forgotten) else {
            return;
        };
        self.metrics.due.with(self.of.clone()).set(0.0);
        let lag = length(since, now);
        self.metrics.lag.with(self.of.clone()).set(lag);
    }

    pub(super) fn forget(&self) {
        self.state().forgotten = true;
        self.metrics.forget(&self.of);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The group's labels, and one more.
    fn and(&self, label: &'static str, value: impl Into<String>) -> Labels {
        let mut labels = self.of.clone();
        labels.push((label, value.into()));
        labels
    }

    fn enter(&self, state: &mut State, phase: Phase, at: Timestamp) {
        if let Some((left, since)) = state.phase.take() {
            let labels = self.and("phase", left.to_string());
            self.metrics.phases.with(labels).observe(length(since, at));
        }
        state.phase = (!phase.is_final()).then_some((phase, at));
    }

    fn drives(&self, drives: bool) {
        let gauge = self.metrics.under_way.with(self.of.clone());
        gauge.set(f64::from(u8::from(drives)));
    }

    fn ended_by(&self, ending: Ending, trigger: Trigger) -> Labels {
        let mut labels = self.and("outcome", word_of(ending));
        labels.push(("trigger", trigger.to_string()));
        labels
    }

    fn ended(&self, outcome: &Outcome) {
        let ending = outcome.ending();
        let took = length(outcome.started_at, outcome.ended_at);
        let labels = self.and("outcome", word_of(ending));
        self.metrics.duration.with(labels).observe(took);
        let labels = self.ended_by(ending, outcome.actor.trigger);
        self.metrics.promotions.with(labels).inc();
        let at = seconds(outcome.ended_at);
        self.metrics.last_end.with(self.of.clone()).set(at);
        if ending == Ending::Promoted {
            self.metrics.last_success.with(self.of.clone()).set(at);
        }
    }

    fn checked(&self, state: &State, result: &CheckResult) {
        let is_hook = state.hooks.contains(&result.check);
        let kind = if is_hook { "hook" } else { "check" };
        let mut labels = self.and("kind", kind);
        let verdict = result.verdict.to_string();
        labels.push(("verdict", verdict.replace(' ', "-")));
        self.metrics.checks.with(labels).inc();
    }

    fn refused(&self, restraints: &[Restraint]) {
        let kinds: BTreeSet<_> = restraints.iter().map(kind).collect();
        for kind in kinds {
            self.metrics
                .refusals
                .with(self.and("restraint", kind))
                .inc();
        }
    }
}

#[async_trait]
impl Recorder for Counting {
    fn record(&self, event: Event) {
        let mut state = self.state();
        if state.forgotten || !state.news.is(&event) {
            return;
        }
        let Event {
            at,
            fact,
            promotion,
            ..
        } = event;
        match fact {
            Fact::Started { hooks, .. } => {
                state.hooks = hooks.into_iter().collect();
                state.phase = Some((Phase::Planned, at));
                self.drives(true);
            }
            Fact::Resumed { phase } => {
                // Nobody knows how long it stood there without an owner.
                state.phase = Some((phase, at));
                // Who left it to begin something new drives on its own.
                if state.left.is_none() || state.left != promotion {
                    self.metrics.takeovers.with(self.of.clone()).inc();
                }
                self.drives(true);
            }
            Fact::Entered { phase, .. } => self.enter(&mut state, phase, at),
            Fact::CheckEnded { result } => self.checked(&state, &result),
            Fact::Refused { restraints, .. } => self.refused(&restraints),
            Fact::Warning { .. } => {
                self.metrics.warnings.with(self.of.clone()).inc();
            }
            Fact::Left { .. } => {
                state.phase = None;
                state.left = promotion;
                self.drives(false);
            }
            Fact::Finished { outcome } => {
                state.phase = None;
                self.drives(false);
                self.ended(&outcome);
            }
            _ => {}
        }
    }
}

fn word_of(ending: Ending) -> String {
    ending.word().replace(' ', "-")
}

fn kind(restraint: &Restraint) -> &'static str {
    match restraint {
        Restraint::Held { .. } => "held",
        Restraint::Banned { .. } => "banned",
        Restraint::Required { .. } => "required",
        Restraint::Older { .. } => "older",
        Restraint::Budget { .. } => "budget",
        Restraint::Failed { .. } => "failed",
    }
}

/// Seconds between two moments; none if a clock was put back between them.
fn length(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from)
        .max(SignedDuration::ZERO)
        .as_secs_f64()
}
