//! What else is told of an abort: what a crashed container said last, and that
//! nobody could have promoted here.

use futures::StreamExt;

use super::drive::Drive;
use crate::plan::text::cut;
use crate::port::cluster::LogSource;
use crate::promotion::check::LINE_BYTES;
use crate::promotion::observed::Observed;
use crate::promotion::trouble::{Trouble, troubles};
use crate::promotion::{Reason, ReasonKind};

/// Lines that tell enough and still fit on a screen and into the record.
const LAST_LINES: i64 = 10;

impl Drive {
    /// Adds to each reason about a crash what the container wrote before it.
    pub(super) async fn add_last_lines(&self, reasons: &mut [Reason], observed: &Observed) {
        let color = self.promotion.candidate;
        let troubles: Vec<_> = self
            .plan
            .apps
            .iter()
            .flat_map(|app| troubles(observed, &app.name, color))
            .collect();
        for reason in reasons {
            let about = |trouble: &&Trouble| reason.text == trouble.to_string();
            if let Some((pod, container)) =
                troubles.iter().find(about).and_then(|t| t.crashed.clone())
            {
                let runs = is_running(observed, &pod, &container);
                reason.last_lines = self.last_lines(pod, container, runs).await;
            }
        }
    }

    /// Says first that the namespace goes, if it does: all else follows from it.
    /// That it cannot be asked for must not keep the promotion from ending.
    pub(super) async fn add_namespace(&self, reasons: &mut Vec<Reason>) {
        if self.engine.cluster.is_ending().await == Ok(true) {
            let text = format!("namespace {} is being deleted", self.plan.namespace);
            reasons.insert(0, Reason::new(ReasonKind::Deploy, text));
        }
    }

    /// The end of the container's run that crashed last: the one before, where
    /// it runs again. A node keeps no log of earlier ones. That there is nothing
    /// to read must not keep the promotion from ending.
    async fn last_lines(&self, pod: String, container: String, runs: bool) -> Vec<String> {
        for previous in [runs, !runs] {
            let source = LogSource {
                pod: pod.clone(),
                container: container.clone(),
                follow: false,
                previous,
                tail: Some(LAST_LINES),
            };
            let Ok(lines) = self.engine.cluster.lines(&source).await else {
                continue;
            };
            let lines = lines.take_while(|line| std::future::ready(line.is_ok()));
            let lines: Vec<String> = lines.filter_map(|line| async { line.ok() }).collect().await;
            if !lines.is_empty() {
                return lines.iter().map(|line| cut(line, LINE_BYTES)).collect();
            }
        }
        Vec::new()
    }
}

fn is_running(observed: &Observed, pod: &str, container: &str) -> bool {
    let pod = observed.pods.iter().find(|found| found.name == pod);
    let mut containers = pod.into_iter().flat_map(|pod| &pod.containers);
    containers.any(|found| found.name == container && found.running_since.is_some())
}
