//! Pods and Jobs of others that look like a check's: their results are nobody's verdict.

use serde_json::{Value, json};

use super::{Case, assert_ended, job_of, ready, start};
use crate::support::{Folder, uid, until};

/// Writes its pod's name, then waits for somebody to make a file.
const WAIT: &str = "echo ready $(hostname); until [ -e /tmp/go ]; do sleep 0.1; done";

#[test]
fn results_of_others_do_not_count() {
    let folder = Folder::new("foreign");
    let failing = format!("{WAIT}; exit 4");
    let fails = |what, name| Case::new(what, name, &failing).ends("Failed", "exit 4");
    let cases = [
        fails("a foreign pod with its labels exits 0", "pod"),
        fails("a foreign pod that names its Job as owner exits 0", "owned"),
        fails("a foreign Job with its labels completes", "job"),
        Case::new("a foreign pod with its labels exits 1", "passes", WAIT),
    ];
    let mut running = start(&folder, &cases);
    let pods = ["pod", "owned", "job", "passes"].map(|check| ready(&mut running, check, 1));
    let foreign = pods.each_ref().map(|pod| labels(&folder, pod));

    let mut owned = pod("foreign-owned", &foreign[1], "exit 0");
    let job = job_of(&folder, &pods[1]);
    let uid = uid(&folder.get("Job", &job).unwrap());
    let by_name = json!([{ "apiVersion": "batch/v1", "kind": "Job", "name": job, "uid": uid }]);
    owned["metadata"]["ownerReferences"] = by_name;
    folder.create(pod("foreign-pod", &foreign[0], "exit 0"));
    folder.create(owned);
    folder.create(json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": { "name": "foreign", "labels": foreign[2] },
        "spec": { "backoffLimit": 0, "template": pod("", &foreign[2], "exit 0") },
    }));
    folder.create(pod("foreign-passes", &foreign[3], "exit 1"));
    let phases = [
        ("foreign-pod", "Succeeded"),
        ("foreign-owned", "Succeeded"),
        ("foreign-passes", "Failed"),
    ];
    for (name, phase) in phases {
        until(&format!("pod {name} to be {phase}"), || {
            (folder.get("Pod", name)?["status"]["phase"] == phase).then_some(())
        });
    }
    until("Job foreign to complete", || {
        (folder.get("Job", "foreign")?["status"]["succeeded"] == 1).then_some(())
    });
    for pod in &pods {
        folder.kubectl(&["exec", pod, "-c", "check", "--", "touch", "/tmp/go"]);
    }
    let run = running.wait();
    // They are not promoter's to delete, but count as remains of the checks by their labels.
    folder.kubectl(&[
        "delete",
        "pod",
        "foreign-pod",
        "foreign-owned",
        "foreign-passes",
    ]);
    assert_ended(&folder, &run, &cases, 3);
}

/// Whoever may make pods can say that a Job made one: which of two ran the check, nobody can tell.
#[test]
fn a_pod_made_up_for_a_job_decides_nothing() {
    let folder = Folder::new("forged");
    let failing = format!("{WAIT}; exit 4");
    let mut case = Case::new("a second pod of its Job exits 0", "forged", &failing);
    case = case.ends("Failed", "exit 4");
    case.attempt = 2;
    let cases = [case];
    let mut running = start(&folder, &cases);
    let first = ready(&mut running, "forged", 1);
    let real = folder.get("Pod", &first).unwrap();
    let mut forged = pod("forged", &real["metadata"]["labels"], "exit 0");
    forged["metadata"]["ownerReferences"] = real["metadata"]["ownerReferences"].clone();
    folder.create(forged);
    let second = ready(&mut running, "forged", 2);
    folder.kubectl(&["exec", &second, "-c", "check", "--", "touch", "/tmp/go"]);
    let run = running.wait();
    let repeated = &run.events_named("check-repeated")[0];
    let reason = repeated["reason"].as_str().unwrap();
    assert!(reason.contains("its Job has another pod"), "{run}");
    assert_ended(&folder, &run, &cases, 3);
}

/// The labels that promoter gave a check's pod.
fn labels(folder: &Folder, pod: &str) -> Value {
    let mut labels = folder.get("Pod", pod).unwrap()["metadata"]["labels"].clone();
    labels
        .as_object_mut()
        .unwrap()
        .retain(|label, _| label.starts_with("promoter.dev/"));
    labels
}

fn pod(name: &str, labels: &Value, script: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "labels": labels },
        "spec": {
            "restartPolicy": "Never",
            "containers": [{ "name": "check", "image": super::IMAGE, "command": ["sh", "-c", script] }],
        },
    })
}
