//! One group's namespace in a Kubernetes cluster.
//!
//! Implements [`Cluster`](crate::port::Cluster) and
//! [`Ledger`](crate::port::Ledger) over one client. Every request is built
//! here and in the modules below; nothing else in the crate knows the client.

mod apply;
mod crd;
mod error;
mod install;
mod lease;
mod ledger;
mod logs;
mod plans;
mod resource;
mod status;
mod survey;
mod translate;
mod watch;
mod write;

use std::sync::Arc;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tokio::sync::{Mutex, OnceCell};

use crate::group::ClusterRef;
use crate::group::name::{GroupName, Namespace};
use crate::port::ClusterError;
use lease::Held;
use resource::Resources;
use watch::Watch;

pub use install::{Installed, install, role_yaml};
pub use status::{GroupStatus, list as list_groups, watch as watch_groups};

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
    watch: OnceCell<Watch>,
    held: Arc<Mutex<Option<Held>>>,
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
        let client = Client::try_from(config).map_err(|error| unreachable(&name, &error))?;
        Ok(Self { client, name })
    }

    /// How people know the cluster.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One group's namespace in this cluster.
    pub fn group(&self, namespace: &Namespace, group: &GroupName) -> Kubernetes {
        Kubernetes {
            client: self.client.clone(),
            namespace: namespace.clone(),
            group: group.clone(),
            resources: Resources::default(),
            watch: OnceCell::new(),
            held: Arc::default(),
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
