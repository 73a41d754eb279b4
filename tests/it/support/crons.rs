//! What takes work by itself: workers and `CronJob`s, never in both colours.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use promoter::group::name::AppName;
use promoter::plan::color::Color;
use promoter::plan::cron::{KIND, is_suspended};
use promoter::plan::label;
use promoter::plan::object::Object;
use promoter::port::cluster::{Since, Work, Worker};
use promoter::promotion::observed::CronRun;
use serde_json::{Value, json};

use super::world::State;

impl State {
    /// As the server and the controllers do it.
    pub(super) fn set_work(&mut self, worker: &Worker) {
        let found = self.objects.get(&worker.object);
        let Some(found) = found.filter(|found| found.uid() == Some(&worker.uid)) else {
            return;
        };
        let name = found.name().to_owned();
        match worker.work {
            Work::Pods(pods) => {
                if found.at("/spec/replicas") != Some(&json!(pods)) {
                    self.scale(&name, pods);
                }
            }
            Work::Suspended if !is_suspended(found) => self.suspend(&name, true),
            Work::Scheduled(since) if is_suspended(found) => {
                let since = match since {
                    Since::Last => found.at("/status/lastScheduleTime").cloned(),
                    Since::Now => Some(json!(self.now.to_string())),
                    Since::Time(time) => Some(json!(time.to_string())),
                };
                let object = self.objects.get_mut(&worker.object).unwrap();
                object.0["status"] = json!({ "lastScheduleTime": since });
                self.suspend(&name, false);
            }
            Work::Suspended | Work::Scheduled(_) => {}
        }
    }

    fn suspend(&mut self, cron: &str, suspend: bool) {
        self.edit(KIND, cron, |cron| cron["spec"]["suspend"] = suspend.into());
    }

    /// A time comes that is in every schedule: whatever may makes a Job.
    pub(crate) fn tick(&mut self, lasts: Duration) {
        let now = json!(self.now.to_string());
        let crons = self.objects.values_mut().filter(|o| o.kind() == KIND);
        let mut made = Vec::new();
        for cron in crons.filter(|cron| !is_suspended(cron)) {
            cron.0["status"] = json!({ "lastScheduleTime": now });
            let promotion = cron.label(label::PROMOTION).unwrap().to_owned();
            made.push((cron.name().to_owned(), color_of(cron), promotion));
        }
        for (cron, color, promotion) in made {
            let name = format!("{cron}-{}", self.unique());
            self.cron_runs.push(CronRun {
                name: name.clone(),
                color,
                promotion,
                ended: false,
                met: Some(self.now),
            });
            self.later(lasts, move |state| {
                let mut runs = state.cron_runs.iter_mut();
                if let Some(run) = runs.find(|run| run.name == name) {
                    run.ended = true;
                }
            });
        }
    }

    /// Its Jobs go with it.
    pub(super) fn end_runs_of(&mut self, cron: &str) {
        let is_its = |run: &CronRun| run.name.starts_with(&format!("{cron}-"));
        let running = self
            .cron_runs
            .iter()
            .filter(|run| is_its(run) && !run.ended);
        let running: Vec<_> = running.map(|run| run.name.clone()).collect();
        self.promises.killed.extend(running);
        self.cron_runs.retain(|run| !is_its(run));
    }

    /// Workers with pods of both colours, and `CronJob`s that make Jobs in both.
    pub(super) fn works_twice(&self) -> Option<String> {
        let plans = self.plans.values();
        let workers: BTreeSet<_> = plans
            .flat_map(|plan| plan.workers().map(|app| &app.name))
            .collect();
        let mut working: BTreeMap<String, BTreeSet<Color>> = BTreeMap::new();
        let is_worker = |app: &Option<AppName>| app.as_ref().is_some_and(|a| workers.contains(a));
        for pod in self.pods.iter().filter(|pod| is_worker(&pod.state.app)) {
            let app = pod.state.app.as_ref().unwrap().to_string();
            working.entry(app).or_default().insert(pod.state.color);
        }
        let crons = self.objects.values().filter(|o| o.kind() == KIND);
        for cron in crons.filter(|cron| !is_suspended(cron)) {
            let (name, color) = (cron.name(), color_of(cron));
            let base = name.strip_suffix(color.as_str()).unwrap().to_owned();
            working.entry(base).or_default().insert(color);
        }
        let twice: Vec<_> = working
            .iter()
            .filter(|(_, colors)| colors.len() > 1)
            .collect();
        (!twice.is_empty()).then(|| format!("{twice:?} take work in both colours"))
    }

    /// What of a plan that serves takes work by itself, and does not.
    pub(crate) fn idle_workers(&self, plan: &promoter::plan::Plan) -> Vec<String> {
        let asks_for = |name: &str| {
            let found = self.get("Deployment", name)?;
            found.at("/spec/replicas").and_then(Value::as_u64)
        };
        let workers = plan.workers().filter(|app| {
            let replicas = u64::from(app.replicas());
            asks_for(app.deployment.name()) != Some(replicas)
        });
        let crons = plan.crons().filter(|planned| {
            let found = self.get(KIND, planned.name());
            found.is_none_or(|found| is_suspended(found) != is_suspended(planned))
        });
        let workers = workers.map(|app| app.deployment.name());
        workers
            .chain(crons.map(Object::name))
            .map(str::to_owned)
            .collect()
    }
}

fn color_of(cron: &Object) -> Color {
    cron.label(label::COLOR).and_then(Color::parse).unwrap()
}
