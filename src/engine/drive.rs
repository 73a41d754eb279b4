//! The loop: observe, ask what to do now, perform, record.

mod recording;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::output::Output;
use super::report::Reported;
use super::sightings::Sightings;
use super::{Deployed, Engine, EngineError, OnStop, started};
use crate::group::name::CheckName;
use crate::plan::Plan;
use crate::plan::label;
use crate::port::{ClusterError, Epoch};
use crate::promotion::event::Fact;
use crate::promotion::later;
use crate::promotion::next::{Next, Situation, next};
use crate::promotion::observed::Observed;
use crate::promotion::phase::Phase;
use crate::promotion::record::Met;
use crate::promotion::{Promotion, Reason, ReasonKind};

/// A wait that lasts longer is put on record, so that everybody sees it.
const LONG_WAIT: Duration = Duration::from_secs(2);
/// How long it stays there as it is: in a large group, what is waited for changes
/// all the time.
const NOTED_FOR: Duration = Duration::from_secs(10);
/// How long a cluster may not answer before the promotion is left to be resumed.
const PATIENCE: Duration = Duration::from_mins(1);

/// How many times as long as thinking over a look took nobody looks again.
const PAUSE: u32 = 8;
/// The longest of these pauses.
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// One promotion being driven, under one epoch of the lock.
pub(super) struct Drive {
    pub(super) engine: Engine,
    pub(super) epoch: Epoch,
    pub(super) plan: Plan,
    pub(super) replaced: Option<Plan>,
    pub(super) promotion: Promotion,
    pub(super) detach: bool,
    /// The moment of the schedule that it meets, from its first record on.
    pub(super) meets: Option<Met>,
    /// What checks wrote so far.
    pub(super) outputs: BTreeMap<CheckName, Output>,
    /// The promotion as it is on record.
    recorded: Promotion,
    /// When it was put there.
    recorded_at: Timestamp,
    /// What is told once it is on record.
    untold: Vec<Fact>,
    recorded_astray: Vec<String>,
    pub(super) reported: Reported,
    sightings: Sightings,
    wait: Wait,
    /// Why the last step was not answered, until one is.
    unanswered: Option<String>,
    /// Since when logs cannot be read.
    pub(super) unreadable_since: Option<Timestamp>,
}

/// What is waited for, and from when on that is worth a note.
#[derive(Debug, Default)]
struct Wait {
    what: String,
    noted_from: Option<Timestamp>,
}

/// When to look again at the earliest, after what was seen was thought over from
/// one time to another: a large group changes all the time, and whoever looked at
/// every change would take from the API server what it needs to make them.
fn look_again_at(begun: Timestamp, ended: Timestamp) -> Timestamp {
    let took = ended.duration_since(begun).unsigned_abs();
    let pause = (took * PAUSE).min(LONGEST_PAUSE);
    ended.saturating_add(pause).unwrap_or(ended)
}

impl Drive {
    pub(super) fn new(
        engine: Engine,
        epoch: Epoch,
        plan: Plan,
        replaced: Option<Plan>,
        promotion: Promotion,
    ) -> Self {
        Self {
            recorded_at: engine.clock.now(),
            engine,
            epoch,
            plan,
            replaced,
            recorded: promotion.clone(),
            untold: Vec::new(),
            promotion,
            detach: false,
            meets: None,
            outputs: BTreeMap::new(),
            recorded_astray: Vec::new(),
            reported: Reported::default(),
            sightings: Sightings::default(),
            wait: Wait::default(),
            unanswered: None,
            unreadable_since: None,
        }
    }

    /// Keeps the plan, and that of what is adopted. That the promotion begins is on
    /// record before its first side effect.
    pub(super) async fn record_start(&mut self) -> Result<(), EngineError> {
        // What is adopted has not been promoted, so that nobody kept its plan yet.
        let adopted = self.replaced.iter().filter(|_| self.promotion.adopts);
        for plan in adopted.chain([&self.plan]) {
            let stored = self.engine.ledger.store_plan(self.epoch, plan).await;
            stored.map_err(EngineError::Cluster)?;
        }
        self.untold.push(started(&self.plan, &self.promotion));
        let overrides = self.promotion.overrides.clone();
        self.untold
            .extend(overrides.map(|overrides| Fact::Overridden {
                actor: self.promotion.actor.clone(),
                overrides,
            }));
        self.enter(Phase::Deploying, Vec::new());
        Ok(())
    }

    /// Goes on under another epoch of the lock, from what is on record. Results
    /// are kept in full where this process has them. Deadlines move by the time
    /// since the lock was lost and no further: a step that is never answered
    /// loses it again and again.
    pub(super) fn take_up(&mut self, epoch: Epoch, recorded: Promotion, lost_at: Timestamp) {
        let now = self.engine.clock.now();
        let full = std::mem::take(&mut self.promotion.results);
        let since = self.promotion.driven_since();
        self.epoch = epoch;
        self.promotion = recorded;
        self.promotion.take_over(now);
        let moved = since.saturating_add(now.duration_since(lost_at));
        self.promotion.resumed_at = Some(moved.unwrap_or(now).min(now));
        for result in &mut self.promotion.results {
            let same = full.iter().find(|kept| kept.is_of_run(result));
            if let Some(kept) = same {
                result.clone_from(kept);
            }
        }
        self.recorded.clone_from(&self.promotion);
        self.untold.clear();
        self.tell_taken_over();
    }

    /// Drives to the end, or to the switch if detached.
    pub(super) async fn run(&mut self, stop: CancellationToken) -> Result<Deployed, EngineError> {
        let mut silent_since = None;
        loop {
            match self.turn(&stop).await {
                Ok(None) => silent_since = None,
                Ok(Some(deployed)) => return Ok(deployed),
                Err(error @ (ClusterError::Unreachable { .. } | ClusterError::Moved { .. })) => {
                    let now = self.engine.clock.now();
                    let since = *silent_since.get_or_insert(now);
                    if now.duration_since(since).unsigned_abs() > PATIENCE {
                        return Err(EngineError::Cluster(error));
                    }
                    self.emit(Fact::Warning {
                        message: format!("{error}; trying again"),
                    });
                    self.engine.pause().await;
                }
                Err(error) => return Err(EngineError::Cluster(error)),
            }
        }
    }

    async fn turn(&mut self, stop: &CancellationToken) -> Result<Option<Deployed>, ClusterError> {
        let mut observed = self.look().await?;
        let begun = self.engine.clock.now();
        self.sightings.date(&mut observed, begun);
        self.report(&observed);
        self.follow_checks(&observed);
        let was_stopped = stop.is_cancelled();
        if was_stopped && self.stop(&observed) {
            self.leave().await?;
            return Ok(Some(Deployed::Unfinished(self.promotion.id.clone())));
        }
        let next = next(self.situation(&observed));
        let again_at = look_again_at(begun, self.engine.clock.now());
        match next {
            Next::End => {
                self.put_on_record().await?;
                return self.finish().await.map(Some);
            }
            Next::Enter {
                phase,
                mut reasons,
                tested,
            } => {
                if self.promotion.phase == Phase::Deploying {
                    self.add_last_lines(&mut reasons, &observed).await;
                }
                // The way back does not wait for an answer.
                if phase == Phase::Aborting && self.promotion.phase != Phase::Settling {
                    self.add_namespace(&mut reasons).await;
                }
                // Late because of what was not answered.
                let is_late = self.situation(&observed).is_overdue();
                if is_late && !reasons.is_empty() {
                    let unanswered = self.unanswered.take();
                    let reason = |text| Reason::new(ReasonKind::Apply, text);
                    reasons.extend(unanswered.map(reason));
                }
                self.promotion.tested.extend(tested);
                self.enter(phase, reasons);
                if self.detach && phase == Phase::Settling {
                    self.leave().await?;
                    return Ok(Some(Deployed::Detached(self.promotion.id.clone())));
                }
            }
            Next::Do(change) => {
                // Steps that record more before they act record it all at once.
                if !change.records_itself() {
                    self.put_on_record().await?;
                }
                match self.perform(change, &observed).await {
                    Ok(()) => self.unanswered = None,
                    Err(error) => self.step_failed(error, &observed).await?,
                }
            }
            Next::Wait { wait_for, until } => {
                let later = self.may_record_later();
                if later.is_none() {
                    self.put_on_record().await?;
                }
                self.tell_wait(wait_for, until);
                let until = later.map_or(until, |later| until.min(later));
                let noted_from = self.wait.noted_from.unwrap_or(until);
                let is_noted = self.is_noted();
                tokio::select! {
                    // What changes all the time must not keep the wait from being noted.
                    biased;
                    () = stop.cancelled(), if !was_stopped => {}
                    () = self.engine.clock.sleep_until(noted_from), if !is_noted => {
                        self.note_wait().await?;
                    }
                    () = self.engine.clock.sleep_until(until) => {}
                    () = self.engine.cluster.changed() => {
                        self.engine.clock.sleep_until(again_at).await;
                    }
                }
            }
        }
        Ok(None)
    }

    /// Tells what is waited for, once.
    pub(super) fn tell_wait(&mut self, wait_for: String, until: Timestamp) {
        if self.wait.what != wait_for {
            self.wait.what.clone_from(&wait_for);
            let soon = self.in_the_future(LONG_WAIT);
            self.wait.noted_from.get_or_insert(soon);
            self.emit(Fact::Waiting { wait_for, until });
        }
    }

    /// Whether the record says what is waited for, and what is astray.
    fn is_noted(&self) -> bool {
        self.promotion.waits_for.as_ref() == Some(&self.wait.what)
            && self.recorded_astray == self.reported.astray
    }

    /// Notes the wait if that is due; for steps that come to nothing yet.
    pub(super) async fn note_long_wait(&mut self) -> Result<(), ClusterError> {
        let now = self.engine.clock.now();
        let is_due = self.wait.noted_from.is_some_and(|from| from <= now);
        if is_due && !self.is_noted() {
            self.note_wait().await?;
        }
        Ok(())
    }

    /// Lets everybody see what has been waited for for a while.
    async fn note_wait(&mut self) -> Result<(), ClusterError> {
        self.promotion.waits_for = Some(self.wait.what.clone());
        self.wait.noted_from = Some(self.in_the_future(NOTED_FOR));
        self.checkpoint().await
    }

    fn in_the_future(&self, duration: Duration) -> Timestamp {
        later(self.engine.clock.now(), duration)
    }

    /// A person stops it: before the switch it is aborted, after it the rest
    /// is left to the next promoter. A process that goes leaves it as it is. Says
    /// whether to return now.
    fn stop(&mut self, observed: &Observed) -> bool {
        if self.engine.on_stop == OnStop::Leave {
            return !self.promotion.phase.is_final();
        }
        if self.situation(observed).hook_under_way().is_some() {
            // It comes to its end first.
            return false;
        }
        match self.promotion.phase {
            Phase::Promoting if self.situation(observed).is_past_return() => true,
            Phase::Planned | Phase::Deploying | Phase::Checking | Phase::Promoting => {
                let reason = Reason::new(ReasonKind::Interrupted, "stopped by a person");
                self.enter(Phase::Aborting, vec![reason]);
                false
            }
            Phase::Settling => true,
            Phase::Aborting => {
                // What stays to be looked at does not any longer.
                self.promotion.hurry = true;
                false
            }
            Phase::Promoted | Phase::Aborted | Phase::Failed => false,
        }
    }

    /// Leaves it to the next promoter.
    async fn leave(&mut self) -> Result<(), ClusterError> {
        self.put_on_record().await?;
        let phase = self.promotion.phase;
        self.emit(Fact::Left { phase });
        Ok(())
    }

    /// What the cluster refuses on the way in aborts; on the way out it is
    /// tried again until the phase's deadline.
    ///
    /// What was asked for without an answer may still arrive, and then undo
    /// what was done meanwhile. So it goes on under another epoch, which
    /// everything that is late is refused for.
    async fn step_failed(
        &mut self,
        error: ClusterError,
        observed: &Observed,
    ) -> Result<(), ClusterError> {
        match error {
            ClusterError::Fenced => return Err(error),
            ClusterError::Unreachable { .. } => {
                let text = error.to_string();
                if self.unanswered.as_ref() != Some(&text) {
                    let message = format!("{text}; trying again");
                    self.emit(Fact::Warning { message });
                    self.unanswered = Some(text);
                }
                self.engine.pause().await;
                return Err(ClusterError::Fenced);
            }
            _ => {}
        }
        let must_go_on = match self.promotion.phase {
            Phase::Aborting | Phase::Settling => true,
            Phase::Promoting => self.situation(observed).is_past_return(),
            _ => false,
        };
        if !must_go_on {
            let reason = Reason::new(ReasonKind::Apply, error.to_string());
            self.enter(Phase::Aborting, vec![reason]);
            return Ok(());
        }
        let again = Some(format!("another try: {error}"));
        if self.promotion.waits_for != again {
            let message = format!("{error}; trying again");
            self.emit(Fact::Warning { message });
            self.promotion.waits_for = again;
        }
        self.engine.pause().await;
        Ok(())
    }

    /// Moves to another phase. It is on record before anything happens in it.
    fn enter(&mut self, phase: Phase, reasons: Vec<Reason>) {
        self.wait = Wait::default();
        self.promotion
            .enter(phase, reasons.clone(), self.engine.clock.now());
        self.untold.push(Fact::Entered { phase, reasons });
    }

    /// What the promotion is judged by now.
    pub(super) fn situation<'a>(&'a self, observed: &'a Observed) -> Situation<'a> {
        Situation {
            plan: &self.plan,
            replaced: self.replaced.as_ref(),
            promotion: &self.promotion,
            observed,
            now: self.engine.clock.now(),
        }
    }

    fn report(&mut self, observed: &Observed) {
        for fact in self.reported.news(&self.promotion, observed) {
            self.emit(fact);
        }
        let astray = self.situation(observed).astray();
        if let Some(found) = self.reported.astray(astray) {
            // Worth a note of its own, whatever else is waited for.
            self.wait.noted_from = Some(self.engine.clock.now());
            self.emit(Fact::Astray { found });
        }
        self.tell_switch_seen(observed);
    }

    pub(super) fn emit(&self, fact: Fact) {
        self.engine.record(Some(&self.promotion.id), fact);
    }

    /// Marks an object with the promotion that makes it.
    pub(super) fn stamp(&self, object: &mut crate::plan::object::Object) {
        object.set_label(label::PROMOTION, self.promotion.id.as_ref());
    }
}
