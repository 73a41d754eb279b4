//! The outside of the daemon as it is: files, clusters, registries, records.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;
use tokio::sync::Mutex;

use super::{Images, Place, connection, images, recorded, records};
use crate::adapter::files::Catalog;
use crate::adapter::kubernetes::{self, Connection};
use crate::adapter::store::Store;
use crate::config::ConfigError;
use crate::engine::resolve::Sources;
use crate::engine::{Engine, OnStop};
use crate::group::name::{EnvironmentName, GroupName};
use crate::group::{Environment, Group, Proof};
use crate::port::Recorder;
use crate::port::registry::Said;
use crate::port::sight::{Sight, Upcoming};
use crate::serve::{Files, Supply, Yard};

/// What was made for an environment, and for what that said then.
type Made<K, V> = Mutex<BTreeMap<K, (Environment, V)>>;

/// What is shared by all groups is made once: connections, clients, the records.
pub struct Outside {
    dir: PathBuf,
    store: Option<Arc<Store>>,
    clusters: Made<EnvironmentName, Connection>,
    /// By environment, and whether images count as good because they were pushed.
    supplies: Made<(EnvironmentName, bool), Arc<Images>>,
}

impl Outside {
    /// That of the groups in a folder. Nobody is asked yet.
    ///
    /// # Errors
    /// A setting of the process is wrong.
    pub fn new(dir: PathBuf) -> Result<Self, ConfigError> {
        Ok(Self {
            dir,
            store: records()?.map(Arc::new),
            clusters: Mutex::default(),
            supplies: Mutex::default(),
        })
    }

    async fn cluster(&self, environment: &Environment) -> Result<Connection, Said> {
        let mut clusters = self.clusters.lock().await;
        let known = clusters.get(&environment.name);
        if let Some((_, known)) = known.filter(|(of, _)| of.cluster == environment.cluster) {
            return Ok(known.clone());
        }
        let made = connection(&environment.cluster).await;
        let made = made.map_err(|error| Said::of(&error))?;
        let entry = (environment.clone(), made.clone());
        clusters.insert(environment.name.clone(), entry);
        Ok(made)
    }
}

#[async_trait]
impl Yard for Outside {
    fn read(&self) -> Files {
        let catalog = Catalog::load(&self.dir);
        let validation = catalog.validate_all();
        let environments = catalog.environment_names();
        Files {
            groups: validation.groups,
            named: catalog
                .group_names()
                .filter_map(|name| GroupName::parse(name).ok())
                .collect(),
            environments: environments
                .filter_map(|name| Some(catalog.environment(name)?.environment.clone()))
                .collect(),
            problems: validation
                .problems
                .errors()
                .map(ToString::to_string)
                .collect(),
        }
    }

    async fn engine(
        &self,
        environment: &Environment,
        group: &GroupName,
        recorder: Arc<dyn Recorder>,
    ) -> Result<Engine, Said> {
        let connection = self.cluster(environment).await?;
        let place = Place::from(environment);
        let store = self.store.clone();
        let engine = recorded(&connection, store, &place, group, recorder).await;
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
        let made = Arc::new(made);
        supplies.insert(key, (environment.clone(), made.clone()));
        Ok(made)
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

    async fn look(&self, environment: &Environment) -> Result<BoxStream<'static, Sight>, Said> {
        let connection = self.cluster(environment).await?;
        Ok(kubernetes::look(&connection, &environment.namespace))
    }
}

impl Supply for Images {
    fn sources(&self) -> Sources<'_> {
        Images::sources(self)
    }
}
