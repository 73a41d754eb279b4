//! One group's namespace in a Kubernetes cluster.
//!
//! Implements [`Cluster`](crate::port::Cluster) and
//! [`Ledger`](crate::port::Ledger) over one client. Every request is built
//! here and in the modules below; nothing else in the crate knows the client.

mod alter;
mod apply;
mod asked;
mod bans;
mod client;
mod collection;
mod columns;
mod crd;
mod error;
mod events;
mod expect;
mod install;
mod kept;
mod lease;
mod ledger;
mod logs;
mod plans;
mod pointing;
mod resource;
mod scale;
mod status;
mod survey;
mod translate;
mod watch;
mod whole;
mod write;

use std::sync::Arc;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tokio::sync::Mutex;

use crate::group::ClusterRef;
use crate::group::name::{GroupName, Namespace};
use crate::port::{ClusterError, Epoch};
use lease::Held;
use resource::Resources;
use watch::Watch;

pub use events::Events;
pub use install::{Installed, install, role_yaml};
pub use status::{GroupStatus, list as list_groups, look_closer, watch as watch_groups};

/// Who asks, in the API server's audit log.
const AGENT: &str = concat!("promoter/", env!("CARGO_PKG_VERSION"));

/// A cluster, reached the way an environment says.
#[derive(Clone)]
pub struct Connection {
    client: Client,
    /// How people know the cluster.
    name: String,
}

/// One group's namespace in a cluster.
pub struct Kubernetes {
    client: Client,
    namespace: Namespace,
    group: GroupName,
    resources: Resources,
    watch: std::sync::Mutex<Option<Arc<Watch>>>,
    /// Held while a watch is begun. What it begins to count outages from.
    outages: Mutex<u32>,
    /// Tells this process' hold of the lock from an earlier one of the same person.
    identity: String,
    held: Arc<Mutex<Option<Held>>>,
    /// Services that were stamped, which watches have to show before they are believed.
    stamped: Mutex<(Epoch, Vec<String>)>,
    /// Somebody else's lock, as it was seen first.
    sighted: Mutex<Option<lease::Sighting>>,
    record: Mutex<Option<ledger::Cached>>,
}

impl Connection {
    /// Reads the named kubeconfig context, or the pod's own service account.
    /// Contacts nobody yet.
    ///
    /// # Errors
    /// No kubeconfig, or no context of that name in it.
    pub async fn open(cluster: &ClusterRef) -> Result<Self, ClusterError> {
        let (name, config) = match cluster {
            ClusterRef::InCluster => ("in-cluster".to_owned(), in_cluster()?),
            ClusterRef::Context(context) => (context.clone(), from_context(context).await?),
        };
        let client = client::client(config, AGENT).map_err(|error| unreachable(&name, &*error))?;
        Ok(Self { client, name })
    }

    /// How people know the cluster.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells the promotions of a group as Kubernetes Events on its `DeploymentGroup`.
    pub fn events(&self, namespace: &Namespace, group: &GroupName) -> Events {
        Events::start(&self.client, namespace, group)
    }

    /// One group's namespace in this cluster.
    pub fn group(&self, namespace: &Namespace, group: &GroupName) -> Kubernetes {
        Kubernetes {
            client: self.client.clone(),
            namespace: namespace.clone(),
            group: group.clone(),
            resources: Resources::default(),
            watch: std::sync::Mutex::default(),
            outages: Mutex::default(),
            identity: format!("{:08x}", rand::random::<u32>()),
            held: Arc::default(),
            stamped: Mutex::new((Epoch(0), Vec::new())),
            sighted: Mutex::default(),
            record: Mutex::default(),
        }
    }
}

fn in_cluster() -> Result<Config, ClusterError> {
    Config::incluster().map_err(|error| unreachable("in-cluster", &error))
}

async fn from_context(context: &str) -> Result<Config, ClusterError> {
    let kubeconfig = Kubeconfig::read().map_err(|error| unreachable(context, &error))?;
    let known: Vec<_> = kubeconfig
        .contexts
        .iter()
        .map(|context| context.name.clone())
        .collect();
    if !known.iter().any(|name| name == context) {
        return Err(ClusterError::NoContext {
            context: context.to_owned(),
            known: known.join(", "),
        });
    }
    let options = KubeConfigOptions {
        context: Some(context.to_owned()),
        ..KubeConfigOptions::default()
    };
    Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| unreachable(context, &error))
}

fn unreachable(cluster: &str, error: &dyn std::error::Error) -> ClusterError {
    ClusterError::Unreachable {
        cluster: cluster.to_owned(),
        reason: error::chain(error),
    }
}
