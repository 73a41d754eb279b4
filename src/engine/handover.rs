//! Handing over what takes work by itself, and back: workers that start when they are
//! promoted, and `CronJob`s.
//!
//! What the old colour had is on record before it is stopped: nothing else says it.

use futures::future::try_join_all;

use super::Engine;
use super::drive::Drive;
use crate::plan::Plan;
use crate::plan::color::Color;
use crate::plan::cron::{API_VERSION, KIND, is_suspended};
use crate::plan::object::ObjectRef;
use crate::port::cluster::{Since, Work, Worker};
use crate::port::{ClusterError, Epoch};
use crate::promotion::event::Fact;
use crate::promotion::next::idle;
use crate::promotion::observed::{CronRun, CronState, Observed};
use crate::promotion::{Mark, Stopped};

impl Engine {
    /// The group's `CronJob`s as they are now.
    pub(super) async fn crons(&self) -> Result<Vec<CronState>, ClusterError> {
        let kinds = [(API_VERSION.to_owned(), KIND.to_owned())];
        let owned = self.cluster.owned(&kinds).await?;
        let ours = owned
            .iter()
            .filter(|cron| cron.is_owned_by(self.group.as_str()));
        Ok(ours.filter_map(CronState::of).collect())
    }

    /// Lets none of them make another Job.
    pub(super) async fn suspend_crons(&self, epoch: Epoch) -> Result<(), ClusterError> {
        let crons = self.crons().await?;
        let workers = crons.iter().map(|cron| cron_worker(cron, Work::Suspended));
        self.set_all(epoch, workers).await
    }

    /// Starts what serves by the record and stands still, as an abort may have left it
    /// that did not finish: nothing of it while the other colour works.
    pub(super) async fn mend_workers(
        &self,
        epoch: Epoch,
        plan: &Plan,
        observed: &Observed,
    ) -> Result<(), ClusterError> {
        let other = plan.candidate.other();
        let mut crons = Vec::new();
        if plan.crons().next().is_some() {
            self.stop_crons(epoch, other).await?;
            crons = self.crons().await?;
        }
        // A worker of the other colour may still work; of `CronJob`s none does by now.
        let is_alone = |found: &&Stopped| {
            let mut apps = plan.workers();
            let app = apps.find(|app| app.deployment.name() == found.name);
            app.is_none_or(|app| {
                observed.deployment(&app.name, other).is_none()
                    && observed.app_pods(&app.name, other).next().is_none()
            })
        };
        let idle = idle(plan, observed, &crons);
        let idle = idle.iter().filter(is_alone);
        let workers = idle.map(|found| restarted(found, &crons, &observed.cron_runs));
        let workers: Vec<_> = workers.collect();
        for worker in &workers {
            let message = format!("{} stood still and works again", worker.object);
            self.record(None, Fact::Warning { message });
        }
        self.set_all(epoch, workers.into_iter()).await
    }

    /// Lets none of a colour that does not serve make another Job.
    async fn stop_crons(&self, epoch: Epoch, color: Color) -> Result<(), ClusterError> {
        let crons = self.crons().await?;
        let works = |cron: &&CronState| cron.color == color && cron.works();
        let working: Vec<_> = crons.iter().filter(works).collect();
        for cron in &working {
            let message = format!(
                "CronJob {} made Jobs, though {color} does not serve",
                cron.name
            );
            self.record(None, Fact::Warning { message });
        }
        let working = working.into_iter();
        self.set_all(
            epoch,
            working.map(|cron| cron_worker(cron, Work::Suspended)),
        )
        .await
    }

    async fn set_all(
        &self,
        epoch: Epoch,
        workers: impl Iterator<Item = Worker>,
    ) -> Result<(), ClusterError> {
        let workers: Vec<_> = workers.collect();
        let cluster = &self.cluster;
        try_join_all(workers.iter().map(|worker| cluster.set_work(epoch, worker))).await?;
        Ok(())
    }
}

impl Drive {
    /// What is seen of the cluster. `CronJob`s are asked for where there may be any:
    /// few groups have some, and a watch of them costs each a request.
    pub(super) async fn look(&self) -> Result<Observed, ClusterError> {
        let mut observed = self.engine.cluster.observe().await?;
        observed.crons = self.crons_of_plans().await?;
        Ok(observed)
    }

    async fn crons_of_plans(&self) -> Result<Vec<CronState>, ClusterError> {
        let mut plans = std::iter::once(&self.plan).chain(&self.replaced);
        if plans.any(|plan| plan.crons().next().is_some()) {
            return self.engine.crons().await;
        }
        Ok(Vec::new())
    }

    /// Notes what runs in the old colour, and stops it.
    pub(super) async fn stop_old(&mut self, running: Vec<Stopped>) -> Result<(), ClusterError> {
        let known = self.promotion.stopped.clone();
        let is_known = |found: &&Stopped| known.iter().any(|known| known.uid == found.uid);
        let new = running.iter().filter(|found| !is_known(found));
        self.promotion.stopped.extend(new.cloned());
        self.mark(Mark::HandingOver);
        self.put_on_record().await?;
        self.engine
            .set_all(
                self.epoch,
                running.iter().map(|found| match found.pods {
                    Some(_) => worker(found, Work::Pods(0)),
                    None => worker(found, Work::Suspended),
                }),
            )
            .await
    }

    /// Lets the candidate's `CronJob`s go on where those before them ended, so that no
    /// time of a schedule is met twice or by neither.
    pub(super) async fn schedule(&mut self, observed: &Observed) -> Result<(), ClusterError> {
        let planned = self.plan.crons().filter(|cron| !is_suspended(cron));
        let situation = self.situation(observed);
        let made = planned.filter_map(|cron| situation.made_cron(cron.name()));
        let starts = made.map(|new| {
            let before = self.stopped_twin(new, observed);
            let met = |old: &CronState| old.met(&observed.cron_runs).or(old.created_at);
            let since = before.and_then(met);
            let since = since.map_or(Since::Now, Since::Time);
            cron_worker(new, Work::Scheduled(since))
        });
        self.engine.set_all(self.epoch, starts).await?;
        self.mark(Mark::HandedOver);
        Ok(())
    }

    pub(super) async fn stop_new(&self) -> Result<(), ClusterError> {
        let color = self.promotion.candidate;
        self.engine.stop_crons(self.epoch, color).await
    }

    /// Stops the candidate's `CronJob`s, then starts what was stopped for it.
    pub(super) async fn start_old(&mut self, observed: &Observed) -> Result<(), ClusterError> {
        let color = self.promotion.candidate;
        let new = observed.crons.iter().filter(|cron| cron.color == color);
        // They are written even if they seem to stand still: a request of a promoter
        // that is gone may be under way.
        self.engine
            .set_all(
                self.epoch,
                new.map(|cron| cron_worker(cron, Work::Suspended)),
            )
            .await?;
        // A Job may have been made since the look.
        let crons = self.crons_of_plans().await?;
        let stopped = &self.promotion.stopped;
        let is_noted = |found: &Stopped| stopped.iter().any(|noted| noted.uid == found.uid);
        let idle = self.situation(observed).idle();
        let idle = idle.iter().filter(|found| !is_noted(found));
        let starts = stopped.iter().chain(idle);
        let starts = starts.map(|found| restarted(found, &crons, &observed.cron_runs));
        self.engine.set_all(self.epoch, starts).await?;
        self.mark(Mark::HandedBack);
        Ok(())
    }

    /// The one of the old colour that met the same schedule until it was stopped.
    fn stopped_twin<'a>(&self, new: &CronState, observed: &'a Observed) -> Option<&'a CronState> {
        let was_stopped = |old: &CronState| self.promotion.stopped.iter().any(|s| s.uid == old.uid);
        let mut crons = observed.crons.iter();
        crons.find(|old| old.is_twin_of(new) && was_stopped(old))
    }
}

/// From when on a schedule counts that is gone back to: what its successor met of it,
/// it does not meet again.
fn since_back(uid: &str, crons: &[CronState], runs: &[CronRun]) -> Since {
    let old = crons.iter().find(|cron| cron.uid == uid);
    let twin = old.and_then(|old| {
        let mut crons = crons.iter();
        crons.find(|new| new.is_twin_of(old))
    });
    let met = twin
        .and_then(|new| new.met(runs))
        .max(old.and_then(|old| old.met(runs)));
    met.map_or(Since::Last, Since::Time)
}

/// What was stopped, as it was.
fn restarted(found: &Stopped, crons: &[CronState], runs: &[CronRun]) -> Worker {
    let scheduled = || Work::Scheduled(since_back(&found.uid, crons, runs));
    worker(found, found.pods.map_or_else(scheduled, Work::Pods))
}

fn worker(found: &Stopped, work: Work) -> Worker {
    let object = match found.pods {
        Some(_) => ObjectRef::new("apps/v1", "Deployment", &found.name),
        None => ObjectRef::new(API_VERSION, KIND, &found.name),
    };
    Worker {
        object,
        uid: found.uid.clone(),
        work,
    }
}

fn cron_worker(cron: &CronState, work: Work) -> Worker {
    Worker {
        object: ObjectRef::new(API_VERSION, KIND, &cron.name),
        uid: cron.uid.clone(),
        work,
    }
}
