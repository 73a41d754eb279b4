//! Places that a group cannot be promoted in: no namespace, a mesh, a quota, no such cluster.

use serde_json::{Value, json};

use super::{OUTSIDE, REFUSED, app, group, refused};
use crate::support::{App, Folder, Promoter, Testbed, until};

#[test]
fn places_that_do_not_fit() {
    let folder = Folder::new("places");
    elsewhere(&folder);

    let mut sized = sized("sized", "100m", "64Mi");
    sized.replicas = 3;
    folder.write_group(&group("sized", vec![sized]));
    folder.create(json!({
        "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "small" },
        "spec": { "hard": { "pods": "3", "requests.cpu": "250m", "requests.memory": "1Gi" } },
    }));
    until("the quota to be in force", || {
        folder.get("ResourceQuota", "small")?["status"]["hard"]["pods"]
            .as_str()
            .map(str::to_owned)
    });
    let quota = "quota small: has no room for a second colour (";
    let short = [
        "pods: 4 needed, 3 left",
        "requests.cpu: 300m needed, 250m left",
        "raise the quota",
    ];
    refused(&folder, "sized", REFUSED, &[&[quota][..], &short].concat());

    let mesh = |value: Option<&str>| {
        let patch = json!({ "metadata": { "labels": { "istio-injection": value } } });
        Testbed::get()
            .cluster
            .patch("", "Namespace", &folder.namespace, &patch);
    };
    mesh(Some("enabled"));
    let meshed = format!(
        "namespace {}: is injected by a service mesh (istio-injection)",
        folder.namespace
    );
    refused(
        &folder,
        "sized",
        REFUSED,
        &[&meshed, "use a namespace without injection"],
    );
    mesh(Some("disabled"));
    refused(&folder, "sized", REFUSED, &[quota]);
}

/// Environments that lead nowhere.
fn elsewhere(folder: &Folder) {
    let environment = |name: &str, namespace: &str, context: &str| {
        let text = folder.read("environments/test.toml");
        let text = text
            .replace("name = \"test\"", &format!("name = \"{name}\""))
            .replace(&folder.namespace, namespace);
        let text = text.replace(
            &format!("\"{}\"", Testbed::get().context),
            &format!("\"{context}\""),
        );
        folder.write(&format!("environments/{name}.toml"), &text);
        let text = group(name, vec![app("lost")]).to_string();
        folder.write(
            &format!("groups/{name}.toml"),
            &text.replace(
                "environment = \"test\"",
                &format!("environment = \"{name}\""),
            ),
        );
    };
    environment("nowhere", "promoter-e2e-nowhere", &Testbed::get().context);
    let says = [
        "namespace promoter-e2e-nowhere",
        "does not exist",
        "promoter install",
    ];
    let administrator = std::env::var("KUBECONFIG").unwrap();
    let change = |promoter: Promoter| promoter.env("KUBECONFIG", &administrator);
    super::refused_with(folder, "nowhere", REFUSED, &says, change);
    // Who may do nothing there is told the same.
    let plan = folder.promoter(["plan", "nowhere"]).run();
    assert_eq!(plan.code, REFUSED, "{plan}");
    for part in says {
        assert!(plan.stderr.contains(part), "{part:?} is missing: {plan}");
    }

    environment("no-context", &folder.namespace, "promoter-e2e-nothing");
    let known = format!("it has: {}", Testbed::get().context);
    refused(
        folder,
        "no-context",
        REFUSED,
        &[
            "the kubeconfig has no context \"promoter-e2e-nothing\"",
            &known,
        ],
    );

    // Nobody listens there.
    let context = format!("--context={}", Testbed::get().context);
    let view = [
        "config",
        "view",
        "--raw",
        "--flatten",
        "--minify",
        &context,
        "-o",
        "json",
    ];
    let mut dead: Value = serde_json::from_str(&folder.kubectl(&view)).unwrap();
    dead["clusters"][0]["cluster"]["server"] = "https://127.0.0.1:1".into();
    folder.write("dead.kubeconfig", &dead.to_string());
    let dead = folder.path().join("dead.kubeconfig");
    folder.write_group(&group("dead", vec![app("dead")]));
    let change = |promoter: Promoter| promoter.env("KUBECONFIG", dead.to_str().unwrap());
    super::refused_with(
        folder,
        "dead",
        OUTSIDE,
        &["failed to reach the cluster"],
        change,
    );
}

fn sized(name: &str, cpu: &str, memory: &str) -> App {
    let mut app = app(name);
    app.more = format!("resources = {{ requests = {{ cpu = \"{cpu}\", memory = \"{memory}\" }} }}");
    app
}
