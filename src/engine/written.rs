//! Reports that checks leave in files: read from the output of the container
//! `report`, which writes them once the check has ended.

use futures::StreamExt;

use super::drive::Drive;
use crate::plan::check::reporter::REPORTER;
use crate::port::ClusterError;
use crate::port::cluster::LogSource;
use crate::promotion::junit::MOST_BYTES;
use crate::promotion::observed::PodState;

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
        if reporter
            .is_none_or(|reporter| reporter.running_since.is_some() || reporter.ended.is_none())
        {
            return Ok(Err("its container `report` has not written it".to_owned()));
        }
        match self.read_report_of(pod).await {
            // Told to stop, it always says something.
            Ok(read) if read.trim().is_empty() => {
                Ok(Err("its container `report` ended without a word".to_owned()))
            }
            Ok(read) => Ok(Ok(read)),
            Err(error @ ClusterError::Unreachable { .. }) => Err(error),
            Err(error) => Ok(Err(error.to_string())),
        }
    }

    /// What is beyond the limit is not read, so that the report reads as cut off.
    async fn read_report_of(&self, pod: &PodState) -> Result<String, ClusterError> {
        let source = LogSource {
            pod: pod.name.clone(),
            container: REPORTER.to_owned(),
            follow: false,
            previous: false,
            tail: None,
        };
        let mut lines = self.engine.cluster.lines(&source).await?;
        let mut read = String::new();
        while let Some(line) = lines.next().await {
            let line = line?;
            if read.len() + line.len() > MOST_BYTES {
                break;
            }
            read.push_str(&line);
            read.push('\n');
        }
        Ok(read)
    }
}
