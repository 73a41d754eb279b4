//! Driving on what somebody left, and nothing new: no group file is needed,
//! whatever was planned is in the cluster.

use tokio_util::sync::CancellationToken;

use super::drive::Drive;
use super::lock::Lock;
use super::{Deployed, Engine, EngineError};
use crate::promotion::event::Fact;
use crate::promotion::phase::Phase;
use crate::promotion::record::GroupRecord;
use crate::promotion::record::rebuild::is_lost;
use crate::promotion::request::Action;

/// What came of a resume.
#[derive(Debug, Clone, PartialEq)]
pub enum Resumed {
    /// Nothing was under way.
    Nothing(Box<GroupRecord>),
    /// What was under way went on.
    Driven(Deployed),
}

impl Engine {
    /// Drives the promotion under way to its end, if there is one, and puts
    /// right what of the serving colour somebody changed.
    ///
    /// # Errors
    /// Somebody else holds the lock, the plan of what is under way is gone, what
    /// serves cannot be told, or the cluster stopped answering.
    pub async fn resume(
        &self,
        actor: &str,
        stop: CancellationToken,
    ) -> Result<Resumed, EngineError> {
        let acquired = tokio::select! {
            acquired = self.lock(actor) => acquired,
            () = stop.cancelled() => return Ok(Resumed::Driven(Deployed::Stopped)),
        };
        let mut lock = acquired?;
        let resumed = self.resume_locked(&mut lock, stop).await;
        self.unlock(&lock).await;
        resumed
    }

    async fn resume_locked(
        &self,
        lock: &mut Lock,
        stop: CancellationToken,
    ) -> Result<Resumed, EngineError> {
        let driven = self
            .finish_unfinished(lock, stop.clone(), async || false)
            .await?;
        if !stop.is_cancelled() {
            self.mend_serving(lock).await?;
        }
        if let Some(deployed) = driven {
            return Ok(Resumed::Driven(deployed));
        }
        match self.give_back_left(lock).await {
            Err(error @ EngineError::CandidateLeft { .. }) => {
                let message = error.to_string();
                self.record(None, Fact::Warning { message });
            }
            given_back => drop(given_back?),
        }
        let record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        if is_lost(&record) {
            let observed = self.cluster.observe().await.map_err(EngineError::Cluster)?;
            if observed.deployments.iter().any(|d| !d.deleting) {
                return Err(EngineError::Unknown);
            }
        }
        Ok(Resumed::Nothing(Box::new(record)))
    }

    /// Drives a promotion on that its promoter left, whoever that was. While
    /// it settles, `has_work` says whether a new one waits for it to end.
    pub(super) async fn finish_unfinished(
        &self,
        lock: &mut Lock,
        stop: CancellationToken,
        has_work: impl AsyncFnOnce() -> bool,
    ) -> Result<Option<Deployed>, EngineError> {
        let mut record = self.record_or_rebuilt(lock).await?;
        if let Some(by) = record.removing {
            return Err(EngineError::Removing { by });
        }
        self.tell_ended(lock.epoch, &mut record).await?;
        let Some(mut promotion) = record.in_flight else {
            return Ok(None);
        };
        let plan = self.stored_plan(&promotion, &promotion.plan).await?;
        let replaced = match &promotion.replaces {
            Some(serving) => Some(self.stored_plan(&promotion, &serving.plan).await?),
            None => None,
        };
        if promotion.phase == Phase::Settling {
            let observed = self.cluster.observe().await.map_err(EngineError::Cluster)?;
            // Who wants to go back is not led forward first.
            let request = observed.request.as_ref();
            if !request.is_some_and(|request| request.is_for(Action::Rollback, &promotion.id)) {
                self.mend(lock.epoch, &plan, &observed).await?;
            }
        }
        if matches!(promotion.phase, Phase::Settling | Phase::Aborting) {
            promotion.hurry = tokio::select! {
                has_work = has_work() => has_work,
                () = stop.cancelled() => false,
            };
        }
        promotion.take_over(self.clock.now());
        let mut drive = Drive::new(self.clone(), lock.epoch, plan, replaced, promotion);
        drive.tell_taken_over();
        self.see_through(lock, &mut drive, stop).await.map(Some)
    }
}
