//! What nodes can be taken to know: no API tells when kube-proxy, or whatever
//! stands in for it, routes by the endpoints that the API server has.

use std::time::Duration;

use jiff::Timestamp;

use super::{Next, Situation};

/// How long nodes may go on routing as before once the API server is back.
///
/// Their watches come back with client-go's backoff, which after several
/// restarts within two minutes pauses for up to half a minute.
const RECOVERY: Duration = Duration::from_secs(30);

/// kube-proxy writes its rules at most this often; changes that come sooner
/// wait for the next time (`minSyncPeriod`).
const WRITES_EVERY: Duration = Duration::from_secs(1);

/// How long it writes at them, where it is not short of cores.
const WRITING: Duration = Duration::from_millis(150);

/// What passes at least from the making of a Job to the start of its process
/// (measured on an idle node: 0.55 s).
const POD_START: Duration = Duration::from_millis(500);

/// What the process of most checks takes before its first request, where those
/// of a group start at once (measured alone: `npm test` 0.2 s). One that is
/// faster may be refused, and runs again.
const RUNTIME_START: Duration = Duration::from_millis(400);

impl Situation<'_> {
    /// From when on every node is taken to know the candidate's addresses.
    ///
    /// A check whose process starts before that may be refused connections
    /// (measured), which would look like a fault of the candidate.
    pub(super) fn reachable_from(&self) -> Option<Timestamp> {
        let published = self.published().pop();
        let known = published.and_then(|at| at.checked_add(self.plan.endpoint_delay).ok());
        known.max(self.recovered())
    }

    /// Until when a check that fails says nothing of the candidate; `None`: it
    /// does say something now.
    pub fn reachable_at(&self) -> Option<Timestamp> {
        let whole = self.unready().is_empty();
        let known = self.pending(self.reachable_from());
        known.or_else(|| (!whole).then(|| self.deadline()))
    }

    /// From when on a check's Job may be made if nodes are as quick as they
    /// mostly are, and nobody else's changes keep kube-proxy waiting.
    pub(super) fn expected_from(&self) -> Option<Timestamp> {
        let head_start = (POD_START + RUNTIME_START).saturating_sub(WRITING);
        let expected = written(&self.published());
        let expected = expected.and_then(|at| at.checked_sub(head_start).ok());
        // Whoever sets a shorter delay believes the nodes sooner.
        let expected = expected.min(self.reachable_from());
        expected.max(self.recovered())
    }

    /// When each of the candidate's addresses was seen published, in order.
    fn published(&self) -> Vec<Timestamp> {
        let colored = self.plan.services().map(|s| s.colored.name());
        let endpoints = colored.flat_map(|name| self.our_endpoints(name));
        let mut published: Vec<_> = endpoints.map(|endpoint| endpoint.since).collect();
        published.sort_unstable();
        published
    }

    /// The wait for nodes that may still route to a colour that is about to
    /// go, because the API server was away a short while ago.
    pub(super) fn wait_for_nodes(&self) -> Option<Next> {
        let until = self.pending(self.recovered())?;
        Some(Next::Wait {
            wait_for: "nodes to learn the endpoints again, as the API server was away".to_owned(),
            until,
        })
    }

    fn recovered(&self) -> Option<Timestamp> {
        self.observed.away_at?.checked_add(RECOVERY).ok()
    }
}

/// When rules begin to be written that know of all these changes, which are in order.
fn written(changes: &[Timestamp]) -> Option<Timestamp> {
    changes.iter().fold(None, |written, at| match written {
        // It waits for its turn, and takes this change along.
        Some(written) if *at <= written => Some(written),
        Some(written) => {
            let turn = written.checked_add(WRITES_EVERY).unwrap_or(*at);
            Some(turn.max(*at))
        }
        None => Some(*at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(changes: &[i64], expected: Option<i64>) {
        let at = |millisecond: &i64| Timestamp::from_millisecond(*millisecond).unwrap();
        let changes: Vec<_> = changes.iter().map(at).collect();
        assert_eq!(written(&changes), expected.as_ref().map(at), "{changes:?}");
    }

    #[test]
    fn changes_in_quick_succession_wait_for_one_turn() {
        check(&[], None);
        check(&[7000], Some(7000));
        check(&[7000, 7000], Some(7000));
        check(&[7000, 7001], Some(8000));
        check(&[7000, 7300, 7999, 8000], Some(8000));
        check(&[7000, 7300, 8001], Some(9000));
        check(&[7000, 8500], Some(8500));
        check(&[7000, 7300, 9500], Some(9500));
    }
}
