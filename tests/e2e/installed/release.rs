//! A release of the chart: the daemon in a namespace of its own, as a team installs it.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Folder, Proxy, Testbed, push_daemon};

/// What the daemon's objects are called.
pub(super) const NAME: &str = "promoter";

/// What is installed.
const CHART: &str = "deploy/chart";

/// An installed daemon. Dropped, it is uninstalled.
pub(super) struct Release {
    pub(super) namespace: String,
    /// How pods reach the double of AWS.
    aws: Proxy,
}

impl Release {
    /// Installs the daemon for the groups in a folder, with the rights that the chart gives it,
    /// and waits until it is ready.
    #[track_caller]
    pub(super) fn install(folder: &Folder) -> Self {
        let cluster = &Testbed::get().cluster;
        let namespace = format!("{}-daemon", folder.namespace);
        cluster.create(
            "",
            json!({
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {
                    "name": namespace,
                    // Pods that ask for more than they may have are not let in.
                    "labels": { "pod-security.kubernetes.io/enforce": "restricted" },
                },
            }),
        );
        let node = node();
        let aws = Proxy::to_aws_from_pods(node);
        let release = Self { namespace, aws };
        release.lead_to_aws(node);
        let values = folder.path().join("values.json");
        fs::write(&values, release.values(folder).to_string()).unwrap();
        let mut install = vec!["install", NAME, CHART, "--values"];
        let (values, files) = (values.display().to_string(), files(&folder.path()));
        install.push(&values);
        install.extend(files.iter().map(String::as_str));
        install.extend(["--namespace", &release.namespace, "--wait", "--timeout=2m"]);
        helm(&install);
        release
    }

    /// The double of AWS as a Service, so that it is found by its name.
    fn lead_to_aws(&self, node: IpAddr) {
        let cluster = &Testbed::get().cluster;
        let port = json!([{ "name": "http", "port": self.aws.port(), "protocol": "TCP" }]);
        let labels = json!({ "kubernetes.io/service-name": "aws" });
        let objects = [
            json!({
                "apiVersion": "v1", "kind": "Service", "metadata": { "name": "aws" },
                "spec": { "clusterIP": "None", "ports": port },
            }),
            json!({
                "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                "metadata": { "name": "aws", "labels": labels },
                "endpoints": [{ "addresses": [node] }], "ports": port,
            }),
            json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "aws" },
                "stringData": {
                    "AWS_ACCESS_KEY_ID": "testbed",
                    "AWS_SECRET_ACCESS_KEY": "testbed",
                },
            }),
        ];
        for object in objects {
            cluster.create(&self.namespace, object);
        }
    }

    fn values(&self, folder: &Folder) -> Value {
        let testbed = Testbed::get();
        let image = push_daemon();
        let (repository, digest) = image.split_once('@').unwrap();
        let aws = self.aws.port();
        json!({
            "image": { "repository": repository, "digest": digest },
            "namespaces": [folder.namespace],
            // The resource is there for all tests.
            "definition": { "install": false },
            "records": { "volume": { "enabled": false } },
            "poll": "1s",
            "aws": { "region": testbed.region },
            "env": [{ "name": "AWS_ENDPOINT_URL", "value": format!("http://aws:{aws}") }],
            "envFrom": [{ "secretRef": { "name": "aws" } }],
            "networkPolicy": { "ports": [testbed.cluster.port(), aws] },
        })
    }

    /// Its only pod.
    #[track_caller]
    pub(super) fn pod(&self) -> Value {
        let selector = "app.kubernetes.io/name=promoter";
        let mut pods = Testbed::get()
            .cluster
            .list(&self.namespace, "Pod", selector);
        assert_eq!(pods.len(), 1, "{pods:#?}");
        pods.remove(0)
    }

    /// All that the daemon wrote.
    pub(super) fn log(&self) -> String {
        self.kubectl(&["logs", "deployment/promoter", "--tail=-1"])
    }

    /// What the daemon measured, asked for through the API server.
    pub(super) fn metrics(&self) -> String {
        let namespace = &self.namespace;
        let path = format!("/api/v1/namespaces/{namespace}/services/{NAME}:http/proxy/metrics");
        self.kubectl(&["get", "--raw", &path])
    }

    /// What `kubectl` says in its namespace.
    pub(super) fn kubectl(&self, arguments: &[&str]) -> String {
        let mut kubectl = Command::new("kubectl");
        kubectl.args(["--context", &Testbed::get().context]);
        kubectl
            .args(["--namespace", &self.namespace])
            .args(arguments);
        let output = kubectl.output().expect("kubectl can be started");
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        text(&output.stdout) + &text(&output.stderr)
    }
}

impl Drop for Release {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("=== the daemon's log\n{}", self.log());
            let about = self.kubectl(&["describe", "pods"]);
            eprintln!("=== the daemon's pods\n{about}");
        }
        // What is of no namespace goes with the release, whatever became of the test.
        let gone = run_helm(&["uninstall", NAME, "--namespace", &self.namespace]);
        if let Err(error) = gone {
            eprintln!("{error}");
        }
        self.kubectl(&["delete", "namespace", &self.namespace, "--wait=false"]);
    }
}

/// All files of a folder of groups, as the command line of Helm takes them.
fn files(folder: &Path) -> Vec<String> {
    let mut options = Vec::new();
    let mut folders = vec![folder.join("environments"), folder.join("groups")];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            let key = name.replace('.', "\\.");
            let option = format!("--set-file=configuration.files.{key}={}", path.display());
            options.push(option);
        }
    }
    options
}

/// The address of the node.
fn node() -> IpAddr {
    let nodes = Testbed::get().cluster.list("", "Node", "");
    let addresses = nodes[0]["status"]["addresses"].as_array().unwrap();
    let mut internal = addresses.iter().filter(|one| one["type"] == "InternalIP");
    let address = internal.next().unwrap()["address"].as_str().unwrap();
    address.parse().unwrap()
}

/// What Helm prints; it has to succeed.
#[track_caller]
pub(super) fn helm(arguments: &[&str]) -> String {
    run_helm(arguments).unwrap()
}

/// What Helm prints, or why it does not succeed.
pub(super) fn run_helm(arguments: &[&str]) -> Result<String, String> {
    let mut helm = Command::new(env!("CARGO"));
    helm.current_dir(env!("CARGO_MANIFEST_DIR"));
    helm.args(["xtask", "helm"]).args(arguments);
    helm.args(["--kube-context", &Testbed::get().context]);
    let output = helm.output().expect("cargo can be started");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    Err(format!("helm {arguments:?}: {}", text(&output.stderr)))
}
