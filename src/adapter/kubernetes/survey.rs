//! Everything planning looks at, read at one go. Writes nothing. What is watched
//! already is not asked for again: a large group's objects are large.

mod nodes;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, ResourceQuota};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use serde_json::Value;

use super::error::PATIENCE;
use super::translate::Policy;
use super::{Kubernetes, error, kept, plans};
use crate::plan::Plan;
use crate::plan::capacity::{bytes, cpu_millis};
use crate::plan::label;
use crate::plan::object::Object;
use crate::plan::survey::{Quota, StandingDeployment, Survey};
use crate::port::{ClusterError, Ledger};
use crate::promotion::observed::DeploymentState;
use crate::promotion::record::GroupRecord;

/// How long it may take over what is only told.
const SHORT_PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn survey(cluster: &Kubernetes) -> Result<Survey, ClusterError> {
    let action = "look at the group's namespace";
    error::in_time(action, PATIENCE, Box::pin(look(cluster))).await?
}

async fn look(cluster: &Kubernetes) -> Result<Survey, ClusterError> {
    let (namespace, services, policies, nodes, quotas, live, config_key, deployments) = tokio::join!(
        namespace(cluster),
        services(cluster),
        policies(cluster),
        nodes::nodes(cluster),
        quotas(cluster),
        live(cluster),
        plans::find_key(cluster),
        deployments(cluster),
    );
    let Some(namespace) = namespace? else {
        // Who has rights in another one may read nothing of it, and nothing is there.
        return Ok(Survey::default());
    };
    let (record, live) = live?;
    Ok(Survey {
        namespace: Some(namespace),
        serving: record.serving,
        live,
        unfinished: record.in_flight.is_some(),
        deployments: deployments?,
        services: services?,
        policies: policies?,
        nodes: nodes?,
        quotas: quotas?,
        // Names made with a key that is not kept tell nobody anything.
        config_key: Some(config_key?.map_or_else(plans::new_key, Ok)?),
    })
}

/// The record, and the plan of what serves by it.
async fn live(cluster: &Kubernetes) -> Result<(GroupRecord, Option<Plan>), ClusterError> {
    let record = match cluster.read().await {
        // Planning is possible before anything was installed.
        Err(ClusterError::NotInstalled) => GroupRecord::default(),
        record => record?,
    };
    let plan = match &record.serving {
        Some(serving) => cluster.plan(&serving.plan).await?,
        None => None,
    };
    Ok((record, plan))
}

/// Labels and annotations: meshes use either.
async fn namespace(cluster: &Kubernetes) -> Result<Option<BTreeMap<String, String>>, ClusterError> {
    let found = find_namespace(cluster).await?;
    Ok(found.map(|found| {
        let mut marks = found.annotations().clone();
        marks.extend(found.labels().clone());
        marks
    }))
}

pub(super) async fn is_ending(cluster: &Kubernetes) -> Result<bool, ClusterError> {
    let found = error::in_time(
        "read the namespace",
        SHORT_PATIENCE,
        find_namespace(cluster),
    )
    .await??;
    Ok(found.is_none_or(|found| found.metadata.deletion_timestamp.is_some()))
}

/// The namespace. Reading it is a right of its own; without it nothing is known
/// of the namespace, and writes will tell.
async fn find_namespace(cluster: &Kubernetes) -> Result<Option<Namespace>, ClusterError> {
    let api: Api<Namespace> = Api::all(cluster.client.clone());
    match api.get_opt(cluster.namespace.as_str()).await {
        Err(error) if error::is_forbidden(&error) => Ok(Some(Namespace::default())),
        found => found.map_err(|error| error::from("read the namespace", error)),
    }
}

/// What of the group stands, by the watch or by a list that is as new as can be.
async fn deployments(cluster: &Kubernetes) -> Result<Vec<StandingDeployment>, ClusterError> {
    if let Some(watch) = cluster.watching() {
        let found = watch.stores().await?.deployments.state();
        let found = found.iter().filter_map(|found| found.facts.as_ref());
        let mut found: Vec<_> = found.map(standing).collect();
        found.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        return Ok(found);
    }
    let ours = ListParams::default().labels(&format!("{}={}", label::GROUP, cluster.group));
    let api = Api::namespaced(cluster.client.clone(), cluster.namespace.as_str());
    let found = kept::list::<DeploymentState>(&api, ours).await;
    let found = found.map_err(|error| error::from("list Deployments", error))?;
    Ok(found.iter().map(standing).collect())
}

fn standing(found: &DeploymentState) -> StandingDeployment {
    StandingDeployment {
        name: found.name.clone(),
        ready: found.ready,
        deleting: found.deleting,
    }
}

async fn services(cluster: &Kubernetes) -> Result<Vec<Object>, ClusterError> {
    if let Some(watch) = cluster.watching() {
        let found = watch.stores().await?.services.state();
        let found = found.iter().filter_map(|found| found.facts.as_deref());
        let mut found: Vec<_> = found.cloned().collect();
        found.sort_unstable_by(|a, b| a.name().cmp(b.name()));
        return Ok(found);
    }
    let api = Api::namespaced(cluster.client.clone(), cluster.namespace.as_str());
    let found = kept::list::<Arc<Object>>(&api, ListParams::default().match_any()).await;
    let found = found.map_err(|error| error::from("list Services", error))?;
    Ok(found.into_iter().map(Arc::unwrap_or_clone).collect())
}

async fn policies(cluster: &Kubernetes) -> Result<Option<Vec<Object>>, ClusterError> {
    let objects = |found: Vec<Policy>| {
        let objects = found
            .into_iter()
            .map(|Policy(found)| Arc::unwrap_or_clone(found));
        let mut objects: Vec<_> = objects.collect();
        objects.sort_unstable_by(|a, b| a.name().cmp(b.name()));
        Some(objects)
    };
    if let Some(watch) = cluster.watching() {
        let found = watch.stores().await?.policies.state();
        let found = found.iter().filter_map(|found| found.facts.clone());
        return Ok(objects(found.collect()));
    }
    let api = Api::namespaced(cluster.client.clone(), cluster.namespace.as_str());
    match kept::list::<Policy>(&api, ListParams::default().match_any()).await {
        Err(error) if error::is_forbidden(&error) => Ok(None),
        found => found
            .map(objects)
            .map_err(|error| error::from("list NetworkPolicies", error)),
    }
}

async fn quotas(cluster: &Kubernetes) -> Result<Vec<Quota>, ClusterError> {
    let api: Api<ResourceQuota> =
        Api::namespaced(cluster.client.clone(), cluster.namespace.as_str());
    let found = match api.list(&ListParams::default().match_any()).await {
        Ok(found) => found,
        Err(error) if error::is_forbidden(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error::from("list quotas", error)),
    };
    Ok(found.items.iter().map(to_quota).collect())
}

fn to_quota(quota: &ResourceQuota) -> Quota {
    let status = quota.status.clone().unwrap_or_default();
    let (hard, used) = (
        status.hard.unwrap_or_default(),
        status.used.unwrap_or_default(),
    );
    let left = hard.iter().map(|(resource, limit)| {
        let number = |quantity: Value| {
            if resource.ends_with("cpu") {
                cpu_millis(&quantity)
            } else {
                bytes(&quantity)
            }
        };
        let left = number(amount(Some(limit))) - number(amount(used.get(resource)));
        (resource.clone(), left)
    });
    Quota {
        name: quota.name_any(),
        left: left.collect(),
    }
}

fn amount(quantity: Option<&Quantity>) -> Value {
    quantity.map_or(Value::Null, |quantity| Value::String(quantity.0.clone()))
}
