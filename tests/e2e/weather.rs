//! Bad weather: what people, clocks, AWS and the cluster itself do to a
//! promotion that is under way, and where that has to end.
//!
//! Most of it stays inside a test's own namespace. What hits everybody is in
//! `cluster`, and has the cluster for itself.

mod active;
mod aws;
mod candidate;
mod clock;
mod cluster;
mod finalizer;
mod held;
mod lease;
mod namespace;

use std::time::Duration;

use serde_json::Value;

use crate::support::{Folder, GroupFile, Load, Promoter, Run, Running, name, until};

/// A group that serves in blue. The checks of its next promotions run until
/// they are let go, so that there is time for weather.
struct Scene {
    folder: Folder,
    group: GroupFile,
}

impl Scene {
    fn new(test: &str) -> Self {
        Self::in_folder(Folder::new(test))
    }

    fn in_folder(folder: Folder) -> Self {
        let mut group = folder.hello("master");
        folder.open(&group);
        let held =
            "echo \"# holding $(hostname)\"; until [ -e /tmp/go ]; do sleep 0.1; done; npm test";
        group.checks[0].command = ["sh", "-c", held].map(str::to_owned).to_vec();
        folder.write_group(&group);
        Self { folder, group }
    }

    /// Lets checks end by themselves.
    fn hold_nothing(&mut self) {
        self.group.checks[0].command = ["npm", "test"].map(str::to_owned).to_vec();
        self.folder.write_group(&self.group);
    }

    /// Users who come in until they are stopped.
    fn users(&self) -> Load {
        Load::start(self.folder.node_port, 2, Duration::from_millis(50))
    }

    fn deploy(&self) -> Promoter {
        self.folder
            .promoter(["deploy", "master", "--force", "-o", "json"])
    }

    /// Finishes what a promoter left that has lost its lock, with checks let go.
    /// It waits by itself until that lock is nobody's any more.
    #[track_caller]
    fn finish(&self) -> Run {
        self.folder
            .promoter(["deploy", "master", "-o", "json"])
            .run()
    }

    /// Lets a check go that runs in a pod.
    #[track_caller]
    fn let_go(&self, pod: &str) {
        let said = self
            .folder
            .kubectl(&["exec", pod, "-c", "check", "--", "touch", "/tmp/go"]);
        assert_eq!(said, "", "kubectl exec {pod}");
    }

    /// Green serves, blue is gone, nothing is under way.
    #[track_caller]
    fn assert_promoted(&self, run: &Run) {
        assert_eq!(run.code, 0, "{run}");
        assert_eq!(run.outcome()["phase"], "Promoted", "{run}");
        self.folder.assert_cleared("blue");
        let status = self.folder.status("master");
        assert_eq!(
            (
                &status["phase"],
                &status["color"],
                &status["record"]["inFlight"]
            ),
            (&"promoted".into(), &"green".into(), &Value::Null),
            "{status:#}"
        );
        assert_eq!(self.standing(), ["hello-a-green", "hello-b-green"]);
    }

    /// Blue serves as before, green is gone, nothing is under way.
    #[track_caller]
    fn assert_aborted(&self, run: &Run, code: i32) {
        assert_eq!(run.code, code, "{run}");
        assert_eq!(run.outcome()["phase"], "Aborted", "{run}");
        assert_eq!(run.events_named("switched"), [Value::Null; 0], "{run}");
        self.folder.assert_cleared("green");
        let status = self.folder.status("master");
        assert_eq!(
            (
                &status["phase"],
                &status["color"],
                &status["record"]["inFlight"]
            ),
            (&"aborted".into(), &"blue".into(), &Value::Null),
            "{status:#}"
        );
        assert_eq!(self.standing(), ["hello-a-blue", "hello-b-blue"]);
    }

    fn standing(&self) -> Vec<String> {
        self.folder
            .list("Deployment", "")
            .iter()
            .map(name)
            .collect()
    }

    /// The pods of an app in a colour.
    fn pods(&self, app: &str, color: &str) -> Vec<String> {
        let selector = format!("promoter.dev/app={app},promoter.dev/color={color}");
        self.folder
            .list("Pod", &selector)
            .iter()
            .map(name)
            .collect()
    }
}

/// Waits until the check runs, and gives its pod.
#[track_caller]
fn holding(running: &mut Running) -> String {
    holding_again(running, "")
}

/// Waits until the check runs in another pod than before.
#[track_caller]
fn holding_again(running: &mut Running, before: &str) -> String {
    let pod = |event: &Value| {
        let pod = event["line"].as_str()?.strip_prefix("# holding ")?;
        (pod != before).then(|| pod.to_owned())
    };
    let event = running.event("a check that runs", |event| pod(event).is_some());
    pod(&event).unwrap()
}

/// Waits until everybody can see it: in a condition of the group, and in a
/// Kubernetes Event on it.
#[track_caller]
fn told(scene: &Scene, condition: &str, text: &str) {
    let contains = |message: &Value| message.as_str().is_some_and(|said| said.contains(text));
    until("a condition that tells", || {
        let status = scene.folder.status("master");
        let mut conditions = status["conditions"].as_array()?.iter();
        let tells = |one: &Value| {
            one["type"] == condition && one["status"] == "True" && contains(&one["message"])
        };
        conditions.any(tells).then_some(())
    });
    until("a Kubernetes Event that tells", || {
        let events = scene.folder.list("Event", "");
        let tells = |event: &Value| {
            event["involvedObject"]["kind"] == "DeploymentGroup" && contains(&event["message"])
        };
        events.iter().any(tells).then_some(())
    });
}

/// Waits until it says that it waits for this.
#[track_caller]
fn waits_for(running: &mut Running, what: &str) -> Value {
    running.event(&format!("the wait for {what:?}"), |event| {
        event["event"] == "waiting"
            && event["waitFor"]
                .as_str()
                .is_some_and(|text| text.contains(what))
    })
}
