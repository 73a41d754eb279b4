//! A test's own place: group files in a folder, and a namespace of the cluster.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kube::config::Kubeconfig;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::account::account;
use super::dump::dump;
use super::group::GroupFile;
use super::images;
use super::place::{Slot, free_node_port};
use super::promoter::{Promoter, Run};
use super::testbed::{Testbed, random};
use super::{color, get, is_owned, name, until};

/// How long an example app goes on serving after it was told to stop.
const DRAIN: &str = "2";
/// Kinds whose objects promoter makes or changes.
const KINDS: [&str; 13] = [
    "Deployment",
    "HorizontalPodAutoscaler",
    "ReplicaSet",
    "Service",
    "NetworkPolicy",
    "ConfigMap",
    "Secret",
    "ServiceAccount",
    "CronJob",
    "Job",
    "Pod",
    "DeploymentGroup",
    "Lease",
];

/// A folder of group files with an environment `test`, whose namespace is the test's own.
pub(crate) struct Folder {
    pub(crate) namespace: String,
    /// Where users get in: the node port of hello-a's Service.
    pub(crate) node_port: u16,
    files: TempDir,
    _slot: Slot,
}

impl Folder {
    /// Makes folder and namespace, and prepares the namespace with `promoter install`.
    #[track_caller]
    pub(crate) fn new(test: &str) -> Self {
        Self::with(Slot::take(), test)
    }

    /// The same for a test that disturbs the whole cluster: no other runs meanwhile.
    #[track_caller]
    pub(crate) fn alone(test: &str) -> Self {
        Self::with(Slot::take_all(), test)
    }

    #[track_caller]
    fn with(slot: Slot, test: &str) -> Self {
        let testbed = Testbed::get();
        images::push_masters();
        let folder = Self {
            namespace: format!("e2e-{test}-{}", random()),
            node_port: free_node_port(),
            files: tempfile::tempdir().unwrap(),
            _slot: slot,
        };
        testbed.cluster.create(
            "",
            json!({
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": { "name": folder.namespace, "labels": { "promoter-e2e": testbed.run } },
            }),
        );
        let context = format!("context = \"{}\"", testbed.context);
        folder.write_environment(&context);
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("groups/manifests");
        let read = |file: &str| fs::read_to_string(shipped.join(file)).unwrap();
        let a = replaced(
            &read("hello-a.yaml"),
            "DRAIN_SECONDS: \"5\"",
            &format!("DRAIN_SECONDS: \"{DRAIN}\""),
        );
        folder.write("groups/manifests/hello-a.yaml", &a);
        let drain =
            format!("\"env\": [\n{{ \"name\": \"DRAIN_SECONDS\", \"value\": \"{DRAIN}\" }},");
        folder.write(
            "groups/manifests/hello-b.json",
            &replaced(&read("hello-b.json"), "\"env\": [", &drain),
        );
        // By somebody who may do everything; all else is done with the rights it says it needs.
        let installed = Promoter::new(folder.files.path(), ["install"]).run();
        assert_eq!(installed.code, 0, "{installed}");
        let account = account(&folder.namespace, &installed.stdout);
        fs::write(folder.kubeconfig(), account).unwrap();
        folder
    }

    /// From now on the files are for a promoter inside the cluster.
    pub(crate) fn run_inside(&self) {
        self.write_environment("in-cluster = true");
    }

    fn write_environment(&self, cluster: &str) {
        let testbed = Testbed::get();
        let text = format!(
            "[environment]\nname = \"test\"\nnamespace = \"{}\"\ncluster = {{ {cluster} }}\n\n\
             [values]\nnode_port = {}\n\n[registry]\naccount = \"{}\"\nregion = \"{}\"\n",
            self.namespace, self.node_port, testbed.account, testbed.region,
        );
        self.write("environments/test.toml", &text);
    }

    /// The example apps and their check as a group file, to change and to write.
    #[expect(
        clippy::unused_self,
        reason = "images and manifests are there once a folder is"
    )]
    pub(crate) fn hello(&self, name: &str) -> GroupFile {
        GroupFile::hello(name)
    }

    /// Writes `groups/<name>.toml`.
    pub(crate) fn write_group(&self, group: &GroupFile) {
        self.write(&format!("groups/{}.toml", group.name), &group.to_string());
    }

    /// Writes any file of the folder.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Reads any file of the folder.
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).unwrap()
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.files.path().to_owned()
    }

    /// A command of the CLI on this folder, by an account that may do what promoter needs.
    pub(crate) fn promoter<S: Into<OsString>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Promoter {
        let promoter = Promoter::new(self.files.path(), arguments);
        promoter.env("KUBECONFIG", self.kubeconfig().to_str().unwrap())
    }

    /// The kubeconfig that commands of this folder have.
    pub(crate) fn kubeconfig(&self) -> PathBuf {
        self.path().join("account.json")
    }

    /// Deploys a group with its events as output.
    #[track_caller]
    pub(crate) fn deploy(&self, group: &str) -> Run {
        self.promoter(["deploy", group, "--output", "json"]).run()
    }

    /// Deploys a group, which must be promoted.
    #[track_caller]
    pub(crate) fn promote(&self, group: &str) -> Run {
        let run = self.deploy(group);
        assert_eq!(run.code, 0, "{run}");
        assert_eq!(run.outcome()["phase"], "Promoted", "{run}");
        until("the checks' pods to go", || {
            self.of_checks().is_empty().then_some(())
        });
        run
    }

    /// The namespace's objects of a kind; `selector` is a label selector, or empty.
    pub(crate) fn list(&self, kind: &str, selector: &str) -> Vec<Value> {
        Testbed::get().cluster.list(&self.namespace, kind, selector)
    }

    pub(crate) fn get(&self, kind: &str, name: &str) -> Option<Value> {
        Testbed::get().cluster.get(&self.namespace, kind, name)
    }

    /// What the only container of a Deployment runs.
    pub(crate) fn image(&self, deployment: &str) -> String {
        let found = self.get("Deployment", deployment).unwrap();
        let image = &found["spec"]["template"]["spec"]["containers"][0]["image"];
        image.as_str().unwrap().to_owned()
    }

    /// Makes an object, as somebody else than promoter.
    pub(crate) fn create(&self, object: Value) {
        Testbed::get().cluster.create(&self.namespace, object);
    }

    pub(crate) fn patch(&self, kind: &str, name: &str, patch: &Value) {
        Testbed::get()
            .cluster
            .patch(&self.namespace, kind, name, patch);
    }

    /// Writes a group, promotes it for the first time, and lets users in.
    #[track_caller]
    pub(crate) fn open(&self, group: &GroupFile) {
        self.write_group(group);
        self.promote(&group.name);
        until("an answer at the node port", || get(self.node_port).ok());
    }

    /// As [`Folder::patch`], for an object's status.
    pub(crate) fn patch_status(&self, kind: &str, name: &str, patch: &Value) {
        Testbed::get()
            .cluster
            .patch_status(&self.namespace, kind, name, patch);
    }

    /// Begins to delete an object.
    pub(crate) fn delete(&self, kind: &str, name: &str) {
        Testbed::get().cluster.delete(&self.namespace, kind, name);
    }

    /// Evicts a pod, as draining a node does.
    pub(crate) fn evict(&self, pod: &str) {
        Testbed::get().cluster.evict(&self.namespace, pod);
    }

    /// `kind/name` of the objects promoter made for a colour, with those the
    /// cluster derived from them; nothing of it may be left of a candidate.
    pub(crate) fn of_color(&self, color: &str) -> Vec<String> {
        self.names(|object| super::color(object) == color)
    }

    /// `kind/name` of all check Jobs and of their pods.
    pub(crate) fn of_checks(&self) -> Vec<String> {
        self.names(|object| object["metadata"]["labels"]["promoter.dev/check"].is_string())
    }

    /// Waits until nothing of a colour and no check is left.
    #[track_caller]
    pub(crate) fn assert_cleared(&self, color: &str) {
        until(&format!("all {color} objects and checks to go"), || {
            let left = [self.of_color(color), self.of_checks()].concat();
            left.is_empty().then_some(())
        });
    }

    /// `kind/name` of everything with promoter's label on it.
    pub(crate) fn owned(&self) -> Vec<String> {
        self.names(is_owned)
    }

    fn names(&self, wanted: impl Fn(&Value) -> bool) -> Vec<String> {
        let active = self.list("Service", "promoter.dev/role=active");
        let deployments = self.list("Deployment", "promoter.dev/color");
        let of_kind = |kind: &&str| {
            let found = self.list(kind, "").into_iter().filter(&wanted);
            let found =
                found.filter(|found| *kind != "Service" || !is_idle(found, &active, &deployments));
            found
                .map(|object| format!("{kind}/{}", name(&object)))
                .collect::<Vec<_>>()
        };
        KINDS.iter().flat_map(of_kind).collect()
    }

    /// `kind/name resourceVersion` of everything in the namespace: whatever is
    /// written, this changes.
    pub(crate) fn versions(&self) -> Vec<String> {
        let of_kind = |kind: &&str| {
            let found = self.list(kind, "").into_iter();
            let version = |object: Value| {
                object["metadata"]["resourceVersion"]
                    .as_str()
                    .unwrap_or_default()
                    .to_owned()
            };
            found
                .map(|object| format!("{kind}/{} {}", name(&object), version(object)))
                .collect::<Vec<_>>()
        };
        KINDS.iter().flat_map(of_kind).collect()
    }

    /// The status of a `DeploymentGroup`, with promoter's record in `record`.
    #[track_caller]
    pub(crate) fn status(&self, group: &str) -> Value {
        let found = self.get("DeploymentGroup", group);
        found.unwrap_or_else(|| panic!("there is no DeploymentGroup {group}"))["status"].clone()
    }

    /// Another name for the testbed's cluster: what `KUBECONFIG` has to be for a
    /// command to know it.
    pub(crate) fn other_context(&self, name: &str) -> String {
        let context = &Testbed::get().context;
        let known = self.kubeconfig();
        let kubeconfig = Kubeconfig::read_from(&known).unwrap();
        let mut contexts = kubeconfig.contexts.into_iter();
        let mut other = contexts.find(|known| known.name == *context).unwrap();
        name.clone_into(&mut other.name);
        let only = Kubeconfig {
            contexts: vec![other],
            ..Kubeconfig::default()
        };
        self.write("kubeconfig", &serde_json::to_string(&only).unwrap());
        let other = self.path().join("kubeconfig");
        format!("{}:{}", known.display(), other.display())
    }

    /// What `kubectl` says in this namespace.
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("kubectl");
        // The user's cache may know kinds that are gone by now.
        command.arg("--cache-dir").arg(self.path().join(".kube"));
        command.args([
            "--context",
            &Testbed::get().context,
            "--namespace",
            &self.namespace,
        ]);
        match command.args(arguments).output() {
            Ok(output) => format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            ),
            Err(error) => format!("failed to start kubectl: {error}"),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            dump(self);
        }
        // Its pods end by themselves; nobody waits for that.
        let kinds = ["clusterrolebinding", "clusterrole", "namespace"];
        let gone = kinds.map(|kind| format!("{kind}/{}", self.namespace));
        self.kubectl(&["delete", &gone[0], &gone[1], &gone[2], "--wait=false"]);
    }
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert_eq!(
        text.matches(from).count(),
        1,
        "the shipped manifest has {from} once"
    );
    text.replace(from, to)
}

/// Whether a Service waits for the next pods of a colour while another one runs,
/// beside the active Service that it is made for.
fn is_idle(service: &Value, active: &[Value], deployments: &[Value]) -> bool {
    let app = |object: &Value| object["metadata"]["labels"]["promoter.dev/app"].clone();
    let mut colors = deployments
        .iter()
        .filter(|one| app(one) == app(service))
        .map(color);
    let runs = colors.clone().next().is_some();
    let is_its = |one: &Value| format!("{}-{}", name(one), color(service)) == name(service);
    active.iter().any(is_its) && runs && colors.all(|one| one != color(service))
}
