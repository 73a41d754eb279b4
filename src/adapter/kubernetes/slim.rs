//! What nobody looks at is not kept: a pod's template names every member of its
//! group, so that those of a large one take hundreds of times their status.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, PodSpec, PodTemplateSpec};

pub(super) fn deployment(found: &mut Deployment) {
    if let Some(spec) = &mut found.spec {
        spec.template = PodTemplateSpec::default();
    }
}

pub(super) fn pod(found: &mut Pod) {
    if let Some(spec) = &mut found.spec {
        *spec = PodSpec {
            node_name: spec.node_name.take(),
            readiness_gates: spec.readiness_gates.take(),
            ..PodSpec::default()
        };
    }
}

pub(super) fn job(found: &mut Job) {
    found.spec = None;
}
