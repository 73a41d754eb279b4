//! The wall between the colours: nothing passes it, by whatever address.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Check, Folder, GroupFile, color, until, until_within};

/// Calls an address again and again, on a connection of its own each time, and fails once
/// nobody answers.
const CALL: &str = "\
const { AT, TIMES } = process.env;
const headers = { connection: 'close' };
for (let left = Number(TIMES); left > 0; left -= 1) {
  const answer = await fetch(AT, { headers, signal: AbortSignal.timeout(2000) });
  if (!answer.ok) throw new Error(await answer.text());
  await new Promise((go) => setTimeout(go, 200));
}";
/// Longer than a node may take to know a pod that was just started.
const OFTEN: u32 = 30;

fn command() -> Vec<String> {
    let words = ["node", "--input-type=module", "--eval", CALL];
    words.map(str::to_owned).to_vec()
}

/// A check that calls an address.
fn calls(name: &str, at: &str) -> Check {
    let mut check = Check::script(name, "");
    check.command = command();
    let env = [("AT", at.to_owned()), ("TIMES", OFTEN.to_string())];
    check.env = env.map(|(name, value)| (name.to_owned(), value)).to_vec();
    check
}

/// The address of a pod of hello-b, in that colour.
fn pod_of(folder: &Folder, wanted: &str) -> String {
    let pods = folder.list("Pod", "promoter.dev/app=hello-b");
    let mut pods = pods.iter().filter(|pod| color(pod) == wanted);
    let ip = pods.next().map(|pod| pod["status"]["podIP"].clone());
    ip.unwrap().as_str().unwrap().to_owned()
}

/// Blue serves, and hello-b is to be another.
fn serving(test: &str) -> (Folder, GroupFile) {
    let folder = Folder::new(test);
    let group = folder.hello("master");
    folder.write_group(&group);
    folder.promote("master");
    (folder, group)
}

#[test]
fn a_check_reaches_old_pods_by_their_address_only_without_it() {
    let (folder, mut group) = serving("wall");
    let old = format!("http://{}:8080/", pod_of(&folder, "blue"));
    group.checks = vec![calls("old", &old), calls("own", "http://hello-b/")];

    group.isolation = "network-policy";
    folder.write_group(&group);
    let run = folder.deploy("master");
    assert_eq!(run.code, 3, "{run}");
    let outcome = run.outcome();
    let checks = outcome["checks"].as_array().unwrap();
    let verdicts = checks.iter();
    let verdicts = verdicts.map(|check| (check["check"].as_str(), check["verdict"].as_str()));
    let mut verdicts: Vec<_> = verdicts.collect();
    verdicts.sort_unstable();
    let expected = [("old", "Failed"), ("own", "Passed")].map(|(a, b)| (Some(a), Some(b)));
    assert_eq!(verdicts, expected, "{run}");
    folder.assert_cleared("green");

    group.isolation = "pinning";
    folder.write_group(&group);
    folder.promote("master");
    folder.assert_cleared("blue");
}

/// Makes a pod with these labels that calls an address so many times.
fn call(folder: &Folder, name: &str, labels: &Value, at: &str, times: u32) {
    // Any image that has Node will do.
    let image = folder.image("hello-b-blue");
    folder.create(json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": name, "labels": labels },
        "spec": {
            "restartPolicy": "Never",
            "containers": [{
                "name": "caller",
                "image": image,
                "command": command(),
                "env": [
                    { "name": "AT", "value": at },
                    { "name": "TIMES", "value": times.to_string() },
                ],
            }],
        },
    }));
}

/// How a pod ends.
fn end_of(folder: &Folder, pod: &str) -> String {
    let minutes = Duration::from_mins(3);
    until_within(minutes, &format!("pod {pod} to end"), || {
        let found = folder.get("Pod", pod)?;
        let phase = found["status"]["phase"].as_str()?.to_owned();
        ["Failed", "Succeeded"]
            .contains(&phase.as_str())
            .then_some(phase)
    })
}

/// Users on the node itself never meet a policy, so this one is a pod.
#[test]
fn a_user_in_the_cluster_notices_nothing() {
    let (folder, mut group) = serving("wall-users");
    let service = folder.get("Service", "hello-a").unwrap();
    let at = format!("http://{}/", service["spec"]["clusterIP"].as_str().unwrap());
    call(&folder, "user", &json!({}), &at, 10 * OFTEN);
    until("the user to call", || {
        let user = folder.get("Pod", "user")?;
        (user["status"]["phase"] == "Running").then_some(())
    });
    for isolation in ["network-policy", "pinning"] {
        group.isolation = isolation;
        folder.write_group(&group);
        let run = folder.promoter(["deploy", "master", "--force"]).run();
        assert_eq!(run.code, 0, "{run}");
    }
    let user = folder.get("Pod", "user").unwrap();
    assert_eq!(user["status"]["phase"], "Running", "it was to call longer");
    assert_eq!(end_of(&folder, "user"), "Succeeded");
}

#[test]
fn old_pods_do_not_reach_the_new_ones() {
    let (folder, mut group) = serving("wall-back");
    group.isolation = "network-policy";
    "2m".clone_into(&mut group.keep_old);
    group.app("hello-b").replicas = 2;
    folder.write_group(&group);
    let mut running = folder.promoter(["deploy", "master", "-o", "json"]).start();
    running.event("the switch", |event| event["event"] == "switched");

    // Pods that come late are closed out as well.
    let new = pod_of(&folder, "green");
    let of = |color: &str| json!({ "promoter.dev/group": "master", "promoter.dev/color": color });
    let callers = [
        ("of-old", of("blue"), "Failed"),
        ("of-new", of("green"), "Succeeded"),
        ("of-nobody", json!({}), "Succeeded"),
    ];
    for (name, labels, _) in &callers {
        call(&folder, name, labels, &format!("http://{new}:8080/"), OFTEN);
    }
    let status = folder.promoter(["status", "master"]).run();
    let told = "NetworkPolicy master-green keeps the colours from calling each other";
    assert!(status.stdout.contains(told), "{status}");
    for (name, _, expected) in callers {
        assert_eq!(end_of(&folder, name), expected, "{name}");
        folder.delete("Pod", name);
    }

    let back = folder.promoter(["rollback", "master"]).run();
    assert_eq!(back.code, 0, "{back}");
    let run = running.wait();
    assert_eq!(run.outcome()["phase"], "Aborted", "{run}");
    folder.assert_cleared("green");
}

#[test]
fn nothing_is_planned_where_others_rule_the_same_pods() {
    let (folder, mut group) = serving("wall-beside");
    folder.create(json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": { "name": "closed" },
        "spec": { "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}] },
    }));
    group.isolation = "network-policy";
    folder.write_group(&group);
    let plan = folder.promoter(["plan", "master"]).run();
    println!("{plan}");
    assert_eq!(plan.code, 2, "{plan}");
    let told = "NetworkPolicy closed: selects pods of app hello-a, app hello-b, check greets";
    assert!(plan.stderr.contains(told), "{plan}");
}
