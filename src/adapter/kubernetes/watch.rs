//! The group's objects as the API server streams them.
//!
//! Five watches feed local stores, so that looking costs no request and
//! waiting costs no time. A look made after a write of this process includes
//! that write: see [`Watch::expect`].

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::runtime::reflector::{self, ObjectRef, Store};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::plan::label;
use crate::port::ClusterError;

/// How long a watch may take to show what was just written.
const CATCH_UP: Duration = Duration::from_secs(10);

/// Something a write made true, which the stores have to show.
type Expectation = Box<dyn Fn(&Stores) -> bool + Send>;

/// The stores and what feeds them.
pub(super) struct Watch {
    stores: Stores,
    changed: Arc<Notify>,
    expected: Mutex<Vec<Expectation>>,
    // Dropping the set ends the watches.
    _tasks: JoinSet<()>,
}

/// What is known of the group's objects.
pub(super) struct Stores {
    pub(super) deployments: Store<Deployment>,
    pub(super) pods: Store<Pod>,
    pub(super) jobs: Store<Job>,
    pub(super) services: Store<Service>,
    pub(super) slices: Store<EndpointSlice>,
}

impl Watch {
    /// Starts the watches and waits for their first lists.
    pub(super) async fn start(
        client: &Client,
        namespace: &str,
        group: &str,
    ) -> Result<Self, ClusterError> {
        let changed = Arc::new(Notify::new());
        let mut tasks = JoinSet::new();
        let ours = watcher::Config::default().labels(&format!("{}={group}", label::GROUP));
        let all = watcher::Config::default();
        let stores = Stores {
            deployments: follow(client, namespace, ours.clone(), &changed, &mut tasks),
            pods: follow(client, namespace, ours.clone(), &changed, &mut tasks),
            jobs: follow(client, namespace, ours.clone(), &changed, &mut tasks),
            // Services of others matter too: one may select the candidate's pods.
            services: follow(client, namespace, all, &changed, &mut tasks),
            slices: follow(client, namespace, ours, &changed, &mut tasks),
        };
        let watch = Self {
            stores,
            changed,
            expected: Mutex::default(),
            _tasks: tasks,
        };
        tokio::time::timeout(CATCH_UP, watch.stores.ready())
            .await
            .map_err(|_| ClusterError::Unreachable {
                cluster: "to watch the group's objects".to_owned(),
                reason: "the first lists did not arrive in time".to_owned(),
            })?;
        Ok(watch)
    }

    /// Returns once something changed since the last call.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Makes later looks wait until this holds.
    pub(super) fn expect(&self, expectation: impl Fn(&Stores) -> bool + Send + 'static) {
        if let Ok(mut expected) = self.expected.lock() {
            expected.push(Box::new(expectation));
        }
    }

    /// The stores, once they show everything this process wrote.
    pub(super) async fn stores(&self) -> Result<&Stores, ClusterError> {
        let caught_up = async {
            while !self.is_caught_up() {
                tokio::select! {
                    () = self.changed.notified() => {}
                    // A change may have come between the look and the wait.
                    () = tokio::time::sleep(Duration::from_millis(50)) => {}
                }
            }
        };
        if tokio::time::timeout(CATCH_UP, caught_up).await.is_err() {
            self.forget();
            return Err(ClusterError::Unreachable {
                cluster: "to watch the group's objects".to_owned(),
                reason: "the watch lags behind what was written".to_owned(),
            });
        }
        Ok(&self.stores)
    }

    fn is_caught_up(&self) -> bool {
        let Ok(mut expected) = self.expected.lock() else {
            return true;
        };
        expected.retain(|holds| !holds(&self.stores));
        expected.is_empty()
    }

    fn forget(&self) {
        if let Ok(mut expected) = self.expected.lock() {
            expected.clear();
        }
    }
}

impl Stores {
    async fn ready(&self) {
        // A store whose writer is gone stays empty; the next look reports it.
        let _ = tokio::join!(
            self.deployments.wait_until_ready(),
            self.pods.wait_until_ready(),
            self.jobs.wait_until_ready(),
            self.services.wait_until_ready(),
            self.slices.wait_until_ready(),
        );
    }

    /// What the stores know of an object.
    pub(super) fn look_up(&self, kind: &str, name: &str, namespace: &str) -> Seen {
        match kind {
            "Deployment" => seen(&self.deployments, name, namespace),
            "Job" => seen(&self.jobs, name, namespace),
            "Service" => seen(&self.services, name, namespace),
            _ => Seen::NotWatched,
        }
    }
}

/// What the stores know of one object.
pub(super) enum Seen {
    /// Its kind is not watched.
    NotWatched,
    /// There is none of the name.
    Absent,
    /// There is one.
    Present {
        uid: String,
        /// Whether it has a deletion timestamp.
        deleting: bool,
    },
}

fn seen<K>(store: &Store<K>, name: &str, namespace: &str) -> Seen
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    let found = store.get(&ObjectRef::new(name).within(namespace));
    found.map_or(Seen::Absent, |found| Seen::Present {
        uid: found.uid().unwrap_or_default(),
        deleting: found.meta().deletion_timestamp.is_some(),
    })
}

fn follow<K>(
    client: &Client,
    namespace: &str,
    config: watcher::Config,
    changed: &Arc<Notify>,
    tasks: &mut JoinSet<()>,
) -> Store<K>
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static,
{
    let (store, writer) = reflector::store();
    let stream = watcher(Api::<K>::namespaced(client.clone(), namespace), config)
        .modify(|object| object.managed_fields_mut().clear())
        .default_backoff()
        .reflect(writer);
    let changed = Arc::clone(changed);
    tasks.spawn(async move {
        let mut stream = std::pin::pin!(stream);
        while let Some(event) = stream.next().await {
            if let Err(error) = event {
                tracing::debug!(%error, "a watch was interrupted and starts again");
            }
            changed.notify_one();
        }
    });
    store
}
