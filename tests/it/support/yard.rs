//! The outside of a daemon in memory: group files, and for each group a world of its own.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use promoter::adapter::store::Recordings;
use promoter::engine::resolve::Sources;
use promoter::engine::{Engine, OnStop};
use promoter::group::image::RepositoryName;
use promoter::group::name::GroupName;
use promoter::group::{Environment, Group};
use promoter::port::hint::{Heard, Hint, HintError, Hints, Receipt};
use promoter::port::recorder::{Fan, Recorder};
use promoter::port::records::{PlaceName, Which};
use promoter::port::registry::Said;
use promoter::port::sight::{Sight, Standing, Upcoming};
use promoter::port::{Clock, Forge, Records, Registry, Spending};
use promoter::promotion::record::{GroupRecord, Outcome};
use promoter::serve::health::Pulse;
use promoter::serve::{Daemon, Files, Note, Settings, Sights, Supply, Yard};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::process::Process;
use super::scenario::Scenario;

/// All groups there are, wherever their files are.
#[derive(Default)]
pub(crate) struct Town {
    scenarios: Mutex<BTreeMap<GroupName, Arc<Scenario>>>,
    files: Mutex<Files>,
    /// Why the cluster does not answer.
    away: Mutex<Option<String>>,
    /// Why looks at it broke off, each time.
    broken: watch::Sender<String>,
    /// Why the records do not answer.
    pub(crate) unkept: Mutex<Option<String>>,
    /// Where what happens is kept, if it is.
    records: Mutex<Option<Arc<dyn Records>>>,
    /// What daemons said that they do next.
    announced: Mutex<Vec<(String, Option<Upcoming>)>>,
    /// Who is told what happens, beside the scenarios, in each job of a daemon.
    told: Mutex<Option<Told>>,
}

/// Gives whom to tell what happens to a group.
pub(crate) type Told = Box<dyn Fn(&GroupName) -> Arc<dyn Recorder> + Send>;

impl Town {
    /// A town with the files of these groups, each in a world of its own.
    pub(crate) fn of(groups: impl IntoIterator<Item = Group>) -> Arc<Self> {
        let town = Self::default();
        for group in groups {
            let scenario = Arc::new(Scenario::new(group.clone()));
            let mut scenarios = town.scenarios.lock().unwrap();
            scenarios.insert(group.name.clone(), scenario);
            drop(scenarios);
            town.write(group);
        }
        Arc::new(town)
    }

    /// Puts a group's file there, in place of an older one.
    pub(crate) fn write(&self, group: Group) {
        let mut files = self.files.lock().unwrap();
        files.groups.retain(|other| other.name != group.name);
        files.named.retain(|other| *other != group.name);
        files.named.push(group.name.clone());
        files.environments = vec![group.environment.clone()];
        files.groups.push(group);
    }

    /// Deletes a group's file.
    pub(crate) fn delete(&self, group: &str) {
        let mut files = self.files.lock().unwrap();
        files.groups.retain(|other| other.name.as_str() != group);
        files.named.retain(|other| other.as_str() != group);
    }

    /// Changes what the files say.
    pub(crate) fn files(&self, change: impl FnOnce(&mut Files)) {
        change(&mut self.files.lock().unwrap());
    }

    /// From now on the cluster does not answer, or does again.
    pub(crate) fn is_away(&self, why: Option<&str>) {
        *self.away.lock().unwrap() = why.map(str::to_owned);
    }

    /// Daemons that start from now on keep there what happens.
    pub(crate) fn keep_in(&self, records: Arc<dyn Records>) {
        *self.records.lock().unwrap() = Some(records);
    }

    /// All that look at the cluster hear this, once.
    pub(crate) fn breaks_off(&self, why: &str) {
        self.broken.send_replace(why.to_owned());
    }

    /// From now on these are told what happens, too.
    pub(crate) fn tell(&self, told: Told) {
        *self.told.lock().unwrap() = Some(told);
    }

    /// Forgets what happened, and images that nobody promotes any more.
    pub(crate) fn forget(&self) {
        for scenario in self.scenarios.lock().unwrap().values() {
            scenario.forget();
            scenario.registry.forget();
        }
        let mut announced = self.announced.lock().unwrap();
        let last: BTreeMap<_, _> = announced.drain(..).collect();
        announced.extend(last);
    }

    /// A group's world.
    pub(crate) fn of_group(&self, name: &str) -> Arc<Scenario> {
        let scenarios = self.scenarios.lock().unwrap();
        scenarios[&GroupName::parse(name).unwrap()].clone()
    }

    /// What daemons said that they do next, in order.
    pub(crate) fn announced(&self) -> Vec<String> {
        let announced = self.announced.lock().unwrap();
        let shown = announced.iter().map(|(group, upcoming)| match upcoming {
            Some(Upcoming { at, what, problem }) => {
                let at = at.map(|at| at.strftime(" %d %H:%M").to_string());
                let problem = problem.as_ref().map(|problem| format!(" ({problem})"));
                let [at, problem] = [at, problem].map(Option::unwrap_or_default);
                format!("{group}: {what}{at}{problem}")
            }
            None => format!("{group}: nothing"),
        });
        shown.collect()
    }

    /// How a group's promotions ended, newest first.
    pub(crate) fn outcomes(&self, name: &str) -> Vec<Outcome> {
        self.of_group(name).world.state().record.outcomes.clone()
    }
}

/// A daemon that runs. Dropped, it is killed.
pub(crate) struct Serving {
    yard: Arc<Yardman>,
    task: JoinHandle<()>,
    stop: CancellationToken,
    pub(crate) queue: Arc<Queue>,
    pub(crate) livez: Arc<Pulse>,
    pub(crate) state: Arc<promoter::serve::State>,
}

impl Serving {
    /// A daemon of this name in a town, by that clock.
    pub(crate) fn start(town: &Arc<Town>, name: &str, clock: Arc<dyn Clock>) -> Self {
        let settings = Settings {
            actor: name.to_owned(),
            at_once: NonZeroUsize::new(8).unwrap(),
            poll: Duration::from_mins(1),
            reload: Duration::from_secs(5),
        };
        let records = town.records.lock().unwrap().clone();
        let yard = Arc::new(Yardman {
            town: town.clone(),
            processes: Mutex::default(),
            recordings: records.map(|records| Recordings::new(records, clock.clone())),
        });
        let livez = Pulse::new(clock.clone());
        let reload = Arc::new(Notify::new());
        let daemon = Daemon::new(settings, yard.clone(), clock, livez.clone(), reload);
        let queue = Arc::new(Queue::default());
        let hints = queue.clone();
        let state = daemon.state();
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        // Engine calls stay on one thread.
        let task = tokio::task::spawn_local(async move { daemon.run(Some(hints), stopping).await });
        Self {
            yard,
            task,
            stop,
            queue,
            livez,
            state,
        }
    }

    /// It is told to stop, and ends.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        let hour = Duration::from_hours(1);
        let ended = tokio::time::timeout(hour, &mut self.task).await;
        ended.expect("it ends").unwrap();
    }

    /// It is killed: nothing of it happens any more, and its locks run out.
    pub(crate) fn kill(self) {
        drop(self);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
        for process in self.yard.processes.lock().unwrap().drain(..) {
            process.exit();
        }
    }
}

/// One daemon's way into the town.
struct Yardman {
    town: Arc<Town>,
    processes: Mutex<Vec<Arc<Process>>>,
    recordings: Option<Recordings>,
}

#[async_trait]
impl Yard for Yardman {
    fn read(&self) -> Option<Files> {
        Some(self.town.files.lock().unwrap().clone())
    }

    async fn engine(
        &self,
        environment: &Environment,
        group: &GroupName,
        recorder: Arc<dyn Recorder>,
    ) -> Result<Engine, Said> {
        let scenario = self.town.of_group(group.as_str());
        let process = scenario.process(None);
        let mut processes = self.processes.lock().unwrap();
        // Those that no engine has any more have come to their end.
        processes.retain(|process| Arc::strong_count(process) > 1);
        processes.push(process.clone());
        let engine = scenario.engine(&process);
        let mut recorders = vec![engine.recorder.clone(), recorder.clone()];
        if let Some(recordings) = &self.recordings {
            let place = PlaceName::new("testbed", &environment.namespace);
            recorders.push(recordings.of(place, group, recorder));
        }
        let told = self.town.told.lock().unwrap();
        recorders.extend(told.as_ref().map(|told| told(group)));
        Ok(Engine {
            recorder: Arc::new(Fan::new(recorders)),
            on_stop: OnStop::Leave,
            ..engine
        })
    }

    async fn supply(&self, group: &Group) -> Result<Arc<dyn Supply>, Said> {
        Ok(Arc::new(Store(self.town.of_group(group.name.as_str()))))
    }

    async fn answers(&self) -> Result<(), Said> {
        if let Some(why) = self.town.unkept.lock().unwrap().clone() {
            return Err(Said(why));
        }
        let records = self.town.records.lock().unwrap().clone();
        let Some(records) = records else {
            return Ok(());
        };
        let asked = records.last(&Which::default(), 1).await;
        asked.map(drop).map_err(|error| Said::of(&error))
    }

    async fn announce(
        &self,
        _: &Environment,
        group: &GroupName,
        upcoming: Option<&Upcoming>,
    ) -> Result<(), Said> {
        let mut announced = self.town.announced.lock().unwrap();
        announced.push((group.to_string(), upcoming.cloned()));
        Ok(())
    }

    fn note(&self, _: Note<'_>) {}

    async fn look(&self, _: &Environment) -> Result<Sights, Said> {
        if let Some(why) = self.town.away.lock().unwrap().clone() {
            return Err(Said(why));
        }
        let scenarios = self.town.scenarios.lock().unwrap();
        let changes = scenarios.values().map(|scenario| {
            let mut version = scenario.world.version.subscribe();
            version.mark_changed();
            stream::unfold(version, async |mut version| {
                version.changed().await.ok()?;
                Some(((), version))
            })
            .boxed()
        });
        let changes = stream::select_all(changes.collect::<Vec<_>>());
        let town = self.town.clone();
        let broken = stream::unfold(town.broken.subscribe(), async |mut broken| {
            broken.changed().await.ok()?;
            let why = broken.borrow_and_update().clone();
            Some((Err(Said(why)), broken))
        });
        let seen = changes.flat_map(move |()| stream::iter(sights(&town)));
        Ok(stream::select(seen.map(Ok), broken).boxed())
    }
}

fn sights(town: &Town) -> Vec<Sight> {
    let scenarios = town.scenarios.lock().unwrap();
    let mut standings = Vec::new();
    let mut locks = Vec::new();
    for (group, scenario) in &*scenarios {
        let now = scenario.clock.now();
        let state = scenario.world.state();
        let hold = state.restraints.hold.clone();
        if state.record != GroupRecord::default() || hold.is_some() {
            let announced = town.announced.lock().unwrap();
            let mut of_group = announced.iter().rev();
            let last = of_group.find(|(name, _)| name == group.as_str());
            let upcoming = last.and_then(|(_, upcoming)| upcoming.clone());
            standings.push(Standing::of(group.clone(), &state.record, hold, upcoming));
        }
        let lease = state.lease.as_ref().filter(|lease| lease.is_held(now));
        locks.push(Sight::Lock {
            group: group.clone(),
            holder: lease.map(|lease| lease.holder.clone()),
        });
    }
    locks.push(Sight::Standings(standings));
    locks
}

/// A queue of pushes in memory.
#[derive(Default)]
pub(crate) struct Queue {
    hints: Mutex<Vec<Hint>>,
    came: Notify,
    /// The repositories whose hints were followed.
    pub(crate) done: Mutex<Vec<String>>,
}

impl Queue {
    /// Hints at a push to each of these.
    pub(crate) fn push(&self, repositories: &[&str]) {
        let hints = repositories.iter().map(|name| Hint {
            account: "123456789012".to_owned(),
            region: "eu-west-1".to_owned(),
            repository: RepositoryName::parse(name).unwrap(),
            pushed: "an image".to_owned(),
            receipts: vec![Receipt("1".to_owned())],
        });
        self.hints.lock().unwrap().extend(hints);
        self.came.notify_one();
    }
}

#[async_trait]
impl Hints for Queue {
    async fn next(&self) -> Result<Heard, HintError> {
        let poll = Duration::from_secs(20);
        let _ = tokio::time::timeout(poll, self.came.notified()).await;
        let hints = std::mem::take(&mut *self.hints.lock().unwrap());
        Ok(Heard { hints, dropped: 0 })
    }

    async fn done(&self, hint: &Hint) -> Result<(), HintError> {
        let mut done = self.done.lock().unwrap();
        done.push(hint.repository.to_string());
        Ok(())
    }
}

/// Where the images of a group come from.
struct Store(Arc<Scenario>);

impl Supply for Store {
    fn sources(&self) -> Sources<'_> {
        Sources {
            registry: &*self.0.registry as &dyn Registry,
            forge: Some(&*self.0.forge as &dyn Forge),
            spending: Some(&*self.0.spending as &dyn Spending),
        }
    }
}
