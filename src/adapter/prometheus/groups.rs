//! What is counted of groups and their promotions.
//!
//! Every series is of one group in one environment, besides words of which
//! promoter has few: both are bounded by the configuration.

use prometheus_client::registry::Registry;

use super::series::{Buckets, Counters, Gauges, Histograms, Labels};
use crate::group::name::{EnvironmentName, GroupName};

/// A promotion takes seconds to hours.
const DURATIONS: Buckets = Buckets(&[
    5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0,
]);
/// A phase of it may be over at once.
const PHASES: Buckets = Buckets(&[
    0.5, 1.0, 2.5, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0,
]);

/// The metrics of all groups.
pub(super) struct Groups {
    pub(super) promotions: Counters,
    pub(super) duration: Histograms,
    pub(super) phases: Histograms,
    pub(super) checks: Counters,
    pub(super) refusals: Counters,
    pub(super) takeovers: Counters,
    pub(super) warnings: Counters,
    pub(super) under_way: Gauges,
    pub(super) last_success: Gauges,
    pub(super) last_end: Gauges,
    pub(super) lock_held: Gauges,
    pub(super) due: Gauges,
    pub(super) lag: Gauges,
}

impl Groups {
    pub(super) fn new(registry: &mut Registry) -> Self {
        Self {
            promotions: Counters::counter(
                registry,
                "promotions",
                "Promotions that ended, by outcome and by what asked for them",
            ),
            duration: Histograms::histogram(
                registry,
                "promotion_duration_seconds",
                "Time from the beginning of a promotion to its end",
                DURATIONS,
            ),
            phases: Histograms::histogram(
                registry,
                "phase_duration_seconds",
                "Time that promotions stood in a phase while somebody drove them",
                PHASES,
            ),
            checks: Counters::counter(
                registry,
                "checks",
                "Checks and hooks that ended, by verdict",
            ),
            refusals: Counters::counter(
                registry,
                "refusals",
                "Promotions that were asked for and not begun, by what forbade them",
            ),
            takeovers: Counters::counter(
                registry,
                "takeovers",
                "Promotions that were found without an owner and driven on",
            ),
            warnings: Counters::counter(
                registry,
                "warnings",
                "Warnings about a group or a promotion of it",
            ),
            under_way: Gauges::gauge(
                registry,
                "promotions_under_way",
                "Promotions that this process drives",
            ),
            last_success: Gauges::gauge(
                registry,
                "last_success_timestamp_seconds",
                "When the group was last promoted",
            ),
            last_end: Gauges::gauge(
                registry,
                "last_end_timestamp_seconds",
                "When a promotion of the group last ended, however it did",
            ),
            lock_held: Gauges::gauge(
                registry,
                "lock_held",
                "Whether this process holds the group's lock",
            ),
            due: Gauges::gauge(
                registry,
                "schedule_due_timestamp_seconds",
                "Since when a run of the group's schedule is due that nobody has answered; 0: none is",
            ),
            lag: Gauges::gauge(
                registry,
                "schedule_lag_seconds",
                "How late the last run of the group's schedule was begun or refused",
            ),
        }
    }

    pub(super) fn forget(&self, of: &Labels) {
        self.promotions.forget(of);
        self.duration.forget(of);
        self.phases.forget(of);
        self.checks.forget(of);
        self.refusals.forget(of);
        self.takeovers.forget(of);
        self.warnings.forget(of);
        self.under_way.forget(of);
        self.last_success.forget(of);
        self.last_end.forget(of);
        self.lock_held.forget(of);
        self.due.forget(of);
        self.lag.forget(of);
    }
}

/// The labels that every series of a group has.
pub(super) fn of(environment: &EnvironmentName, group: &GroupName) -> Labels {
    vec![
        ("environment", environment.to_string()),
        ("group", group.to_string()),
    ]
}
