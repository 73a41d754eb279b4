//! Having the group's lock: waiting for one that may be abandoned, and taking
//! the own one back after the cluster was silent for too long.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::drive::Drive;
use super::{Deployed, Engine, EngineError};
use crate::port::{ClusterError, Epoch, LockError};
use crate::promotion::event::Fact;
use crate::promotion::id::PromotionId;
use crate::promotion::record::rebuild::is_lost;

/// Pause before the lock is asked for again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a cluster may not answer before its lock is not asked for any more.
const PATIENCE: Duration = Duration::from_mins(1);

/// The group's lock, as this process has it now.
#[derive(Debug, Clone)]
pub(super) struct Lock {
    /// For whom.
    pub(super) holder: String,
    /// Its present epoch; a lock that was taken back has another one.
    pub(super) epoch: Epoch,
}

impl Engine {
    /// Takes the lock; waits while its holder may be gone and says so.
    pub(super) async fn lock(&self, holder: &str) -> Result<Lock, LockError> {
        let mut told = false;
        loop {
            match self.ledger.acquire(holder).await {
                Ok(epoch) => {
                    return Ok(Lock {
                        holder: holder.to_owned(),
                        epoch,
                    });
                }
                Err(LockError::Held {
                    holder,
                    alive: false,
                    ..
                }) => {
                    if !std::mem::replace(&mut told, true) {
                        self.record(None, Fact::LockAwaited { holder });
                    }
                }
                Err(error) => return Err(error),
            }
            self.pause().await;
        }
    }

    /// As [`Engine::lock`], unless it is stopped before. Watches begin meanwhile;
    /// they are believed once they show the stamps of the lock.
    pub(super) async fn lock_and_look(
        &self,
        holder: &str,
        stop: &CancellationToken,
    ) -> Result<Option<Lock>, LockError> {
        let locking = async {
            tokio::select! {
                lock = self.lock(holder) => lock.map(Some),
                () = stop.cancelled() => Ok(None),
            }
        };
        // Whoever looks next is told what is wrong.
        let watching = async {
            tokio::select! {
                _ = self.cluster.observe() => {}
                () = stop.cancelled() => {}
            }
            Ok(())
        };
        let (lock, ()) = tokio::try_join!(locking, watching)?;
        Ok(lock)
    }

    /// Gives the lock back.
    pub(super) async fn unlock(&self, lock: &Lock) {
        if let Err(error) = self.ledger.release(lock.epoch).await {
            // The lock runs out by itself; what was done counts.
            tracing::warn!(%error, "failed to give the group's lock back");
        }
        self.recorder.flush().await;
    }

    /// Drives a promotion to its end. A lock that was only lost because the
    /// cluster did not answer is taken again, unless somebody else has it.
    pub(super) async fn see_through(
        &self,
        lock: &mut Lock,
        drive: &mut Drive,
        stop: CancellationToken,
    ) -> Result<Deployed, EngineError> {
        loop {
            match drive.run(stop.clone()).await {
                Err(EngineError::Cluster(ClusterError::Fenced)) => {
                    if let Some(ended) = self.take_back(lock, drive, &stop).await? {
                        return Ok(ended);
                    }
                }
                ended => return ended,
            }
        }
    }

    /// Under the new epoch the promotion goes on from where the record says;
    /// that may be at its end, if only the answer to that did not arrive.
    async fn take_back(
        &self,
        lock: &mut Lock,
        drive: &mut Drive,
        stop: &CancellationToken,
    ) -> Result<Option<Deployed>, EngineError> {
        let fenced = || EngineError::Cluster(ClusterError::Fenced);
        let lost_at = self.clock.now();
        let until = lost_at.saturating_add(PATIENCE).unwrap_or(lost_at);
        lock.epoch = loop {
            match self.ledger.acquire(&lock.holder).await {
                Ok(epoch) => break epoch,
                // Somebody wrote at the same moment, or it took too long to be of use.
                Err(LockError::Cluster(
                    ClusterError::Unreachable { .. }
                    | ClusterError::Moved { .. }
                    | ClusterError::Fenced,
                )) if self.clock.now() < until && !stop.is_cancelled() => {
                    let what = "the cluster to answer, to have the group's lock again";
                    drive.tell_wait(what.to_owned(), until);
                }
                Err(LockError::Cluster(error)) => return Err(EngineError::Cluster(error)),
                Err(LockError::Held { holder, .. }) => {
                    return Err(EngineError::LockLost { holder });
                }
            }
            self.pause().await;
        };
        let mut record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        if is_lost(&record) {
            // Somebody deleted it, and nobody but this process knows what it said.
            let written = drive.record_again(lock.epoch).await;
            record = written.map_err(EngineError::Cluster)?.unwrap_or(record);
        }
        let is_ours = |id: &PromotionId| *id == drive.promotion.id;
        if record.outcomes.iter().any(|o| is_ours(&o.promotion)) {
            drive.epoch = lock.epoch;
            return drive.finish().await.map(Some).map_err(EngineError::Cluster);
        }
        let ours = record.in_flight.filter(|promotion| is_ours(&promotion.id));
        drive.take_up(lock.epoch, ours.ok_or_else(fenced)?, lost_at);
        Ok(None)
    }

    pub(super) async fn pause(&self) {
        self.sleep(PAUSE).await;
    }

    pub(super) async fn sleep(&self, pause: Duration) {
        let now = self.clock.now();
        let later = now.saturating_add(pause).unwrap_or(now);
        self.clock.sleep_until(later).await;
    }
}
