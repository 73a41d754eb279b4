//! The one owner of all agendas: hears what there is, starts what is due.
//!
//! Everybody else only tells it news. It decides nothing about a release: each job
//! ends in the engine call that a person's command makes, and binds to the same.

mod entry;
mod hearing;
mod planned;
mod telling;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::LocalBoxFuture;
use futures::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_util::sync::CancellationToken;

use super::health::Pulse;
use super::job::{For, Job};
use super::judge::Says;
use super::news::News;
use super::yard::{Key, Note, Yard};
use crate::group::Environment;
use crate::group::name::EnvironmentName;
use crate::port::Clock;
use crate::port::registry::Said;
use crate::promotion::id::PromotionId;
use crate::promotion::later;
use entry::Entry;
use planned::Due;
use telling::Announcement;

/// How long nothing is thought over at the most, so that everybody sees that it still is.
const LONGEST: Duration = Duration::from_mins(1);

/// All groups, what is due for each, and what is done for it now.
pub(super) struct Scheduler {
    yard: Arc<dyn Yard>,
    clock: Arc<dyn Clock>,
    pulse: Arc<Pulse>,
    actor: String,
    /// How many promotions may be under way before their switch.
    at_once: usize,
    entries: BTreeMap<Key, Entry>,
    environments: BTreeMap<EnvironmentName, Environment>,
    /// Environments whose groups' standings are known.
    known: BTreeSet<EnvironmentName>,
    tell: UnboundedSender<News>,
    news: UnboundedReceiver<News>,
    /// What is done now; each is as long as its promotion.
    jobs: FuturesUnordered<LocalBoxFuture<'static, ()>>,
    stop: CancellationToken,
}

impl Scheduler {
    /// Starts at most so many promotions at once, in the name of `actor`, until it is
    /// stopped. `pulse` is told whether each of them gets on.
    pub(super) fn new(
        yard: Arc<dyn Yard>,
        clock: Arc<dyn Clock>,
        pulse: Arc<Pulse>,
        actor: String,
        at_once: usize,
        stop: CancellationToken,
    ) -> Self {
        let (tell, news) = unbounded_channel();
        Self {
            yard,
            clock,
            pulse,
            actor,
            at_once,
            entries: BTreeMap::new(),
            environments: BTreeMap::new(),
            known: BTreeSet::new(),
            tell,
            news,
            jobs: FuturesUnordered::new(),
            stop,
        }
    }

    /// How it is told news.
    pub(super) fn teller(&self) -> UnboundedSender<News> {
        self.tell.clone()
    }

    /// Runs until it is stopped, and all that it began has come to where somebody
    /// else can drive on.
    pub(super) async fn run(mut self) {
        while !self.stop.is_cancelled() {
            let until = self.start_due();
            self.announce();
            tokio::select! {
                () = self.stop.cancelled() => {}
                Some(news) = self.news.recv() => self.hear(news),
                Some(()) = self.jobs.next(), if !self.jobs.is_empty() => {}
                () = self.clock.sleep_until(until) => {}
            }
            // What came at the same time is thought over together.
            while let Ok(news) = self.news.try_recv() {
                self.hear(news);
            }
        }
        while self.jobs.next().await.is_some() {}
    }

    /// Starts what is due and has room; says when to think again.
    fn start_due(&mut self) -> Timestamp {
        let now = self.clock.now();
        let mut until = later(now, LONGEST);
        let mut due = Vec::new();
        let known = &self.known;
        let ready = self.entries.iter_mut();
        // Where nobody knows what was met, and what is under way, nothing is begun.
        for (key, entry) in ready.filter(|(key, _)| known.contains(&key.environment)) {
            let next = entry.due(now);
            let moment = match &next {
                Due::Now(_, job) => job.due_since(),
                _ => None,
            };
            self.yard.note(Note::Due(key, moment));
            match next {
                // Who has waited longest goes first, whatever it is called.
                Due::Now(urgency, job) => {
                    due.push(((urgency, entry.due_since(), key.clone()), job));
                }
                Due::At(at) => until = until.min(at),
                Due::Never => {}
            }
        }
        due.sort_by(|(one, _), (other, _)| one.cmp(other));
        let busy = self
            .entries
            .values()
            .filter(|entry| entry.is_busy())
            .count();
        let room = self.at_once.saturating_sub(busy);
        for ((.., key), job) in due.into_iter().take(room) {
            self.start(&key, job);
        }
        until
    }

    /// Lets everybody see what is done next.
    fn announce(&mut self) {
        let now = self.clock.now();
        for (key, entry) in &mut self.entries {
            let Some(environment) = self.environments.get(&key.environment) else {
                continue;
            };
            let Some(Announcement(upcoming)) = entry.announcement(now) else {
                continue;
            };
            let (yard, group) = (self.yard.clone(), key.group.clone());
            let environment = environment.clone();
            self.jobs.push(Box::pin(async move {
                let said = yard.announce(&environment, &group, upcoming.as_ref()).await;
                if let Err(Said(error)) = said {
                    let environment = &environment.name;
                    tracing::warn!(%environment, %group, %error, "cannot say what is done next");
                }
            }));
        }
    }

    fn start(&mut self, key: &Key, job: Job) {
        let Some(environment) = self.environments.get(&key.environment) else {
            return;
        };
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        self.yard.note(Note::Busy(key, true));
        if job.due_since().is_some() {
            self.yard.note(Note::Answered(key, self.clock.now()));
        }
        let stop = self.stop.child_token();
        entry.begins(&job, stop.clone());
        let whom = For {
            key: key.clone(),
            environment: environment.clone(),
            actor: self.actor.clone(),
            watch: self.pulse.watch(format!("promotion of {key}")),
            yard: self.yard.clone(),
            tell: self.tell.clone(),
        };
        self.jobs.push(Box::pin(job.run(whom, stop)));
    }
}

/// Lets people know how a job ended, and which promotion is under way as far as anybody
/// knows.
fn say(key: &Key, job: &Job, promotion: Option<&PromotionId>, says: &Says) {
    let Key { environment, group } = key;
    let trigger = job.trigger().map(tracing::field::display);
    let promotion = promotion.map(tracing::field::display);
    match says {
        Says::Well(message) => {
            tracing::info!(%environment, %group, trigger, promotion, "{message}");
        }
        Says::Wrong(message) => {
            tracing::warn!(%environment, %group, trigger, promotion, "{message}");
        }
    }
}
