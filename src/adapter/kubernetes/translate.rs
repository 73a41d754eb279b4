//! The client's typed objects as the facts the rules look at.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ContainerStateTerminated, ContainerStatus, Pod};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::ResourceExt;
use kube::api::DynamicObject;

use super::resource;
use super::watch::Stores;
use crate::group::name::{AppName, CheckName};
use crate::plan::color::Color;
use crate::plan::fingerprint::PlanId;
use crate::plan::label;
use crate::plan::object::Object;
use crate::promotion::observed::{
    ContainerState, DeploymentState, Ended, Endpoint, JobState, Observed, PodState,
};
use crate::promotion::request::Request;

/// Everything the stores know.
pub(super) fn observed(stores: &Stores, outages: u32) -> Observed {
    Observed {
        deployments: stores
            .deployments
            .state()
            .iter()
            .filter_map(|found| deployment(found))
            .collect(),
        pods: stores
            .pods
            .state()
            .iter()
            .filter_map(|found| pod(found))
            .collect(),
        services: stores
            .services
            .state()
            .iter()
            .map(|found| service(found))
            .collect(),
        endpoints: endpoints(&stores.slices.state()),
        jobs: stores
            .jobs
            .state()
            .iter()
            .filter_map(|found| job(found))
            .collect(),
        request: stores
            .groups
            .state()
            .iter()
            .find_map(|found| request(found)),
        outages,
        // Dated by whoever looks.
        away_at: None,
    }
}

/// What somebody asks for; what cannot be read is no request.
fn request(found: &DynamicObject) -> Option<Request> {
    serde_json::from_value(found.data.pointer("/spec/request")?.clone()).ok()
}

fn label_of<'a>(metadata: &'a ObjectMeta, key: &str) -> Option<&'a str> {
    metadata.labels.as_ref()?.get(key).map(String::as_str)
}

fn app_of(metadata: &ObjectMeta) -> Option<AppName> {
    label_of(metadata, label::APP).and_then(|name| AppName::parse(name).ok())
}

fn check_of(metadata: &ObjectMeta) -> Option<CheckName> {
    label_of(metadata, label::CHECK).and_then(|name| CheckName::parse(name).ok())
}

fn color_of(metadata: &ObjectMeta) -> Option<Color> {
    label_of(metadata, label::COLOR).and_then(Color::parse)
}

fn promotion_of(metadata: &ObjectMeta) -> String {
    label_of(metadata, label::PROMOTION)
        .unwrap_or_default()
        .to_owned()
}

fn created_at(metadata: &ObjectMeta) -> Timestamp {
    metadata
        .creation_timestamp
        .as_ref()
        .map_or(Timestamp::UNIX_EPOCH, |time| time.0)
}

fn count(number: Option<i32>) -> u32 {
    number
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or(0)
}

fn deployment(found: &Deployment) -> Option<DeploymentState> {
    let status = found.status.clone().unwrap_or_default();
    let updated = count(status.updated_replicas);
    let conditions = status.conditions.unwrap_or_default();
    let failure = conditions
        .into_iter()
        .find(|c| c.type_ == "ReplicaFailure" && c.status == "True");
    Some(DeploymentState {
        name: found.name_any(),
        uid: found.uid().unwrap_or_default(),
        app: app_of(&found.metadata)?,
        color: color_of(&found.metadata)?,
        promotion: promotion_of(&found.metadata),
        epoch: resource::stamp_of(found).unwrap_or(0),
        plan: found
            .annotations()
            .get(label::PLAN_ID)
            .and_then(|id| PlanId::parse(id)),
        generation: found.metadata.generation.unwrap_or(0),
        observed_generation: status.observed_generation.unwrap_or(0),
        wanted: found
            .spec
            .as_ref()
            .map_or(1, |spec| count(spec.replicas.or(Some(1)))),
        ready: count(status.ready_replicas).min(updated),
        deleting: found.metadata.deletion_timestamp.is_some(),
        failure: failure.and_then(|condition| condition.message),
    })
}

fn pod(found: &Pod) -> Option<PodState> {
    let status = found.status.clone().unwrap_or_default();
    let conditions = status.conditions.unwrap_or_default();
    let condition = |kind: &str| conditions.iter().find(|condition| condition.type_ == kind);
    let is_true = |kind: &str| condition(kind).is_some_and(|condition| condition.status == "True");
    // The kubelet sets both alike, and the node controller only the one; where
    // a gate keeps a pod from being ready, its containers say nothing.
    let gates = found
        .spec
        .as_ref()
        .and_then(|spec| spec.readiness_gates.as_ref());
    let is_gated = gates.is_some_and(|gates| !gates.is_empty());
    let unheard = !is_gated && is_true("ContainersReady") && !is_true("Ready");
    let unschedulable = condition("PodScheduled")
        .filter(|c| c.status == "False" && c.reason.as_deref() == Some("Unschedulable"))
        .map(|c| c.message.clone().unwrap_or_default());
    let disrupted = condition("DisruptionTarget")
        .filter(|c| c.status == "True")
        .map(|c| c.reason.clone().unwrap_or_default());
    let statuses = status.init_container_statuses.into_iter().flatten();
    let statuses = statuses.chain(status.container_statuses.into_iter().flatten());
    Some(PodState {
        name: found.name_any(),
        uid: found.uid().unwrap_or_default(),
        app: app_of(&found.metadata),
        check: check_of(&found.metadata),
        color: color_of(&found.metadata)?,
        promotion: promotion_of(&found.metadata),
        // Anybody can name a Job as an owner; only its controller made the pod.
        owner: found
            .owner_references()
            .iter()
            .find(|owner| owner.controller == Some(true))
            .map(|owner| owner.uid.clone()),
        phase: status.phase.unwrap_or_default(),
        ready: is_true("Ready"),
        unheard,
        node: found.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        deleting: found.metadata.deletion_timestamp.is_some(),
        disrupted,
        reason: status.reason,
        unschedulable,
        created_at: created_at(&found.metadata),
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

/// Services are read as they are: rules look at fields only users know of.
pub(super) fn service(found: &k8s_openapi::api::core::v1::Service) -> Object {
    let mut value = serde_json::to_value(found).unwrap_or_default();
    value["apiVersion"] = "v1".into();
    value["kind"] = "Service".into();
    Object(value)
}

fn endpoints(slices: &[std::sync::Arc<EndpointSlice>]) -> BTreeMap<String, Vec<Endpoint>> {
    let mut found: BTreeMap<String, Vec<Endpoint>> = BTreeMap::new();
    for slice in slices {
        let Some(service) = label_of(&slice.metadata, "kubernetes.io/service-name") else {
            continue;
        };
        let endpoints = found.entry(service.to_owned()).or_default();
        for endpoint in &slice.endpoints {
            let Some(pod) = endpoint
                .target_ref
                .as_ref()
                .and_then(|target| target.name.clone())
            else {
                continue;
            };
            let ready = endpoint
                .conditions
                .as_ref()
                .and_then(|c| c.ready)
                .unwrap_or(true);
            // A dual-stack Service has a slice per family; a pod counts once.
            if !endpoints.iter().any(|known| known.pod == pod) {
                endpoints.push(Endpoint {
                    pod,
                    ready,
                    since: created_at(&slice.metadata),
                });
            }
        }
    }
    found
}

fn job(found: &Job) -> Option<JobState> {
    let conditions = found
        .status
        .as_ref()
        .and_then(|status| status.conditions.clone())
        .unwrap_or_default();
    let ended = conditions
        .into_iter()
        .filter(|c| c.status == "True")
        .find_map(|c| match c.type_.as_str() {
            "Failed" | "FailureTarget" => Some(c.reason.unwrap_or_default()),
            "Complete" => Some(c.type_),
            _ => None,
        });
    Some(JobState {
        name: found.name_any(),
        uid: found.uid().unwrap_or_default(),
        check: check_of(&found.metadata)?,
        promotion: promotion_of(&found.metadata),
        created_at: created_at(&found.metadata),
        deleting: found.metadata.deletion_timestamp.is_some(),
        ended,
    })
}
