//! Reports that checks leave in files: read from the output of the container
//! `report`, which writes them once the check has ended.

use super::drive::Drive;
use crate::plan::check::reporter::REPORTER;
use crate::port::ClusterError;
use crate::promotion::junit::MOST_BYTES;
use crate::promotion::observed::{Ended, PodState};

impl Drive {
    /// All that the container `report` of a check's pod wrote; the inner `Err` says
    /// why that cannot be had.
    pub(super) async fn written_report(
        &self,
        pod: Option<&PodState>,
    ) -> Result<Result<String, String>, ClusterError> {
        let Some(pod) = pod else {
            return Ok(Err("its pod is gone".to_owned()));
        };
        let reporter = pod.container(REPORTER);
        let reporter = reporter.filter(|reporter| reporter.running_since.is_none());
        let Some(end) = reporter.and_then(|reporter| reporter.ended.as_ref()) else {
            return Ok(Err("its container `report` has not written it".to_owned()));
        };
        if let Some(how) = broken_off(end) {
            let code = end.exit_code;
            return Ok(Err(format!(
                "its container `report` {how} before it had written all of it (exit {code})"
            )));
        }
        match self.read_whole(pod, REPORTER, MOST_BYTES).await {
            // Told to stop, it always says something.
            Ok(read) if read.trim().is_empty() => {
                Ok(Err("its container `report` ended without a word".to_owned()))
            }
            Ok(read) => Ok(Ok(read)),
            Err(error @ ClusterError::Unreachable { .. }) => Err(error),
            Err(error) => Ok(Err(error.to_string())),
        }
    }
}

/// How a container ended that did not get to its end; then it is to blame, and not what
/// it wrote.
fn broken_off(end: &Ended) -> Option<&'static str> {
    let is_signalled = end.signal.is_some_and(|signal| signal != 0);
    match (end.reason.as_str(), end.exit_code) {
        ("OOMKilled", _) => Some("ran out of memory"),
        // What a shell or the runtime makes of a signal.
        (_, 129..=159) => Some("was killed"),
        _ if is_signalled => Some("was killed"),
        ("Completed" | "", 0) => None,
        _ => Some("ended"),
    }
}
