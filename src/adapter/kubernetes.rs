//! One group's namespace in a Kubernetes cluster.
//!
//! Implements [`Cluster`](crate::port::Cluster) and
//! [`Ledger`](crate::port::Ledger) over one client. Every request is built
//! here and in the modules below; nothing else in the crate knows the client.

mod alter;
mod apply;
mod asked;
mod bans;
mod bearer;
mod client;
mod collection;
mod columns;
mod context;
mod crd;
mod error;
mod events;
mod examine;
mod expect;
mod install;
mod kept;
mod lease;
mod ledger;
mod logs;
mod look;
mod plans;
mod pointing;
mod resource;
mod rules;
mod scale;
mod status;
mod survey;
mod told;
mod translate;
mod upcoming;
mod watch;
mod whole;
mod work;
mod write;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::uri::InvalidUri;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::sync::Mutex;

use crate::group::name::{GroupName, Namespace};
use crate::port::calls::Listener;
use crate::port::login::Endpoint;
use crate::port::{Calls, ClusterError, Epoch, Login};
use bearer::Bearer;
use lease::Held;
use resource::Resources;
use watch::Watch;

pub use context::Context;
pub use events::Events;
pub use install::{Installed, Who, definition_yaml, install, role_yaml};
pub use look::look;
pub use status::{GroupStatus, list as list_groups, look_closer, watch as watch_groups};
pub use upcoming::announce;

/// Who asks, in the API server's audit log.
const AGENT: &str = concat!("promoter/", env!("CARGO_PKG_VERSION"));

/// A cluster, reached the way an environment says.
#[derive(Clone)]
pub struct Connection {
    client: Client,
    /// How people know the cluster.
    name: String,
    /// Locks as they were seen by who looks at them all.
    seen: look::Seen,
    listener: Listener,
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
    /// Reads a context of the kubeconfig. Contacts nobody yet.
    ///
    /// # Errors
    /// No kubeconfig, or no context of that name in it.
    pub async fn to_context(context: &str) -> Result<Self, ClusterError> {
        Self::open(context, from_context(context).await?, None)
    }

    /// Reads the pod's own service account. Contacts nobody yet.
    ///
    /// # Errors
    /// This is no pod of a cluster.
    pub fn from_inside() -> Result<Self, ClusterError> {
        let config = Config::incluster().map_err(|error| unreachable("in-cluster", &error))?;
        Self::open("in-cluster", config, None)
    }

    /// Takes a cluster as its provider tells it, and lets requests in by its
    /// tokens. Contacts nobody yet.
    ///
    /// # Errors
    /// Its address or certificates are none.
    pub fn to_endpoint(endpoint: &Endpoint, login: Arc<dyn Login>) -> Result<Self, ClusterError> {
        Self::open(&endpoint.cluster, at_endpoint(endpoint)?, Some(login))
    }

    fn open(
        name: &str,
        config: Config,
        login: Option<Arc<dyn Login>>,
    ) -> Result<Self, ClusterError> {
        let listener = Listener::default();
        let told = listener.clone();
        let client = client::client(config, AGENT, |http| {
            let http = told::told(http, told);
            match login {
                Some(login) => client::Http::new(Bearer::new(login, http)),
                None => http,
            }
        });
        Ok(Self {
            client: client.map_err(|error| unreachable(name, &*error))?,
            name: name.to_owned(),
            seen: look::Seen::default(),
            listener,
        })
    }

    /// From now on somebody is told of each request; through a proxy, of none.
    pub fn listen(&self, calls: Arc<dyn Calls>) {
        self.listener.listen(calls);
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
            sighted: Mutex::new(self.seen.of(namespace, group)),
            record: Mutex::default(),
        }
    }
}

async fn from_context(context: &str) -> Result<Config, ClusterError> {
    let kubeconfig = Kubeconfig::read().map_err(|error| unreachable(context, &error))?;
    Context::among(&kubeconfig, Some(context))?;
    let options = KubeConfigOptions {
        context: Some(context.to_owned()),
        ..KubeConfigOptions::default()
    };
    Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| unreachable(context, &error))
}

fn at_endpoint(endpoint: &Endpoint) -> Result<Config, ClusterError> {
    let failed = |error: &(dyn std::error::Error + 'static)| unreachable(&endpoint.cluster, error);
    let server = endpoint
        .server
        .parse()
        .map_err(|error: InvalidUri| failed(&error))?;
    let pem = BASE64
        .decode(&endpoint.authority)
        .map_err(|error| failed(&error))?;
    let authorities = CertificateDer::pem_slice_iter(&pem)
        .map(|found| found.map(|certificate| certificate.to_vec()))
        .collect::<Result<_, _>>();
    let mut config = Config::new(server);
    config.root_cert = Some(authorities.map_err(|error| failed(&error))?);
    Ok(config)
}

fn unreachable(cluster: &str, error: &(dyn std::error::Error + 'static)) -> ClusterError {
    ClusterError::Unreachable {
        cluster: cluster.to_owned(),
        reason: error::said(error),
    }
}
