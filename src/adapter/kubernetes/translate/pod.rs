//! Pods as the facts the rules look at.

use k8s_openapi::api::core::v1::{
    ContainerStateTerminated, ContainerStatus, Pod, PodReadinessGate, PodStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use super::{Wire, app_of, check_of, color_of, count, created_at, promotion_of};
use crate::adapter::kubernetes::kept::Facts;
use crate::promotion::observed::{ContainerState, Ended, PodState};

/// What is unpacked of a pod's spec.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in super::super) struct PodSpec {
    node_name: Option<String>,
    readiness_gates: Option<Vec<PodReadinessGate>>,
}

impl Facts for PodState {
    type Of = Pod;
    type Wire = Wire<PodSpec, PodStatus>;

    fn read(wire: Self::Wire) -> (ObjectMeta, Option<Self>) {
        let status = wire.status.unwrap_or_default();
        let state = pod(&wire.metadata, wire.spec.unwrap_or_default(), status);
        (wire.metadata, state)
    }
}

fn pod(metadata: &ObjectMeta, spec: PodSpec, status: PodStatus) -> Option<PodState> {
    let conditions = status.conditions.unwrap_or_default();
    let condition = |kind: &str| conditions.iter().find(|condition| condition.type_ == kind);
    let is_true = |kind: &str| condition(kind).is_some_and(|condition| condition.status == "True");
    // The kubelet sets both alike, and the node controller only the one; where
    // a gate keeps a pod from being ready, its containers say nothing.
    let is_gated = spec.readiness_gates.is_some_and(|gates| !gates.is_empty());
    let unheard = !is_gated && is_true("ContainersReady") && !is_true("Ready");
    let unschedulable = condition("PodScheduled")
        .filter(|c| c.status == "False" && c.reason.as_deref() == Some("Unschedulable"))
        .map(|c| c.message.clone().unwrap_or_default());
    let disrupted = condition("DisruptionTarget")
        .filter(|c| c.status == "True")
        .map(|c| c.reason.clone().unwrap_or_default());
    // Anybody can name a Job as an owner; only its controller made the pod.
    let mut owners = metadata.owner_references.iter().flatten();
    let owner = owners.find(|owner| owner.controller == Some(true));
    let statuses = status.init_container_statuses.into_iter().flatten();
    let statuses = statuses.chain(status.container_statuses.into_iter().flatten());
    let node: Vec<_> = status
        .host_ips
        .iter()
        .flatten()
        .map(|host| &host.ip)
        .collect();
    let own = status.pod_ips.iter().flatten().map(|own| &own.ip);
    // A pod on its node's network has only what is not its own.
    let own = own.filter(|ip| !node.contains(ip) && status.host_ip.as_ref() != Some(*ip));
    let addresses = own.filter_map(|ip| ip.parse().ok()).collect();
    Some(PodState {
        name: metadata.name.clone().unwrap_or_default(),
        uid: metadata.uid.clone().unwrap_or_default(),
        app: app_of(metadata),
        check: check_of(metadata),
        color: color_of(metadata)?,
        promotion: promotion_of(metadata),
        owner: owner.map(|owner| owner.uid.clone()),
        phase: status.phase.unwrap_or_default(),
        ready: is_true("Ready"),
        unheard,
        unheard_at: None,
        node: spec.node_name,
        addresses,
        deleting: metadata.deletion_timestamp.is_some(),
        disrupted,
        reason: status.reason,
        unschedulable,
        created_at: created_at(metadata),
        containers: statuses.map(container).collect(),
    })
}

fn container(status: ContainerStatus) -> ContainerState {
    let state = status.state.unwrap_or_default();
    let last = status.last_state.and_then(|last| last.terminated);
    ContainerState {
        name: status.name,
        ready: status.ready,
        restarts: count(Some(status.restart_count)),
        running_since: state
            .running
            .and_then(|running| running.started_at)
            .map(|time| time.0),
        waiting: state
            .waiting
            .map(|w| (w.reason.unwrap_or_default(), w.message.unwrap_or_default())),
        ended: state.terminated.or(last).map(ended),
        ended_at: None,
    }
}

fn ended(terminated: ContainerStateTerminated) -> Ended {
    Ended {
        exit_code: terminated.exit_code,
        signal: terminated.signal,
        reason: terminated.reason.unwrap_or_default(),
        message: terminated.message.unwrap_or_default(),
        started_at: terminated.started_at.map(|time| time.0),
        finished_at: terminated.finished_at.map(|time| time.0),
    }
}
