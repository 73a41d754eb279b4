//! What looks have to show before they are believed: everything that this
//! process wrote. A decision made from an older view would do a thing twice, or
//! take its own work for somebody else's.

use std::sync::{Arc, PoisonError};

use kube::runtime::reflector::ObjectRef as StoreRef;
use kube::{Resource, ResourceExt};

use super::watch::{Seen, Watch};
use super::{Kubernetes, resource};
use crate::plan::object::{Object, ObjectRef};
use crate::port::cluster::Pointing;
use crate::port::{ClusterError, Epoch};

impl Kubernetes {
    /// The watch, begun if there is none.
    pub(super) async fn watch(&self) -> Result<Arc<Watch>, ClusterError> {
        let outages = self.outages.lock().await;
        if let Some(watch) = self.watching() {
            return Ok(watch);
        }
        let (namespace, group) = (self.namespace.as_str(), self.group.as_str());
        let watch = Arc::new(Watch::start(&self.client, namespace, group, *outages).await?);
        let (epoch, services) = &*self.stamped.lock().await;
        for service in services {
            expect_stamped(&watch, namespace, service, *epoch);
        }
        *self.watch.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&watch));
        Ok(watch)
    }

    /// The watch, if there is one.
    pub(super) fn watching(&self) -> Option<Arc<Watch>> {
        let watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        watch.clone()
    }

    /// Gives a watch up that does not show what was written: the next look
    /// begins another, with what the server holds by then. Nodes may lag as well.
    pub(super) async fn watch_anew(&self, lagging: &Arc<Watch>) {
        *self.outages.lock().await = lagging.outages() + 1;
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        if watch.as_ref().is_some_and(|now| Arc::ptr_eq(now, lagging)) {
            *watch = None;
        }
    }

    /// Makes the next look wait for an object to be there as it was made, or as it
    /// became since.
    pub(super) fn expect_made(&self, made: &Object) {
        let Some(watch) = self.watching() else {
            return;
        };
        let made = Made::of(made);
        let namespace = self.namespace.to_string();
        watch.expect(move |stores| {
            made.is_shown(&stores.look_up(&made.object.kind, &made.object.name, &namespace))
        });
    }

    /// Makes the next look wait for an object to be gone, or going.
    pub(super) fn expect_deleted(&self, object: &ObjectRef, uid: &str) {
        let Some(watch) = self.watching() else {
            return;
        };
        let (kind, name) = (object.kind.clone(), object.name.clone());
        let (uid, namespace) = (uid.to_owned(), self.namespace.to_string());
        watch.expect(
            move |stores| match stores.look_up(&kind, &name, &namespace) {
                Seen::NotWatched | Seen::Absent => true,
                Seen::Present {
                    uid: seen,
                    deleting,
                    ..
                } => seen != uid || deleting,
            },
        );
    }

    /// Makes the next look wait for a Service to point where it was led.
    pub(super) fn expect_pointed(&self, change: &Pointing) {
        let Some(watch) = self.watching() else {
            return;
        };
        let place = StoreRef::new(&change.service).within(self.namespace.as_str());
        let to = change.to.clone();
        watch.expect(move |stores| {
            let found = stores.services.get(&place);
            let found = found.as_ref().and_then(|found| found.facts.as_ref());
            let selector = found.map(|service| service.texts_at("/spec/selector"));
            selector.filter(|selector| !selector.is_empty()) == to
        });
    }

    /// Makes the next look wait for a Deployment's spec to be that new.
    pub(super) fn expect_generation(&self, deployment: &str, uid: &str, generation: i64) {
        let Some(watch) = self.watching() else {
            return;
        };
        let place = StoreRef::new(deployment).within(self.namespace.as_str());
        let uid = uid.to_owned();
        watch.expect(move |stores| {
            let found = stores.deployments.get(&place);
            // Gone or made anew, it will not get there any more.
            let same = found.filter(|found| found.uid().as_ref() == Some(&uid));
            same.is_none_or(|found| found.meta().generation >= Some(generation))
        });
    }

    /// Makes looks wait for the stamps of this epoch: whatever was written
    /// before them is shown then, and whatever was not will not be.
    pub(super) async fn expect_stamps(&self, epoch: Epoch, services: Vec<String>) {
        // A watch that is begun at this moment is either there by then, or reads this.
        let mut stamped = self.stamped.lock().await;
        if let Some(watch) = self.watching() {
            for service in &services {
                expect_stamped(&watch, self.namespace.as_str(), service, epoch);
            }
        }
        *stamped = (epoch, services);
    }
}

/// An object as the server answered to a write.
struct Made {
    object: ObjectRef,
    uid: String,
    version: Option<String>,
}

impl Made {
    fn of(answer: &Object) -> Self {
        Self {
            object: answer.reference(),
            uid: answer.uid().unwrap_or_default().to_owned(),
            version: answer
                .str_at("/metadata/resourceVersion")
                .map(str::to_owned),
        }
    }

    /// Whether this is what was made, or what became of it since. It may have been
    /// deleted and made anew.
    fn is_shown(&self, seen: &Seen) -> bool {
        match seen {
            Seen::NotWatched => true,
            Seen::Absent => false,
            Seen::Present { uid, version, .. } => {
                match (number(version.as_deref()), number(self.version.as_deref())) {
                    (Some(seen), Some(made)) => seen >= made,
                    _ => *uid == self.uid,
                }
            }
        }
    }
}

/// A resource version as a number, by which versions of a kind's objects are told
/// apart: the server counts upwards (Kubernetes documents that since 1.35).
fn number(version: Option<&str>) -> Option<u64> {
    version?.parse().ok()
}

fn expect_stamped(watch: &Watch, namespace: &str, service: &str, epoch: Epoch) {
    let service = StoreRef::new(service).within(namespace);
    watch.expect(move |stores| {
        let found = stores.services.get(&service);
        found.is_none_or(|found| resource::stamp_of(&*found) >= Some(epoch.0))
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn made() -> Made {
        Made::of(&Object(json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": "web-blue", "uid": "second", "resourceVersion": "100" },
        })))
    }

    fn present(uid: &str, version: &str) -> Seen {
        Seen::Present {
            uid: uid.to_owned(),
            version: Some(version.to_owned()),
            deleting: false,
        }
    }

    #[test]
    fn a_watch_that_lags_is_waited_for() {
        assert!(!made().is_shown(&Seen::Absent));
        // What it was before it was applied, and before it was made anew.
        assert!(!made().is_shown(&present("second", "99")));
        assert!(!made().is_shown(&present("first", "99")));
    }

    #[test]
    fn what_became_of_it_since_will_do() {
        assert!(made().is_shown(&present("second", "100")));
        assert!(made().is_shown(&present("second", "101")));
        assert!(made().is_shown(&present("third", "1000")));
    }

    #[test]
    fn a_version_that_is_no_number_does_not_tell() {
        assert!(made().is_shown(&present("second", "abc")));
        assert!(!made().is_shown(&present("first", "abc")));
    }

    #[test]
    fn nobody_waits_for_what_is_not_watched() {
        assert!(made().is_shown(&Seen::NotWatched));
    }
}
