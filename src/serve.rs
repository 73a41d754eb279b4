//! The daemon: promotes groups by itself, on schedule and on new images.
//!
//! Its roles tell one another news: [`files`] reads the configuration, [`eyes`] look at
//! where groups stand in their clusters, the [`watcher`] looks for images, and the
//! [`scheduler`] owns all agendas and starts what is due. A promotion is the engine call
//! that a person's `promoter deploy` makes. It knows ports and engine, no adapters; all
//! that is outside comes by a [`Yard`].

mod eyes;
mod files;
pub mod health;
mod hints;
pub mod http;
mod job;
mod judge;
mod news;
mod scheduler;
mod state;
mod watcher;
mod yard;

use std::future::pending;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::group::Group;
use crate::port::Clock;
use crate::port::hint::Hints;
use crate::port::registry::Said;
use crate::promotion::later;
use eyes::Eyes;
use files::Held;
use health::{Pulse, Watch};
use news::News;
use scheduler::Scheduler;
pub use state::State;
use watcher::Watcher;
pub use yard::{Files, Key, Note, Sights, Supply, Yard};

/// How often it is asked whether the records answer.
const RECORDS: Duration = Duration::from_secs(15);

/// How the daemon works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// In whose name it promotes.
    pub actor: String,
    /// How many promotions may be under way before their switch.
    pub at_once: NonZeroUsize,
    /// How often it looks for new images.
    pub poll: Duration,
    /// How often it looks whether the configuration is another one.
    pub reload: Duration,
}

/// A daemon.
pub struct Daemon {
    settings: Settings,
    yard: Arc<dyn Yard>,
    clock: Arc<dyn Clock>,
    pulse: Arc<Pulse>,
    state: Arc<State>,
    /// Somebody says that the configuration changed.
    reload: Arc<Notify>,
}

impl Daemon {
    /// One that does nothing yet. Schedules go by `clock`, and `pulse` is told who gets
    /// on. `reload` has it read the configuration at once.
    pub fn new(
        settings: Settings,
        yard: Arc<dyn Yard>,
        clock: Arc<dyn Clock>,
        pulse: Arc<Pulse>,
        reload: Arc<Notify>,
    ) -> Self {
        Self {
            settings,
            yard,
            clock,
            pulse,
            state: Arc::default(),
            reload,
        }
    }

    /// What it knows of itself.
    pub fn state(&self) -> Arc<State> {
        self.state.clone()
    }

    /// Runs until it is stopped, and until all that was under way is where somebody else
    /// can drive on. Hints of pushes come from `queue`, if there is one.
    pub async fn run(self, queue: Option<Arc<dyn Hints>>, stop: CancellationToken) {
        let Settings {
            actor,
            at_once,
            poll,
            ..
        } = self.settings.clone();
        let (_watch, clock) = self.watched("scheduler");
        let scheduler = Scheduler::new(
            self.yard.clone(),
            clock,
            self.pulse.clone(),
            actor,
            at_once.get(),
            stop.clone(),
        );
        let tell = scheduler.teller();
        let (groups, known) = watch::channel(Vec::new());
        let (hint, hints) = unbounded_channel();
        let following = async {
            match queue {
                Some(queue) => {
                    let (_watch, clock) = self.watched("queue of pushes");
                    hints::follow(queue, self.yard.clone(), clock, hint).await;
                }
                None => pending().await,
            }
        };
        let (_watch, clock) = self.watched("watcher");
        let watcher = Watcher::new(self.yard.clone(), clock, poll, known, hints, tell.clone());
        let reading = self.read(tell, groups);
        tokio::select! {
            () = scheduler.run() => {}
            () = watcher.run() => {}
            () = reading => {}
            () = self.ask_records() => {}
            () = following => {}
        }
    }

    /// A role that is watched for as long as the first is kept, and the clock it goes by.
    fn watched(&self, role: &str) -> (Watch, Arc<dyn Clock>) {
        let watch = self.pulse.watch(role);
        let clock = watch.over(self.clock.clone());
        (watch, clock)
    }

    /// Asks again and again whether the records answer. Promotions go on without.
    async fn ask_records(&self) {
        let (_watch, clock) = self.watched("records");
        let mut was_away = false;
        loop {
            let answered = self.yard.answers().await.map_err(|Said(why)| why);
            match &answered {
                Err(error) if !was_away => {
                    tracing::warn!(%error, "the records do not answer; promotions go on without");
                }
                Ok(()) if was_away => tracing::info!("the records answer again"),
                _ => {}
            }
            was_away = answered.is_err();
            self.state.keeps(answered);
            let next = later(clock.now(), RECORDS);
            clock.sleep_until(next).await;
        }
    }

    /// Reads the configuration again and again, and tells what it says.
    async fn read(&self, tell: UnboundedSender<News>, groups: watch::Sender<Vec<Arc<Group>>>) {
        let (_watch, clock) = self.watched("configuration");
        let mut held = Held::default();
        // How long a cluster has nothing to show, nobody knows: eyes are not watched.
        let mut eyes = Eyes::new(
            self.yard.clone(),
            self.clock.clone(),
            self.state.clone(),
            tell.clone(),
        );
        loop {
            let read = self.yard.read();
            let change = read.map(|files| held.take(files)).unwrap_or_default();
            for error in &change.new_problems {
                if held.is_nothing() {
                    tracing::error!(%error, "the configuration has a problem; nothing can be promoted");
                } else {
                    tracing::error!(%error, "the configuration has a problem; the last good one holds");
                }
            }
            if change.is_mended {
                tracing::info!("the configuration has no problem any more");
            }
            let at = clock.now();
            let valid = held.groups();
            self.yard.note(Note::Configured {
                at,
                broken: held.broken(),
                groups: &valid,
            });
            self.state.configured(held.problems(), held.is_taken());
            if change.is_other || change.are_others_kept {
                // Before anybody tells anything of them.
                drop(tell.send(News::Configured {
                    groups: valid.clone(),
                    kept: held.kept(),
                    environments: held.environments(),
                }));
            }
            if change.is_other {
                tracing::info!(groups = valid.len(), "took the configuration");
                eyes.look_at(&held.environments());
                groups.send_replace(valid);
            }
            let next = later(clock.now(), self.settings.reload);
            tokio::select! {
                () = clock.sleep_until(next) => {}
                () = self.reload.notified() => {}
            }
        }
    }
}
