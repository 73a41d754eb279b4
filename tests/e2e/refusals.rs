//! Bad input, on the real cluster: each is refused with all its reasons and the documented exit code,
//! before anything is made; and what cannot be known before ends with nothing left.
//!
//! What is wrong with group files alone is tested without a cluster.

mod deploys;
mod foreign;
mod images;
mod live;
mod manifests;
mod places;

use serde_json::{Value, json};

use crate::support::{App, Check, Folder, GroupFile, Promoter, Run, repository};

/// Usage, files, or what a plan refuses.
const REFUSED: i32 = 2;
/// The candidate did not become ready.
const DEPLOY_FAILED: i32 = 5;
/// An outside system failed.
const OUTSIDE: i32 = 7;

/// A group of these apps, with a check that would pass.
fn group(name: &str, apps: Vec<App>) -> GroupFile {
    GroupFile {
        name: name.to_owned(),
        branch: "master".to_owned(),
        keep_old: "10s".to_owned(),
        deploy_timeout: "60s".to_owned(),
        endpoint_delay: "0s".to_owned(),
        isolation: "pinning",
        apps,
        checks: vec![Check::script("passes", "exit 0")],
        more: String::new(),
        hooks: Vec::new(),
    }
}

/// An app without a manifest, in the image of hello-b.
fn app(name: &str) -> App {
    let mut app = App::new(name, "");
    app.repository = repository("hello-b");
    app.manifest = None;
    app
}

/// An app whose manifest has these objects.
fn app_of(folder: &Folder, name: &str, objects: &[Value]) -> App {
    let mut app = app(name);
    let manifest = format!("manifests/{name}.json");
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects });
    folder.write(&format!("groups/{manifest}"), &format!("{list:#}"));
    app.manifest = Some(manifest);
    app
}

/// The Deployment of an app, as it should be.
fn deployment(name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name },
        "spec": {
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name } },
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "containers": [{
                        "name": name, "image": "{{ image }}",
                        "readinessProbe": { "httpGet": { "path": "/readyz", "port": 8080 }, "periodSeconds": 1 },
                    }],
                },
            },
        },
    })
}

/// The Service of an app, as it should be.
fn service(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": { "name": name },
        "spec": { "selector": { "app": name }, "ports": [{ "port": 80, "targetPort": 8080 }] },
    })
}

/// Plans and deploys a group, which both have to be refused with this exit code and all of these
/// texts. The plan writes nothing at all, the deploy nothing but its lock and its record.
#[track_caller]
fn refused(folder: &Folder, group: &str, code: i32, texts: &[&str]) {
    refused_with(folder, group, code, texts, |promoter| promoter);
}

#[track_caller]
fn refused_with(
    folder: &Folder,
    group: &str,
    code: i32,
    texts: &[&str],
    change: impl Fn(Promoter) -> Promoter,
) {
    plan_refused(folder, group, code, texts, &change);
    let before = content(folder);
    let deployed = change(folder.promoter(["deploy", group])).run();
    assert_said(&deployed, code, texts);
    assert_eq!(
        content(folder),
        before,
        "deploy makes and changes nothing: {deployed}"
    );
}

/// The same of the plan alone.
#[track_caller]
fn plan_refused(
    folder: &Folder,
    group: &str,
    code: i32,
    texts: &[&str],
    change: impl Fn(Promoter) -> Promoter,
) {
    let before = everything(folder);
    let planned = change(folder.promoter(["plan", group])).run();
    assert_said(&planned, code, texts);
    assert_eq!(everything(folder), before, "plan writes nothing: {planned}");
    println!("{group}: exit code {code}\n{}", planned.stderr);
}

/// Nothing as data, and on standard error what is wrong, for people.
#[track_caller]
fn assert_said(run: &Run, code: i32, texts: &[&str]) {
    assert_eq!(run.code, code, "{run}");
    assert_eq!(run.stdout, "", "{run}");
    for text in texts {
        assert!(run.stderr.contains(text), "without {text:?}: {run}");
    }
    // What took its time was said before.
    let mut said = run
        .stderr
        .lines()
        .skip_while(|line| line.contains("  waits for "));
    let first = said.next().unwrap_or_default();
    assert!(
        first.starts_with("error: ") || first.starts_with("error["),
        "{run}"
    );
    // Neither the insides of a Rust value, nor a stack, nor colours.
    for insides in [
        "Some(",
        "Error {",
        "Err(",
        "panicked",
        "backtrace",
        "\u{1b}",
    ] {
        assert!(!run.stderr.contains(insides), "with {insides:?}: {run}");
    }
}

/// What people and promoter write into the namespace's objects; locks, records and marks are not in it.
fn content(folder: &Folder) -> Vec<Value> {
    let of_kind = |kind: &&str| {
        let found = folder.list(kind, "").into_iter();
        let content = |object: Value| {
            let identity = [&object["metadata"]["name"], &object["metadata"]["uid"]];
            json!([
                kind,
                identity,
                object["metadata"]["labels"],
                object["spec"],
                object["data"]
            ])
        };
        found.map(content).collect::<Vec<_>>()
    };
    let kinds = ["Deployment", "Service", "ConfigMap", "Job", "Pod"];
    kinds.iter().flat_map(of_kind).collect()
}

/// `kind/name resourceVersion` of everything of every kind in the namespace, but events.
fn everything(folder: &Folder) -> String {
    let kinds = folder.kubectl(&[
        "api-resources",
        "--verbs=list",
        "--namespaced",
        "--cached",
        "-o",
        "name",
    ]);
    let wanted = |kind: &&str| !kind.starts_with("events") && !kind.starts_with("pods.metrics");
    let kinds: Vec<_> = kinds.lines().filter(wanted).collect();
    let columns = "-o=jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{\"\\n\"}{end}";
    folder.kubectl(&["get", &kinds.join(","), columns])
}
