//! The group's objects as the API server streams them.
//!
//! Eight watches feed local stores, so that looking costs no request and
//! waiting costs no time. A look made after a write of this process includes
//! that write: see [`Watch::expect`].

mod feed;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kube::api::DynamicObject;
use kube::runtime::reflector::{ObjectRef, Store};
use kube::runtime::watcher;
use kube::{Client, Resource, ResourceExt};
use tokio::task::JoinSet;

use self::feed::{News, follow, follow_groups, streams_lists};
use super::bans::{self, Bans};
use super::crd;
use super::kept::{self, Kept};
use super::translate::{AnyJob, Policy, Slice};
use crate::plan::label;
use crate::plan::object::Object;
use crate::port::ClusterError;
use crate::promotion::observed::{DeploymentState, PodState};

/// How long a watch may take to show what was just written.
const CATCH_UP: Duration = Duration::from_secs(10);

/// Something a write made true, which the stores have to show.
type Expectation = Box<dyn Fn(&Stores) -> bool + Send>;

/// The stores and what feeds them.
pub(super) struct Watch {
    stores: Stores,
    news: News,
    expected: Mutex<Vec<Expectation>>,
    // Dropping the set ends the watches.
    _tasks: JoinSet<()>,
}

/// What is known of the group's objects.
pub(super) struct Stores {
    pub(super) deployments: Store<Kept<DeploymentState>>,
    pub(super) pods: Store<Kept<PodState>>,
    pub(super) jobs: Store<Kept<AnyJob>>,
    pub(super) services: Store<Kept<Arc<Object>>>,
    pub(super) policies: Store<Kept<Policy>>,
    pub(super) slices: Store<Kept<Slice>>,
    /// Every group of the namespace: others may be required.
    groups: Store<DynamicObject>,
    /// The group's own place among them.
    group: ObjectRef<DynamicObject>,
    pub(super) bans: Store<Kept<Bans>>,
}

impl Watch {
    /// Starts the watches and waits for their first lists. `outages` is what was
    /// seen of them before, by watches that were given up.
    pub(super) async fn start(
        client: &Client,
        namespace: &str,
        group: &str,
        outages: u32,
    ) -> Result<Self, ClusterError> {
        let news = News::default();
        news.outages.store(outages, Ordering::Relaxed);
        let mut tasks = JoinSet::new();
        let all = match outages {
            // The server's cache is recent enough: what this process wrote is waited for.
            0 if streams_lists(client, namespace, group).await => {
                watcher::Config::default().streaming_lists()
            }
            0 => watcher::Config::default().any_semantic(),
            // One that lagged is not asked again what it knows.
            _ => watcher::Config::default().page_size(kept::PAGE),
        };
        let ours = all.clone().labels(&format!("{}={group}", label::GROUP));
        let stores = Stores {
            deployments: follow(client, namespace, &ours, &news, &mut tasks),
            pods: follow(client, namespace, &ours, &news, &mut tasks),
            jobs: follow(client, namespace, &ours, &news, &mut tasks),
            // Services of others matter too: one may select the candidate's pods.
            services: follow(client, namespace, &all, &news, &mut tasks),
            // And so may a policy of theirs.
            policies: follow(client, namespace, &all, &news, &mut tasks),
            slices: follow(client, namespace, &ours, &news, &mut tasks),
            groups: follow_groups(client, namespace, &all, &news, &mut tasks),
            group: ObjectRef::new_with(group, crd::resource()).within(namespace),
            bans: follow(
                client,
                namespace,
                &named(&all, bans::NAME),
                &news,
                &mut tasks,
            ),
        };
        let watch = Self {
            stores,
            news,
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
        self.news.changed.notified().await;
    }

    /// Makes later looks wait until this holds.
    pub(super) fn expect(&self, expectation: impl Fn(&Stores) -> bool + Send + 'static) {
        if let Ok(mut expected) = self.expected.lock() {
            expected.push(Box::new(expectation));
        }
    }

    /// The Service of that name, if there is one. Only to be believed while
    /// [`Watch::is_caught_up`].
    pub(super) fn service(&self, name: &str, namespace: &str) -> Option<Object> {
        let found = self
            .stores
            .services
            .get(&ObjectRef::new(name).within(namespace));
        let found = found.and_then(|found| found.facts.clone());
        found.map(Arc::unwrap_or_clone)
    }

    /// The stores, once they show everything this process wrote. Fails if they
    /// do not in time, be it that somebody undid it at the same moment: then
    /// only another watch can tell.
    pub(super) async fn stores(&self) -> Result<&Stores, ClusterError> {
        let caught_up = async {
            while !self.is_caught_up() {
                tokio::select! {
                    () = self.news.changed.notified() => {}
                    // A change may have come between the look and the wait.
                    () = tokio::time::sleep(Duration::from_millis(50)) => {}
                }
            }
        };
        if tokio::time::timeout(CATCH_UP, caught_up).await.is_err() {
            return Err(ClusterError::Unreachable {
                cluster: "to watch the group's objects".to_owned(),
                reason: "the watch lags behind what was written".to_owned(),
            });
        }
        Ok(&self.stores)
    }

    /// Whether the stores show everything this process wrote.
    pub(super) fn is_caught_up(&self) -> bool {
        let Ok(mut expected) = self.expected.lock() else {
            return true;
        };
        expected.retain(|holds| !holds(&self.stores));
        expected.is_empty()
    }

    /// How often a watch broke off since this one began.
    pub(super) fn outages(&self) -> u32 {
        self.news.outages.load(Ordering::Relaxed)
    }
}

impl Stores {
    /// The group's own object.
    pub(super) fn group(&self) -> Option<Arc<DynamicObject>> {
        self.groups.get(&self.group)
    }

    /// Those of all groups.
    pub(super) fn groups(&self) -> Vec<Arc<DynamicObject>> {
        self.groups.state()
    }

    async fn ready(&self) {
        // A store whose writer is gone stays empty; the next look reports it.
        let _ = tokio::join!(
            self.deployments.wait_until_ready(),
            self.pods.wait_until_ready(),
            self.jobs.wait_until_ready(),
            self.services.wait_until_ready(),
            self.policies.wait_until_ready(),
            self.slices.wait_until_ready(),
            self.groups.wait_until_ready(),
            self.bans.wait_until_ready(),
        );
    }

    /// What the stores know of an object.
    pub(super) fn look_up(&self, kind: &str, name: &str, namespace: &str) -> Seen {
        match kind {
            "Deployment" => seen(&self.deployments, name, namespace),
            "Job" => seen(&self.jobs, name, namespace),
            "Service" => seen(&self.services, name, namespace),
            "NetworkPolicy" => seen(&self.policies, name, namespace),
            _ => Seen::NotWatched,
        }
    }
}

/// Only the object of that name.
fn named(config: &watcher::Config, name: &str) -> watcher::Config {
    config.clone().fields(&format!("metadata.name={name}"))
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
        /// Its resource version.
        version: Option<String>,
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
        version: found.resource_version(),
        deleting: found.meta().deletion_timestamp.is_some(),
    })
}
