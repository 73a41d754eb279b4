//! The rights that a group's promoter needs.
//!
//! The one list of them: what `promoter install` writes as roles is made of it, and
//! what `promoter doctor` asks the server about.

use serde::Serialize;

use crate::plan::label::DOMAIN;

/// What may be done with some resources of one API group, as roles have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule {
    pub(super) api_groups: [&'static str; 1],
    pub(super) resources: Vec<&'static str>,
    pub(super) verbs: Vec<&'static str>,
}

fn rule(group: &'static str, resources: &[&'static str], verbs: &[&'static str]) -> Rule {
    Rule {
        api_groups: [group],
        resources: resources.to_vec(),
        verbs: verbs.to_vec(),
    }
}

/// In the namespace of its groups.
pub(super) fn of_namespace() -> Vec<Rule> {
    let write = [
        "get", "list", "watch", "create", "update", "patch", "delete",
    ];
    // Of large groups at one go.
    let many = [&write[..], &["deletecollection"]].concat();
    let plain = [
        "services",
        "configmaps",
        "secrets",
        "persistentvolumeclaims",
        "serviceaccounts",
    ];
    let look = ["get", "list", "watch"];
    vec![
        rule("apps", &["deployments"], &write),
        // What stood before is told by its ReplicaSet, and its pods get labels.
        rule("apps", &["replicasets"], &["get", "list"]),
        rule("", &["pods"], &["patch"]),
        rule("batch", &["jobs"], &many),
        rule("batch", &["cronjobs"], &write),
        // From when on a schedule counts.
        rule("batch", &["cronjobs/status"], &["patch"]),
        rule("", &plain, &write),
        rule("policy", &["poddisruptionbudgets"], &write),
        rule("autoscaling", &["horizontalpodautoscalers"], &write),
        rule(
            "networking.k8s.io",
            &["ingresses", "networkpolicies"],
            &write,
        ),
        rule("coordination.k8s.io", &["leases"], &write),
        rule(
            DOMAIN,
            &["deploymentgroups", "deploymentgroups/status"],
            &write,
        ),
        rule("events.k8s.io", &["events"], &["create", "patch"]),
        rule("", &["pods", "pods/log", "resourcequotas"], &look),
        rule("discovery.k8s.io", &["endpointslices"], &look),
    ]
}

/// In the whole cluster.
pub(super) fn of_cluster() -> Vec<Rule> {
    vec![rule("", &["nodes", "namespaces", "pods"], &["get", "list"])]
}
