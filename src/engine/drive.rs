//! The loop: observe, ask what to do now, perform, record.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::check::Output;
use super::report::Reported;
use super::{Deployed, Engine, EngineError, needed_plans, started};
use crate::group::name::CheckName;
use crate::plan::Plan;
use crate::plan::label;
use crate::port::{ClusterError, Epoch};
use crate::promotion::event::Fact;
use crate::promotion::next::{Next, Situation, next};
use crate::promotion::observed::Observed;
use crate::promotion::phase::Phase;
use crate::promotion::record::{GroupRecord, Outcome};
use crate::promotion::{Promotion, Reason, ReasonKind};

/// Pause before something is tried again that the cluster did not take.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a cluster may not answer before the promotion is left to be resumed.
const PATIENCE: Duration = Duration::from_mins(1);

/// One promotion being driven, under one epoch of the lock.
pub(super) struct Drive {
    pub(super) engine: Engine,
    pub(super) epoch: Epoch,
    pub(super) plan: Plan,
    pub(super) replaced: Option<Plan>,
    pub(super) promotion: Promotion,
    pub(super) detach: bool,
    /// What checks wrote so far.
    pub(super) outputs: BTreeMap<CheckName, Output>,
    /// The promotion as it is on record.
    recorded: Promotion,
    reported: Reported,
    waiting_for: String,
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
            engine,
            epoch,
            plan,
            replaced,
            recorded: promotion.clone(),
            promotion,
            detach: false,
            outputs: BTreeMap::new(),
            reported: Reported::default(),
            waiting_for: String::new(),
        }
    }

    /// Records plan and intent, before the first side effect.
    pub(super) async fn record_start(&mut self) -> Result<(), EngineError> {
        let stored = self.engine.ledger.store_plan(self.epoch, &self.plan).await;
        stored.map_err(EngineError::Cluster)?;
        self.checkpoint().await.map_err(EngineError::Cluster)?;
        self.emit(started(&self.plan, &self.promotion));
        Ok(())
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
                    self.pause().await;
                }
                Err(error) => return Err(EngineError::Cluster(error)),
            }
        }
    }

    async fn turn(&mut self, stop: &CancellationToken) -> Result<Option<Deployed>, ClusterError> {
        let observed = self.engine.cluster.observe().await?;
        self.report(&observed);
        self.follow_checks(&observed);
        if stop.is_cancelled() && self.stop().await? {
            return Ok(Some(Deployed::Detached(self.promotion.id.clone())));
        }
        let situation = Situation {
            plan: &self.plan,
            replaced: self.replaced.as_ref(),
            promotion: &self.promotion,
            observed: &observed,
            now: self.engine.clock.now(),
        };
        match next(situation) {
            Next::End => return self.finish().await.map(Some),
            Next::Enter {
                phase,
                mut reasons,
                tested,
            } => {
                if self.promotion.phase == Phase::Deploying {
                    self.add_last_lines(&mut reasons, &observed).await;
                }
                self.promotion.tested.extend(tested);
                self.enter(phase, reasons).await?;
                if self.detach && phase == Phase::Settling {
                    return Ok(Some(Deployed::Detached(self.promotion.id.clone())));
                }
            }
            Next::Do(change) => {
                if let Err(error) = self.perform(change, &observed).await {
                    self.step_failed(error).await?;
                }
            }
            Next::Wait { wait_for, until } => {
                if self.waiting_for != wait_for {
                    self.waiting_for.clone_from(&wait_for);
                    self.emit(Fact::Waiting { wait_for, until });
                }
                tokio::select! {
                    () = self.engine.cluster.changed() => {}
                    () = self.engine.clock.sleep_until(until) => {}
                    () = stop.cancelled(), if !self.is_stopped() => {}
                }
            }
        }
        Ok(None)
    }

    /// A person stops it: before the switch it is aborted, after it the rest
    /// is left to the next promoter. Says whether to return now.
    async fn stop(&mut self) -> Result<bool, ClusterError> {
        match self.promotion.phase {
            Phase::Planned | Phase::Deploying | Phase::Checking | Phase::Promoting => {
                let reason = Reason::new(ReasonKind::Interrupted, "stopped by a person");
                self.enter(Phase::Aborting, vec![reason]).await?;
                Ok(false)
            }
            Phase::Settling => Ok(true),
            Phase::Aborting | Phase::Promoted | Phase::Aborted | Phase::Failed => Ok(false),
        }
    }

    /// Whether a stop was already turned into an abort.
    fn is_stopped(&self) -> bool {
        self.promotion
            .reasons
            .iter()
            .any(|reason| reason.kind == ReasonKind::Interrupted)
            || self.promotion.phase == Phase::Aborting
    }

    /// What the cluster refuses on the way in aborts; on the way out it is
    /// tried again until the phase's deadline.
    async fn step_failed(&mut self, error: ClusterError) -> Result<(), ClusterError> {
        match error {
            ClusterError::Fenced | ClusterError::Unreachable { .. } => return Err(error),
            _ => {}
        }
        match self.promotion.phase {
            Phase::Aborting | Phase::Settling => {
                self.emit(Fact::Warning {
                    message: format!("{error}; trying again"),
                });
                self.pause().await;
                Ok(())
            }
            _ => {
                self.enter(
                    Phase::Aborting,
                    vec![Reason::new(ReasonKind::Apply, error.to_string())],
                )
                .await
            }
        }
    }

    async fn enter(&mut self, phase: Phase, reasons: Vec<Reason>) -> Result<(), ClusterError> {
        self.promotion
            .enter(phase, reasons.clone(), self.engine.clock.now());
        self.checkpoint().await?;
        self.emit(Fact::Entered { phase, reasons });
        Ok(())
    }

    /// Writes where the promotion stands. What cannot be recorded is taken
    /// back: nothing may follow from what is not on record.
    pub(super) async fn checkpoint(&mut self) -> Result<(), ClusterError> {
        let written = self.write_record().await;
        if written.is_ok() {
            self.recorded.clone_from(&self.promotion);
        } else {
            self.promotion.clone_from(&self.recorded);
        }
        written
    }

    async fn write_record(&self) -> Result<(), ClusterError> {
        let mut record: GroupRecord = self.engine.ledger.read().await?;
        record.take(&self.promotion, &self.plan, self.engine.clock.now());
        self.engine.ledger.write(self.epoch, &record).await
    }

    async fn finish(&mut self) -> Result<Deployed, ClusterError> {
        let record = self.engine.ledger.read().await?;
        self.engine
            .ledger
            .forget_plans(self.epoch, &needed_plans(&record))
            .await?;
        let outcome = Outcome::of(&self.promotion, &self.plan, self.engine.clock.now());
        self.emit(Fact::Finished {
            outcome: Box::new(outcome.clone()),
        });
        Ok(Deployed::Ended {
            outcome: Box::new(outcome),
            results: self.promotion.results.clone(),
        })
    }

    async fn pause(&self) {
        let now = self.engine.clock.now();
        let later = now.saturating_add(PAUSE).unwrap_or(now);
        self.engine.clock.sleep_until(later).await;
    }

    fn report(&mut self, observed: &Observed) {
        for fact in self.reported.news(&self.promotion, observed) {
            self.emit(fact);
        }
    }

    pub(super) fn emit(&self, fact: Fact) {
        self.engine
            .record(&self.plan.group, &self.promotion.id, fact);
    }

    /// Marks an object with the promotion that makes it.
    pub(super) fn stamp(&self, object: &mut crate::plan::object::Object) {
        object.set_label(label::PROMOTION, self.promotion.id.as_ref());
    }
}
