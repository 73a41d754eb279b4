//! What fills the stores: one watch per kind, which is begun again when it breaks
//! off, and says how often it did.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::StreamExt;
use kube::api::{DynamicObject, WatchEvent, WatchParams};
use kube::runtime::reflector::{self, Store};
use kube::runtime::utils::Backoff;
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource};
use serde::de::DeserializeOwned;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::adapter::kubernetes::crd;
use crate::adapter::kubernetes::error::said;
use crate::adapter::kubernetes::kept::{Facts, Kept};

/// How long a server may take to show whether it streams lists.
const PROBE: Duration = Duration::from_secs(1);
/// Marks the end of a list that is streamed.
const END_OF_LIST: &str = "k8s.io/initial-events-end";

/// What the watches tell whoever waits.
#[derive(Clone, Default)]
pub(super) struct News {
    pub(super) changed: Arc<Notify>,
    pub(super) outages: Arc<AtomicU32>,
}

/// A watch that broke off is tried again every second: how long ago the server
/// was away is to be known, and a promotion waits for it.
#[derive(Clone)]
struct Steadily;

impl Iterator for Steadily {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        Some(Duration::from_secs(1))
    }
}

impl Backoff for Steadily {
    fn reset(&mut self) {}
}

/// Whether the API server sends lists one object at a time. Received as a whole,
/// those of a large group take more memory than all that is kept of them.
///
/// Servers before 1.27 ignore that they are asked to, and none says that it does
/// not but for the mark it sets behind the last object.
pub(super) async fn streams_lists(client: &Client, namespace: &str, group: &str) -> bool {
    let groups: Api<DynamicObject> =
        Api::namespaced_with(client.clone(), namespace, &crd::resource());
    let ours = WatchParams::streaming_lists().fields(&format!("metadata.name={group}"));
    let is_marked = async {
        let Ok(events) = groups.watch(&ours, "0").await else {
            return false;
        };
        let is_mark = |event| match event {
            Ok(WatchEvent::Bookmark(mark)) => mark.metadata.annotations.contains_key(END_OF_LIST),
            _ => false,
        };
        pin!(events).any(async |event| is_mark(event)).await
    };
    let found = tokio::time::timeout(PROBE, is_marked).await;
    found.unwrap_or(false)
}

pub(super) fn follow<T: Facts>(
    client: &Client,
    namespace: &str,
    config: &watcher::Config,
    news: &News,
    tasks: &mut JoinSet<()>,
) -> Store<Kept<T>> {
    let (store, writer) = reflector::store();
    let api = Api::namespaced(client.clone(), namespace);
    feed(api, config.clone(), writer, news, is_outage, tasks);
    store
}

/// The `DeploymentGroup`s of the namespace: requests and holds are put into the
/// group's own, and others may be required.
pub(super) fn follow_groups(
    client: &Client,
    namespace: &str,
    config: &watcher::Config,
    news: &News,
    tasks: &mut JoinSet<()>,
) -> Store<DynamicObject> {
    let kind = crd::resource();
    let writer = reflector::store::Writer::new(kind.clone());
    let store = writer.as_reader();
    let api = Api::namespaced_with(client.clone(), namespace, &kind);
    let is_outage = |error: &watcher::Error| is_outage(error) && !is_new_kind(error);
    feed(api, config.clone(), writer, news, is_outage, tasks);
    store
}

fn feed<K>(
    api: Api<K>,
    config: watcher::Config,
    writer: reflector::store::Writer<K>,
    news: &News,
    is_outage: fn(&watcher::Error) -> bool,
    tasks: &mut JoinSet<()>,
) where
    K: Resource + Clone + std::fmt::Debug + DeserializeOwned + Send + Sync + 'static,
    K::DynamicType: Eq + std::hash::Hash + Clone + Send + Sync,
{
    let stream = watcher(api, config).backoff(Steadily).reflect(writer);
    let news = news.clone();
    tasks.spawn(async move {
        let mut stream = pin!(stream);
        while let Some(event) = stream.next().await {
            if let Err(error) = event {
                tracing::debug!(
                    error = said(&error),
                    "a watch was interrupted and starts again"
                );
                if is_outage(&error) {
                    news.outages.fetch_add(1, Ordering::Relaxed);
                }
            }
            news.changed.notify_one();
        }
    });
}

/// What the server itself says, such as that a version is too old, is no outage.
fn is_outage(error: &watcher::Error) -> bool {
    !matches!(error, watcher::Error::WatchError(_))
}

/// Who is first to ask for a kind that was just installed is told to come back.
fn is_new_kind(error: &watcher::Error) -> bool {
    use watcher::Error::{InitialListFailed, WatchStartFailed};
    let (InitialListFailed(error) | WatchStartFailed(error)) = error else {
        return false;
    };
    matches!(error, kube::Error::Api(status) if status.code == 429)
}

#[cfg(test)]
mod tests {
    use kube::core::Status;

    use super::*;

    fn answered(code: u16) -> Box<Status> {
        Box::new(Status {
            code,
            ..Status::default()
        })
    }

    #[test]
    fn a_watch_whose_version_is_too_old_is_no_outage() {
        assert!(!is_outage(&watcher::Error::WatchError(answered(410))));
        let silent = watcher::Error::WatchFailed(kube::Error::Api(answered(503)));
        assert!(is_outage(&silent));
    }

    #[test]
    fn only_a_kind_that_is_new_may_be_asked_for_too_early() {
        let refused = |code| kube::Error::Api(answered(code));
        let list = |code| watcher::Error::InitialListFailed(refused(code));
        assert!(is_new_kind(&list(429)));
        assert!(is_new_kind(&watcher::Error::WatchStartFailed(refused(429))));
        assert!(!is_new_kind(&list(503)));
        assert!(!is_new_kind(&watcher::Error::WatchFailed(refused(429))));
        // Of any other kind it is said by a server that has just started.
        assert!(is_outage(&list(429)));
    }
}
