//! All groups of a namespace, watched without driving any: where they stand, and who
//! has their locks.
//!
//! Two watches, which cost hardly a request while nothing happens. Of a record only
//! what others go by is kept.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::coordination::v1::Lease;
use kube::api::DynamicObject;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, ResourceExt};

use super::lease::Sighting;
use super::ledger::{groups_in, record_of};
use super::{Connection, error, translate, upcoming};
use crate::group::name::{GroupName, Namespace};
use crate::plan::label;
use crate::port::registry::Said;
use crate::port::sight::{Sight, Standing};

/// What was seen last is too old to go on from: the watch lists anew by itself.
const GONE: u16 = 410;

/// Locks as they were seen first in their present state, by namespace and group: who
/// wants one that is not renewed need not watch it anew.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen(Arc<Mutex<BTreeMap<(String, String), Sighting>>>);

impl Seen {
    /// That of a group, if somebody has it.
    pub(super) fn of(&self, namespace: &Namespace, group: &GroupName) -> Option<Sighting> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (namespace.to_string(), group.to_string());
        seen.get(&key).cloned()
    }

    fn note(&self, namespace: &Namespace, group: &GroupName, now: Option<&Sighting>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (namespace.to_string(), group.to_string());
        match now {
            None => drop(seen.remove(&key)),
            Some(now) if seen.get(&key).is_some_and(|before| now.is_as(before)) => {}
            Some(now) => drop(seen.insert(key, now.clone())),
        }
    }
}

/// What one of the two watches tells.
enum Told {
    Group(Event<DynamicObject>),
    Lease(Event<Lease>),
}

/// Where the groups of a namespace stand, now and at each change, as long as anybody
/// listens; or why the cluster cannot be asked now. Who hears that looks anew after a
/// pause: this one would ask again at once.
pub fn look(
    connection: &Connection,
    namespace: &Namespace,
) -> BoxStream<'static, Result<Sight, Said>> {
    let client = connection.client.clone();
    let config = watcher::Config::default();
    let groups = watcher(groups_in(&client, namespace), config.clone());
    let leases: Api<Lease> = Api::namespaced(client, namespace.as_str());
    let leases = watcher(leases, config.labels(label::GROUP));
    let told = stream::select(groups.map_ok(Told::Group), leases.map_ok(Told::Lease));
    let mut looking = Looking {
        namespace: namespace.clone(),
        seen: connection.seen.clone(),
        standings: BTreeMap::new(),
        listed: None,
    };
    told.map(move |told| match told {
        Ok(Told::Group(event)) => looking.group(event).map(Ok),
        Ok(Told::Lease(event)) => looking.lease(event).map(Ok),
        Err(watcher::Error::WatchError(status)) if status.code == GONE => None,
        Err(error) => Some(Err(Said(error::said(&error)))),
    })
    .filter_map(async |sight| sight)
    .boxed()
}

struct Looking {
    namespace: Namespace,
    seen: Seen,
    standings: BTreeMap<String, Standing>,
    /// While they are listed anew: those that came so far.
    listed: Option<BTreeMap<String, Standing>>,
}

impl Looking {
    fn group(&mut self, event: Event<DynamicObject>) -> Option<Sight> {
        match event {
            Event::Init => {
                self.listed = Some(BTreeMap::new());
                return None;
            }
            Event::InitApply(found) => {
                let standing = standing(&found)?;
                let listed = self.listed.get_or_insert_default();
                listed.insert(found.name_any(), standing);
                return None;
            }
            Event::InitDone => self.standings = self.listed.take().unwrap_or_default(),
            Event::Apply(found) => {
                let standing = standing(&found)?;
                let name = found.name_any();
                if self.standings.get(&name) == Some(&standing) {
                    return None;
                }
                self.standings.insert(name, standing);
            }
            Event::Delete(found) => drop(self.standings.remove(&found.name_any())),
        }
        Some(Sight::Standings(self.standings.values().cloned().collect()))
    }

    fn lease(&self, event: Event<Lease>) -> Option<Sight> {
        let (lease, is_there) = match event {
            Event::Init | Event::InitDone => return None,
            Event::InitApply(lease) | Event::Apply(lease) => (lease, true),
            Event::Delete(lease) => (lease, false),
        };
        let group = GroupName::parse(lease.labels().get(label::GROUP)?).ok()?;
        let spec = lease.spec.filter(|_| is_there);
        let sighting = spec.as_ref().and_then(Sighting::of);
        self.seen.note(&self.namespace, &group, sighting.as_ref());
        Some(Sight::Lock {
            group,
            holder: sighting.and_then(|sighting| sighting.holder()),
        })
    }
}

/// `None`: it was not made by promoter, or its record says nothing, which who drives it
/// finds out.
fn standing(found: &DynamicObject) -> Option<Standing> {
    let group = GroupName::parse(&found.name_any()).ok()?;
    let record = record_of(found);
    if let Err(error) = &record {
        tracing::warn!(%group, %error, "cannot read a record");
    }
    let (hold, upcoming) = (translate::hold(found), upcoming::read(found));
    Some(Standing::of(group, &record.ok()?, hold, upcoming))
}
