//! The rights that a group's promoter needs, be it a person's or the daemon.
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

/// In the namespace of its groups. Objects are made and changed by patches, so that
/// `update` is for what is replaced as a whole. An end-to-end test uses each of these,
/// and `docs/rights.md` says which.
pub(super) fn of_namespace() -> Vec<Rule> {
    // Objects of manifests.
    let own = ["get", "list", "create", "patch", "delete"];
    let watched = [&own[..], &["watch"]].concat();
    let shared = ["secrets", "serviceaccounts"];
    let kept = ["get", "list", "watch", "create", "patch"];
    vec![
        rule("apps", &["deployments"], &watched),
        // What stood before is told by its ReplicaSet, and its pods get labels.
        rule("apps", &["replicasets"], &["list"]),
        rule("", &["pods"], &["get", "list", "watch", "patch"]),
        rule("", &["pods/log"], &["get"]),
        rule(
            "batch",
            &["jobs"],
            // Of large groups at one go.
            &[
                "list",
                "watch",
                "create",
                "patch",
                "delete",
                "deletecollection",
            ],
        ),
        rule("batch", &["cronjobs"], &own),
        // From when on a schedule counts.
        rule("batch", &["cronjobs/status"], &["patch"]),
        rule("", &["services", "configmaps"], &watched),
        rule("", &shared, &own),
        // What is in one is not promoter's to delete.
        rule(
            "",
            &["persistentvolumeclaims"],
            &["get", "list", "create", "patch"],
        ),
        rule("policy", &["poddisruptionbudgets"], &own),
        rule("autoscaling", &["horizontalpodautoscalers"], &own),
        rule("networking.k8s.io", &["ingresses"], &own),
        rule("networking.k8s.io", &["networkpolicies"], &watched),
        rule(
            "coordination.k8s.io",
            &["leases"],
            &["get", "list", "watch", "create", "update"],
        ),
        rule(DOMAIN, &["deploymentgroups"], &kept),
        rule(DOMAIN, &["deploymentgroups/status"], &["update"]),
        rule("events.k8s.io", &["events"], &["create", "patch"]),
        rule("", &["resourcequotas"], &["list"]),
        rule("discovery.k8s.io", &["endpointslices"], &["list", "watch"]),
    ]
}

/// There, beside these: to take a whole group out, which nobody does but a person.
pub(super) fn of_removal() -> Vec<Rule> {
    vec![rule(DOMAIN, &["deploymentgroups"], &["delete"])]
}

/// In the whole cluster.
pub(super) fn of_cluster() -> Vec<Rule> {
    vec![
        rule("", &["nodes", "pods"], &["list"]),
        rule("", &["namespaces"], &["get"]),
    ]
}
