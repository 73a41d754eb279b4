//! Everything planning looks at, read at one go. Writes nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Namespace, Node as KubeNode, Pod, ResourceQuota, Service};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::api::ListParams;
use kube::{Api, ResourceExt};
use serde_json::Value;

use super::{Kubernetes, error, plans, translate};
use crate::plan::Plan;
use crate::plan::capacity::{bytes, cpu_millis};
use crate::plan::image::Platform;
use crate::plan::object::Object;
use crate::plan::survey::{Node, Quota, Resources, Survey};
use crate::port::{Cluster, ClusterError, Ledger};
use crate::promotion::record::GroupRecord;

/// How long the cluster may take to tell.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take over what is only told.
const SHORT_PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn survey(cluster: &Kubernetes) -> Result<Survey, ClusterError> {
    let looked = tokio::time::timeout(PATIENCE, look(cluster)).await;
    looked.unwrap_or_else(|_| Err(error::no_answer("look at the group's namespace", PATIENCE)))
}

async fn look(cluster: &Kubernetes) -> Result<Survey, ClusterError> {
    let kinds = [("apps/v1".to_owned(), "Deployment".to_owned())];
    let (namespace, services, nodes, quotas, live, config_key, deployments) = tokio::join!(
        namespace(cluster),
        services(cluster),
        nodes(cluster),
        quotas(cluster),
        live(cluster),
        plans::find_key(cluster),
        cluster.owned(&kinds),
    );
    let (record, live) = live?;
    Ok(Survey {
        namespace: namespace?,
        serving: record.serving,
        live,
        unfinished: record.in_flight.is_some(),
        deployments: deployments?,
        services: services?,
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
    let found = tokio::time::timeout(SHORT_PATIENCE, find_namespace(cluster)).await;
    let found = found.map_err(|_| error::no_answer("read the namespace", SHORT_PATIENCE))??;
    Ok(found.is_none_or(|found| found.metadata.deletion_timestamp.is_some()))
}

/// The namespace. Reading it is a right of its own; without it nothing is known
/// of the namespace, and writes will tell.
async fn find_namespace(cluster: &Kubernetes) -> Result<Option<Namespace>, ClusterError> {
    let api: Api<Namespace> = Api::all(cluster.client.clone());
    match api.get_opt(cluster.namespace.as_str()).await {
        Err(kube::Error::Api(status)) if status.code == 403 => Ok(Some(Namespace::default())),
        found => found.map_err(|error| error::from("read the namespace", error)),
    }
}

async fn services(cluster: &Kubernetes) -> Result<Vec<Object>, ClusterError> {
    let api: Api<Service> = Api::namespaced(cluster.client.clone(), cluster.namespace.as_str());
    let found = api
        .list(&ListParams::default().match_any())
        .await
        .map_err(|error| error::from("list Services", error))?;
    Ok(found.items.iter().map(translate::service).collect())
}

/// Nodes that take pods, with what their pods ask for. A promoter that may not
/// see nodes plans without knowing free room.
async fn nodes(cluster: &Kubernetes) -> Result<Vec<Node>, ClusterError> {
    let nodes: Api<KubeNode> = Api::all(cluster.client.clone());
    let pods: Api<Pod> = Api::all(cluster.client.clone());
    let active = ListParams::default()
        .fields("status.phase!=Succeeded,status.phase!=Failed")
        .match_any();
    let all = ListParams::default().match_any();
    let (nodes, pods) = tokio::join!(nodes.list(&all), pods.list(&active));
    let (nodes, pods) = match (nodes, pods) {
        (Ok(nodes), Ok(pods)) => (nodes, pods),
        (Err(kube::Error::Api(status)), _) | (_, Err(kube::Error::Api(status)))
            if status.code == 403 =>
        {
            return Ok(Vec::new());
        }
        (Err(error), _) | (_, Err(error)) => return Err(error::from("list nodes", error)),
    };
    let mut requested: BTreeMap<String, Resources> = BTreeMap::new();
    for pod in &pods.items {
        let Some(spec) = &pod.spec else { continue };
        let Some(node) = &spec.node_name else {
            continue;
        };
        let sum = requested.entry(node.clone()).or_default();
        sum.pods += 1;
        for container in &spec.containers {
            let requests = container
                .resources
                .as_ref()
                .and_then(|resources| resources.requests.clone());
            let requests = requests.unwrap_or_default();
            sum.cpu_millis += cpu_millis(&amount(requests.get("cpu")));
            sum.memory += bytes(&amount(requests.get("memory")));
        }
    }
    let takes_pods = |node: &&KubeNode| {
        !node
            .spec
            .as_ref()
            .and_then(|spec| spec.unschedulable)
            .unwrap_or(false)
    };
    Ok(nodes
        .items
        .iter()
        .filter(takes_pods)
        .map(|node| to_node(node, &requested))
        .collect())
}

fn to_node(node: &KubeNode, requested: &BTreeMap<String, Resources>) -> Node {
    let label = |key: &str| node.labels().get(key).cloned().unwrap_or_default();
    let allocatable = node
        .status
        .as_ref()
        .and_then(|status| status.allocatable.clone())
        .unwrap_or_default();
    Node {
        name: node.name_any(),
        platform: Platform {
            os: label("kubernetes.io/os"),
            architecture: label("kubernetes.io/arch"),
        },
        allocatable: Resources {
            pods: bytes(&amount(allocatable.get("pods"))),
            cpu_millis: cpu_millis(&amount(allocatable.get("cpu"))),
            memory: bytes(&amount(allocatable.get("memory"))),
        },
        requested: requested.get(&node.name_any()).copied().unwrap_or_default(),
    }
}

async fn quotas(cluster: &Kubernetes) -> Result<Vec<Quota>, ClusterError> {
    let api: Api<ResourceQuota> =
        Api::namespaced(cluster.client.clone(), cluster.namespace.as_str());
    let found = match api.list(&ListParams::default().match_any()).await {
        Ok(found) => found,
        Err(kube::Error::Api(status)) if status.code == 403 => return Ok(Vec::new()),
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
