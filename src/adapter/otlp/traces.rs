//! Makes a trace of each promotion of a group, from its events.
//!
//! The promotion is the root; below it are its phases, and below these the runs of
//! checks and hooks. A span is handed on when it ends. Names and attributes are
//! those of OpenTelemetry's conventions for CI/CD and deployments where there are
//! any; promoter's own begin with `promoter.`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use opentelemetry::trace::SpanId;

use super::queue::Queue;
use super::span::{Open, Trace};
use crate::group::name::{CheckName, EnvironmentName, GroupName};
use crate::port::Recorder;
use crate::promotion::check::{CheckResult, Verdict};
use crate::promotion::event::news::News;
use crate::promotion::event::{Event, Fact};
use crate::promotion::id::PromotionId;
use crate::promotion::phase::Phase;
use crate::promotion::record::{Ending, Outcome};

/// Traces the promotions of one group.
pub struct Traces {
    queue: Queue,
    environment: EnvironmentName,
    group: GroupName,
    told: Mutex<Told>,
}

/// A group has one promotion at a time.
#[derive(Default)]
struct Told {
    news: News,
    current: Option<Traced>,
    /// It was told whole.
    last: Option<PromotionId>,
}

/// A promotion that has not ended.
struct Traced {
    promotion: PromotionId,
    trace: Trace,
    root: Open,
    phase: Option<Open>,
    hooks: BTreeSet<CheckName>,
    runs: BTreeMap<CheckName, Open>,
}

impl Traces {
    pub(super) fn new(queue: Queue, environment: EnvironmentName, group: GroupName) -> Self {
        Self {
            queue,
            environment,
            group,
            told: Mutex::default(),
        }
    }

    fn begin(&self, promotion: &PromotionId, at: Timestamp) -> Traced {
        let trace = Trace::of(&self.group, promotion);
        let root = Open::new(trace.root(), format!("RUN {}", self.group), None, at)
            .with("cicd.pipeline.action.name", "RUN")
            .with("cicd.pipeline.name", self.group.as_str())
            .with("cicd.pipeline.run.id", promotion.to_string())
            .with("deployment.environment.name", self.environment.as_str());
        Traced {
            promotion: promotion.clone(),
            trace,
            root,
            phase: None,
            hooks: BTreeSet::new(),
            runs: BTreeMap::new(),
        }
    }
}

#[async_trait]
impl Recorder for Traces {
    fn record(&self, event: Event) {
        let Some(promotion) = &event.promotion else {
            return;
        };
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.news.is(&event) || told.last.as_ref() == Some(promotion) {
            return;
        }
        if told.current.as_ref().map(|traced| &traced.promotion) != Some(promotion) {
            // One that somebody else has ended meanwhile is theirs to tell.
            told.current = Some(self.begin(promotion, event.at));
        }
        let Some(traced) = &mut told.current else {
            return;
        };
        if let Fact::Finished { outcome } = event.fact {
            traced.finish(&outcome, &self.queue);
            told.last = Some(outcome.promotion);
            told.current = None;
        } else {
            traced.note(event.at, event.fact, &self.queue);
        }
    }

    async fn flush(&self) {
        self.queue.flush().await;
    }
}

impl Traced {
    fn note(&mut self, at: Timestamp, fact: Fact, queue: &Queue) {
        match fact {
            Fact::Started {
                hooks,
                actor,
                release,
                ..
            } => {
                self.hooks = hooks.into_iter().collect();
                self.enter(Phase::Planned, at, queue);
                self.root.set("promoter.actor", actor.name);
                self.root.set("promoter.release", release.to_string());
            }
            Fact::Resumed { phase } => {
                // That it began was told again right before.
                self.phase
                    .take_if(|open| open.name == Phase::Planned.to_string());
                self.enter(phase, at, queue);
                let message = format!("it was left while {phase}, and is driven on");
                self.root.add("resumed", at, &message);
            }
            Fact::Entered { phase, .. } => self.enter(phase, at, queue),
            Fact::CheckStarted { check, attempt } => self.start(&check, attempt, at),
            Fact::CheckRepeated { check, reason } => {
                if let Some(mut run) = self.runs.remove(&check) {
                    run.set("cicd.pipeline.task.run.result", "error");
                    queue.add(run.end(self.trace, at, Some(reason)));
                }
            }
            Fact::CheckEnded { result } => self.check_ended(&result, at, queue),
            Fact::Waiting { wait_for, .. } => self.innermost().add("waiting", at, &wait_for),
            Fact::Warning { message } => self.innermost().add("warning", at, &message),
            Fact::Switched {
                services, color, ..
            } => {
                let message = format!("{services} Services point at {color}");
                self.innermost().add("switched", at, &message);
            }
            Fact::SwitchedBack => {
                let message = "the old colour serves again";
                self.innermost().add("switched-back", at, message);
            }
            Fact::Left { .. } => self.leave(at, None, queue),
            _ => {}
        }
    }

    /// The phase, or else the promotion.
    fn innermost(&mut self) -> &mut Open {
        self.phase.as_mut().unwrap_or(&mut self.root)
    }

    fn innermost_id(&self) -> SpanId {
        self.phase.as_ref().map_or(self.root.id, |phase| phase.id)
    }

    fn enter(&mut self, phase: Phase, at: Timestamp, queue: &Queue) {
        self.leave(at, None, queue);
        if phase.is_final() {
            return;
        }
        // What one promoter sees of a phase and what the next one does are two spans.
        let id = format!("phase {phase} {}", at.as_millisecond());
        let id = self.trace.span(&id);
        let open = Open::new(id, phase.to_string(), Some(self.root.id), at)
            .with("cicd.pipeline.task.name", phase.to_string())
            .with("cicd.pipeline.task.type", "deploy")
            .with("promoter.phase", phase.to_string());
        self.phase = Some(open);
    }

    fn leave(&mut self, at: Timestamp, wrong: Option<String>, queue: &Queue) {
        if let Some(phase) = self.phase.take() {
            queue.add(phase.end(self.trace, at, wrong));
        }
    }

    fn start(&mut self, check: &CheckName, attempt: u32, at: Timestamp) {
        let is_hook = self.hooks.contains(check);
        let (kind, of_type) = if is_hook {
            ("hook", "deploy")
        } else {
            ("check", "test")
        };
        let name = format!("{kind} {check}");
        let id = format!("run {check} {attempt}");
        let run = Open::new(self.trace.span(&id), name, Some(self.innermost_id()), at)
            .with("cicd.pipeline.task.name", check.as_str())
            .with("cicd.pipeline.task.run.id", format!("{check}-{attempt}"))
            .with("cicd.pipeline.task.type", of_type)
            .with("promoter.attempt", attempt.to_string());
        self.runs.insert(check.clone(), run);
    }

    fn check_ended(&mut self, result: &CheckResult, at: Timestamp, queue: &Queue) {
        if !self.runs.contains_key(&result.check) {
            // Somebody else saw it begin.
            let took = result.duration.unwrap_or(Duration::ZERO);
            let since = at.saturating_sub(took).unwrap_or(at);
            self.start(&result.check, result.attempt, since);
        }
        let Some(mut run) = self.runs.remove(&result.check) else {
            return;
        };
        let word = match result.verdict {
            Verdict::Passed => "success",
            Verdict::Failed => "failure",
            Verdict::Errored => "error",
            Verdict::TimedOut => "timeout",
        };
        run.set("cicd.pipeline.task.run.result", word);
        let passed = result.verdict == Verdict::Passed;
        let wrong = (!passed).then(|| result.reason.clone());
        queue.add(run.end(self.trace, at, wrong));
    }

    fn finish(&mut self, outcome: &Outcome, queue: &Queue) {
        let at = outcome.ended_at;
        for (_, mut run) in std::mem::take(&mut self.runs) {
            run.set("cicd.pipeline.task.run.result", "cancellation");
            let wrong = Some("the promotion ended before it".to_owned());
            queue.add(run.end(self.trace, at, wrong));
        }
        self.leave(at, None, queue);
        let ending = outcome.ending();
        let placeholder = Open::new(self.root.id, String::new(), None, at);
        let mut root = std::mem::replace(&mut self.root, placeholder);
        root.since = outcome.started_at;
        let trigger = serde_json::to_value(outcome.actor.trigger).unwrap_or_default();
        root.set("cicd.pipeline.result", result(ending));
        root.set("promoter.outcome", ending.word());
        root.set("promoter.trigger", trigger.as_str().unwrap_or_default());
        let reasons = outcome.reasons.iter().map(|reason| reason.text.as_str());
        let reasons: Vec<_> = reasons.collect();
        let wrong = (ending != Ending::Promoted)
            .then(|| format!("{}: {}", ending.word(), reasons.join("; ")));
        queue.add(root.end(self.trace, at, wrong));
    }
}

/// How a pipeline ended, in the words of the conventions.
fn result(ending: Ending) -> &'static str {
    match ending {
        Ending::Promoted => "success",
        Ending::Failed | Ending::RolledBack | Ending::Regressed | Ending::NotDeployed => "failure",
        Ending::Stopped | Ending::Held | Ending::Banned => "cancellation",
        Ending::AbortStuck | Ending::Errored | Ending::Refused => "error",
    }
}
