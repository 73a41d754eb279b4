//! Every way a check can end, on the real cluster: what is ruled, what becomes of the promotion, and
//! that nothing is left of a candidate.
//!
//! A group has one small app, and as many checks as a test has cases: they run side by side, so one
//! promotion shows many verdicts. Each test prints a table of the cases it has produced.

mod disturbed;
mod errored;
mod failed;
mod foreign;
mod reported;

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::{App, Check, Folder, GroupFile, Run, Running, repository};

/// The image that checks without images of their own run in.
const IMAGE: &str = "docker.io/library/node:22-alpine";
/// The group of every test here.
const GROUP: &str = "verdicts";

/// A check, and what has to come of it.
struct Case {
    /// What is done to it, for the table.
    what: &'static str,
    check: Check,
    verdict: &'static str,
    /// Part of the reason.
    reason: &'static str,
    /// The run that gave the verdict.
    attempt: u64,
}

impl Case {
    /// A check that runs a shell script and has no report.
    fn new(what: &'static str, name: &str, script: &str) -> Self {
        let mut check = Check::script(name, script);
        check.source = format!("image = \"{IMAGE}\"");
        check.timeout = "60s".into();
        Self {
            what,
            check,
            verdict: "Passed",
            reason: "exit 0",
            attempt: 1,
        }
    }

    /// A check that prints a TAP report.
    fn tap(what: &'static str, name: &str, script: &str) -> Self {
        let mut case = Self::new(what, name, script);
        case.check.report = "tap".into();
        case
    }

    /// A check whose first run waits to be disturbed, and exits 0 when it is told to end. The second
    /// run passes. It writes `ready`, then its pod's name.
    fn disturbed(what: &'static str, name: &str) -> Self {
        let script = format!("case $(hostname) in *-2-?????) exit 0;; esac; {AWAIT_TERM}");
        let mut case = Self::new(what, name, &script);
        case.attempt = 2;
        case
    }

    fn image(mut self, image: &str) -> Self {
        self.check.source = format!("image = \"{image}\"");
        self
    }

    fn timeout(mut self, timeout: &str) -> Self {
        self.check.timeout = timeout.into();
        self
    }

    fn start_timeout(mut self, timeout: &str) -> Self {
        self.check.more = format!("start_timeout = \"{timeout}\"");
        self
    }

    /// It ends so only in the last run that it gets.
    fn after_three_runs(mut self) -> Self {
        self.attempt = 3;
        self
    }

    fn ends(mut self, verdict: &'static str, reason: &'static str) -> Self {
        (self.verdict, self.reason) = (verdict, reason);
        self
    }
}

/// Runs until it is told to end, and then claims success.
const AWAIT_TERM: &str = "trap 'exit 0' TERM; echo ready $(hostname); sleep 600 & wait";

/// Writes the group: one small app, and the checks of the cases.
fn write(folder: &Folder, cases: &[Case]) {
    let mut app = App::new("hello-b", "");
    app.manifest = None;
    app.more = "env = { DRAIN_SECONDS = \"0\" }\n\
                resources = { requests = { cpu = \"10m\", memory = \"32Mi\" }, limits = { memory = \"128Mi\" } }"
        .into();
    app.repository = repository("hello-b");
    let group = GroupFile {
        name: GROUP.to_owned(),
        branch: "master".to_owned(),
        keep_old: "10s".to_owned(),
        deploy_timeout: "60s".to_owned(),
        endpoint_delay: "0s".to_owned(),
        isolation: "pinning",
        apps: vec![app],
        checks: cases.iter().map(|case| case.check.clone()).collect(),
        more: String::new(),
        hooks: Vec::new(),
    };
    folder.write_group(&group);
}

/// Starts the promotion of the cases.
fn start(folder: &Folder, cases: &[Case]) -> Running {
    write(folder, cases);
    folder.promoter(["deploy", GROUP, "-o", "json"]).start()
}

/// Looks at what came of all cases, and of the promotion: promoted only if all have passed, the exit
/// code that the worst verdict stands for, and else nothing left of the candidate.
#[track_caller]
fn assert_ended(folder: &Folder, run: &Run, cases: &[Case], code: i32) {
    let (mut table, mut wrong) = (String::new(), String::new());
    let results = run.events_named("check-ended");
    for case in cases {
        let mut of_check = results
            .iter()
            .map(|event| &event["result"])
            .filter(|result| result["check"] == *case.check.name);
        let found = of_check.next().unwrap_or(&Value::Null);
        let reason = found["reason"].as_str().unwrap_or_default();
        let verdict = found["verdict"].as_str().unwrap_or("no result");
        let _ = writeln!(
            table,
            "{:<52} {:<10} run {}  {reason}",
            case.what, verdict, found["attempt"]
        );
        let fits = verdict == case.verdict
            && reason.contains(case.reason)
            && found["attempt"] == case.attempt;
        if !fits || of_check.next().is_some() {
            let _ = writeln!(
                wrong,
                "{}: not {} ({}) in run {}",
                case.what, case.verdict, case.reason, case.attempt
            );
        }
    }
    let outcome = run.outcome();
    println!("{table}=> {}, exit code {}\n", outcome["phase"], run.code);
    assert!(wrong.is_empty(), "{wrong}\n{table}\n{run}");
    assert_eq!(run.code, code, "{table}\n{run}");
    let all_passed = cases.iter().all(|case| case.verdict == "Passed");
    assert_eq!(all_passed, code == 0, "the test expects what cannot be");
    assert_eq!(
        outcome["phase"],
        if all_passed { "Promoted" } else { "Aborted" },
        "{table}\n{run}"
    );
    assert_eq!(
        outcome["checks"].as_array().map(Vec::len),
        Some(cases.len()),
        "{run}"
    );
    if !all_passed {
        folder.assert_cleared(outcome["color"].as_str().unwrap());
        assert_eq!(run.events_named("switched"), [Value::Null; 0], "{run}");
    }
}

/// Waits until a check's run says `ready`, and gives its pod's name.
#[track_caller]
fn ready(running: &mut Running, check: &str, attempt: u32) -> String {
    let pod_of = |event: &Value| {
        let pod = event["line"].as_str()?.strip_prefix("ready ")?.to_owned();
        let job = pod.rsplit_once('-')?.0;
        let is_repeated = job
            .rsplit('-')
            .next()
            .is_some_and(|end| end.parse::<u32>() == Ok(attempt));
        // A promotion's id has eight characters, so it is never taken for the number of a run.
        (event["check"] == check
            && (is_repeated || (attempt == 1 && job.rsplit('-').next()?.len() == 8)))
            .then_some(pod)
    };
    let event = running.event(&format!("run {attempt} of check {check}"), |event| {
        pod_of(event).is_some()
    });
    pod_of(&event).unwrap()
}

/// The name of a pod's Job.
fn job_of(folder: &Folder, pod: &str) -> String {
    let pod = folder
        .get("Pod", pod)
        .unwrap_or_else(|| panic!("pod {pod} is gone"));
    pod["metadata"]["labels"]["job-name"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// `kubectl`, which has to succeed with this in its output.
#[track_caller]
fn kubectl(folder: &Folder, arguments: &[&str], expected: &str) {
    let output = folder.kubectl(arguments);
    assert!(
        output.contains(expected),
        "kubectl {}: {output}",
        arguments.join(" ")
    );
}

/// Applies an object of a kind that the tests' own client does not know.
#[track_caller]
fn apply(folder: &Folder, object: &Value) {
    folder.write("applied.json", &object.to_string());
    let file = folder.path().join("applied.json");
    kubectl(folder, &["apply", "-f", file.to_str().unwrap()], "created");
}

/// What containers get that ask for nothing.
fn limit_range(limit: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "LimitRange", "metadata": { "name": "defaults" },
        "spec": { "limits": [limit] },
    })
}
