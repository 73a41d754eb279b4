//! What a promotion leaves behind: the new pods alone, and nobody noticed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Change, Folder, Load, Seen, Witness, color, name};

#[test]
fn old_pods_go_callers_first_and_no_request_is_lost() {
    let folder = Folder::new("replaced");
    let manifest = folder.read("groups/manifests/hello-a.yaml");
    // What must not get onto a Service of one colour.
    let annotated = manifest.replace(
        "kind: Service\nmetadata:\n",
        "kind: Service\nmetadata:\n  annotations:\n    external-dns.alpha.kubernetes.io/hostname: hello.example\n",
    );
    assert_ne!(annotated, manifest);
    folder.write("groups/manifests/hello-a.yaml", &annotated);
    let mut group = folder.hello("master");
    group.apps.iter_mut().for_each(|app| app.replicas = 2);
    folder.open(&group);
    let (entrance, settings) = (
        folder.get("Service", "hello-a").unwrap(),
        settings(&folder, "blue"),
    );

    let next = annotated.replace("\ndata:\n", "\ndata:\n  NEXT: \"true\"\n");
    folder.write("groups/manifests/hello-a.yaml", &next);
    let witness = Witness::start(&folder.namespace);
    let users = Load::start(folder.node_port, 8, Duration::from_millis(80));
    let mut deploy = folder
        .promoter(["deploy", "master", "--output", "json"])
        .start();
    deploy.phase("Checking");
    assert_eq!(
        folder.get("ConfigMap", &name(&settings)),
        Some(settings.clone()),
        "blue's settings are untouched"
    );
    assert_ne!(name(&self::settings(&folder, "green")), name(&settings));
    color_services_are_plain(&folder);
    let run = deploy.wait();
    let served = users.stop();

    assert_eq!(run.code, 0, "{run}");
    served.assert_undisturbed();
    println!("replaced: {served}");
    println!(
        "replaced: the switch took {} ms",
        run.events_named("switched")[0]["skewMs"]
    );
    let seen = witness.seen("the last old pod to go", |seen| {
        ["hello-a", "hello-b"]
            .iter()
            .all(|app| ended(seen, app, Change::Gone).is_some())
    });
    let a_gone = ended(&seen, "hello-a", Change::Gone).unwrap();
    let b_told = began(&seen, "hello-b", Change::Deleting).unwrap();
    assert!(
        a_gone < b_told,
        "an old hello-b was told to end before the last old hello-a was gone: {:#?}",
        seen.changes
    );

    folder.assert_cleared("blue");
    assert_eq!(
        folder.get("ConfigMap", &name(&settings)),
        None,
        "blue's settings went with it"
    );
    let now = folder.get("Service", "hello-a").unwrap();
    for kept in ["/metadata/uid", "/spec/clusterIP", "/spec/ports/0/nodePort"] {
        assert_eq!(
            now.pointer(kept),
            entrance.pointer(kept),
            "{kept} of the Service users come in by"
        );
    }
    let columns = folder.kubectl(&["get", "deploymentgroups"]);
    let mut lines = columns
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>());
    assert_eq!(
        lines.next().unwrap()[..5],
        ["NAME", "COLOR", "RELEASE", "PHASE", "VERDICT"],
        "{columns}"
    );
    let release = run.outcome()["release"].as_str().unwrap().to_owned();
    let row = lines.next().unwrap();
    assert_eq!(
        (row[0], row[1], row[3], row[4]),
        ("master", "green", "promoted", "passed"),
        "{columns}"
    );
    assert!(release.contains(row[2]), "{columns} is about {release}");
    println!("replaced:\n{columns}");
}

/// When the first pod of an app in the old colour changed so.
fn began(seen: &Seen, app: &str, change: Change) -> Option<usize> {
    seen.pods_of(app, "blue")
        .into_iter()
        .filter_map(|pod| seen.place(pod, change))
        .min()
}

/// When the last one had, if all have.
fn ended(seen: &Seen, app: &str, change: Change) -> Option<usize> {
    let places: Option<Vec<_>> = seen
        .pods_of(app, "blue")
        .into_iter()
        .map(|pod| seen.place(pod, change))
        .collect();
    places?.into_iter().max()
}

/// The `ConfigMap` that the pods of hello-a in a colour read.
fn settings(folder: &Folder, color: &str) -> Value {
    let deployment = folder
        .get("Deployment", &format!("hello-a-{color}"))
        .unwrap();
    let read = deployment["spec"]["template"]["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"].clone();
    folder.get("ConfigMap", read.as_str().unwrap()).unwrap()
}

/// Services of a colour take no port of the nodes and no annotation of the user's.
fn color_services_are_plain(folder: &Folder) {
    let services = folder.list("Service", "promoter.dev/color");
    let names: Vec<_> = services.iter().map(name).collect();
    assert_eq!(names.len(), 4, "{names:?}");
    for service in services {
        assert_eq!(service["spec"]["type"], "ClusterIP", "{service:#}");
        assert_eq!(
            service["spec"]["ports"][0]["nodePort"],
            json!(null),
            "{service:#}"
        );
        let annotations = service["metadata"]["annotations"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        assert!(
            annotations
                .keys()
                .all(|key| key.starts_with("promoter.dev/")),
            "{service:#}"
        );
        assert!(["blue", "green"].contains(&color(&service)), "{service:#}");
    }
}
