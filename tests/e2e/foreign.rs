//! Objects of others, and of apps that left the group.

use serde_json::{Value, json};

use crate::support::{App, Check, Folder, name, uid};

/// Kinds a manifest can make, and what becomes of them.
const KINDS: [&str; 4] = ["Deployment", "Service", "ConfigMap", "Secret"];

#[test]
fn what_left_the_group_is_pruned_and_what_is_foreign_is_not() {
    let folder = Folder::new("pruned");
    let mut group = folder.hello("master");
    group.apps.push(leaver());
    // So many that their Jobs go by one request.
    let more = (1..8).map(|number| Check::script(&format!("also-{number}"), "true"));
    group.checks.extend(more);
    folder.write_group(&group);
    folder.write("groups/manifests/leaver.yaml", LEAVER);
    for object in foreign() {
        folder.create(object);
    }
    folder.promote("master");
    let leaving = of_leaver(&folder);
    for made in [
        "Deployment/leaver-blue",
        "Service/leaver",
        "Service/leaver-blue",
        "ConfigMap/leaver-settings-",
        "Secret/leaver-unused",
        "ServiceAccount/leaver",
    ] {
        assert!(
            leaving.iter().any(|object| object.starts_with(made)),
            "{made} is missing: {leaving:?}"
        );
    }
    let rest = ["PodDisruptionBudget", "Ingress", "PersistentVolumeClaim"];
    let is_its = |object: &Value| name(object).starts_with("leaver");
    let of_kind = |kind| folder.list(kind, "").into_iter().filter(is_its).count();
    let rest = || rest.map(of_kind);
    assert_eq!(rest(), [1, 1, 1], "of budgets, Ingresses and claims");
    let others = strangers(&folder);
    assert_eq!(others.len(), 4, "{others:#?}");

    group.apps.pop();
    folder.write_group(&group);
    folder.promote("master");

    let none: [String; 0] = [];
    assert_eq!(of_leaver(&folder), none, "the app that left");
    // What is in a claim is nobody's to delete.
    assert_eq!(rest(), [0, 0, 1], "of budgets, Ingresses and claims");
    assert_eq!(strangers(&folder), others, "what promoter did not make");
}

#[test]
fn services_of_the_idle_colour_stay_and_are_made_anew_if_somebody_changed_them() {
    let folder = Folder::new("idle");
    folder.write_group(&folder.hello("master"));
    let manifest = folder.read("groups/manifests/hello-a.yaml");
    let promote = |release: &str| {
        let next = format!("\ndata:\n  NEXT: \"{release}\"\n");
        let changed = manifest.replace("\ndata:\n", &next);
        folder.write("groups/manifests/hello-a.yaml", &changed);
        folder.promote("master");
    };
    let service = |name| folder.get("Service", name).unwrap();
    let uids = || ["hello-a-blue", "hello-b-blue"].map(|name| uid(&service(name)));
    promote("1");
    let first = uids();
    promote("2");
    assert_eq!(uids(), first);
    let changed = json!({ "spec": { "ports": [{ "name": "http", "port": 80, "targetPort": 9 }] } });
    folder.patch("Service", "hello-b-blue", &changed);
    promote("3");
    let third = uids();
    assert_eq!(third[0], first[0], "nobody changed it");
    assert_ne!(third[1], first[1]);
    let found = service("hello-b-blue");
    assert_ne!(found["spec"]["ports"][0]["targetPort"], 9, "{found:#}");
}

#[test]
fn a_foreign_service_that_selects_candidates_is_refused() {
    let folder = Folder::new("foreign");
    folder.write_group(&folder.hello("master"));
    folder.promote("master");
    folder.create(json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": "curious" },
        "spec": { "selector": { "app": "hello-b" }, "ports": [{ "port": 80 }] },
    }));
    // Something to deploy, were it not refused.
    let changed = folder
        .read("groups/manifests/hello-a.yaml")
        .replace("\ndata:\n", "\ndata:\n  NEXT: \"true\"\n");
    folder.write("groups/manifests/hello-a.yaml", &changed);

    let versions = folder.versions();
    let planned = folder.promoter(["plan", "master"]).run();
    assert_eq!(planned.code, 2, "{planned}");
    assert!(
        planned.stderr.contains("Service curious") && planned.stderr.contains("hello-b"),
        "{planned}"
    );
    assert_eq!(folder.versions(), versions, "plan writes nothing");

    let (owned, specs) = (folder.owned(), specs(&folder));
    let refused = folder.deploy("master");
    assert_eq!(refused.code, 2, "{refused}");
    assert!(refused.stderr.contains("Service curious"), "{refused}");
    assert_eq!(folder.owned(), owned, "nothing was made or deleted");
    assert_eq!(self::specs(&folder), specs, "nothing was changed");
    assert_eq!(folder.status("master")["phase"], "promoted");

    folder.delete("Service", "curious");
    let versions = folder.versions();
    let planned = folder
        .promoter(["plan", "master", "--detailed-exitcode"])
        .run();
    assert_eq!(planned.code, 10, "{planned}");
    assert_eq!(
        folder.versions(),
        versions_without(&versions, "Service/curious"),
        "plan writes nothing"
    );
}

const LEAVER: &str = r#"
apiVersion: v1
kind: ConfigMap
metadata: { name: leaver-settings }
data: { PORT: "{{ app.port }}" }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: leaver }
spec:
  replicas: {{ app.replicas }}
  selector: { matchLabels: { app: leaver } }
  template:
    metadata: { labels: { app: leaver } }
    spec:
      containers:
        - name: leaver
          image: {{ image }}
          envFrom: [{ configMapRef: { name: leaver-settings } }]
          env: [{ name: DRAIN_SECONDS, value: "1" }]
          readinessProbe: { httpGet: { path: /readyz, port: {{ app.port }} }, periodSeconds: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: leaver }
spec:
  selector: { app: leaver }
  ports: [{ port: 80, targetPort: {{ app.port }} }]
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: leaver }
---
apiVersion: v1
kind: Secret
metadata: { name: leaver-unused }
stringData: { NAME: leaver }
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: leaver }
spec:
  maxUnavailable: 1
  selector: { matchLabels: { app: leaver } }
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: leaver }
spec: { defaultBackend: { service: { name: leaver, port: { number: 80 } } } }
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: { name: leaver }
spec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Mi } } }
"#;

/// A third app, which runs the image of hello-b.
fn leaver() -> App {
    App {
        name: "leaver".to_owned(),
        ..App::new("hello-b", "manifests/leaver.yaml")
    }
}

/// `kind/name` of what belongs to that app.
fn of_leaver(folder: &Folder) -> Vec<String> {
    let mut owned = folder.owned();
    owned.retain(|object| object.contains("/leaver"));
    owned
}

/// Objects as a person would have made them, near enough to those of the group.
fn foreign() -> Vec<Value> {
    let labels = json!({ "app": "hello-a" });
    let pod = json!({
        "metadata": { "labels": { "team": "others" } },
        "spec": { "containers": [{ "name": "idle", "image": "busybox" }] },
    });
    vec![
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "hello-a-settings", "labels": labels } }),
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "hello-a-blue", "labels": labels } }),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": "others", "labels": labels },
            "spec": { "selector": { "team": "others" }, "ports": [{ "port": 80 }] },
        }),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "others-blue", "labels": labels },
            "spec": { "replicas": 0, "selector": { "matchLabels": { "team": "others" } }, "template": pod },
        }),
    ]
}

/// Those objects as the cluster holds them.
fn strangers(folder: &Folder) -> Vec<Value> {
    KINDS
        .iter()
        .flat_map(|kind| folder.list(kind, "app=hello-a,!promoter.dev/group"))
        .collect()
}

/// Kinds, names and specs: what deploys and not what happens by itself.
fn specs(folder: &Folder) -> Vec<(String, Value, Value)> {
    let of_kind = |kind: &&str| {
        let found = folder.list(kind, "").into_iter();
        found
            .map(|object| (uid(&object), object["spec"].clone(), object["data"].clone()))
            .collect::<Vec<_>>()
    };
    KINDS.iter().flat_map(of_kind).collect()
}

fn versions_without(versions: &[String], object: &str) -> Vec<String> {
    versions
        .iter()
        .filter(|version| !version.starts_with(object))
        .cloned()
        .collect()
}
