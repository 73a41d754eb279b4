//! Looking at the cluster and changing it the way a person would.

use std::future::Future;
use std::sync::OnceLock;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{
    ApiResource, DeleteParams, DynamicObject, EvictParams, ListParams, Patch, PatchParams,
    PostParams,
};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Api, Client, Config};
use serde_json::Value;
use tokio::runtime::Runtime;

const RBAC: &str = "rbac.authorization.k8s.io";

/// A client that tests call without being asynchronous themselves.
pub(crate) struct Cluster {
    client: Client,
    config: Config,
}

impl Cluster {
    pub(super) fn connect(context: &str) -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        block_on(async {
            let options = KubeConfigOptions {
                context: Some(context.to_owned()),
                ..KubeConfigOptions::default()
            };
            let kubeconfig = Kubeconfig::read().expect("KUBECONFIG names a kubeconfig");
            let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
            let config = config.expect("the kubeconfig has the context");
            let client = Client::try_from(config.clone()).unwrap();
            Self { client, config }
        })
    }

    /// How the API server is reached, and by whom.
    pub(super) fn config(&self) -> Config {
        self.config.clone()
    }

    /// The port that the API server listens on.
    pub(crate) fn port(&self) -> u16 {
        self.config.cluster_url.port_u16().unwrap_or(443)
    }

    pub(super) fn client(&self) -> Client {
        self.client.clone()
    }

    fn api(&self, namespace: &str, kind: &str) -> Api<DynamicObject> {
        let resource = resource(kind);
        if namespace.is_empty() {
            return Api::all_with(self.client.clone(), &resource);
        }
        Api::namespaced_with(self.client.clone(), namespace, &resource)
    }

    /// Objects of a kind; of all namespaces if it is empty.
    pub(crate) fn list(&self, namespace: &str, kind: &str, selector: &str) -> Vec<Value> {
        let params = ListParams::default().labels(selector);
        let found = block_on(self.api(namespace, kind).list(&params));
        let found = found.unwrap_or_else(|error| panic!("failed to list {kind}: {error}"));
        found.items.iter().map(value).collect()
    }

    pub(crate) fn get(&self, namespace: &str, kind: &str, name: &str) -> Option<Value> {
        let found = block_on(self.api(namespace, kind).get_opt(name));
        let found = found.unwrap_or_else(|error| panic!("failed to get {kind} {name}: {error}"));
        found.as_ref().map(value)
    }

    /// Creates an object written as JSON.
    pub(crate) fn create(&self, namespace: &str, object: Value) {
        let kind = object["kind"].as_str().unwrap().to_owned();
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        let made = block_on(
            self.api(namespace, &kind)
                .create(&PostParams::default(), &object),
        );
        made.unwrap_or_else(|error| panic!("failed to create {kind}: {error}"));
    }

    /// Makes an object what is written here, whoever made it before.
    pub(super) fn apply(&self, namespace: &str, object: &Value) {
        let kind = object["kind"].as_str().unwrap();
        let params = PatchParams::apply("promoter-e2e").force();
        let api = self.api(namespace, kind);
        let applied = block_on(api.patch(&name(object), &params, &Patch::Apply(object)));
        applied.unwrap_or_else(|error| panic!("failed to apply {kind}: {error}"));
    }

    /// Merges a patch into an object.
    pub(crate) fn patch(&self, namespace: &str, kind: &str, name: &str, patch: &Value) {
        let (api, params) = (self.api(namespace, kind), PatchParams::default());
        let done = block_on(api.patch(name, &params, &Patch::Merge(patch)));
        done.unwrap_or_else(|error| panic!("failed to patch {kind} {name}: {error}"));
    }

    /// Merges a patch into an object's status.
    pub(crate) fn patch_status(&self, namespace: &str, kind: &str, name: &str, patch: &Value) {
        let (api, params) = (self.api(namespace, kind), PatchParams::default());
        let done = block_on(api.patch_status(name, &params, &Patch::Merge(patch)));
        done.unwrap_or_else(|error| panic!("failed to patch the status of {kind} {name}: {error}"));
    }

    pub(crate) fn evict(&self, namespace: &str, pod: &str) {
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let evicted = block_on(pods.evict(pod, &EvictParams::default()));
        evicted.unwrap_or_else(|error| panic!("failed to evict {pod}: {error}"));
    }

    /// Deletes an object, without waiting for its end.
    pub(crate) fn delete(&self, namespace: &str, kind: &str, name: &str) {
        let deleted = block_on(
            self.api(namespace, kind)
                .delete(name, &DeleteParams::background()),
        );
        deleted.unwrap_or_else(|error| panic!("failed to delete {kind} {name}: {error}"));
    }
}

/// Runs something asynchronous to its end.
pub(super) fn block_on<T>(future: impl Future<Output = T>) -> T {
    runtime().block_on(future)
}

/// The runtime behind clients and watches.
pub(super) fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().unwrap()
    })
}

fn resource(kind: &str) -> ApiResource {
    let (group, version, plural) = match kind {
        "Pod" => ("", "v1", "pods"),
        "Service" => ("", "v1", "services"),
        "ConfigMap" => ("", "v1", "configmaps"),
        "Secret" => ("", "v1", "secrets"),
        "Namespace" => ("", "v1", "namespaces"),
        "Event" => ("", "v1", "events"),
        "PersistentVolumeClaim" => ("", "v1", "persistentvolumeclaims"),
        "ServiceAccount" => ("", "v1", "serviceaccounts"),
        "ResourceQuota" => ("", "v1", "resourcequotas"),
        "Node" => ("", "v1", "nodes"),
        "Deployment" => ("apps", "v1", "deployments"),
        "ReplicaSet" => ("apps", "v1", "replicasets"),
        "Job" => ("batch", "v1", "jobs"),
        "CronJob" => ("batch", "v1", "cronjobs"),
        "Lease" => ("coordination.k8s.io", "v1", "leases"),
        "EndpointSlice" => ("discovery.k8s.io", "v1", "endpointslices"),
        "HorizontalPodAutoscaler" => ("autoscaling", "v2", "horizontalpodautoscalers"),
        "Ingress" => ("networking.k8s.io", "v1", "ingresses"),
        "NetworkPolicy" => ("networking.k8s.io", "v1", "networkpolicies"),
        "PodDisruptionBudget" => ("policy", "v1", "poddisruptionbudgets"),
        "Role" => (RBAC, "v1", "roles"),
        "RoleBinding" => (RBAC, "v1", "rolebindings"),
        "ClusterRole" => (RBAC, "v1", "clusterroles"),
        "ClusterRoleBinding" => (RBAC, "v1", "clusterrolebindings"),
        "DeploymentGroup" => ("promoter.dev", "v1alpha1", "deploymentgroups"),
        other => panic!("tests/e2e/support/cluster.rs does not know the kind {other} yet"),
    };
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version: if group.is_empty() {
            version.to_owned()
        } else {
            format!("{group}/{version}")
        },
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    }
}

fn value(object: &DynamicObject) -> Value {
    serde_json::to_value(object).unwrap()
}

/// An object's name.
pub(crate) fn name(object: &Value) -> String {
    object["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// An object's uid.
pub(crate) fn uid(object: &Value) -> String {
    object["metadata"]["uid"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// The colour an object is of, by its label.
pub(crate) fn color(object: &Value) -> &str {
    object["metadata"]["labels"]["promoter.dev/color"]
        .as_str()
        .unwrap_or_default()
}

/// Whether an object is promoter's, by its label.
pub(crate) fn is_owned(object: &Value) -> bool {
    object["metadata"]["labels"]["promoter.dev/group"].is_string()
}
