//! Reading groups' records without driving any.

use std::time::Duration;

use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::Service;
use kube::api::{ApiResource, DynamicObject, ListParams};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, ResourceExt};

use super::ledger::record_of;
use super::whole::Whole;
use super::{Connection, crd, error};
use crate::group::name::Namespace;
use crate::plan::label;
use crate::plan::object::Object;
use crate::port::ClusterError;
use crate::promotion::record::GroupRecord;

/// How long the cluster may take to tell.
const PATIENCE: Duration = Duration::from_secs(30);

/// A group as the cluster knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupStatus {
    /// Its name.
    pub name: String,
    /// Its record.
    pub record: GroupRecord,
}

fn api(connection: &Connection, namespace: &Namespace) -> Api<DynamicObject> {
    Api::namespaced_with(
        connection.client.clone(),
        namespace.as_str(),
        &crd::resource(),
    )
}

fn status(found: &DynamicObject) -> Result<GroupStatus, ClusterError> {
    Ok(GroupStatus {
        name: found.name_any(),
        record: record_of(found)?,
    })
}

/// All groups of a namespace, by name. What somebody changed since nobody drives
/// a group any more is noted in its record's `astray`.
///
/// # Errors
/// The cluster does not answer, or promoter is not installed there.
pub async fn list(
    connection: &Connection,
    namespace: &Namespace,
) -> Result<Vec<GroupStatus>, ClusterError> {
    let all = ListParams::default();
    let api = api(connection, namespace);
    let found = tokio::time::timeout(PATIENCE, api.list(&all)).await;
    let found = found.map_err(|_| error::no_answer("list the DeploymentGroups", PATIENCE))?;
    let found = found.map_err(|error| error::from_group("list the DeploymentGroups", error))?;
    let mut groups: Vec<_> = found.items.iter().map(status).collect::<Result<_, _>>()?;
    if !groups.is_empty() {
        let services = services(connection, namespace).await?;
        for group in &mut groups {
            let mut strays = group.record.strays(&group.name, &services);
            let known = &mut group.record.astray;
            strays.retain(|stray| !known.contains(stray));
            known.extend(strays);
        }
    }
    Ok(groups)
}

/// The Services of all groups; none for who may only look at the groups.
async fn services(
    connection: &Connection,
    namespace: &Namespace,
) -> Result<Vec<Object>, ClusterError> {
    let api: Api<Whole> = Api::namespaced_with(
        connection.client.clone(),
        namespace.as_str(),
        &ApiResource::erase::<Service>(&()),
    );
    let of_groups = ListParams::default().labels(label::GROUP);
    let found = tokio::time::timeout(PATIENCE, api.list(&of_groups)).await;
    let found = found.map_err(|_| error::no_answer("list the Services", PATIENCE))?;
    let found = found.map_err(|error| error::from("list the Services", error));
    match found {
        Ok(found) => Ok(found
            .items
            .into_iter()
            .map(|s| s.into_object("v1", "Service"))
            .collect()),
        Err(ClusterError::Forbidden { .. }) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// A group's record now and at every change.
pub fn watch(
    connection: &Connection,
    namespace: &Namespace,
    group: &str,
) -> BoxStream<'static, Result<GroupStatus, ClusterError>> {
    let config = watcher::Config::default().fields(&format!("metadata.name={group}"));
    watcher(api(connection, namespace), config)
        .default_backoff()
        .applied_objects()
        .map_err(|error| ClusterError::Unreachable {
            cluster: "to watch the DeploymentGroup".to_owned(),
            reason: error::chain(&error),
        })
        .map(|found| found.and_then(|found| status(&found)))
        .boxed()
}
