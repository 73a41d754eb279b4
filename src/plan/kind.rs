//! What a blue/green promotion does with each kind of object.

use super::object::Object;

/// What becomes of an object of a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// The app's pods: one Deployment per colour.
    Workload,
    /// A Service: gets a twin per colour, its selector moves at the switch.
    Service,
    /// Named by content, so that no colour sees the other's configuration.
    Config,
    /// Made once per colour and selecting that colour's pods.
    Budget,
    /// Scales the app's pods: made once per colour, when that colour serves.
    Autoscaler,
    /// Made once per colour, and suspended until that colour serves.
    Cron,
    /// The same for both colours; applied right before the switch.
    Shared,
    /// Cannot be promoted this way; says why and what to do instead.
    Refused(&'static str),
}

/// What becomes of an object, by its kind (design: kinds).
pub fn treatment(object: &Object) -> Treatment {
    let api = object.api_version();
    let group = api.split_once('/').map_or("", |(group, _)| group);
    match (group, object.kind()) {
        ("apps", "Deployment") => Treatment::Workload,
        ("", "Service") => Treatment::Service,
        ("", "ConfigMap" | "Secret") => Treatment::Config,
        ("policy", "PodDisruptionBudget") => Treatment::Budget,
        ("apps", "StatefulSet") => Treatment::Refused(
            "its pods keep their names and volumes, so two colours cannot stand side by side; \
             use a Deployment, or run it outside the group",
        ),
        ("apps", "DaemonSet") => Treatment::Refused(
            "two colours would run on every node; use a Deployment, or run it outside the group",
        ),
        ("apps", "ReplicaSet") | ("", "ReplicationController") => {
            Treatment::Refused("use a Deployment, which makes it")
        }
        ("", "Pod") => {
            Treatment::Refused("nothing would replace it when it ends; use a Deployment")
        }
        ("batch", "Job") => Treatment::Refused(
            "a test belongs in a [[check]] of the group file, what runs once in a [[hook]]",
        ),
        ("batch", "CronJob") => Treatment::Cron,
        ("autoscaling", "HorizontalPodAutoscaler") => Treatment::Autoscaler,
        ("", "Namespace") => Treatment::Refused(
            "the environment names the namespace, which outlives every promotion; create it once with kubectl",
        ),
        ("", "Node" | "PersistentVolume")
        | ("rbac.authorization.k8s.io", "ClusterRole" | "ClusterRoleBinding")
        | ("storage.k8s.io", "StorageClass")
        | ("networking.k8s.io", "IngressClass")
        | ("scheduling.k8s.io", "PriorityClass")
        | ("apiextensions.k8s.io" | "admissionregistration.k8s.io", _) => {
            Treatment::Refused("it belongs to the whole cluster; install it outside the group")
        }
        _ => Treatment::Shared,
    }
}

/// Whether pods cannot start without the object. Where it is new it is made
/// before them; where it changes, it waits for the switch like all that is shared.
pub fn is_needed_by_pods(kind: &str) -> bool {
    matches!(
        kind,
        "ServiceAccount"
            | "PersistentVolumeClaim"
            | "ConfigMap"
            | "Secret"
            | "Role"
            | "RoleBinding"
    )
}

/// Kinds that are never deleted, even when no manifest names them any more.
pub fn is_kept(kind: &str) -> bool {
    kind == "PersistentVolumeClaim"
}
