//! The outside of the daemon as it is: files, clusters, registries, records.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{self, Arc, PoisonError};

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::{Images, Place, connection, images, recorded, recordings, records};
use crate::adapter::files::Again;
use crate::adapter::kubernetes::{self, Connection};
use crate::adapter::otlp::Otlp;
use crate::adapter::prometheus::{CONTENT_TYPE, Prometheus};
use crate::adapter::sqs::Sqs;
use crate::adapter::store::{Recordings, Store};
use crate::config::ConfigError;
use crate::engine::resolve::Sources;
use crate::engine::{Engine, OnStop};
use crate::group::name::{EnvironmentName, GroupName};
use crate::group::problem::{Problem, Problems};
use crate::group::{Environment, Group, Proof};
use crate::port::Records as _;
use crate::port::hint::Hints;
use crate::port::recorder::{Fan, Recorder};
use crate::port::records::Which;
use crate::port::registry::Said;
use crate::port::sight::Upcoming;
use crate::serve::{Files, Key, Note, Sights, State, Supply, Yard, http};

/// Most problems of one file that are told: a file that is something else altogether has
/// tens of thousands.
const PROBLEMS: usize = 20;

/// Tells people what happens to the groups of an environment.
pub type Teller = fn(&EnvironmentName) -> Arc<dyn Recorder>;

/// What was made for an environment, and for what that said then.
type Made<K, V> = Mutex<BTreeMap<K, (Environment, V)>>;

/// The records, and the ways into them.
struct Kept {
    store: Arc<Store>,
    recordings: Recordings,
}

/// What is shared by all groups is made once: connections, clients, the records.
pub struct Outside {
    files: sync::Mutex<Again>,
    kept: Option<Kept>,
    queue: Option<Arc<Sqs>>,
    prometheus: Arc<Prometheus>,
    traces: Option<Otlp>,
    /// Who tells people what happens to the groups of an environment.
    teller: Teller,
    clusters: Made<EnvironmentName, Connection>,
    /// By environment, and whether images count as good because they were pushed.
    supplies: Made<(EnvironmentName, bool), Arc<Images>>,
}

impl Outside {
    /// That of the groups in a folder, and of a queue of pushes by its URL. Nobody is
    /// asked yet.
    ///
    /// # Errors
    /// A setting of the process is wrong.
    pub async fn new(
        dir: PathBuf,
        queue: Option<&str>,
        teller: Teller,
    ) -> Result<Self, ConfigError> {
        let prometheus = Arc::new(Prometheus::new());
        let queue = match queue {
            // Which registries there are, the files say.
            Some(url) => Some(Arc::new(Sqs::connect(url, &[]).await?)),
            None => None,
        };
        if let Some(queue) = &queue {
            queue.listen(prometheus.clone());
        }
        let traces = Otlp::from_environment().transpose();
        Ok(Self {
            files: sync::Mutex::new(Again::new(dir)),
            kept: records()?.map(Arc::new).map(|store| Kept {
                recordings: recordings(store.clone()),
                store,
            }),
            queue,
            prometheus,
            traces: traces.map_err(|error| ConfigError::Usage(error.to_string()))?,
            teller,
            clusters: Mutex::default(),
            supplies: Mutex::default(),
        })
    }

    /// The queue of pushes, if there is one.
    pub fn queue(&self) -> Option<Arc<dyn Hints>> {
        let queue = self.queue.clone();
        queue.map(|queue| queue as Arc<dyn Hints>)
    }

    async fn cluster(&self, environment: &Environment) -> Result<Connection, Said> {
        let mut clusters = self.clusters.lock().await;
        let known = clusters.get(&environment.name);
        if let Some((_, known)) = known.filter(|(of, _)| of.cluster == environment.cluster) {
            return Ok(known.clone());
        }
        let made = connection(&environment.cluster).await;
        let made = made.map_err(|error| Said::of(&error))?;
        made.listen(self.prometheus.clone());
        let entry = (environment.clone(), made.clone());
        clusters.insert(environment.name.clone(), entry);
        Ok(made)
    }
}

#[async_trait]
impl Yard for Outside {
    fn read(&self) -> Option<Files> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let catalog = files.read()?;
        let is_missing = !files.is_there();
        let validation = catalog.validate_all();
        let environments = catalog.environment_names();
        let environments: Vec<_> = environments
            .filter_map(|name| Some(catalog.environment(name)?.environment.clone()))
            .collect();
        if let Some(queue) = &self.queue {
            let registries = environments.iter().map(|of| of.registry.clone());
            queue.expect(&registries.collect::<Vec<_>>());
        }
        Some(Files {
            groups: validation.groups,
            named: catalog
                .group_names()
                .filter_map(|name| GroupName::parse(name).ok())
                .collect(),
            environments,
            broken: broken(&validation.problems),
            problems: told(&validation.problems),
            is_missing,
        })
    }

    async fn engine(
        &self,
        environment: &Environment,
        group: &GroupName,
        recorder: Arc<dyn Recorder>,
    ) -> Result<Engine, Said> {
        let connection = self.cluster(environment).await?;
        let place = Place::from(environment);
        let recordings = self.kept.as_ref().map(|kept| &kept.recordings);
        let name = &environment.name;
        let counting = self.prometheus.group(name, group);
        let traces = self.traces.as_ref().map(|traces| traces.group(name, group));
        let traces = traces.map(|traces| Arc::new(traces) as Arc<dyn Recorder>);
        let told: [Arc<dyn Recorder>; 3] = [recorder, (self.teller)(name), counting];
        let recorder = Arc::new(Fan::new(told.into_iter().chain(traces).collect()));
        let engine = recorded(&connection, recordings, &place, group, recorder).await;
        Ok(Engine {
            on_stop: OnStop::Leave,
            ..engine
        })
    }

    async fn supply(&self, group: &Group) -> Result<Arc<dyn Supply>, Said> {
        let environment = &group.environment;
        let key = (environment.name.clone(), group.proof == Proof::Pushed);
        let mut supplies = self.supplies.lock().await;
        if let Some((of, known)) = supplies.get(&key)
            && of == environment
        {
            return Ok(known.clone());
        }
        let made = images(group).await.map_err(|error| Said::of(&error))?;
        made.listen(&(self.prometheus.clone() as _));
        let made = Arc::new(made);
        supplies.insert(key, (environment.clone(), made.clone()));
        Ok(made)
    }

    async fn answers(&self) -> Result<(), Said> {
        let Some(Kept { store, .. }) = &self.kept else {
            return Ok(());
        };
        let asked = store.last(&Which::default(), 1).await;
        asked.map(drop).map_err(|error| Said::of(&error))
    }

    async fn announce(
        &self,
        environment: &Environment,
        group: &GroupName,
        upcoming: Option<&Upcoming>,
    ) -> Result<(), Said> {
        let connection = self.cluster(environment).await?;
        let namespace = &environment.namespace;
        let announced = kubernetes::announce(&connection, namespace, group, upcoming).await;
        announced.map_err(|error| Said::of(&error))
    }

    fn note(&self, note: Note<'_>) {
        let of = |key: &Key| self.prometheus.group(&key.environment, &key.group);
        match note {
            Note::Configured { at, broken, groups } => {
                self.prometheus.config_loaded(at, broken);
                for group in groups {
                    let environment = &group.environment.name;
                    self.prometheus.configured(environment, &group.name);
                }
            }
            Note::Gone(key) => self.prometheus.forget(&key.environment, &key.group),
            Note::Stands(key, standing) => {
                let end = standing.last.as_ref().map(|(_, at)| *at);
                of(key).remember(standing.promoted_at, end);
            }
            Note::Due(key, Some(since)) => of(key).due(since),
            Note::Due(key, None) => of(key).not_due(),
            Note::Answered(key, now) => of(key).answered(now),
            Note::Busy(key, is_busy) => of(key).lock_held(is_busy),
            Note::Hints { followed, dropped } => {
                self.prometheus.hints_followed(followed);
                self.prometheus.hints_dropped(dropped);
            }
        }
    }

    async fn look(&self, environment: &Environment) -> Result<Sights, Said> {
        let connection = self.cluster(environment).await?;
        Ok(kubernetes::look(&connection, &environment.namespace))
    }
}

/// How many files have errors.
fn broken(problems: &Problems) -> usize {
    let files = problems.errors().map(|problem| problem.source.path());
    files.collect::<BTreeSet<_>>().len()
}

/// Errors as they are told where nobody sees the files beside them.
fn told(problems: &Problems) -> Vec<String> {
    let errors: Problems = problems.errors().cloned().collect();
    let told = |problem: Problem| match &problem.hint {
        Some(hint) => format!("{problem}; {hint}"),
        None => problem.to_string(),
    };
    errors.bounded(PROBLEMS).into_iter().map(told).collect()
}

impl http::Metrics for Outside {
    fn text(&self, state: &State) -> (&'static str, String) {
        self.prometheus.ready(state.not_ready().is_empty());
        self.prometheus.environments(&state.environments());
        if let Some(kept) = &self.kept {
            self.prometheus.records_behind(kept.recordings.waiting());
        }
        (CONTENT_TYPE, self.prometheus.text())
    }
}

impl Supply for Images {
    fn sources(&self) -> Sources<'_> {
        Images::sources(self)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    async fn of(dir: PathBuf) -> Files {
        let teller: Teller = |_| Arc::new(Fan::new(Vec::new()));
        let outside = Outside::new(dir, None, teller).await.unwrap();
        outside.read().unwrap()
    }

    #[tokio::test]
    async fn of_files_that_are_something_else_a_few_problems_are_told() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["groups", "environments"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let junk = "? = [\n".repeat(30_000);
        fs::write(folder.path().join("groups/junk.toml"), junk).unwrap();
        let keys = (0..30_000).map(|n| format!("key{n} = 1\n"));
        let keys = keys.collect::<String>();
        fs::write(folder.path().join("groups/keys.toml"), keys).unwrap();
        let files = of(folder.path().to_owned()).await;
        assert_eq!(
            (files.problems.len(), files.broken),
            (2 * (PROBLEMS + 1), 2)
        );
        assert!(!files.is_missing);
    }

    #[tokio::test]
    async fn of_a_folder_that_is_not_there_it_is_told_how_to_choose_another() {
        let folder = tempfile::tempdir().unwrap();
        let files = of(folder.path().join("nothing")).await;
        assert!(files.is_missing);
        let how = "is not there; choose the folder that has `groups` in it with -C or PROMOTER_DIR";
        assert!(
            files.problems.iter().any(|problem| problem.ends_with(how)),
            "{files:?}"
        );
        assert!(!of(folder.path().to_owned()).await.is_missing);
    }
}
