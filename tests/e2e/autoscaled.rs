//! An app that is autoscaled: there is no metrics server, so the test writes the
//! numbers that an autoscaler would, and the autoscaler itself writes none.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Check, Folder, Load, Run, name, until};

const HPA: &str = "HorizontalPodAutoscaler";
/// A check that passes once it is told to, with [`release_check`].
const HOLD: &str = "echo holding; until [ -e /tmp/released ]; do sleep 0.2; done";
/// What a manifest says of an autoscaler.
const AUTOSCALER: &str = "
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: { name: hello-a }
spec:
  minReplicas: 1
  maxReplicas: 5
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: hello-a }
  metrics:
    - type: Resource
      resource: { name: cpu, target: { type: Utilization, averageUtilization: 60 } }
";

#[test]
fn an_autoscaled_app_is_as_large_after_a_switch_as_before() {
    let folder = Folder::new("autoscaled");
    let manifest = folder.read("groups/manifests/hello-a.yaml");
    folder.write(
        "groups/manifests/hello-a.yaml",
        &format!("{manifest}{AUTOSCALER}"),
    );
    let mut group = folder.hello("master");
    // Ended by the rollback, however busy the machine is.
    "5m".clone_into(&mut group.keep_old);
    folder.open(&group);
    assert_eq!(autoscalers(&folder), ["hello-a-blue"]);
    scale(&folder, "blue", 2);

    // While the checks run, load grows.
    group.checks = vec![Check::script("holds", HOLD)];
    folder.write_group(&group);
    let users = Load::start(folder.node_port, 4, Duration::from_millis(40));
    let mut deploy = folder
        .promoter(["deploy", "master", "--detach", "--output", "json"])
        .start();
    deploy.event("a check that runs", |event| {
        event["event"] == "check-output"
    });
    assert_eq!(replicas(&folder, "green"), 2, "as many as served");
    assert_eq!(autoscalers(&folder), ["hello-a-blue"]);
    scale(&folder, "blue", 3);
    release_check(&folder);
    let run = deploy.wait();
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(ready_at_the_switch(&run), 3, "{run}");
    assert_eq!(autoscalers(&folder), ["hello-a-blue", "hello-a-green"]);
    assert_eq!(scale_down(&folder, "blue"), "Disabled");
    let green = folder.get(HPA, "hello-a-green").unwrap();
    assert_eq!(green["spec"]["scaleTargetRef"]["name"], "hello-a-green");

    // It grows again once green serves, and somebody wants to go back.
    scale(&folder, "green", 4);
    let back = folder
        .promoter(["rollback", "master", "--output", "json"])
        .run();
    assert_eq!(back.outcome()["phase"], "Aborted", "{back}");
    assert_eq!(replicas(&folder, "blue"), 4, "{back}");
    folder.assert_cleared("green");
    assert_eq!(autoscalers(&folder), ["hello-a-blue"]);
    assert_ne!(scale_down(&folder, "blue"), "Disabled");

    // Promoted for good, the old colour's autoscaler goes with it.
    "10s".clone_into(&mut group.keep_old);
    group.checks = vec![Check::script("passes", "true")];
    folder.write_group(&group);
    let run = folder.promote("master");
    assert_eq!(ready_at_the_switch(&run), 4, "{run}");
    folder.assert_cleared("blue");
    assert_eq!(autoscalers(&folder), ["hello-a-green"]);
    let served = users.stop();
    served.assert_undisturbed();
    println!("autoscaled: {served}");
}

#[test]
fn an_autoscaled_candidate_that_somebody_scales_is_refused() {
    let folder = Folder::new("scaled");
    let manifest = folder.read("groups/manifests/hello-a.yaml");
    folder.write(
        "groups/manifests/hello-a.yaml",
        &format!("{manifest}{AUTOSCALER}"),
    );
    let mut group = folder.hello("master");
    folder.write_group(&group);
    folder.promote("master");
    group.checks = vec![Check::script("holds", HOLD)];
    folder.write_group(&group);
    let mut deploy = folder
        .promoter(["deploy", "master", "--output", "json"])
        .start();
    deploy.event("a check that runs", |event| {
        event["event"] == "check-output"
    });
    folder.patch(
        "Deployment",
        "hello-a-green",
        &json!({ "spec": { "replicas": 2 } }),
    );
    let run = deploy.wait();
    assert_eq!(run.code, 4, "{run}");
    let told = "somebody changed its candidate";
    assert!(run.reasons().contains(told), "{run}");
    folder.assert_cleared("green");
    assert_eq!(autoscalers(&folder), ["hello-a-blue"]);
}

/// Lets the check that runs end.
fn release_check(folder: &Folder) {
    let pods = folder.list("Pod", "promoter.dev/check=holds");
    let pod = name(&pods[0]);
    let said = folder.kubectl(&["exec", &pod, "--", "touch", "/tmp/released"]);
    assert_eq!(said, "", "the check cannot be released");
}

/// Writes a number of pods of hello-a down and waits until they take requests.
fn scale(folder: &Folder, color: &str, pods: u32) {
    let deployment = format!("hello-a-{color}");
    let patch = json!({ "spec": { "replicas": pods } });
    folder.patch("Deployment", &deployment, &patch);
    until(&format!("{pods} pods of {deployment}"), || {
        let found = folder.get("Deployment", &deployment).unwrap();
        (found["status"]["readyReplicas"] == pods).then_some(())
    });
}

fn replicas(folder: &Folder, color: &str) -> u64 {
    let found = folder.get("Deployment", &format!("hello-a-{color}"));
    found.unwrap()["spec"]["replicas"].as_u64().unwrap()
}

fn autoscalers(folder: &Folder) -> Vec<String> {
    folder.list(HPA, "").iter().map(name).collect()
}

/// How an autoscaler takes pods away, in the API's words.
fn scale_down(folder: &Folder, color: &str) -> String {
    let found = folder.get(HPA, &format!("hello-a-{color}")).unwrap();
    let policy = &found["spec"]["behavior"]["scaleDown"]["selectPolicy"];
    policy.as_str().unwrap_or_default().to_owned()
}

/// Pods of the candidate of hello-a that were ready when it was switched to.
fn ready_at_the_switch(run: &Run) -> u64 {
    let events = run.events();
    let switched = events.iter().position(|event| event["event"] == "switched");
    let before = &events[..switched.expect("it was switched")];
    let candidate = &run.events_named("started")[0]["candidate"];
    let of_app = |event: &&Value| {
        event["event"] == "app" && event["app"] == "hello-a" && event["color"] == *candidate
    };
    before.iter().rfind(of_app).unwrap()["ready"]
        .as_u64()
        .unwrap()
}
