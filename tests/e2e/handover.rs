//! What takes work by itself, on the real cluster: a worker that starts when it is
//! promoted, and a `CronJob` that meets each minute once, whoever promotes meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::support::wait::until_within;
use crate::support::{App, Folder, color, name, repository};

/// Long enough for a Job to end that has just begun, and what waits for it.
const PATIENCE: Duration = Duration::from_mins(3);
/// Says for a while that it works, also once it is told to end.
const WORKER: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: { name: worker }
spec:
  selector: { matchLabels: { app: worker } }
  template:
    metadata: { labels: { app: worker } }
    spec:
      terminationGracePeriodSeconds: 20
      containers:
        - name: worker
          image: "{{ image }}"
          lifecycle: { preStop: { exec: { command: [sleep, "5"] } } }
"#;
/// Takes its time, and then calls hello-b.
const TICKER: &str = r#"
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: ticker }
spec:
  schedule: "* * * * *"
  successfulJobsHistoryLimit: 100
  jobTemplate:
    spec:
      backoffLimit: 0
      template:
        spec:
          restartPolicy: Never
          securityContext: { runAsNonRoot: true, runAsUser: 1000 }
          containers:
            - name: ticker
              image: "{{ image }}"
              command: [sh, -c, "sleep 15; exec node -e \"fetch('http://hello-b/').then(r => process.exit(r.ok ? 0 : 1))\""]
"#;

#[test]
fn workers_and_cron_jobs_never_work_in_both_colours() {
    let folder = opened("handover");
    assert_eq!(working(&folder), ["ticker-blue", "worker-blue"]);
    let mut seen = Seen::default();
    seen.until(&folder, "a minute that blue met", |seen| {
        seen.ended("ticker-blue").then_some(())
    });
    // One of the old colour that is amid its work.
    let by_hand = ["create", "job", "by-hand", "--from=cronjob/ticker-blue"];
    folder.kubectl(&by_hand);

    // Killed while the old worker ends, driven on by another one.
    let deploy = folder.promoter(["deploy", "master", "--force"]).start();
    seen.until(&folder, "the old worker to be told to end", |_| {
        let pods = folder.list("Pod", "app=worker");
        let ends = |pod: &&Value| pod["metadata"]["deletionTimestamp"].is_string();
        pods.iter()
            .find(ends)
            .map(|pod| assert_eq!(color(pod), "blue"))
    });
    assert_eq!(replicas(&folder, "worker-green"), 0);
    deploy.kill();
    let resume = folder.promoter(["resume", "master"]).start();
    seen.until(&folder, "green to be promoted", |_| {
        let status = folder.status("master");
        (status["phase"] == "promoted" && status["color"] == "green").then_some(())
    });
    let run = resume.wait();
    assert_eq!(run.code, 0, "{run}");
    assert!(seen.ended("by-hand"), "{seen:?}");
    assert_eq!(working(&folder), ["ticker-green", "worker-green"]);
    folder.assert_cleared("blue");
    seen.until(&folder, "a minute that green met", |seen| {
        seen.ended("ticker-green").then_some(())
    });

    // And back again inside `keep_old`.
    let detached = folder
        .promoter(["deploy", "master", "--force", "--detach"])
        .run();
    assert_eq!(detached.code, 0, "{detached}");
    assert_eq!(working(&folder), ["ticker-blue", "worker-blue"]);
    let back = folder.promoter(["rollback", "master"]).start();
    seen.until(&folder, "green to work again", |_| {
        (working(&folder) == ["ticker-green", "worker-green"]).then_some(())
    });
    let run = back.wait();
    assert_eq!(run.code, 0, "{run}");
    folder.assert_cleared("blue");
    seen.until(&folder, "another minute that green met", |seen| {
        (seen.minutes() > 2).then_some(())
    });
    println!("{} minutes were met once", seen.minutes());
}

#[test]
fn a_worker_that_does_not_start_leaves_the_old_one_at_work() {
    let folder = opened("stillborn");
    let broken = format!("{WORKER}        - {{ name: broken, image: No Image }}\n");
    folder.write("groups/manifests/worker.yaml", &broken);
    let run = folder.promoter(["deploy", "master", "-o", "json"]).run();
    assert_eq!(run.code, 5, "{run}");
    assert!(run.reasons().contains("InvalidImageName"), "{run}");
    assert_eq!(run.events_named("switched"), [Value::Null; 0], "{run}");
    assert_eq!(working(&folder), ["ticker-blue", "worker-blue"]);
    folder.assert_cleared("green");
}

/// hello-a and hello-b, with a worker and a `CronJob`, which serve in blue.
fn opened(test: &str) -> Folder {
    let folder = Folder::new(test);
    let manifest = folder.read("groups/manifests/hello-a.yaml");
    folder.write(
        "groups/manifests/hello-a.yaml",
        &format!("{manifest}{TICKER}"),
    );
    folder.write("groups/manifests/worker.yaml", WORKER);
    let mut group = folder.hello("master");
    group.apps.push(App {
        repository: repository("hello-b"),
        port: None,
        more: "start = \"on-promote\"".to_owned(),
        ..App::new("worker", "manifests/worker.yaml")
    });
    folder.open(&group);
    folder
}

fn replicas(folder: &Folder, deployment: &str) -> u64 {
    let found = folder.get("Deployment", deployment).unwrap();
    found["spec"]["replicas"].as_u64().unwrap()
}

/// Workers that have pods and `CronJob`s that make Jobs, in order.
fn working(folder: &Folder) -> Vec<String> {
    let crons = folder.list("CronJob", "").into_iter();
    let crons = crons.filter(|cron| cron["spec"]["suspend"] != true);
    let workers = folder
        .list("Deployment", "promoter.dev/app=worker")
        .into_iter();
    let workers = workers.filter(|worker| worker["spec"]["replicas"] != 0);
    let mut working: Vec<_> = crons.chain(workers).map(|found| name(&found)).collect();
    working.sort();
    working
}

/// Jobs of the `CronJob`, and whether they succeeded, as they were seen last.
#[derive(Debug, Default)]
struct Seen(BTreeMap<String, bool>);

impl Seen {
    /// Waits for something, and looks all the while that nothing works in both colours.
    #[track_caller]
    fn until<T>(
        &mut self,
        folder: &Folder,
        what: &str,
        mut done: impl FnMut(&Self) -> Option<T>,
    ) -> T {
        until_within(PATIENCE, what, || {
            self.look(folder);
            done(self)
        })
    }

    fn look(&mut self, folder: &Folder) {
        let pods = folder.list("Pod", "app=worker");
        let has_ended = |pod: &&Value| {
            pod["status"]["phase"] == "Succeeded" || pod["status"]["phase"] == "Failed"
        };
        let working = pods.iter().filter(|pod| !has_ended(pod));
        let colors: BTreeSet<_> = working.map(color).collect();
        assert!(colors.len() <= 1, "workers of both colours: {pods:#?}");
        let crons = folder.list("CronJob", "").into_iter();
        let crons = crons.filter(|cron| cron["spec"]["suspend"] != true);
        let crons: Vec<_> = crons.map(|cron| name(&cron)).collect();
        assert!(crons.len() <= 1, "{crons:?}");
        for job in folder.list("Job", "promoter.dev/cron=ticker") {
            assert_ne!(job["status"]["failed"], 1, "{job:#}");
            self.0.insert(name(&job), job["status"]["succeeded"] == 1);
        }
        let met = self.0.keys().filter_map(|job| job.strip_prefix("ticker-"));
        let met: Vec<_> = met.filter_map(|job| job.split_once('-')).collect();
        let minutes: BTreeSet<_> = met.iter().map(|(_, minute)| minute).collect();
        assert_eq!(minutes.len(), met.len(), "a minute was met twice: {met:?}");
    }

    /// Whether a Job succeeded whose name begins like that.
    fn ended(&self, start: &str) -> bool {
        let mut jobs = self.0.iter();
        jobs.any(|(job, succeeded)| job.starts_with(start) && *succeeded)
    }

    fn minutes(&self) -> usize {
        self.0
            .keys()
            .filter(|job| job.starts_with("ticker-"))
            .count()
    }
}
