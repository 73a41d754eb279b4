//! Runs that somebody or something takes away: they give no verdict, though the check's process exits
//! 0 when it is told to end. The check is run again, and only that run counts.

use serde_json::json;

use super::{AWAIT_TERM, Case, assert_ended, job_of, kubectl, ready, start};
use crate::support::{Folder, until};

#[test]
fn runs_that_are_taken_away_are_repeated() {
    let folder = Folder::new("disturbed");
    let cases = [
        Case::disturbed("pod deleted, its process exits 0", "deleted"),
        Case::disturbed(
            "pod deleted without grace, as when a node is lost",
            "forced",
        ),
        Case::disturbed("pod evicted", "evicted"),
        Case::disturbed("Job deleted", "job"),
        Case::new(
            "another container in its pod exits 3",
            "debugged",
            "echo ready $(hostname); until [ -e /tmp/go ]; do sleep 0.1; done",
        ),
    ];
    let mut running = start(&folder, &cases);

    let pod = ready(&mut running, "deleted", 1);
    folder.delete("Pod", &pod);
    let pod = ready(&mut running, "forced", 1);
    kubectl(
        &folder,
        &[
            "delete",
            "pod",
            &pod,
            "--grace-period=0",
            "--force",
            "--wait=false",
        ],
        "deleted",
    );
    let pod = ready(&mut running, "evicted", 1);
    folder.evict(&pod);
    let pod = ready(&mut running, "job", 1);
    folder.delete("Job", &job_of(&folder, &pod));
    let pod = ready(&mut running, "debugged", 1);
    kubectl(
        &folder,
        &[
            "debug",
            &pod,
            &format!("--image={}", super::IMAGE),
            "--container=other",
            "--",
            "sh",
            "-c",
            "exit 3",
        ],
        "",
    );
    until("the other container to exit 3", || {
        let pod = folder.get("Pod", &pod)?;
        let code =
            &pod["status"]["ephemeralContainerStatuses"][0]["state"]["terminated"]["exitCode"];
        (code == 3).then_some(())
    });
    kubectl(
        &folder,
        &["exec", &pod, "-c", "check", "--", "touch", "/tmp/go"],
        "",
    );

    let run = running.wait();
    assert_ended(&folder, &run, &cases, 0);
    let repeated = run.events_named("check-repeated");
    let reason = |check: &str| {
        let mut of_check = repeated.iter().filter(|event| event["check"] == check);
        of_check
            .next()
            .map(|event| event["reason"].as_str().unwrap().to_owned())
            .unwrap_or_default()
    };
    for check in ["deleted", "forced", "evicted", "job"] {
        println!("{check}: repeated, because {}", reason(check));
    }
    assert_eq!(repeated.len(), 4, "{run}");
    assert!(reason("deleted").contains("its pod was deleted"), "{run}");
    assert!(reason("forced").contains("its pod"), "{run}");
    assert!(
        reason("evicted").contains("disrupted: EvictionByEvictionAPI"),
        "{run}"
    );
    assert!(reason("job").contains("its Job"), "{run}");
    until("the checks to go", || {
        folder.of_checks().is_empty().then_some(())
    });
}

/// The Job's own deadline, which somebody has shortened, ends the run. It may be seen as what it is,
/// or as the pod's deletion, which gives no verdict; its exit 0 counts in neither case.
#[test]
fn a_jobs_own_deadline_passes_nothing() {
    let folder = Folder::new("deadline");
    let mut cases = [
        Case::new("the Job's own deadline is over", "deadline", AWAIT_TERM)
            .timeout("10s")
            .ends("TimedOut", "not ended within its timeout of 10s"),
    ];
    let mut running = start(&folder, &cases);
    let pod = ready(&mut running, "deadline", 1);
    let shortened = json!({ "spec": { "activeDeadlineSeconds": 1 } });
    folder.patch("Job", &job_of(&folder, &pod), &shortened);
    let run = running.wait();
    if let [repeated] = run.events_named("check-repeated").as_slice() {
        assert_eq!(repeated["reason"], "its pod was deleted", "{run}");
        cases[0].attempt = 2;
    }
    assert_ended(&folder, &run, &cases, 3);
}
