//! Nodes that take pods, and what is taken of them.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node as KubeNode, Pod, ResourceRequirements};
use kube::api::{ListParams, ObjectMeta};
use kube::{Api, ResourceExt};
use serde::Deserialize;

use super::amount;
use crate::adapter::kubernetes::kept::{self, Facts};
use crate::adapter::kubernetes::{Kubernetes, error};
use crate::plan::capacity::{bytes, cpu_millis};
use crate::plan::image::Platform;
use crate::plan::survey::{Node, Resources};
use crate::port::ClusterError;

/// A pod on a node, and what it asks for.
#[derive(Debug, Clone)]
struct Placed {
    node: String,
    asks: Resources,
}

/// What is unpacked of a pod.
#[derive(Deserialize)]
struct PodWire {
    #[serde(deserialize_with = "kept::metadata")]
    metadata: ObjectMeta,
    spec: Option<PodSpec>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PodSpec {
    node_name: Option<String>,
    containers: Vec<Container>,
}

#[derive(Deserialize)]
struct Container {
    resources: Option<ResourceRequirements>,
}

impl Facts for Placed {
    type Of = Pod;
    type Wire = PodWire;

    fn read(wire: PodWire) -> (ObjectMeta, Option<Self>) {
        (wire.metadata, wire.spec.and_then(placed))
    }
}

fn placed(spec: PodSpec) -> Option<Placed> {
    let mut asks = Resources {
        pods: 1,
        ..Resources::default()
    };
    for container in spec.containers {
        let requests = container.resources.and_then(|resources| resources.requests);
        let requests = requests.unwrap_or_default();
        asks.cpu_millis += cpu_millis(&amount(requests.get("cpu")));
        asks.memory += bytes(&amount(requests.get("memory")));
    }
    let node = spec.node_name?;
    Some(Placed { node, asks })
}

/// Nodes that take pods, with what their pods ask for. A promoter that may not
/// see nodes plans without knowing free room.
pub(super) async fn nodes(cluster: &Kubernetes) -> Result<Vec<Node>, ClusterError> {
    let nodes: Api<KubeNode> = Api::all(cluster.client.clone());
    let pods = Api::all(cluster.client.clone());
    let active = ListParams::default().fields("status.phase!=Succeeded,status.phase!=Failed");
    let all = ListParams::default().match_any();
    let (nodes, pods) = match tokio::join!(nodes.list(&all), kept::list::<Placed>(&pods, active)) {
        (Ok(nodes), Ok(pods)) => (nodes, pods),
        (Err(error), _) | (_, Err(error)) if error::is_forbidden(&error) => return Ok(Vec::new()),
        (Err(error), _) | (_, Err(error)) => return Err(error::from("list nodes", error)),
    };
    let mut requested: BTreeMap<String, Resources> = BTreeMap::new();
    for pod in pods {
        let sum = requested.entry(pod.node).or_default();
        sum.pods += pod.asks.pods;
        sum.cpu_millis += pod.asks.cpu_millis;
        sum.memory += pod.asks.memory;
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
