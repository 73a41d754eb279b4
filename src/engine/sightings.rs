//! When things were seen to begin, by this process' own clock.
//!
//! The API server and every node have clocks of their own, which may be
//! anything apart from the promoter's. A time limit that compared them would
//! end a check that has just begun, or let one run for an hour too long.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::promotion::observed::Observed;

/// Times at which Jobs, containers and endpoints were first seen, and silent nodes
/// and outages last.
#[derive(Debug, Default)]
pub(super) struct Sightings {
    seen: BTreeMap<String, Timestamp>,
    /// Pods of whose node nothing was heard, by uid.
    unheard: BTreeMap<String, Timestamp>,
    /// How many outages there were by when.
    outages: (u32, Option<Timestamp>),
}

impl Sightings {
    /// Puts the times at which this process saw checks' Jobs, their containers' beginning
    /// and end, and endpoints first, silent nodes and outages last, in place of the cluster's.
    pub(super) fn date(&mut self, observed: &mut Observed, now: Timestamp) {
        if observed.outages != self.outages.0 {
            self.outages = (observed.outages, Some(now));
        }
        observed.away_at = self.outages.1;
        for job in &mut observed.jobs {
            job.created_at = self.first(&job.uid, now);
        }
        for (service, endpoints) in &mut observed.endpoints {
            for endpoint in endpoints {
                let place = format!("{service} {}", endpoint.pod);
                if endpoint.ready {
                    endpoint.since = self.first(&place, now);
                } else {
                    // Nodes have to learn it again once it is back.
                    self.seen.remove(&place);
                }
            }
        }
        for pod in &mut observed.pods {
            pod.created_at = self.first(&pod.uid, now);
            if pod.unheard {
                self.unheard.insert(pod.uid.clone(), now);
            }
            pod.unheard_at = self.unheard.get(&pod.uid).copied();
            if pod.check.is_none() {
                continue;
            }
            for container in &mut pod.containers {
                if let Some(since) = &mut container.running_since {
                    // A container that starts again is another run of it.
                    let run = format!("{} {} {since}", pod.uid, container.name);
                    *since = self.first(&run, now);
                } else if container.ended.is_some() {
                    let end = format!("{} {} ended", pod.uid, container.name);
                    container.ended_at = Some(self.first(&end, now));
                }
            }
        }
    }

    fn first(&mut self, what: &str, now: Timestamp) -> Timestamp {
        *self.seen.entry(what.to_owned()).or_insert(now)
    }
}
