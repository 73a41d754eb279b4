//! Starting checks, reading along, and recording what came of them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use futures::future::try_join_all;
use tokio::task::JoinHandle;

use super::drive::Drive;
use crate::group::Report;
use crate::group::name::CheckName;
use crate::plan::CheckPlan;
use crate::plan::check::{CONTAINER, job, job_name};
use crate::plan::object::ObjectRef;
use crate::plan::pin::pin;
use crate::port::ClusterError;
use crate::port::cluster::LogSource;
use crate::promotion::check::{CheckResult, Verdict, tail};
use crate::promotion::event::Fact;
use crate::promotion::next::{Situation, facts};
use crate::promotion::observed::{Observed, PodState};
use crate::promotion::tap::TapReport;
use crate::promotion::verdict::{Finding, ReportFacts, Ruling, rule};

/// How long the end of a log may take to arrive after its container ended.
const LOG_PATIENCE: Duration = Duration::from_secs(10);
/// Most bytes of one check's log that are kept to be read as a report.
const LOG_BYTES: usize = 32 * 1024 * 1024;

/// What a check's run writes, read along while it runs.
pub(super) struct Output {
    attempt: u32,
    text: Arc<Mutex<String>>,
    reading: JoinHandle<()>,
}

impl Output {
    fn text(&self) -> String {
        self.text
            .lock()
            .map(|text| text.clone())
            .unwrap_or_default()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl Drive {
    /// Records that the runs begin, then makes their Jobs.
    pub(super) async fn start_checks(
        &mut self,
        checks: &[CheckName],
        observed: &Observed,
    ) -> Result<(), ClusterError> {
        for check in checks {
            self.promotion.attempts.insert(check.clone(), 1);
        }
        self.checkpoint().await?;
        self.make_jobs(checks, observed).await
    }

    /// Records that a further run begins, then makes its Job.
    pub(super) async fn repeat(
        &mut self,
        check: CheckName,
        reason: String,
        observed: &Observed,
    ) -> Result<(), ClusterError> {
        let attempt = self.promotion.attempt(&check).unwrap_or(0) + 1;
        self.promotion.attempts.insert(check.clone(), attempt);
        self.outputs.remove(&check);
        self.checkpoint().await?;
        self.emit(Fact::CheckRepeated {
            check: check.clone(),
            reason,
        });
        self.make_jobs(&[check], observed).await
    }

    async fn make_jobs(
        &self,
        checks: &[CheckName],
        observed: &Observed,
    ) -> Result<(), ClusterError> {
        let pins = self.pins(observed)?;
        let planned = checks.iter().filter_map(|check| self.plan.check(check));
        try_join_all(planned.map(|check| async {
            let attempt = self.promotion.attempt(&check.name).unwrap_or(1);
            let mut job = job(&self.plan.group, check, self.promotion.id.as_ref(), attempt);
            pin(
                &mut job,
                &pins,
                &BTreeSet::new(),
                self.plan.namespace.as_str(),
                &self.plan.cluster_domain,
            );
            self.engine.cluster.create(self.epoch, &job).await?;
            self.emit(Fact::CheckStarted {
                check: check.name.clone(),
                attempt,
            });
            Ok(())
        }))
        .await?;
        Ok(())
    }

    /// Begins to read along wherever a check's container has begun to write.
    pub(super) fn follow_checks(&mut self, observed: &Observed) {
        let checks: Vec<_> = self
            .plan
            .checks
            .iter()
            .map(|check| check.name.clone())
            .collect();
        for check in checks {
            let Some(attempt) = self.promotion.attempt(&check) else {
                continue;
            };
            let followed = self
                .outputs
                .get(&check)
                .is_some_and(|output| output.attempt == attempt);
            if followed || self.promotion.result(&check).is_some() {
                continue;
            }
            let Some(pod) = self
                .pod_of(&check, attempt, observed)
                .filter(|pod| writes(pod))
            else {
                continue;
            };
            let output = self.read_along(&check, attempt, pod.name.clone());
            self.outputs.insert(check, output);
        }
    }

    fn pod_of<'a>(
        &self,
        check: &CheckName,
        attempt: u32,
        observed: &'a Observed,
    ) -> Option<&'a PodState> {
        let name = job_name(
            &self.plan.group,
            self.plan.check(check)?,
            self.promotion.id.as_ref(),
            attempt,
        );
        let job = observed.jobs.iter().find(|job| job.name == name)?;
        observed
            .pods
            .iter()
            .find(|pod| pod.owner.as_deref() == Some(&job.uid))
    }

    fn read_along(&self, check: &CheckName, attempt: u32, pod: String) -> Output {
        let text = Arc::new(Mutex::new(String::new()));
        let source = LogSource {
            pod,
            container: CONTAINER.to_owned(),
            follow: true,
            previous: false,
            tail: None,
        };
        let (engine, kept) = (self.engine.clone(), Arc::clone(&text));
        let (promotion, plan) = (self.promotion.id.clone(), self.plan.group.clone());
        let check = check.clone();
        let reading = tokio::spawn(async move {
            let Ok(mut lines) = engine.cluster.lines(&source).await else {
                return;
            };
            while let Some(line) = lines.next().await {
                keep(&kept, &line);
                let fact = Fact::CheckOutput {
                    check: check.clone(),
                    line,
                };
                engine.record(&plan, &promotion, fact);
            }
        });
        Output {
            attempt,
            text,
            reading,
        }
    }

    /// Reads what an ended run wrote, rules once more with it, records the result.
    pub(super) async fn conclude(
        &mut self,
        check: &CheckName,
        observed: &Observed,
    ) -> Result<(), ClusterError> {
        let Some((plan, attempt)) = self
            .plan
            .check(check)
            .cloned()
            .zip(self.promotion.attempt(check))
        else {
            return Ok(());
        };
        let log = self.log_of(check, attempt, observed).await?;
        let report = read_report(plan.report, log.as_deref());
        let cases = match &report {
            ReportFacts::Tap(report) => report.cases.clone(),
            _ => Vec::new(),
        };
        let situation = Situation {
            plan: &self.plan,
            replaced: self.replaced.as_ref(),
            promotion: &self.promotion,
            observed,
            now: self.engine.clock.now(),
        };
        match rule(&facts(situation, &plan, attempt, report)) {
            Ruling::Ended(finding) => {
                let tail = log.as_deref().map(tail).unwrap_or_default();
                self.end_check(&plan, attempt, finding, cases, tail, observed)
                    .await
            }
            Ruling::Rerun { reason } => self.repeat(check.clone(), reason, observed).await,
            Ruling::Running { .. } | Ruling::ReadReport => Ok(()),
        }
    }

    async fn end_check(
        &mut self,
        plan: &CheckPlan,
        attempt: u32,
        finding: Finding,
        cases: Vec<crate::promotion::check::TestCase>,
        tail: Vec<String>,
        observed: &Observed,
    ) -> Result<(), ClusterError> {
        let result = CheckResult {
            check: plan.name.clone(),
            promotion: self.promotion.id.to_string(),
            plan: self.promotion.plan.as_ref().to_owned(),
            verdict: finding.verdict,
            reason: finding.reason,
            exit_code: finding.exit_code,
            attempt,
            duration: finding.duration,
            cases,
            tail,
        };
        self.promotion.results.push(result.clone());
        self.checkpoint().await?;
        self.outputs.remove(&plan.name);
        self.emit(Fact::CheckEnded { result });
        if finding.verdict == Verdict::TimedOut {
            self.end_job(plan, attempt, observed).await?;
        }
        Ok(())
    }

    /// What has no more time must not go on calling the candidate.
    async fn end_job(
        &self,
        check: &CheckPlan,
        attempt: u32,
        observed: &Observed,
    ) -> Result<(), ClusterError> {
        let name = job_name(&self.plan.group, check, self.promotion.id.as_ref(), attempt);
        let Some(job) = observed.jobs.iter().find(|job| job.name == name) else {
            return Ok(());
        };
        let object = ObjectRef::new("batch/v1", "Job", &name);
        self.engine
            .cluster
            .delete(self.epoch, &object, &job.uid)
            .await
    }

    /// All that the run wrote; the inner `Err` says why that cannot be had.
    ///
    /// Reading along may have been cut off with its connection, and a node
    /// drops the beginning of a long log: the longer of both counts.
    async fn log_of(
        &mut self,
        check: &CheckName,
        attempt: u32,
        observed: &Observed,
    ) -> Result<Result<String, String>, ClusterError> {
        let pod = self.pod_of(check, attempt, observed);
        let running =
            pod.is_some_and(|pod| check_container(pod).is_some_and(|c| c.running_since.is_some()));
        let mut output = self.outputs.remove(check);
        if let Some(output) = output.as_mut().filter(|_| !running) {
            self.wait_for(output).await;
        }
        let followed = output.as_ref().map(Output::text).unwrap_or_default();
        let Some(pod) = pod.filter(|_| !running) else {
            let whole = running || output.is_some_and(|output| output.reading.is_finished());
            return Ok(whole
                .then_some(followed)
                .ok_or_else(|| "its pod is gone".to_owned()));
        };
        match self.read_log(pod).await {
            Ok(read) if read.len() >= followed.len() => Ok(Ok(read)),
            Err(error @ ClusterError::Unreachable { .. }) => {
                if let Some(output) = output {
                    self.outputs.insert(check.clone(), output);
                }
                Err(error)
            }
            Err(error) if followed.is_empty() => Ok(Err(error.to_string())),
            Ok(_) | Err(_) => Ok(Ok(followed)),
        }
    }

    async fn read_log(&self, pod: &PodState) -> Result<String, ClusterError> {
        let source = LogSource {
            pod: pod.name.clone(),
            container: CONTAINER.to_owned(),
            follow: false,
            previous: false,
            tail: None,
        };
        let mut lines = self.engine.cluster.lines(&source).await?;
        let kept = Mutex::new(String::new());
        while let Some(line) = lines.next().await {
            keep(&kept, &line);
        }
        Ok(kept.into_inner().unwrap_or_default())
    }

    async fn wait_for(&self, output: &mut Output) {
        if output.reading.is_finished() {
            return;
        }
        let now = self.engine.clock.now();
        let until = now.saturating_add(LOG_PATIENCE).unwrap_or(now);
        tokio::select! {
            _ = &mut output.reading => {}
            () = self.engine.clock.sleep_until(until) => {}
        }
    }
}

fn check_container(pod: &PodState) -> Option<&crate::promotion::observed::ContainerState> {
    pod.containers
        .iter()
        .find(|container| container.name == CONTAINER)
}

/// Whether there is a log to read.
fn writes(pod: &PodState) -> bool {
    check_container(pod).is_some_and(|c| c.running_since.is_some() || c.ended.is_some())
}

/// Beyond the limit nothing is kept, so that the report reads as cut off.
fn keep(kept: &Mutex<String>, line: &str) {
    if let Ok(mut text) = kept.lock()
        && text.len() + line.len() < LOG_BYTES
    {
        text.push_str(line);
        text.push('\n');
    }
}

fn read_report(demanded: Report, log: Result<&str, &String>) -> ReportFacts {
    match (demanded, log) {
        (Report::None, _) => ReportFacts::NotDemanded,
        (Report::Tap, Ok(log)) => ReportFacts::Tap(TapReport::read(log)),
        (Report::Tap, Err(why)) => ReportFacts::Lost(why.clone()),
    }
}
