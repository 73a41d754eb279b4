//! One engine call for one group, and what it tells the scheduler.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::health::Watch;
use super::judge::{self, LOCKED, Says};
use super::news::News;
use super::yard::{Key, Yard};
use crate::engine::deploy::DeployOptions;
use crate::engine::resume::Resumed;
use crate::engine::{Engine, EngineError};
use crate::group::{Environment, Group};
use crate::port::Recorder;
use crate::port::registry::Said;
use crate::promotion::agenda::{Came, Start};
use crate::promotion::event::{Event, Fact};
use crate::promotion::phase::Phase;
use crate::promotion::{Actor, Trigger, later};

/// What is done for a group.
pub(super) enum Job {
    /// Its newest images are promoted, if they pass.
    Promote {
        /// What starts that.
        start: Start,
        /// What its file said then.
        group: Arc<Group>,
    },
    /// What somebody left is driven on.
    TakeOver,
}

/// Whom it is for, and who does it.
pub(super) struct For {
    pub(super) key: Key,
    pub(super) environment: Environment,
    /// Who promotes, as people are told.
    pub(super) actor: String,
    /// Whether it gets on, from its begin to its end.
    pub(super) watch: Watch,
    pub(super) yard: Arc<dyn Yard>,
    pub(super) tell: UnboundedSender<News>,
}

impl Job {
    /// Since when it is due, if a schedule wants it.
    pub(super) fn due_since(&self) -> Option<Timestamp> {
        let Self::Promote { start, group } = self else {
            return None;
        };
        let delay = group.triggers.delay(&group.name);
        Some(later(start.meets.as_ref()?.at, delay))
    }

    /// By which way it is asked for, if it is not somebody else's.
    pub(super) fn trigger(&self) -> Option<Trigger> {
        match self {
            Self::Promote { start, .. } => Some(start.trigger),
            Self::TakeOver => None,
        }
    }

    /// Does it to its end, or until it is stopped; what came of it is told.
    pub(super) async fn run(self, whom: For, stop: CancellationToken) {
        let (came, says) = match &self {
            Self::Promote { start, group } => promote(&whom, start, group, stop).await,
            Self::TakeOver => take_over(&whom, stop).await,
        };
        let key = whom.key.clone();
        // Nobody listens any more once the daemon ends.
        drop(whom.tell.send(News::Ended {
            key,
            job: self,
            came,
            says,
        }));
    }
}

async fn promote(
    whom: &For,
    start: &Start,
    group: &Group,
    stop: CancellationToken,
) -> (Came, Option<Says>) {
    let options = DeployOptions {
        actor: Actor {
            name: whom.actor.clone(),
            trigger: start.trigger,
        },
        chance: rand::random(),
        force: false,
        detach: false,
        retry: false,
        overriding: None,
        despite_budget: false,
        why: None,
        meets: start.meets.clone(),
    };
    let deployed = async {
        let engine = whom.engine().await?;
        let supply = whom.yard.supply(group).await?;
        Ok(Box::pin(engine.deploy(supply.sources(), group, options, stop)).await)
    };
    match deployed.await {
        Ok(deployed) => (
            judge::came(&deployed, start.trigger),
            judge::says(&deployed),
        ),
        Err(why) => failed(why),
    }
}

async fn take_over(whom: &For, stop: CancellationToken) -> (Came, Option<Says>) {
    let resumed = async {
        let engine = whom.engine().await?;
        Ok(Box::pin(engine.resume(&whom.actor, stop)).await)
    };
    match resumed.await {
        Ok(Ok(Resumed::Nothing(_) | Resumed::Driven(_))) => (Came::Settled, None),
        // Whoever has the lock drives it on.
        Ok(Err(EngineError::Lock(_) | EngineError::LockLost { .. })) => {
            let came = Came::Waits {
                why: "its promoter".to_owned(),
                pause: LOCKED,
            };
            (came, None)
        }
        Ok(Err(error)) => failed(Said::of(&error)),
        Err(why) => failed(why),
    }
}

fn failed(Said(why): Said) -> (Came, Option<Says>) {
    let says = Says::Wrong(format!("failed; trying again later: {why}"));
    (Came::Failed { why }, Some(says))
}

impl For {
    async fn engine(&self) -> Result<Engine, Said> {
        let heard = Arc::new(Heard {
            key: self.key.clone(),
            tell: self.tell.clone(),
        });
        let (environment, group) = (&self.environment, &self.key.group);
        let engine = self.yard.engine(environment, group, heard).await?;
        Ok(Engine {
            clock: self.watch.over(engine.clock),
            ..engine
        })
    }
}

/// Hears when users are moved: what is left then is waiting, and keeps no other group
/// from being promoted.
struct Heard {
    key: Key,
    tell: UnboundedSender<News>,
}

#[async_trait]
impl Recorder for Heard {
    fn record(&self, event: Event) {
        let settles = |phase| phase == Phase::Settling;
        if matches!(event.fact, Fact::Entered { phase, .. } | Fact::Resumed { phase } if settles(phase))
        {
            drop(self.tell.send(News::Settles(self.key.clone())));
        }
    }
}
