//! Rules what the run of a check means.
//!
//! Input: [`CheckFacts`], what was seen of the run's Job and pod, and its
//! report. Output: a [`Ruling`]. Passed has one way to come about: the
//! container `check` of a Job of ours exited 0 in time, nobody and nothing had
//! disturbed it by then, and its report passes where one is demanded. All else
//! is Failed, Errored, timed out or no verdict; a doubt never becomes a pass.
//! Other containers of the pod do not count. No clock is read here and nothing
//! is asked for: what to do about a ruling is the caller's business.

mod facts;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::check::Verdict;
use super::later;
use crate::plan::text::one_line;
pub use facts::{
    CheckFacts, ContainerEnd, ContainerFacts, JobFacts, Owner, PodFacts, PodPhase, Presence,
    ReportFacts,
};

/// Most bytes of a reason.
const REASON_BYTES: usize = 500;

/// How long faults that may heal while a container is made are borne with.
/// The kubelet tries again after 10 and 20 seconds.
const GRACE: Duration = Duration::from_secs(30);

/// How long a report in files may take to be written after its check has ended. The
/// kubelet gives a container 30 s to end, once it has seen that its time has come.
const WRITING: Duration = Duration::from_mins(1);

/// What Kubernetes calls it when a Job or a pod outlived its own deadline.
const DEADLINE_EXCEEDED: &str = "DeadlineExceeded";

/// What a run means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// Nothing can be said yet.
    Running {
        /// What has to happen next, in words.
        waiting_for: String,
        /// When it has to have happened.
        until: Timestamp,
    },
    /// The container has ended; the report decides, so read it and rule again.
    ReadReport,
    /// The verdict. It does not change any more.
    Ended(Finding),
    /// The run was lost without a verdict, and may be repeated.
    Rerun {
        /// What became of it.
        reason: String,
    },
}

/// A verdict with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, on one line.
    pub reason: String,
    /// What the container exited with.
    pub exit_code: Option<i32>,
    /// From the start of the container to its end.
    pub duration: Option<Duration>,
}

/// Rules what a run means, by section "Verdict" of the design.
pub fn rule(facts: &CheckFacts) -> Ruling {
    if let Owner::Foreign(why) = &facts.owner {
        return facts.end(
            Verdict::Errored,
            &format!("its Job is somebody else's: {why}"),
        );
    }
    // Before anything else: the Job's deadline makes Kubernetes delete the pod.
    if let Some(ruling) = facts.past_deadline() {
        return ruling;
    }
    if let Some(reason) = facts.lost() {
        return facts.repeat(&reason);
    }
    match facts.container() {
        Some(ContainerFacts::Ended(end)) => facts.ended(end),
        Some(ContainerFacts::Running { since }) => Ruling::Running {
            waiting_for: "its container to end".to_owned(),
            until: later(*since, facts.timeout),
        },
        Some(ContainerFacts::Waiting { .. } | ContainerFacts::Unreported) | None => {
            facts.starting()
        }
    }
}

impl CheckFacts {
    fn container(&self) -> Option<&ContainerFacts> {
        self.pod.as_ref().map(|pod| &pod.container)
    }

    /// How long the container has run, or ran. A time that is missing is taken
    /// so that the duration becomes longer.
    fn duration(&self) -> Option<Duration> {
        let (start, end) = match self.container()? {
            ContainerFacts::Running { since } => (*since, self.now),
            // What could not be started never ran; containerd says it started in 1970.
            ContainerFacts::Ended(end) if end.could_not_start() => return None,
            ContainerFacts::Ended(end) => (
                end.started_at.unwrap_or(self.created_at),
                end.finished_at.unwrap_or(self.now),
            ),
            ContainerFacts::Waiting { .. } | ContainerFacts::Unreported => return None,
        };
        Some(Duration::try_from(end.duration_since(start)).unwrap_or_default())
    }

    /// Past its deadline a check has timed out, whatever it exits with later.
    fn past_deadline(&self) -> Option<Ruling> {
        let of_job = self.job.ended.as_deref();
        let of_pod = self.pod.as_ref().and_then(|pod| pod.reason.as_deref());
        let exceeded = [of_job, of_pod].contains(&Some(DEADLINE_EXCEEDED));
        let late = match (self.container(), self.duration()) {
            // The kubelet rounds both times down to seconds.
            (Some(ContainerFacts::Ended(_)), Some(ran)) => {
                ran > self.timeout && !self.is_unknown_end()
            }
            (_, Some(running)) => running >= self.timeout,
            (_, None) => false,
        };
        if !exceeded && !late {
            return None;
        }
        let unstarted = self.pod.is_some() && self.duration().is_none();
        if unstarted {
            return Some(self.never_started());
        }
        let reason = format!("not ended within its timeout of {}", text(self.timeout));
        if let Some(why) = &self.disturbed {
            return Some(self.repeat(&format!("{reason}, but {why}")));
        }
        Some(self.end(Verdict::TimedOut, &reason))
    }

    /// Why the run has no verdict, if somebody or something took it away.
    fn lost(&self) -> Option<String> {
        match self.job.presence {
            Presence::Present => {}
            Presence::Deleting => return Some("its Job was deleted".to_owned()),
            Presence::Gone => return Some("its Job is gone".to_owned()),
        }
        let Some(pod) = &self.pod else {
            return self
                .job
                .ended
                .is_some()
                .then(|| "its pod is gone".to_owned());
        };
        if let Some(reason) = &pod.disrupted {
            return Some(format!("its pod was disrupted: {reason}"));
        }
        if let Some(reason) = &pod.reason {
            return Some(format!("its pod was taken off its node: {reason}"));
        }
        if pod.deleting {
            return Some("its pod was deleted".to_owned());
        }
        if self.is_unknown_end() {
            return Some("its node lost track of it".to_owned());
        }
        let over = matches!(pod.phase, PodPhase::Succeeded | PodPhase::Failed);
        let ended = matches!(pod.container, ContainerFacts::Ended(_));
        (over && !ended).then(|| "its pod ended without its container `check`".to_owned())
    }

    /// Whether the kubelet made the end up because it lost the container.
    fn is_unknown_end(&self) -> bool {
        let Some(ContainerFacts::Ended(end)) = self.container() else {
            return false;
        };
        // The second is what containerd says of a task that it lost.
        end.reason == "ContainerStatusUnknown" || (end.reason == "Unknown" && end.exit_code == 255)
    }

    /// No verdict: once more, unless there were runs enough.
    fn repeat(&self, reason: &str) -> Ruling {
        if self.attempt < self.max_attempts {
            let reason = one_line(reason, REASON_BYTES);
            return Ruling::Rerun { reason };
        }
        let reason = format!("no verdict after {} runs: {reason}", self.attempt);
        self.end(Verdict::Errored, &reason)
    }

    fn starting(&self) -> Ruling {
        if let Some(why) = self.pod.as_ref().and_then(PodFacts::reporter_fault) {
            let reason = format!(
                "its container `report` could not be started; a report in files needs `sh`, `cat` and `sleep` in the check's image: {why}"
            );
            return self.end(Verdict::Errored, &reason);
        }
        let mut until = later(self.created_at, self.start_timeout);
        if let Some(ContainerFacts::Waiting { reason, message }) = self.container()
            && let Some(fault) = Fault::of(reason)
        {
            let borne = later(self.created_at, GRACE);
            let reason = format!("{} ({reason}): {message}", fault.what);
            let reason = reason.trim_end_matches([':', ' ']);
            if fault.is_final {
                return self.end(Verdict::Errored, reason);
            }
            if self.now >= borne {
                return self.repeat(reason);
            }
            until = until.min(borne);
        }
        if self.now >= until {
            return self.never_started();
        }
        let waiting_for = one_line(&self.awaited(), REASON_BYTES);
        Ruling::Running { waiting_for, until }
    }

    fn never_started(&self) -> Ruling {
        let timeout = text(self.start_timeout);
        let reason = format!(
            "not started within {timeout}, still waiting for {}",
            self.awaited()
        );
        self.repeat(&reason)
    }

    /// What keeps the container from running.
    fn awaited(&self) -> String {
        let Some(pod) = &self.pod else {
            return "its pod to be made".to_owned();
        };
        if let Some(why) = &pod.unschedulable {
            return format!("a node: {why}");
        }
        match &pod.container {
            ContainerFacts::Waiting { reason, message } if message.is_empty() => {
                format!("its container to start ({reason})")
            }
            ContainerFacts::Waiting { reason, message } => {
                format!("its container to start ({reason}): {message}")
            }
            _ => "its container to start".to_owned(),
        }
    }

    /// The container ended undisturbed and in time.
    fn ended(&self, end: &ContainerEnd) -> Ruling {
        let (verdict, reason) = end.judge();
        let is_failed = verdict == Verdict::Failed;
        if is_failed && let Some(ruling) = self.doubted(verdict, &reason) {
            return ruling;
        }
        let has_run = verdict == Verdict::Passed;
        let (verdict, reason) = match (verdict, &self.report) {
            // The report of a container that could not run says nothing.
            (Verdict::Errored | Verdict::TimedOut, _)
            | (_, ReportFacts::NotDemanded)
            | (Verdict::Failed, ReportFacts::Lost(_)) => (verdict, reason),
            (_, ReportFacts::Unread) => return self.unread(),
            (Verdict::Passed, ReportFacts::Lost(why)) => {
                return self.repeat(&format!("its report could not be read: {why}"));
            }
            (Verdict::Passed, ReportFacts::Tap(report)) => report.judge(),
            (Verdict::Passed, ReportFacts::Junit(report)) => report.judge(),
            (Verdict::Failed, ReportFacts::Tap(_) | ReportFacts::Junit(_)) => {
                let of_report = self.report.judge().map(|(_, reason)| reason);
                let of_report = of_report.unwrap_or_default();
                (verdict, format!("{reason}; {of_report}"))
            }
        };
        let doubted = has_run.then(|| self.doubted(verdict, &reason)).flatten();
        doubted.unwrap_or_else(|| self.end(verdict, &reason))
    }

    /// A report in files is written once the container has ended.
    fn unread(&self) -> Ruling {
        let pod = self.pod.as_ref();
        let ended_at = pod.and_then(|pod| pod.ended_at);
        let until = later(ended_at.unwrap_or(self.created_at), WRITING);
        let goes_on = pod.is_some_and(PodFacts::may_write_report);
        if !goes_on || self.now >= until {
            return Ruling::ReadReport;
        }
        let waiting_for = "its report to be written".to_owned();
        Ruling::Running { waiting_for, until }
    }

    /// Where connections to the candidate may have been refused, only an
    /// outright pass says something of it: what failed, was skipped or did not
    /// run at all may have done so for want of an answer.
    fn doubted(&self, verdict: Verdict, reason: &str) -> Option<Ruling> {
        let in_doubt = match (verdict, &self.report) {
            (Verdict::Failed, _)
            | (Verdict::Errored, ReportFacts::Tap(_) | ReportFacts::Junit(_)) => true,
            (Verdict::Passed, report) => report.is_partial(),
            _ => false,
        };
        let early = "it began before every node could know the candidate";
        let why = if self.early {
            Some(early)
        } else {
            self.disturbed.as_deref()
        };
        let why = why.filter(|_| in_doubt)?;
        Some(self.repeat(&format!("{reason}, but {why}")))
    }

    fn end(&self, verdict: Verdict, reason: &str) -> Ruling {
        let exit_code = match self.container() {
            Some(ContainerFacts::Ended(end)) => Some(end.exit_code),
            _ => None,
        };
        Ruling::Ended(Finding {
            verdict,
            reason: one_line(reason, REASON_BYTES),
            exit_code,
            duration: self.duration(),
        })
    }
}

impl PodFacts {
    /// Whether the container `report` has still to write what the check left.
    fn may_write_report(&self) -> bool {
        let is_over = matches!(self.phase, PodPhase::Succeeded | PodPhase::Failed);
        let has_ended = matches!(self.reporter, None | Some(ContainerFacts::Ended(_)));
        !is_over && !has_ended
    }

    /// What keeps the container `report` from starting, and the check with it.
    fn reporter_fault(&self) -> Option<&str> {
        match &self.reporter {
            Some(ContainerFacts::Ended(end)) if end.could_not_start() => Some(&end.message),
            _ => None,
        }
    }
}

impl ContainerEnd {
    pub(super) fn could_not_start(&self) -> bool {
        matches!(self.reason.as_str(), "StartError" | "ContainerCannotRun")
    }

    /// What the end alone says of the check, and why.
    fn judge(&self) -> (Verdict, String) {
        if self.could_not_start() {
            let reason = format!("its container could not be started: {}", self.message);
            return (Verdict::Errored, reason);
        }
        let code = self.exit_code;
        let signal = self.signal.filter(|signal| *signal != 0);
        match (self.reason.as_str(), signal, code) {
            // Also with exit 0: something the check had started was killed.
            ("OOMKilled", _, _) => (Verdict::Failed, format!("out of memory (exit {code})")),
            (_, Some(signal), _) => {
                let name = signal_name(signal);
                (
                    Verdict::Failed,
                    format!("killed by signal {signal}{name} (exit {code})"),
                )
            }
            ("Completed" | "", None, 0) => (Verdict::Passed, "exit 0".to_owned()),
            (other, None, 0) => (
                Verdict::Errored,
                format!("its container exited 0, but ended as {other}"),
            ),
            // What a shell or the runtime makes of a signal.
            (_, None, 129..=159) => {
                let name = signal_name(code - 128);
                (Verdict::Failed, format!("exit {code}{name}"))
            }
            (_, None, _) => (Verdict::Failed, format!("exit {code}")),
        }
    }
}

/// A fault that keeps a container from being made.
struct Fault {
    what: &'static str,
    /// Whether it cannot heal by itself.
    is_final: bool,
}

impl Fault {
    /// The fault that a waiting container's reason stands for; other reasons
    /// are steps on the way.
    fn of(reason: &str) -> Option<Self> {
        let (what, is_final) = match reason {
            "InvalidImageName" | "ErrImageNeverPull" => ("its image cannot be pulled", true),
            "ErrImagePull"
            | "ImagePullBackOff"
            | "ImageInspectError"
            | "RegistryUnavailable"
            | "SignatureValidationFailed" => ("its image cannot be pulled", false),
            "CreateContainerConfigError"
            | "CreateContainerError"
            | "PreCreateHookError"
            | "PreStartHookError"
            | "RunContainerError" => ("its container cannot be made", false),
            // A check runs once; whatever restarts it is not our doing.
            "CrashLoopBackOff" | "PostStartHookError" => ("its container keeps ending", true),
            _ => return None,
        };
        Some(Self { what, is_final })
    }
}

/// ` (SIGTERM)` for the signals that people meet.
fn signal_name(signal: i32) -> &'static str {
    match signal {
        1 => " (SIGHUP)",
        2 => " (SIGINT)",
        3 => " (SIGQUIT)",
        4 => " (SIGILL)",
        6 => " (SIGABRT)",
        7 => " (SIGBUS)",
        8 => " (SIGFPE)",
        9 => " (SIGKILL)",
        11 => " (SIGSEGV)",
        13 => " (SIGPIPE)",
        15 => " (SIGTERM)",
        _ => "",
    }
}

/// `5m 30s`
fn text(duration: Duration) -> String {
    SignedDuration::try_from(duration)
        .map_or_else(|_| "ever".to_owned(), |duration| format!("{duration:#}"))
}

#[cfg(test)]
mod tests;
