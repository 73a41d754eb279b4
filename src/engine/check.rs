//! Starting checks, and recording what came of them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::drive::Drive;
use super::output::Output;
use super::perform::some_at_once;
use crate::group::Report;
use crate::group::name::CheckName;
use crate::plan::CheckPlan;
use crate::plan::check::{CONTAINER, job};
use crate::plan::links::Links;
use crate::plan::object::{Object, ObjectRef};
use crate::plan::pin::{Pin, pin};
use crate::port::ClusterError;
use crate::promotion::check::{CheckResult, Verdict, tail};
use crate::promotion::event::Fact;
use crate::promotion::junit::JunitReport;
use crate::promotion::next::facts;
use crate::promotion::observed::{Observed, PodState};
use crate::promotion::phase::Phase;
use crate::promotion::tap::TapReport;
use crate::promotion::verdict::{Finding, ReportFacts, Ruling, rule};

/// How long logs may not be readable before those that are not count as lost.
const UNREADABLE: Duration = Duration::from_mins(1);

/// What came of reading what a run wrote.
#[derive(PartialEq, Eq)]
enum Read {
    /// Nothing more is to be read of this run.
    Done,
    /// It says nothing yet: the candidate may not have been in reach of it, or
    /// its log cannot be read.
    NotYet,
}

impl Drive {
    /// Records that the runs begin, then makes their Jobs.
    pub(super) async fn start_checks(
        &mut self,
        checks: &[CheckName],
        early: bool,
        observed: &Observed,
    ) -> Result<(), ClusterError> {
        for check in checks {
            self.promotion.attempts.insert(check.clone(), 1);
            if early {
                self.promotion.early.insert(check.clone());
            }
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
        self.end_runs(&check, observed).await?;
        self.unreadable_since = None;
        let attempt = self.promotion.attempt(&check).unwrap_or(0) + 1;
        self.promotion.attempts.insert(check.clone(), attempt);
        self.promotion.runs.remove(&check);
        self.promotion.early.remove(&check);
        self.outputs.remove(&check);
        self.checkpoint().await?;
        self.emit(Fact::CheckRepeated {
            check: check.clone(),
            reason,
        });
        self.make_jobs(&[check], observed).await
    }

    /// Ends whatever of a check's runs may still go on, as on a node that is silent:
    /// it would call the candidate beside the next one. Nothing depends on it, so it
    /// comes before that is on record.
    async fn end_runs(&self, check: &CheckName, observed: &Observed) -> Result<(), ClusterError> {
        let ours = self.promotion.id.as_ref();
        let jobs = observed.jobs.iter();
        let jobs = jobs.filter(|job| job.check == *check && job.promotion == ours && !job.deleting);
        for job in jobs {
            let of_job = |pod: &&PodState| pod.owner.as_deref() == Some(&job.uid);
            let pod = observed.pods.iter().find(of_job);
            let container = pod.and_then(|pod| pod.container(CONTAINER));
            let is_over = container.is_some_and(|container| container.ended.is_some());
            if is_over || job.ended.is_some() {
                continue;
            }
            let object = ObjectRef::new("batch/v1", "Job", &job.name);
            let cluster = &self.engine.cluster;
            cluster.delete(self.epoch, &object, &job.uid).await?;
        }
        Ok(())
    }

    async fn make_jobs(
        &mut self,
        checks: &[CheckName],
        observed: &Observed,
    ) -> Result<(), ClusterError> {
        let pins = self.pins(observed)?;
        let links = &self.links(&pins);
        let planned = checks.iter().filter_map(|check| self.plan.check(check));
        let made = some_at_once(planned.map(|check| async {
            let attempt = self.promotion.attempt(&check.name).unwrap_or(1);
            let job = self.pinned_job(check, attempt, &pins, links);
            let made = self.engine.cluster.create(self.epoch, &job).await?;
            self.emit(Fact::CheckStarted {
                check: check.name.clone(),
                attempt,
            });
            let uid = made.uid().unwrap_or_default().to_owned();
            Ok((check.name.clone(), uid))
        }))
        .await?;
        self.promotion.runs.extend(made);
        Ok(())
    }

    /// The Job of a run, which calls the candidate alone.
    pub(super) fn pinned_job(
        &self,
        check: &CheckPlan,
        attempt: u32,
        pins: &[Pin],
        links: &Links,
    ) -> Object {
        let mut job = job(&self.plan.group, check, self.promotion.id.as_ref(), attempt);
        let domain = &self.plan.cluster_domain;
        pin(&mut job, pins, links, self.plan.namespace.as_str(), domain);
        job
    }

    /// Reads what ended runs wrote, rules once more with it, notes the results.
    pub(super) async fn conclude(
        &mut self,
        checks: &[CheckName],
        observed: &Observed,
    ) -> Result<(), ClusterError> {
        let mut waits = false;
        for check in checks {
            let plan = self.plan.check(check).cloned();
            if let Some((plan, attempt)) = plan.zip(self.promotion.attempt(check)) {
                waits |= self.conclude_one(&plan, attempt, observed).await? == Read::NotYet;
            }
            // A node that is silent takes its time each time it is asked.
            if self.unreadable_since.is_some() {
                break;
            }
        }
        if waits {
            self.note_long_wait().await?;
            self.engine.pause().await;
        }
        Ok(())
    }

    async fn conclude_one(
        &mut self,
        plan: &CheckPlan,
        attempt: u32,
        observed: &Observed,
    ) -> Result<Read, ClusterError> {
        let check = &plan.name;
        let mut log = self.log_read_along(check, observed, attempt).await;
        // Of a check that passes, what was read along is enough, unless it is its report.
        if log.is_none() && plan.report != Report::Tap {
            log = self.outputs.get(check).map(Output::text);
        }
        let written = match &plan.report {
            Report::None | Report::Tap => None,
            Report::Junit(_) => {
                let pod = self.pod_of(check, attempt, observed);
                match self.written_report(pod).await {
                    Ok(read) => Some(read),
                    Err(error) if self.waits_for_log(check, &error, observed) => {
                        return Ok(Read::NotYet);
                    }
                    Err(error) => Some(Err(error.to_string())),
                }
            }
        };
        loop {
            let read = match &log {
                Some(log) => Ok(log.clone()),
                None => match self.log_of(check, attempt, observed).await {
                    Err(error @ ClusterError::Unreachable { .. }) => {
                        if self.waits_for_log(check, &error, observed) {
                            return Ok(Read::NotYet);
                        }
                        Err(error.to_string())
                    }
                    read => {
                        self.unreadable_since = None;
                        read?
                    }
                },
            };
            let source = written.as_ref().unwrap_or(&read);
            let report = read_report(&plan.report, source.as_deref());
            let cases = report.cases().to_vec();
            let situation = self.situation(observed);
            match rule(&facts(situation, plan, attempt, report)) {
                // What is held against a check is not concluded from a copy.
                Ruling::Ended(finding) if finding.verdict != Verdict::Passed && log.is_some() => {
                    log = None;
                }
                Ruling::Ended(finding) => {
                    if let Ok(log) = &read {
                        let (recorder, id) = (&self.engine.recorder, &self.promotion.id);
                        recorder.note_log(id, check, attempt, log);
                    }
                    let tail = read.as_deref().map(tail).unwrap_or_default();
                    self.end_check(plan, attempt, finding, cases, tail, observed)
                        .await?;
                    return Ok(Read::Done);
                }
                Ruling::Rerun { reason } => {
                    // A run that its report refused; the others wait for this in `next`.
                    if let Some(until) = situation.reachable_at() {
                        let wait_for = format!("the candidate to be in reach again: {reason}");
                        let check = self.plan.called(check);
                        self.tell_wait(format!("{check}: {wait_for}"), until);
                        return Ok(Read::NotYet);
                    }
                    self.repeat(check.clone(), reason, observed).await?;
                    return Ok(Read::Done);
                }
                Ruling::Running { .. } | Ruling::ReadReport => return Ok(Read::Done),
            }
        }
    }

    /// Whether a log may yet become readable. A node that does not answer must
    /// not keep the verdict of a check whose exit code is known.
    fn waits_for_log(&mut self, check: &CheckName, why: &ClusterError, seen: &Observed) -> bool {
        let now = self.engine.clock.now();
        let since = *self.unreadable_since.get_or_insert(now);
        let waits = now.duration_since(since).unsigned_abs() < UNREADABLE;
        if waits {
            let until = self.situation(seen).deadline();
            let check = self.plan.called(check);
            self.tell_wait(format!("{check}: its log: {why}"), until);
        }
        waits
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
            left_out: BTreeMap::new(),
            tail,
        };
        self.promotion.results.push(result.clone());
        self.outputs.remove(&plan.name);
        self.tell_once_recorded(Fact::CheckEnded { result });
        if self.plan.is_hook(&plan.name) && self.promotion.phase == Phase::Deploying {
            // The candidate's time begins with it.
            self.promotion.phase_since = self.engine.clock.now();
        }
        if finding.verdict == Verdict::TimedOut {
            self.put_on_record().await?;
            // What has no more time must not go on calling the candidate.
            self.end_runs(&plan.name, observed).await?;
        }
        Ok(())
    }
}

fn read_report(demanded: &Report, text: Result<&str, &String>) -> ReportFacts {
    match (demanded, text) {
        (Report::None, _) => ReportFacts::NotDemanded,
        (Report::Tap, Ok(log)) => ReportFacts::Tap(TapReport::read(log)),
        (Report::Junit(file), Ok(output)) => ReportFacts::Junit(JunitReport::read(file, output)),
        (Report::Tap | Report::Junit(_), Err(why)) => ReportFacts::Lost(why.clone()),
    }
}
