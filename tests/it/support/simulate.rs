//! What controllers and kubelets do: pods, endpoints, Jobs.

use std::time::Duration;

use jiff::Timestamp;
use promoter::group::name::{AppName, CheckName};
use promoter::plan::check::CONTAINER;
use promoter::plan::color::Color;
use promoter::plan::label::{self, Role};
use promoter::plan::object::{Object, texts};
use promoter::promotion::observed::{ContainerState, Ended, JobState, PodState};
use serde_json::Value;

use super::given;
use super::world::{Pod, State};

/// What becomes of an app's pods.
#[derive(Debug, Clone)]
pub(crate) enum AppFate {
    /// They take requests after a while.
    Ready(Duration),
    /// The kubelet cannot pull their image.
    PullError(&'static str),
    /// Their container ends again and again.
    CrashLoop(u32),
    /// No node takes them.
    Unschedulable(&'static str),
    /// They run, but their probe never passes.
    Unready,
    /// They cannot be made at all.
    Quota(&'static str),
}

/// What becomes of one run of a check.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) lasts: Duration,
    pub(crate) end: End,
    pub(crate) log: Vec<String>,
    /// What its container `report` writes; `None`: it goes on for ever.
    pub(crate) report: Option<Vec<String>>,
    /// How that container ends.
    report_end: (i32, &'static str),
}

/// How a run ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    Exit(i32),
    OutOfMemory,
    Never,
    PullError,
    /// Its pod is deleted by hand; the process traps TERM and exits 0.
    PodDeleted,
    /// Its Job is deleted by hand.
    JobDeleted,
    Evicted,
    /// The pod vanishes together with its node.
    NodeLost,
    /// Nothing is heard of its node any more; the pod may go on.
    NodeSilent,
    /// It goes on, and somebody makes a pod that says it is the Job's, and passes.
    Forged,
}

impl Run {
    pub(crate) fn new(end: End) -> Self {
        Self {
            lasts: Duration::from_secs(5),
            end,
            log: Vec::new(),
            report: Some(vec!["\u{1}begin".to_owned(), "\u{1}end 0".to_owned()]),
            report_end: (0, "Completed"),
        }
    }

    pub(crate) fn exits(code: i32) -> Self {
        Self::new(End::Exit(code))
    }

    /// It passes, whatever it reports by.
    fn passes() -> Self {
        Self::exits(0).reports("<testsuite><testcase name='a'/></testsuite>")
    }

    pub(crate) fn writes(mut self, log: &str) -> Self {
        self.log = log.lines().map(str::to_owned).collect();
        self
    }

    /// Leaves a report in a file.
    pub(crate) fn reports(self, document: &str) -> Self {
        let written = format!(
            "\u{1}begin\n\u{1}file /reports/junit.xml\n{document}\n\u{1}done 0\n\u{1}end 1"
        );
        self.report_says(&written)
    }

    /// What its container `report` writes, to the letter.
    pub(crate) fn report_says(mut self, output: &str) -> Self {
        self.report = Some(output.lines().map(str::to_owned).collect());
        self
    }

    /// Its container `report` is ended by something else.
    pub(crate) fn report_ends(mut self, code: i32, reason: &'static str) -> Self {
        self.report_end = (code, reason);
        self
    }

    pub(crate) fn never_reports(mut self) -> Self {
        self.report = None;
        self
    }

    pub(crate) fn lasts(mut self, seconds: u64) -> Self {
        self.lasts = Duration::from_secs(seconds);
        self
    }
}

fn container(name: &str) -> ContainerState {
    ContainerState {
        name: name.to_owned(),
        ready: false,
        restarts: 0,
        running_since: None,
        waiting: Some(("ContainerCreating".to_owned(), String::new())),
        ended: None,
        ended_at: None,
    }
}

fn ended(exit_code: i32, reason: &str) -> Ended {
    Ended {
        exit_code,
        signal: None,
        reason: reason.to_owned(),
        message: String::new(),
        started_at: None,
        finished_at: None,
    }
}

impl Pod {
    fn end_container(&mut self, which: usize, now: Timestamp, end: Ended) {
        let container = &mut self.state.containers[which];
        let started = container.running_since.take();
        container.ended = Some(Ended {
            started_at: started,
            finished_at: Some(now),
            ..end
        });
    }
}

impl State {
    /// The controllers take note of a new object.
    pub(crate) fn made(&mut self, object: &Object) {
        match object.kind() {
            "Deployment" => self.make_app_pods(object),
            "Job" => self.take_job(object),
            _ => {}
        }
    }

    fn make_app_pods(&mut self, deployment: &Object) {
        let replicas = deployment.at("/spec/replicas").and_then(Value::as_u64);
        self.add_app_pods(deployment, replicas.unwrap_or(1));
    }

    /// Somebody, such as an autoscaler, writes another number of pods down.
    pub(crate) fn scale(&mut self, deployment: &str, replicas: u32) {
        self.edit("Deployment", deployment, |deployment| {
            deployment["spec"]["replicas"] = replicas.into();
        });
        let deployment = self.get("Deployment", deployment).unwrap().clone();
        let uid = deployment.uid();
        let mine = |pod: &Pod| pod.state.owner.as_deref() == uid && !pod.state.deleting;
        let there: Vec<_> = self.pods.iter().filter(|pod| mine(pod)).collect();
        let kept = usize::try_from(replicas).unwrap();
        let going = there.iter().skip(kept);
        let going: Vec<_> = going.map(|pod| pod.state.name.clone()).collect();
        let added = kept.saturating_sub(there.len());
        self.add_app_pods(&deployment, added.try_into().unwrap());
        for name in going {
            let pod = self.pod(&name).unwrap();
            (pod.state.deleting, pod.state.ready) = (true, false);
            let app = pod.state.app.as_ref().map(ToString::to_string);
            self.drain(&name, &app.unwrap_or_default());
        }
    }

    fn add_app_pods(&mut self, deployment: &Object, pods: u64) {
        let app = deployment.label(label::APP).unwrap().to_owned();
        let fate = self.script.apps.get(&app).cloned();
        let fate = fate.unwrap_or(AppFate::Ready(Duration::from_secs(1)));
        if matches!(fate, AppFate::Quota(_)) {
            return;
        }
        for _ in 0..pods {
            let name = self.make_pod(deployment, &app);
            let pod = self.pod(&name).unwrap();
            let state = &mut pod.state;
            let container = &mut state.containers[0];
            let waits = |reason: &str, text: &str| Some((reason.to_owned(), text.to_owned()));
            match &fate {
                AppFate::Ready(after) => {
                    let after = *after;
                    self.later(after, move |state| state.become_ready(&name));
                }
                AppFate::PullError(text) => container.waiting = waits("ImagePullBackOff", text),
                AppFate::CrashLoop(restarts) => {
                    pod.log = vec!["starting".to_owned(), "no database".to_owned()];
                    container.waiting = waits("CrashLoopBackOff", "back-off 40s");
                    container.restarts = *restarts;
                    container.ended = Some(ended(1, "Error"));
                }
                AppFate::Unschedulable(text) => state.unschedulable = Some((*text).to_owned()),
                AppFate::Unready => {
                    container.waiting = None;
                    container.running_since = Some(state.created_at);
                }
                AppFate::Quota(_) => {}
            }
        }
    }

    fn make_pod(&mut self, owner: &Object, app: &str) -> String {
        let name = format!("{}-{:05}", owner.name(), self.unique());
        let labels = owner
            .at("/spec/template/metadata/labels")
            .map(texts)
            .unwrap();
        let of = |key: &str| labels.get(key).cloned();
        let containers = if of(label::CHECK).is_some() {
            CONTAINER
        } else {
            app
        };
        let sidecars = owner.at("/spec/template/spec/initContainers");
        let sidecars = sidecars.and_then(Value::as_array).into_iter().flatten();
        let sidecars = sidecars.map(|sidecar| container(sidecar["name"].as_str().unwrap()));
        let color = Color::parse(&of(label::COLOR).unwrap()).unwrap();
        let state = PodState {
            uid: format!("uid-{}", self.unique()),
            app: of(label::APP).map(|name| AppName::parse(&name).unwrap()),
            check: of(label::CHECK).map(|name| CheckName::parse(&name).unwrap()),
            promotion: of(label::PROMOTION).unwrap_or_default(),
            owner: owner.uid().map(str::to_owned),
            phase: "Pending".to_owned(),
            ready: false,
            addresses: vec![self.address()],
            containers: std::iter::once(container(containers))
                .chain(sidecars)
                .collect(),
            ..given::running_pod(&name, color, self.now)
        };
        let spec = owner.at("/spec/template/spec").cloned().unwrap();
        self.pods.push(Pod {
            state,
            labels,
            spec,
            log: Vec::new(),
            report: Vec::new(),
        });
        name
    }

    pub(crate) fn pod(&mut self, name: &str) -> Option<&mut Pod> {
        self.pods.iter_mut().find(|pod| pod.state.name == name)
    }

    /// Lets a pod take requests, unless it is gone or going.
    pub(crate) fn become_ready(&mut self, pod: &str) {
        let now = self.now;
        let Some(pod) = self.pod(pod).filter(|pod| !pod.state.deleting) else {
            return;
        };
        "Running".clone_into(&mut pod.state.phase);
        pod.state.ready = true;
        for container in &mut pod.state.containers {
            container.ready = true;
            container.waiting = None;
            container.running_since = Some(now);
        }
    }

    fn take_job(&mut self, job: &Object) {
        let check = job.label(label::CHECK).unwrap().to_owned();
        let suspended = job.at("/spec/suspend") == Some(&Value::Bool(true));
        self.jobs.push(JobState {
            name: job.name().to_owned(),
            uid: job.uid().unwrap().to_owned(),
            check: CheckName::parse(&check).unwrap(),
            promotion: job.label(label::PROMOTION).unwrap_or_default().to_owned(),
            created_at: self.now,
            suspended,
            deleting: false,
            ended: None,
        });
        if !suspended {
            self.make_check_pod(job);
        }
    }

    /// A suspended Job runs from now on.
    pub(crate) fn let_run(&mut self, name: &str, uid: &str) {
        let mut jobs = self.jobs.iter_mut();
        let found = jobs.find(|job| job.name == name && job.uid == uid && job.suspended);
        let Some(found) = found.filter(|found| !found.deleting) else {
            return;
        };
        found.suspended = false;
        let job = self.get("Job", name).unwrap().clone();
        self.make_check_pod(&job);
    }

    fn make_check_pod(&mut self, job: &Object) {
        let check = job.label(label::CHECK).unwrap().to_owned();
        if job.label(label::ROLE) == Some(Role::Hook.as_str()) {
            let promotion = job.label(label::PROMOTION).unwrap_or_default();
            let run = (promotion.to_owned(), check.clone());
            *self.promises.hooks.entry(run).or_default() += 1;
        }
        let runs = self.script.checks.get_mut(&check);
        let run = runs.and_then(std::collections::VecDeque::pop_front);
        let run = run.unwrap_or_else(Run::passes);
        let pod = self.make_pod(job, "");
        if matches!(run.end, End::PullError) {
            let waiting = ("ErrImagePull".to_owned(), "not found".to_owned());
            self.pod(&pod).unwrap().state.containers[0].waiting = Some(waiting);
            return;
        }
        let job = job.name().to_owned();
        self.later(Duration::from_secs(1), move |state| {
            let now = state.now;
            let Some(found) = state.pod(&pod).filter(|pod| !pod.state.deleting) else {
                return;
            };
            "Running".clone_into(&mut found.state.phase);
            for container in &mut found.state.containers {
                container.waiting = None;
                container.running_since = Some(now);
            }
            state.later(run.lasts, move |state| state.end_run(&job, &pod, &run));
        });
    }

    fn end_run(&mut self, job: &str, pod: &str, run: &Run) {
        let now = self.now;
        if self.pod(pod).is_none() {
            return;
        }
        let end_container = |state: &mut Self, pod: &str, code: i32, reason: &str| {
            let pod = state.pod(pod).unwrap();
            pod.log.clone_from(&run.log);
            pod.end_container(0, now, ended(code, reason));
            let phase = if code == 0 { "Succeeded" } else { "Failed" };
            if pod.state.containers.len() == 1 {
                phase.clone_into(&mut pod.state.phase);
                return;
            }
            // The sidecar is told to stop then, and takes its time.
            let name = pod.state.name.clone();
            let Some(report) = run.report.clone() else {
                return;
            };
            let (exit_code, how) = run.report_end;
            state.later(Duration::from_secs(1), move |state| {
                let now = state.now;
                let Some(pod) = state.pod(&name) else { return };
                pod.report = report;
                pod.end_container(1, now, ended(exit_code, how));
                phase.clone_into(&mut pod.state.phase);
            });
        };
        match run.end {
            End::Exit(code) => {
                let reason = if code == 0 { "Completed" } else { "Error" };
                end_container(self, pod, code, reason);
                let ended = if code == 0 {
                    "Complete"
                } else {
                    "BackoffLimitExceeded"
                };
                self.end_job_later(job, ended);
            }
            End::OutOfMemory => end_container(self, pod, 137, "OOMKilled"),
            End::PodDeleted => {
                end_container(self, pod, 0, "Completed");
                self.pod(pod).unwrap().state.deleting = true;
                self.end_job_later(job, "Complete");
                self.remove_pod_later(pod, Duration::from_secs(2));
            }
            End::JobDeleted => {
                end_container(self, pod, 0, "Completed");
                let uid = self
                    .get("Job", job)
                    .and_then(|job| job.uid().map(str::to_owned));
                self.unmade("Job", job, &uid.unwrap());
            }
            End::Evicted => {
                end_container(self, pod, 137, "Error");
                let state = &mut self.pod(pod).unwrap().state;
                state.reason = Some("Evicted".to_owned());
                state.disrupted = Some("TerminationByKubelet".to_owned());
            }
            End::NodeLost => {
                self.pods.retain(|p| p.state.name != pod);
                self.end_job_later(job, "BackoffLimitExceeded");
            }
            End::NodeSilent => {
                let state = &mut self.pod(pod).unwrap().state;
                (state.ready, state.unheard) = (false, true);
            }
            End::Forged => {
                let mut forged = self.pod(pod).unwrap().clone();
                let name = format!("{job}-forged");
                forged.state.name.clone_from(&name);
                forged.state.uid = format!("uid-{}", self.unique());
                forged.state.created_at = now;
                self.pods.push(forged);
                end_container(self, &name, 0, "Completed");
            }
            End::Never | End::PullError => {}
        }
    }

    /// The Job's condition lags behind its pod.
    fn end_job_later(&mut self, job: &str, ended: &'static str) {
        let job = job.to_owned();
        self.later(Duration::from_secs(2), move |state| {
            let found = state.jobs.iter_mut().find(|found| found.name == job);
            if let Some(found) = found {
                found.ended = Some(ended.to_owned());
            }
        });
    }

    fn remove_pod_later(&mut self, pod: &str, after: Duration) {
        let pod = pod.to_owned();
        self.later(after, move |state| {
            state.pods.retain(|found| found.state.name != pod);
        });
    }

    /// A pod of an app in green.
    pub(crate) fn green_pod(&mut self) -> &mut PodState {
        let green = |pod: &&mut Pod| pod.state.color == Color::Green && pod.state.app.is_some();
        &mut self.pods.iter_mut().find(green).unwrap().state
    }

    /// Takes a pod of green out of service once users are there.
    pub(crate) fn lose_a_pod(&mut self) {
        self.later(Duration::from_mins(1), |state| {
            state.green_pod().ready = false;
        });
    }

    /// An object goes at once, its pods drain first (background deletion).
    pub(crate) fn unmade(&mut self, kind: &str, name: &str, uid: &str) {
        let is_of = |object: &Object| {
            object.str_at("/metadata/ownerReferences/0/uid") == Some(uid)
                || object.kind() == kind && object.name() == name
        };
        self.objects.retain(|_, object| !is_of(object));
        self.jobs.retain(|job| job.uid != uid);
        if kind == "CronJob" {
            self.end_runs_of(name);
        }
        let owned = |pod: &&mut Pod| pod.state.owner.as_deref() == Some(uid);
        let mut going = Vec::new();
        for pod in self.pods.iter_mut().filter(owned) {
            pod.state.deleting = true;
            pod.state.ready = false;
            let app = pod.state.app.as_ref().map(ToString::to_string);
            going.push((pod.state.name.clone(), app.unwrap_or_default()));
        }
        for (pod, app) in going {
            self.drain(&pod, &app);
        }
    }

    /// A pod of an app that was told to end takes its time.
    fn drain(&mut self, pod: &str, app: &str) {
        let drain = self.script.drains.get(app).copied();
        if let Some(drain) = drain.unwrap_or(Some(Duration::from_secs(3))) {
            self.remove_pod_later(pod, drain);
        }
    }
}
