//! Reading groups' records without driving any.

use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use kube::ResourceExt;
use kube::api::{DynamicObject, ListParams};
use kube::runtime::{WatchStreamExt, watcher};

use super::error::PATIENCE;
use super::ledger::{all_groups, groups_in, record_of};
use super::{Connection, bans, error, translate, upcoming};
use crate::group::name::{GroupName, Namespace};
use crate::plan::label;
use crate::port::sight::Upcoming;
use crate::port::{ClusterError, Ledger};
use crate::promotion::record::GroupRecord;
use crate::promotion::restraint::{Restraint, Restraints, Statement};

/// A group as the cluster knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupStatus {
    /// Its name.
    pub name: String,
    /// Its record.
    pub record: GroupRecord,
    /// Who holds it, and why.
    pub hold: Option<Statement>,
    /// What serves although it is banned.
    pub banned: Vec<Restraint>,
    /// Who drives it now, as far as that was looked at.
    pub driver: Option<String>,
    /// What a daemon does about it next.
    pub upcoming: Option<Upcoming>,
}

fn status(found: &DynamicObject) -> Result<GroupStatus, ClusterError> {
    Ok(GroupStatus {
        name: found.name_any(),
        record: record_of(found)?,
        hold: translate::hold(found),
        banned: Vec::new(),
        driver: None,
        upcoming: upcoming::read(found),
    })
}

/// All groups of a namespace, by name.
///
/// # Errors
/// The cluster does not answer, or promoter is not installed there.
pub async fn list(
    connection: &Connection,
    namespace: &Namespace,
) -> Result<Vec<GroupStatus>, ClusterError> {
    let found = all_groups(&groups_in(&connection.client, namespace)).await?;
    found.iter().map(status).collect()
}

/// Notes who drives a group, in its record what somebody changed of its active Services,
/// and what of it is banned: nobody else looks while nobody drives it. Who may not look at
/// Services, bans or kept plans learns nothing.
///
/// # Errors
/// The cluster does not answer.
pub async fn look_closer(
    connection: &Connection,
    namespace: &Namespace,
    status: &mut GroupStatus,
) -> Result<(), ClusterError> {
    let Ok(group) = GroupName::parse(&status.name) else {
        return Ok(());
    };
    let kubernetes = connection.group(namespace, &group);
    if status.record.in_flight.is_some() {
        status.driver = match kubernetes.holder().await {
            Err(ClusterError::Forbidden { .. }) => None,
            found => found?,
        };
    }
    let record = &mut status.record;
    let Some(serving) = &record.serving else {
        return Ok(());
    };
    let looking = async {
        let plan = kubernetes.plan(&serving.plan).await?;
        let services = kubernetes.api("v1", "Service").await?;
        let of_group = format!("{}={group}", label::GROUP);
        let found = services
            .list(&ListParams::default().labels(&of_group))
            .await;
        let found = found.map_err(|error| error::from("list the Services", error))?;
        let found = found.items.into_iter();
        let found: Vec<_> = found
            .map(|found| found.into_object("v1", "Service"))
            .collect();
        let bans = bans::read(&connection.client, namespace).await?;
        let bans = Restraints {
            bans,
            ..Restraints::default()
        };
        Ok(plan.map(|plan| (record.strays(&plan, &found), bans.against(&plan))))
    };
    let looked = error::in_time("look at the Services", PATIENCE, looking).await?;
    let (strays, banned) = match looked {
        Ok(found) => found.unwrap_or_default(),
        Err(ClusterError::Forbidden { .. }) => return Ok(()),
        Err(error) => return Err(error),
    };
    status.banned = banned;
    for stray in strays {
        if !record.astray.contains(&stray) {
            record.astray.push(stray);
        }
    }
    Ok(())
}

/// A group's record now and at every change.
pub fn watch(
    connection: &Connection,
    namespace: &Namespace,
    group: &str,
) -> BoxStream<'static, Result<GroupStatus, ClusterError>> {
    let config = watcher::Config::default().fields(&format!("metadata.name={group}"));
    watcher(groups_in(&connection.client, namespace), config)
        .default_backoff()
        .applied_objects()
        .map_err(|error| ClusterError::Unreachable {
            cluster: "to watch the DeploymentGroup".to_owned(),
            reason: error::said(&error),
        })
        .map(|found| found.and_then(|found| status(&found)))
        .boxed()
}
