//! What checks write: read along while they run, and in full once they ended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt;
use tokio::task::JoinHandle;

use super::drive::Drive;
use crate::group::name::CheckName;
use crate::plan::check::{CONTAINER, job_name};
use crate::port::ClusterError;
use crate::port::cluster::LogSource;
use crate::promotion::event::Fact;
use crate::promotion::observed::{Observed, PodState};

/// How long the end of a log may take to arrive after its container ended.
const LOG_PATIENCE: Duration = Duration::from_secs(10);
/// Checks that are read along at the same time; others are read once they ended.
/// Each is a request that does not end, and a server takes so many at a time.
const READ_ALONG: usize = 100;
/// Most bytes of one check's log that are kept to be read as a report.
const LOG_BYTES: usize = 32 * 1024 * 1024;

/// What a check's run writes, read along while it runs.
pub(super) struct Output {
    attempt: u32,
    text: Arc<Mutex<String>>,
    /// Set once the log was read to an end that was no break.
    whole: Arc<AtomicBool>,
    reading: JoinHandle<()>,
}

impl Output {
    /// What it wrote so far.
    pub(super) fn text(&self) -> String {
        self.text
            .lock()
            .map(|text| text.clone())
            .unwrap_or_default()
    }

    fn is_whole(&self) -> bool {
        self.whole.load(Ordering::Acquire)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl Drive {
    /// Begins to read along wherever a check's container has begun to write.
    pub(super) fn follow_checks(&mut self, observed: &Observed) {
        let checks: Vec<_> = self.plan.jobs().map(|check| check.name.clone()).collect();
        let readings = self.outputs.values();
        let mut under_way = readings
            .filter(|output| !output.reading.is_finished())
            .count();
        for check in checks {
            if under_way >= READ_ALONG {
                return;
            }
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
            under_way += 1;
        }
    }

    pub(super) fn pod_of<'a>(
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
        let whole = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&whole);
        let promotion = self.promotion.id.clone();
        let check = check.clone();
        let reading = tokio::spawn(async move {
            let Ok(mut lines) = engine.cluster.lines(&source).await else {
                return;
            };
            while let Some(line) = lines.next().await {
                let Ok(line) = line else { return };
                keep(&kept, &line);
                let fact = Fact::CheckOutput {
                    check: check.clone(),
                    attempt,
                    line,
                };
                engine.record(Some(&promotion), fact);
            }
            ended.store(true, Ordering::Release);
        });
        Output {
            attempt,
            text,
            whole,
            reading,
        }
    }

    /// What was read along, if the run has ended and that was all of it.
    pub(super) async fn log_read_along(
        &mut self,
        check: &CheckName,
        observed: &Observed,
        attempt: u32,
    ) -> Option<String> {
        let pod = self.pod_of(check, attempt, observed)?;
        pod.container(CONTAINER)?.ended.as_ref()?;
        let mut output = self.outputs.remove(check)?;
        self.wait_for(&mut output).await;
        let log = output.is_whole().then(|| output.text());
        self.outputs.insert(check.clone(), output);
        log
    }

    /// All that the run wrote; the inner `Err` says why that cannot be had.
    ///
    /// Reading along may have been cut off with its connection, and a node
    /// drops the beginning of a long log: the longer of both counts.
    pub(super) async fn log_of(
        &mut self,
        check: &CheckName,
        attempt: u32,
        observed: &Observed,
    ) -> Result<Result<String, String>, ClusterError> {
        let pod = self.pod_of(check, attempt, observed);
        let running = pod.is_some_and(|pod| {
            pod.container(CONTAINER)
                .is_some_and(|c| c.running_since.is_some())
        });
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
        match self.read_whole(pod, CONTAINER, LOG_BYTES).await {
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

    /// What a container wrote; what is beyond `most` bytes is not read, so that a report
    /// reads as cut off.
    pub(super) async fn read_whole(
        &self,
        pod: &PodState,
        container: &str,
        most: usize,
    ) -> Result<String, ClusterError> {
        let source = LogSource {
            pod: pod.name.clone(),
            container: container.to_owned(),
            follow: false,
            previous: false,
            tail: None,
        };
        let mut lines = self.engine.cluster.lines(&source).await?;
        let mut read = String::new();
        while let Some(line) = lines.next().await {
            let line = line?;
            if read.len() + line.len() > most {
                break;
            }
            read.push_str(&line);
            read.push('\n');
        }
        Ok(read)
    }

    async fn wait_for(&self, output: &mut Output) {
        if output.reading.is_finished() {
            return;
        }
        tokio::select! {
            biased;
            _ = &mut output.reading => {}
            () = self.engine.sleep(LOG_PATIENCE) => {}
        }
    }
}

/// Whether there is a log to read.
fn writes(pod: &PodState) -> bool {
    pod.container(CONTAINER)
        .is_some_and(|c| c.running_since.is_some() || c.ended.is_some())
}

/// A line for which there is no room is left out, so that a report does not add up.
fn keep(kept: &Mutex<String>, line: &str) {
    if let Ok(mut text) = kept.lock()
        && text.len() + line.len() < LOG_BYTES
    {
        text.push_str(line);
        text.push('\n');
    }
}
