//! A witness of what happens to pods, and of who calls whom by their access logs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::{AsyncBufReadExt, StreamExt, TryStreamExt};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client, ResourceExt};
use serde_json::Value;
use tokio::task::JoinHandle;

use super::cluster::runtime;
use super::testbed::Testbed;
use super::wait::until;

/// Watches the pods of a namespace and reads their logs along from their
/// first line, as pods take their logs with them.
pub(crate) struct Witness {
    seen: Arc<Mutex<Seen>>,
    watch: JoinHandle<()>,
}

/// What was seen so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// By uid.
    pub(crate) pods: BTreeMap<String, SeenPod>,
    /// What became of them, in the cluster's own order.
    pub(crate) changes: Vec<(String, Change)>,
    pub(crate) requests: Vec<Access>,
}

/// A pod, with what it kept to its end.
#[derive(Debug, Clone)]
pub(crate) struct SeenPod {
    pub(crate) name: String,
    /// Empty for checks and strangers.
    pub(crate) app: String,
    pub(crate) color: String,
    pub(crate) is_check: bool,
    /// Empty until it has one.
    pub(crate) ip: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// It was told to end.
    Deleting,
    /// It is no more.
    Gone,
}

/// One line of an example app's access log.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    /// The uid of the pod that answered.
    pub(crate) pod: String,
    /// When it had answered.
    pub(crate) at: Timestamp,
    /// The caller's address.
    pub(crate) remote: String,
    pub(crate) host: String,
    pub(crate) user_agent: String,
}

impl Witness {
    /// Begins to watch; what stands already is seen too, but not what is gone.
    pub(crate) fn start(namespace: &str) -> Self {
        let client = Testbed::get().cluster.client();
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (namespace, shared) = (namespace.to_owned(), Arc::clone(&seen));
        let watch = runtime().spawn(async move { watch(client, &namespace, shared).await });
        Self { seen, watch }
    }

    /// Gives what was seen once `complete` holds; logs arrive a little later
    /// than what they are about.
    #[track_caller]
    pub(crate) fn seen(&self, what: &str, complete: impl Fn(&Seen) -> bool) -> Seen {
        until(what, || {
            let seen = self.seen.lock().unwrap();
            complete(&seen).then(|| seen.clone())
        })
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

async fn watch(client: Client, namespace: &str, seen: Arc<Mutex<Seen>>) {
    let pods: Api<Pod> = Api::namespaced(client, namespace);
    let mut events = watcher(pods.clone(), watcher::Config::default()).boxed();
    let mut followed = BTreeMap::new();
    while let Ok(Some(event)) = events.try_next().await {
        match event {
            watcher::Event::Init | watcher::Event::InitDone => {}
            watcher::Event::Apply(pod) | watcher::Event::InitApply(pod) => {
                let uid = seen.lock().unwrap().note(&pod);
                if has_started(&pod) {
                    followed.entry(uid.clone()).or_insert_with(|| {
                        tokio::spawn(follow(pods.clone(), pod.name_any(), uid, Arc::clone(&seen)))
                    });
                }
            }
            watcher::Event::Delete(pod) => {
                let mut seen = seen.lock().unwrap();
                let uid = seen.note(&pod);
                seen.change(uid, Change::Gone);
            }
        }
    }
}

fn has_started(pod: &Pod) -> bool {
    let containers = pod
        .status
        .as_ref()
        .and_then(|status| status.container_statuses.as_ref());
    let mut states = containers
        .into_iter()
        .flatten()
        .filter_map(|container| container.state.as_ref());
    states.any(|state| state.running.is_some() || state.terminated.is_some())
}

async fn follow(pods: Api<Pod>, name: String, uid: String, seen: Arc<Mutex<Seen>>) {
    let parameters = LogParams {
        follow: true,
        ..LogParams::default()
    };
    let Ok(log) = pods.log_stream(&name, &parameters).await else {
        return;
    };
    let mut lines = log.lines();
    while let Ok(Some(line)) = lines.try_next().await {
        let line: Value = serde_json::from_str(&line).unwrap_or_default();
        if line["msg"] == "request" {
            let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
            let access = Access {
                pod: uid.clone(),
                at: text("time").parse().unwrap(),
                remote: text("remote"),
                host: text("host"),
                user_agent: text("userAgent"),
            };
            seen.lock().unwrap().requests.push(access);
        }
    }
}

impl Seen {
    fn note(&mut self, pod: &Pod) -> String {
        let uid = pod.uid().unwrap_or_default();
        let label = |key: &str| pod.labels().get(key).cloned().unwrap_or_default();
        let known = self.pods.entry(uid.clone()).or_insert_with(|| SeenPod {
            name: pod.name_any(),
            app: label("promoter.dev/app"),
            color: label("promoter.dev/color"),
            is_check: pod.labels().contains_key("promoter.dev/check"),
            ip: String::new(),
        });
        if let Some(ip) = pod.status.as_ref().and_then(|status| status.pod_ip.clone()) {
            known.ip = ip;
        }
        if pod.metadata.deletion_timestamp.is_some() {
            self.change(uid.clone(), Change::Deleting);
        }
        uid
    }

    fn change(&mut self, uid: String, change: Change) {
        if !self.changes.contains(&(uid.clone(), change)) {
            self.changes.push((uid, change));
        }
    }

    /// Uids of the pods of an app in a colour.
    pub(crate) fn pods_of(&self, app: &str, color: &str) -> Vec<&str> {
        let of = self
            .pods
            .iter()
            .filter(|(_, pod)| pod.app == app && pod.color == color);
        of.map(|(uid, _)| uid.as_str()).collect()
    }

    /// The place of a change in the order of all changes.
    pub(crate) fn place(&self, uid: &str, change: Change) -> Option<usize> {
        self.changes
            .iter()
            .position(|(of, what)| of == uid && *what == change)
    }

    /// The pod that has an address.
    pub(crate) fn caller(&self, ip: &str) -> Option<&SeenPod> {
        self.pods.values().find(|pod| pod.ip == ip)
    }
}
