//! Back to what served before, while it still stands: only inside `keep_old`.
//!
//! Whoever drives the promotion does it. If nobody does, this process takes
//! the lock and drives.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Deployed, Engine, EngineError};
use crate::port::LockError;
use crate::promotion::Promotion;
use crate::promotion::event::Fact;
use crate::promotion::id::PromotionId;
use crate::promotion::record::rebuild::is_lost;
use crate::promotion::record::{GroupRecord, Outcome};
use crate::promotion::request::{Action, Request};

/// Pause between two looks at what another promoter does.
const PAUSE: Duration = Duration::from_millis(250);
/// How long the promoter that holds the lock may take to react: a step may be
/// under way, and takes no longer than its hold of the lock lasts.
const REACTION: Duration = Duration::from_secs(15);

/// What came of a rollback.
#[derive(Debug, Clone, PartialEq)]
pub enum RolledBack {
    /// The promotion has ended; its outcome says how.
    Ended(Box<Outcome>),
    /// A person stopped it; what was begun goes on with the next promoter.
    Stopped,
    /// Whoever drives the promotion cannot go back.
    Refused {
        /// The promotion.
        promotion: PromotionId,
        /// What it says that it does instead.
        why: String,
    },
    /// Nothing is inside its `keep_old`; this is the record that says so.
    NothingToReturnTo(Box<GroupRecord>),
}

/// What the holder of the lock makes of the request.
enum Reaction {
    /// It came to an end.
    Done(RolledBack),
    /// It is on its way.
    Begun,
    /// Nothing yet.
    None,
}

/// What was told already.
#[derive(Default)]
struct Told {
    asked: bool,
    lock_awaited: bool,
    returned: bool,
}

impl Engine {
    /// Moves traffic back to what served before the promotion that settles now.
    ///
    /// # Errors
    /// The promoter that holds the lock does not react, the plan of what is
    /// under way is gone, or the cluster stopped answering.
    pub async fn rollback(
        &self,
        actor: &str,
        stop: CancellationToken,
    ) -> Result<RolledBack, EngineError> {
        let mut record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        if is_lost(&record) {
            let observed = self.cluster.observe().await;
            let observed = observed.map_err(EngineError::Cluster)?;
            if !observed.deployments.is_empty() {
                record = self.find_again(actor).await?;
            }
        }
        let Some(settling) = record
            .in_flight
            .as_ref()
            .filter(|promotion| promotion.phase.leads_users() && promotion.replaces.is_some())
        else {
            return Ok(RolledBack::NothingToReturnTo(Box::new(record)));
        };
        let promotion = settling.id.clone();
        let request = Request {
            promotion: promotion.clone(),
            action: Action::Rollback,
            actor: actor.to_owned(),
            at: self.clock.now(),
        };
        let put = self.ledger.request(&request).await;
        put.map_err(EngineError::Cluster)?;
        let mut told = Told::default();
        let mut ignored = false;
        loop {
            let (holder, alive) = match self.ledger.acquire(actor).await {
                Ok(epoch) => {
                    let holder = actor.to_owned();
                    let mut lock = super::lock::Lock { holder, epoch };
                    return self.drive_back(&mut lock, &promotion, stop).await;
                }
                Err(error @ LockError::Held { alive: true, .. }) if ignored => {
                    // What is refused must not come about later.
                    let withdrawn = self.ledger.withdraw(&request).await;
                    withdrawn.map_err(EngineError::Cluster)?;
                    match self.standing(&promotion).await? {
                        Some(standing) if standing.phase.leads_users() => {
                            let refused = |why| Ok(RolledBack::Refused { promotion, why });
                            return standing.waits_for.map_or(Err(error.into()), refused);
                        }
                        // It was taken up at the last moment.
                        Some(_) => ignored = false,
                        None => return self.ended(&promotion).await,
                    }
                    continue;
                }
                Err(LockError::Held { holder, alive, .. }) => (holder, alive),
                Err(error) => return Err(error.into()),
            };
            if !std::mem::replace(&mut told.asked, true) {
                let promotion = promotion.clone();
                let holder = holder.clone();
                self.record(None, Fact::ReturnAsked { promotion, holder });
            }
            let reaction = self.await_reaction(&promotion, &mut told, &stop).await?;
            match reaction {
                Reaction::Done(rolled_back) => return Ok(rolled_back),
                // It does it, unless it died meanwhile: the lock tells.
                Reaction::Begun => {}
                Reaction::None => ignored = true,
            }
            if !alive && !std::mem::replace(&mut told.lock_awaited, true) {
                self.record(None, Fact::LockAwaited { holder });
            }
        }
    }

    /// The record of a group that stands and has none, as far as it can be
    /// put together again.
    async fn find_again(&self, actor: &str) -> Result<GroupRecord, EngineError> {
        let lock = self.lock(actor).await?;
        let record = self.record_or_rebuilt(&lock).await;
        self.unlock(&lock).await;
        record
    }

    /// Nobody else drives it, so this process does.
    async fn drive_back(
        &self,
        lock: &mut super::lock::Lock,
        promotion: &PromotionId,
        stop: CancellationToken,
    ) -> Result<RolledBack, EngineError> {
        let driven = self.finish_unfinished(lock, stop, async || false).await;
        self.unlock(lock).await;
        match driven? {
            Some(Deployed::Ended { outcome, .. }) => Ok(RolledBack::Ended(outcome)),
            Some(_) => Ok(RolledBack::Stopped),
            None => self.ended(promotion).await,
        }
    }

    /// Follows for a while what the holder of the lock does with the request.
    async fn await_reaction(
        &self,
        promotion: &PromotionId,
        told: &mut Told,
        stop: &CancellationToken,
    ) -> Result<Reaction, EngineError> {
        let asked = self.clock.now();
        loop {
            let Some(under_way) = self.standing(promotion).await? else {
                return self.ended(promotion).await.map(Reaction::Done);
            };
            if under_way.returned_at.is_some() && !std::mem::replace(&mut told.returned, true) {
                let color = under_way.candidate.other();
                self.record(None, Fact::ReturnSeen { color });
            }
            if stop.is_cancelled() {
                return Ok(Reaction::Done(RolledBack::Stopped));
            }
            let waited = self.clock.now().duration_since(asked).unsigned_abs();
            if waited > REACTION {
                return Ok(if under_way.phase.leads_users() {
                    Reaction::None
                } else {
                    Reaction::Begun
                });
            }
            self.sleep(PAUSE).await;
        }
    }

    /// Where the promotion stands, if it is still under way.
    async fn standing(&self, promotion: &PromotionId) -> Result<Option<Promotion>, EngineError> {
        let record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        Ok(record.in_flight.filter(|p| p.id == *promotion))
    }

    async fn ended(&self, promotion: &PromotionId) -> Result<RolledBack, EngineError> {
        let record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        let outcome = record.outcomes.iter().find(|o| o.promotion == *promotion);
        Ok(match outcome {
            Some(outcome) => RolledBack::Ended(Box::new(outcome.clone())),
            None => RolledBack::NothingToReturnTo(Box::new(record)),
        })
    }
}
