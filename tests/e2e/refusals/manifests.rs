//! Manifests that cannot be promoted, and objects of others that are in their way.

use serde_json::{Value, json};

use super::{REFUSED, app, app_of, deployment, group, refused, service};
use crate::support::Folder;

#[test]
fn manifests_that_cannot_be_promoted() {
    let folder = Folder::new("manifests");
    kinds(&folder);
    shapes(&folder);
    versions(&folder);
    files(&folder);
}

/// Every kind that is refused, with what to do instead; all at once.
fn kinds(folder: &Folder) {
    let kinds = [
        (
            "apps/v1",
            "StatefulSet",
            "use a Deployment, or run it outside the group",
        ),
        (
            "apps/v1",
            "DaemonSet",
            "use a Deployment, or run it outside the group",
        ),
        ("apps/v1", "ReplicaSet", "use a Deployment, which makes it"),
        (
            "v1",
            "ReplicationController",
            "use a Deployment, which makes it",
        ),
        ("v1", "Pod", "use a Deployment"),
        (
            "batch/v1",
            "Job",
            "a test belongs in a [[check]] of the group file",
        ),
        ("v1", "Namespace", "create it once with kubectl"),
        (
            "apiextensions.k8s.io/v1",
            "CustomResourceDefinition",
            "install it outside the group",
        ),
        (
            "rbac.authorization.k8s.io/v1",
            "ClusterRole",
            "install it outside the group",
        ),
        (
            "storage.k8s.io/v1",
            "StorageClass",
            "install it outside the group",
        ),
        ("v1", "PersistentVolume", "install it outside the group"),
    ];
    let object = |(api, kind, _): &(&str, &str, &str)| json!({ "apiVersion": api, "kind": kind, "metadata": { "name": "x" } });
    let mut objects: Vec<_> = kinds.iter().map(object).collect();
    objects.push(deployment("kinds"));
    folder.write_group(&group("kinds", vec![app_of(folder, "kinds", &objects)]));
    let lines: Vec<_> = kinds
        .iter()
        .map(|(_, kind, _)| format!("app kinds, {kind} x: cannot be promoted blue/green"))
        .collect();
    let mut texts: Vec<&str> = lines.iter().map(String::as_str).collect();
    texts.extend(kinds.iter().map(|(.., instead)| *instead));
    refused(folder, "kinds", REFUSED, &texts);
}

fn with(mut object: Value, pointer: &str, key: &str, value: Value) -> Value {
    object.pointer_mut(pointer).unwrap()[key] = value;
    object
}

/// Objects that are wrong in themselves, each in an app of its own; all at once.
fn shapes(folder: &Folder) {
    let mut second = deployment("two");
    second["metadata"]["name"] = "other".into();
    let apps = [
        (
            "place",
            vec![with(
                deployment("place"),
                "/metadata",
                "namespace",
                json!("default"),
            )],
        ),
        (
            "headless",
            vec![
                deployment("headless"),
                with(service("headless"), "/spec", "clusterIP", json!("None")),
            ],
        ),
        (
            "outside",
            vec![
                deployment("outside"),
                with(service("outside"), "/spec", "type", json!("ExternalName")),
            ],
        ),
        (
            "astray",
            vec![
                deployment("astray"),
                with(
                    service("astray"),
                    "/spec",
                    "selector",
                    json!({ "app": "x" }),
                ),
            ],
        ),
        (
            "host",
            vec![with(
                deployment("host"),
                "/spec/template/spec",
                "hostNetwork",
                json!(true),
            )],
        ),
        ("two", vec![deployment("two"), second]),
        (
            "nameless",
            vec![with(deployment("nameless"), "/metadata", "name", json!(""))],
        ),
        (
            "old",
            vec![with(deployment("old"), "", "apiVersion", json!("v1"))],
        ),
    ];
    let apps = apps
        .iter()
        .map(|(name, objects)| app_of(folder, name, objects))
        .collect();
    folder.write_group(&group("shapes", apps));
    refused(
        folder,
        "shapes",
        REFUSED,
        &[
            "app place, Deployment place: names the namespace \"default\"",
            "leave metadata.namespace out",
            "app headless, Service headless: a headless Service hands out pod addresses",
            "app outside, Service outside: an ExternalName Service has no pods to switch",
            "app astray, Service astray: its selector does not select the app's pods",
            "app host, Deployment host: uses the host's network",
            "app two: its manifest has 2 Deployments",
            "app nameless: an object of its manifest lacks apiVersion, kind or metadata.name",
            "app old: its manifest has 0 Deployments",
            "the group cannot be promoted as it stands, for 8 reasons",
        ],
    );
}

/// What only the cluster can tell; all at once.
fn versions(folder: &Folder) {
    let gone = with(deployment("gone"), "", "apiVersion", json!("apps/v1beta1"));
    let apps = vec![
        app_of(folder, "gone", &[gone]),
        app_of(
            folder,
            "unknown",
            &[
                deployment("unknown"),
                json!({ "apiVersion": "example.com/v1", "kind": "Thing", "metadata": { "name": "x" } }),
            ],
        ),
        app_of(
            folder,
            "typo",
            &[with(
                deployment("typo"),
                "/spec/template/spec",
                "containerz",
                json!([]),
            )],
        ),
        app_of(
            folder,
            "port",
            &[
                deployment("port"),
                with(
                    service("port"),
                    "/spec",
                    "ports",
                    json!([{ "port": 123_456 }]),
                ),
            ],
        ),
    ];
    folder.write_group(&group("versions", apps));
    refused(
        folder,
        "versions",
        REFUSED,
        &[
            "app gone, Deployment gone-blue: the cluster refuses it: the cluster does not have it",
            "app unknown, Thing x: the cluster refuses it: the cluster does not have it",
            "app typo, Deployment typo-blue: the cluster refuses it: ",
            "containerz",
            "app port, Service port: the cluster refuses it: ",
        ],
    );
}

/// What the group files alone show, each with file, line and column.
fn files(folder: &Folder) {
    folder.write_group(&group("one", vec![app("shared")]));
    folder.write_group(&group("other", vec![app("shared"), app("alone")]));
    let both = "both run in the environment `test`";
    let written = folder.read("groups/other.toml");
    let mut lines = written.lines();
    let line = 1 + lines.position(|line| line == "name = \"shared\"").unwrap();
    let place = format!("groups/other.toml:{line}:8: ");
    refused(
        folder,
        "other",
        REFUSED,
        &["app `shared` is also in group `one`", both, &place],
    );
    folder.write_group(&group("one", vec![app("alone")]));

    let mut fixed = deployment("fixed");
    fixed["spec"]["template"]["spec"]["containers"][0]["image"] = "nginx:1".into();
    folder.write_group(&group("fixed", vec![app_of(folder, "fixed", &[fixed])]));
    refused(
        folder,
        "fixed",
        REFUSED,
        &[
            "manifest without the image placeholder",
            "write {{ image }}",
            "groups/fixed.toml:",
        ],
    );

    let mut template = app("template");
    folder.write(
        "groups/manifests/template.yaml",
        "kind: {{ image }}\nname: {{ values.nothing }}\n",
    );
    template.manifest = Some("manifests/template.yaml".to_owned());
    folder.write_group(&group("template", vec![template]));
    refused(
        folder,
        "template",
        REFUSED,
        &[
            "app template: ",
            "manifests/template.yaml:2: ",
            "known names are image",
        ],
    );

    refused(
        folder,
        "kindz",
        REFUSED,
        &["there is no group `kindz`", "did you mean `kinds`?"],
    );
}
