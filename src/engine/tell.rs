//! Telling what a promoter that was killed may have left untold.
//!
//! Facts are recorded first and told then; in between lies a moment in which a
//! promoter can die. So whoever takes over tells once more what is on record.
//! A consumer may hear a fact twice after a crash, but never misses one.

use super::drive::Drive;
use super::{Deployed, Engine, EngineError, needed_plans, started};
use crate::port::{ClusterError, Epoch};
use crate::promotion::Mark;
use crate::promotion::event::{Event, Fact};
use crate::promotion::observed::Observed;
use crate::promotion::phase::Phase;
use crate::promotion::record::{GroupRecord, Outcome};

impl Drive {
    /// Tells what is on record of a promotion that is taken over.
    pub(super) fn tell_taken_over(&self) {
        let promotion = &self.promotion;
        self.note_plan();
        self.emit(started(&self.plan, promotion));
        let phase = promotion.phase;
        self.emit(Fact::Resumed { phase });
        if let Some(plan) = self.replaced.as_ref().filter(|_| promotion.adopts) {
            let apps = plan.app_names();
            if promotion.marks.contains(&Mark::TakenOver) {
                self.emit(Fact::TakenOver { apps: apps.clone() });
            }
            if promotion.marks.contains(&Mark::GivenBack) {
                self.emit(Fact::GivenBack { apps });
            }
        }
        let repeated = promotion.attempts.iter().filter(|(_, run)| **run > 1);
        for check in repeated.map(|(check, _)| check.clone()) {
            let reason = "an earlier run gave no verdict".to_owned();
            self.emit(Fact::CheckRepeated { check, reason });
        }
        for result in promotion.results.clone() {
            self.emit(Fact::CheckEnded { result });
        }
        if promotion.returned_at.is_some() {
            self.emit(Fact::SwitchedBack);
        }
    }

    /// Tells of a switch that is seen, but was not told by this process: its
    /// answer was lost, or whoever made it was killed.
    pub(super) fn tell_switch_seen(&mut self, observed: &Observed) {
        let situation = self.situation(observed);
        let services = situation.plan.services().count();
        let is_seen = situation.promotion.phase == Phase::Promoting
            && services > 0
            && situation.switched() == Some(true);
        if is_seen && !self.reported.switched {
            self.tell_switched(services, None);
        }
    }

    /// Tells of the switch of so many Services.
    pub(super) fn tell_switched(&mut self, services: usize, skew: Option<std::time::Duration>) {
        self.reported.switched = true;
        let color = self.promotion.candidate;
        self.emit(Fact::Switched {
            services,
            color,
            skew,
        });
    }

    /// Tells how the promotion ended, as it is on record, and notes that it did.
    pub(super) async fn finish(&mut self) -> Result<Deployed, ClusterError> {
        let mut record = self.engine.ledger.read().await?;
        let recorded = record.outcomes.iter();
        let mut recorded = recorded.filter(|outcome| outcome.promotion == self.promotion.id);
        let outcome = recorded.next().cloned();
        let outcome = outcome
            .unwrap_or_else(|| Outcome::of(&self.promotion, &self.plan, self.engine.clock.now()));
        if !std::mem::replace(&mut self.reported.ended, true) {
            let outcome = Box::new(outcome.clone());
            self.emit(Fact::Finished { outcome });
            self.engine.recorder.flush().await;
        }
        match self.tidy(&mut record).await {
            // It has ended all the same; who has the lock now tidies up.
            Ok(()) | Err(ClusterError::Fenced) => {}
            Err(error) => return Err(error),
        }
        Ok(Deployed::Ended {
            outcome: Box::new(outcome),
            results: self.promotion.results.clone(),
        })
    }

    async fn tidy(&self, record: &mut GroupRecord) -> Result<(), ClusterError> {
        self.engine.note_told(self.epoch, record).await?;
        let needed = needed_plans(record);
        self.engine.ledger.forget_plans(self.epoch, &needed).await
    }
}

impl Engine {
    /// Tells of the end of a promotion whose promoter was killed before it could.
    pub(super) async fn tell_ended(
        &self,
        epoch: Epoch,
        record: &mut GroupRecord,
    ) -> Result<(), EngineError> {
        let outcomes = record.outcomes.iter();
        let untold = outcomes.filter(|outcome| record.untold.as_ref() == Some(&outcome.promotion));
        for outcome in untold {
            self.recorder.record(Event {
                at: outcome.ended_at,
                group: self.group.clone(),
                promotion: Some(outcome.promotion.clone()),
                fact: Fact::Finished {
                    outcome: Box::new(outcome.clone()),
                },
            });
        }
        self.recorder.flush().await;
        let noted = self.note_told(epoch, record).await;
        noted.map_err(EngineError::Cluster)
    }

    async fn note_told(&self, epoch: Epoch, record: &mut GroupRecord) -> Result<(), ClusterError> {
        if record.untold.take().is_none() {
            return Ok(());
        }
        self.ledger.write(epoch, record).await
    }
}
