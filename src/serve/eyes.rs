//! Looks at where groups stand, environment by environment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use tokio::sync::mpsc::UnboundedSender;
use tokio::task::JoinSet;

use super::news::News;
use super::state::State;
use super::yard::Yard;
use crate::group::Environment;
use crate::group::name::EnvironmentName;
use crate::port::Clock;
use crate::port::registry::Said;
use crate::promotion::later;
use crate::promotion::pauses::Pauses;

/// How soon a cluster that did not answer is asked again.
const FIRST_PAUSE: Duration = Duration::from_secs(5);
/// The longest of these pauses, each of which is twice the one before.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// One look at each environment.
pub(super) struct Eyes {
    yard: Arc<dyn Yard>,
    clock: Arc<dyn Clock>,
    state: Arc<State>,
    tell: UnboundedSender<News>,
    looks: BTreeMap<EnvironmentName, (Environment, JoinSet<()>)>,
}

impl Eyes {
    /// Tells what it sees, and notes whether it sees anything.
    pub(super) fn new(
        yard: Arc<dyn Yard>,
        clock: Arc<dyn Clock>,
        state: Arc<State>,
        tell: UnboundedSender<News>,
    ) -> Self {
        Self {
            yard,
            clock,
            state,
            tell,
            looks: BTreeMap::new(),
        }
    }

    /// Looks at these and at no others.
    pub(super) fn look_at(&mut self, environments: &[Environment]) {
        let state = &self.state;
        self.looks.retain(|name, (environment, _)| {
            let stays = environments.contains(environment);
            if !stays {
                state.looks_away(name);
            }
            stays
        });
        for environment in environments {
            if self.looks.contains_key(&environment.name) {
                continue;
            }
            self.state
                .sees(&environment.name, Err("nothing was seen yet".to_owned()));
            let look = look(
                self.yard.clone(),
                self.clock.clone(),
                self.state.clone(),
                self.tell.clone(),
                environment.clone(),
            );
            let mut task = JoinSet::new();
            task.spawn(look);
            let name = environment.name.clone();
            self.looks.insert(name, (environment.clone(), task));
        }
    }
}

async fn look(
    yard: Arc<dyn Yard>,
    clock: Arc<dyn Clock>,
    state: Arc<State>,
    tell: UnboundedSender<News>,
    environment: Environment,
) {
    let name = &environment.name;
    let mut pauses = Pauses::new(FIRST_PAUSE, LONGEST_PAUSE);
    loop {
        let why = match yard.look(&environment).await {
            Err(Said(why)) => why,
            Ok(mut sights) => loop {
                match sights.next().await {
                    Some(Ok(sight)) => {
                        if pauses.begin_anew() {
                            tracing::info!(environment = %name, "the cluster answers again");
                        }
                        state.sees(name, Ok(()));
                        let environment = name.clone();
                        drop(tell.send(News::Seen { environment, sight }));
                    }
                    Some(Err(Said(why))) => break why,
                    None => break "it tells nothing more".to_owned(),
                }
            },
        };
        if !pauses.are_begun() {
            tracing::warn!(environment = %name, error = %why, "cannot look at the cluster; trying again");
        }
        state.sees(name, Err(why));
        // A new look begins with all there is, which tells that the cluster answers again.
        let pause = pauses.failed();
        clock.sleep_until(later(clock.now(), pause)).await;
    }
}
