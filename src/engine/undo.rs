//! Giving a promotion up before its switch, or going back to what served before
//! while that still stands, inside `keep_old`.
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
use crate::promotion::phase::Phase;
use crate::promotion::record::rebuild::is_lost;
use crate::promotion::record::{GroupRecord, Outcome};
use crate::promotion::request::{Action, Request};

/// Pause between two looks at what another promoter does.
const PAUSE: Duration = Duration::from_millis(250);
/// How long the promoter that holds the lock may take to react: a step may be
/// under way, and takes no longer than its hold of the lock lasts.
const REACTION: Duration = Duration::from_secs(15);

/// What a person wishes of the promotion under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// What.
    pub action: Action,
    /// Who wishes it.
    pub actor: String,
    /// Why, in their words.
    pub reason: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Undone {
    /// The promotion has ended; its outcome says how.
    Ended(Box<Outcome>),
    /// A person stopped it; what was begun goes on with the next promoter.
    Stopped,
    /// Whoever drives the promotion cannot do it, or not any more.
    Refused {
        /// The promotion.
        promotion: PromotionId,
        /// What it says that it does instead.
        why: String,
    },
    /// There is no promotion of which it could be wished; this is the record that says so.
    Nothing(Box<GroupRecord>),
}

/// What the holder of the lock makes of the request.
enum Reaction {
    /// It came to an end.
    Done(Undone),
    /// It cannot be done any more.
    TooLate,
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

impl Wish {
    fn is_possible(&self, promotion: &Promotion) -> bool {
        let has_way_back = self.action == Action::Abort || promotion.replaces.is_some();
        has_way_back && self.action.is_possible(promotion.phase)
    }
}

impl Engine {
    /// Sees to it that what is wished of the promotion under way is done.
    ///
    /// # Errors
    /// The promoter that holds the lock does not react, the plan of what is
    /// under way is gone, or the cluster stopped answering.
    pub async fn undo(&self, wish: Wish, stop: CancellationToken) -> Result<Undone, EngineError> {
        let actor = wish.actor.as_str();
        let mut record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        if is_lost(&record) {
            let observed = self.cluster.observe().await;
            let observed = observed.map_err(EngineError::Cluster)?;
            if !observed.deployments.is_empty() {
                record = self.find_again(actor).await?;
            }
        }
        let under_way = record.in_flight.as_ref();
        let Some(under_way) = under_way.filter(|promotion| wish.is_possible(promotion)) else {
            return Ok(Undone::Nothing(Box::new(record)));
        };
        let promotion = under_way.id.clone();
        let request = Request {
            promotion: promotion.clone(),
            action: wish.action,
            actor: wish.actor.clone(),
            reason: wish.reason.clone(),
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
                    if wish.action == Action::Abort && self.is_switched(&promotion).await? {
                        self.unlock(&lock).await;
                        return self.refuse(&request).await;
                    }
                    return self.drive_to_end(&mut lock, &promotion, stop).await;
                }
                Err(error @ LockError::Held { alive: true, .. }) if ignored => {
                    // What is refused must not come about later.
                    let withdrawn = self.ledger.withdraw(&request).await;
                    withdrawn.map_err(EngineError::Cluster)?;
                    match self.standing(&promotion).await? {
                        Some(standing) if wish.is_possible(&standing) => {
                            let refused = |why| Ok(Undone::Refused { promotion, why });
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
                let fact = match wish.action {
                    Action::Abort => Fact::AbortAsked { promotion, holder },
                    Action::Rollback => Fact::ReturnAsked { promotion, holder },
                };
                self.record(None, fact);
            }
            let reaction = self
                .await_reaction(&wish, &promotion, &mut told, &stop)
                .await?;
            match reaction {
                Reaction::Done(undone) => return Ok(undone),
                Reaction::TooLate => return self.refuse(&request).await,
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
    async fn drive_to_end(
        &self,
        lock: &mut super::lock::Lock,
        promotion: &PromotionId,
        stop: CancellationToken,
    ) -> Result<Undone, EngineError> {
        let driven = self.finish_unfinished(lock, stop, async || false).await;
        self.unlock(lock).await;
        match driven? {
            Some(Deployed::Ended { outcome, .. }) => Ok(Undone::Ended(outcome)),
            Some(_) => Ok(Undone::Stopped),
            None => self.ended(promotion).await,
        }
    }

    /// Follows for a while what the holder of the lock does with the request.
    async fn await_reaction(
        &self,
        wish: &Wish,
        promotion: &PromotionId,
        told: &mut Told,
        stop: &CancellationToken,
    ) -> Result<Reaction, EngineError> {
        let asked = self.clock.now();
        loop {
            let Some(under_way) = self.standing(promotion).await? else {
                return self.ended(promotion).await.map(Reaction::Done);
            };
            if wish.action == Action::Abort && under_way.phase == Phase::Settling {
                return Ok(Reaction::TooLate);
            }
            if under_way.returned_at.is_some() && !std::mem::replace(&mut told.returned, true) {
                let color = under_way.candidate.other();
                self.record(None, Fact::ReturnSeen { color });
            }
            if stop.is_cancelled() {
                return Ok(Reaction::Done(Undone::Stopped));
            }
            let waited = self.clock.now().duration_since(asked).unsigned_abs();
            if waited > REACTION {
                return Ok(if wish.is_possible(&under_way) {
                    Reaction::None
                } else {
                    Reaction::Begun
                });
            }
            self.sleep(PAUSE).await;
        }
    }

    /// Users are moved: giving it up would move them back, which is another wish.
    async fn refuse(&self, request: &Request) -> Result<Undone, EngineError> {
        let withdrawn = self.ledger.withdraw(request).await;
        withdrawn.map_err(EngineError::Cluster)?;
        Ok(Undone::Refused {
            promotion: request.promotion.clone(),
            why: "its old colour to go, as its users are moved already; `promoter rollback` moves them back".to_owned(),
        })
    }

    /// Whether users were moved, be that on record or not.
    async fn is_switched(&self, promotion: &PromotionId) -> Result<bool, EngineError> {
        let Some(standing) = self.standing(promotion).await? else {
            return Ok(false);
        };
        let observed = self.cluster.observe().await.map_err(EngineError::Cluster)?;
        let mut services = observed.services.values();
        let group = self.group.as_str();
        Ok(services.any(|service| service.active_color(group) == Some(standing.candidate)))
    }

    /// Where the promotion stands, if it is still under way.
    async fn standing(&self, promotion: &PromotionId) -> Result<Option<Promotion>, EngineError> {
        let record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        Ok(record.in_flight.filter(|p| p.id == *promotion))
    }

    async fn ended(&self, promotion: &PromotionId) -> Result<Undone, EngineError> {
        let record = self.ledger.read().await.map_err(EngineError::Cluster)?;
        let outcome = record.outcomes.iter().find(|o| o.promotion == *promotion);
        Ok(match outcome {
            Some(outcome) => Undone::Ended(Box::new(outcome.clone())),
            None => Undone::Nothing(Box::new(record)),
        })
    }
}
