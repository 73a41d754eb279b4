//! What Prometheus is told.

use promoter::adapter::prometheus::Prometheus;
use promoter::group::name::{EnvironmentName, GroupName};
use promoter::port::Calls as _;
use promoter::port::calls::{Call, CallResult, System};
use promoter::promotion::event::Event;
use promoter::promotion::record::Ending;
use serde_json::json;

use super::{ended, event, finished, promoted, resumed, runs, started, tell, waiting};

/// What every series of the group has.
const OF: &str = r#"environment="staging",group="master""#;

fn environment() -> EnvironmentName {
    EnvironmentName::parse("staging").unwrap()
}

fn group(name: &str) -> GroupName {
    GroupName::parse(name).unwrap()
}

/// The value of one series, if it is there.
#[track_caller]
fn value(prometheus: &Prometheus, name: &str, labels: &str) -> Option<f64> {
    let text = prometheus.text();
    let series = match labels {
        "" => format!("promoter_{name} "),
        labels => format!("promoter_{name}{{{labels}}} "),
    };
    let mut values = text.lines().filter_map(|line| line.strip_prefix(&series));
    values.next().map(|value| value.parse().unwrap())
}

#[track_caller]
fn is(prometheus: &Prometheus, name: &str, more: &str, expected: impl Into<Option<f64>>) {
    let labels = if more.is_empty() {
        OF.to_owned()
    } else {
        format!("{OF},{more}")
    };
    let found = value(prometheus, name, &labels);
    assert_eq!(
        found,
        expected.into(),
        "{name} {more}\n{}",
        prometheus.text()
    );
}

/// Of a process whose configuration has the group.
fn configured() -> Prometheus {
    let prometheus = Prometheus::new();
    prometheus.configured(&environment(), &group("master"));
    prometheus
}

fn told(events: Vec<Event>) -> Prometheus {
    let prometheus = configured();
    tell(&*prometheus.group(&environment(), &group("master")), events);
    prometheus
}

#[test]
fn a_promotion_is_counted_with_its_phases_and_checks() {
    let told = told(promoted());
    is(
        &told,
        "promotions_total",
        r#"outcome="promoted",trigger="cli""#,
        1.0,
    );
    let promoted = r#"outcome="promoted""#;
    is(&told, "promotion_duration_seconds_sum", promoted, 60.0);
    is(&told, "promotion_duration_seconds_count", promoted, 1.0);
    for (phase, seconds) in [
        ("planned", 0.0),
        ("deploying", 10.0),
        ("checking", 10.0),
        ("promoting", 1.0),
        ("settling", 39.0),
    ] {
        let labels = format!(r#"phase="{phase}""#);
        is(&told, "phase_duration_seconds_sum", &labels, seconds);
        is(&told, "phase_duration_seconds_count", &labels, 1.0);
    }
    is(
        &told,
        "phase_duration_seconds_count",
        r#"phase="promoted""#,
        None,
    );
    is(
        &told,
        "checks_total",
        r#"kind="check",verdict="passed""#,
        1.0,
    );
    is(
        &told,
        "checks_total",
        r#"kind="hook",verdict="passed""#,
        1.0,
    );
    is(&told, "promotions_under_way", "", 0.0);
    // 2026-11-21T10:01:00Z
    is(&told, "last_success_timestamp_seconds", "", 1_795_255_260.0);
    is(&told, "last_end_timestamp_seconds", "", 1_795_255_260.0);
}

#[test]
fn one_that_fails_is_no_success() {
    let reasons = json!([{ "kind": "check", "text": "check greets failed" }]);
    let told = told(vec![
        started(0),
        ended(3, "greets", "TimedOut"),
        finished(30, "Aborted", &reasons),
    ]);
    is(
        &told,
        "promotions_total",
        r#"outcome="failed",trigger="cli""#,
        1.0,
    );
    is(
        &told,
        "checks_total",
        r#"kind="check",verdict="timed-out""#,
        1.0,
    );
    is(&told, "last_success_timestamp_seconds", "", None);
    is(&told, "last_end_timestamp_seconds", "", 1_795_255_230.0);
}

/// A counter that is first seen at 1 has not grown, says Prometheus.
#[test]
fn outcomes_are_counted_from_zero() {
    let prometheus = configured();
    for outcome in Ending::ALL {
        for trigger in ["cli", "cron", "push"] {
            let outcome = outcome.word().replace(' ', "-");
            let labels = format!(r#"outcome="{outcome}",trigger="{trigger}""#);
            is(&prometheus, "promotions_total", &labels, 0.0);
        }
    }
    let counting = prometheus.group(&environment(), &group("master"));
    tell(&*counting, promoted());
    // It is read again every few seconds.
    prometheus.configured(&environment(), &group("master"));
    let labels = r#"outcome="promoted",trigger="cli""#;
    is(&prometheus, "promotions_total", labels, 1.0);
}

#[test]
fn what_is_told_twice_counts_once() {
    let prometheus = told(promoted());
    let again = prometheus.group(&environment(), &group("master"));
    tell(&*again, [finished(60, "Promoted", &json!([]))]);
    is(
        &prometheus,
        "promotions_total",
        r#"outcome="promoted",trigger="cli""#,
        1.0,
    );
}

/// The one that has died saw the check end; this one sees the promotion end.
#[test]
fn a_takeover_counts_what_is_its_own() {
    let takes_over = vec![
        started(40),
        resumed(40, "Checking"),
        ended(40, "greets", "Passed"),
        waiting(41, "check smoke"),
        runs(42, "smoke", 1),
        ended(45, "smoke", "Passed"),
    ];
    let prometheus = told(takes_over);
    is(&prometheus, "takeovers_total", "", 1.0);
    is(
        &prometheus,
        "checks_total",
        r#"kind="check",verdict="passed""#,
        1.0,
    );
    is(&prometheus, "promotions_under_way", "", 1.0);
    let counting = prometheus.group(&environment(), &group("master"));
    counting.lock_held(true);
    is(&prometheus, "lock_held", "", 1.0);
    // Somebody else has it.
    counting.lock_held(false);
    is(&prometheus, "lock_held", "", 0.0);
    is(&prometheus, "promotions_under_way", "", 0.0);
}

#[test]
fn refusals_are_counted_by_what_forbids() {
    let refused = || {
        let held = json!({ "actor": "ada", "reason": "a sale", "at": super::at(0) });
        event(
            1,
            "refused",
            json!({
                "actor": { "name": "promoter-0", "trigger": "cli" },
                "release": "9f8e7d6c5b4a3322",
                "restraints": [
                    { "held": { "by": held } },
                    { "required": { "group": "v1", "why": "it has not passed" } },
                    { "required": { "group": "v0", "why": "it has not passed" } },
                ],
            }),
        )
    };
    let told = told(vec![refused(), refused()]);
    is(&told, "refusals_total", r#"restraint="held""#, 2.0);
    is(&told, "refusals_total", r#"restraint="required""#, 2.0);
    is(&told, "refusals_total", r#"restraint="banned""#, None);
}

#[test]
fn a_group_that_is_configured_no_more_has_no_series() {
    let prometheus = told(promoted());
    prometheus.configured(&environment(), &group("v2"));
    let other = prometheus.group(&environment(), &group("v2"));
    other.lock_held(true);
    let counting = prometheus.group(&environment(), &group("master"));
    prometheus.forget(&environment(), &group("master"));
    // Its promotion goes on until it ends.
    tell(&*counting, promoted());
    counting.lock_held(true);
    counting.due(super::at(0).parse().unwrap());
    counting.answered(super::at(9).parse().unwrap());
    // Somebody else takes it over.
    let taken_over = prometheus.group(&environment(), &group("master"));
    tell(&*taken_over, promoted());
    taken_over.lock_held(true);
    let text = prometheus.text();
    assert!(!text.contains(r#"group="master""#), "{text}");
    assert!(text.contains(r#"group="v2""#), "{text}");
    // It comes back.
    prometheus.configured(&environment(), &group("master"));
    tell(
        &*prometheus.group(&environment(), &group("master")),
        promoted(),
    );
    is(
        &prometheus,
        "promotions_total",
        r#"outcome="promoted",trigger="cli""#,
        1.0,
    );
}

#[test]
fn a_schedule_is_late_until_it_is_answered() {
    let prometheus = configured();
    let counting = prometheus.group(&environment(), &group("master"));
    let moment = |seconds| super::at(seconds).parse().unwrap();
    is(&prometheus, "schedule_due_timestamp_seconds", "", 0.0);
    // Nobody to answer a run that is not due.
    counting.answered(moment(0));
    is(&prometheus, "schedule_lag_seconds", "", None);
    counting.due(moment(60));
    // Missed runs are one, since the first of them.
    counting.due(moment(120));
    is(
        &prometheus,
        "schedule_due_timestamp_seconds",
        "",
        1_795_255_260.0,
    );
    counting.answered(moment(130));
    is(&prometheus, "schedule_due_timestamp_seconds", "", 0.0);
    is(&prometheus, "schedule_lag_seconds", "", 70.0);
}

#[test]
fn what_the_cluster_remembers_is_told_before_anything_happens() {
    let prometheus = configured();
    let counting = prometheus.group(&environment(), &group("master"));
    counting.remember(None, Some(super::at(60).parse().unwrap()));
    is(&prometheus, "last_success_timestamp_seconds", "", None);
    is(
        &prometheus,
        "last_end_timestamp_seconds",
        "",
        1_795_255_260.0,
    );
}

#[test]
fn what_the_process_says_of_itself() {
    let prometheus = Prometheus::new();
    let version = format!(r#"version="{}""#, env!("CARGO_PKG_VERSION"));
    assert_eq!(value(&prometheus, "build_info", &version), Some(1.0));
    prometheus.config_loaded(super::at(60).parse().unwrap(), 2);
    prometheus.records_behind(7);
    prometheus.ready(true);
    prometheus.hints_followed(3);
    prometheus.hints_dropped(1);
    for (name, labels, expected) in [
        ("config_last_load_success", "", 0.0),
        ("config_last_load_timestamp_seconds", "", 1_795_255_260.0),
        ("config_files_with_errors", "", 2.0),
        ("records_behind", "", 7.0),
        ("ready", "", 1.0),
        ("hints_total", r#"result="followed""#, 3.0),
        ("hints_total", r#"result="dropped""#, 1.0),
    ] {
        let found = value(&prometheus, name, labels);
        assert_eq!(found, Some(expected), "{name}\n{}", prometheus.text());
    }
    prometheus.config_loaded(super::at(61).parse().unwrap(), 0);
    assert_eq!(
        value(&prometheus, "config_last_load_success", ""),
        Some(1.0)
    );
}

#[test]
fn requests_are_counted_by_what_came_of_them() {
    let prometheus = Prometheus::new();
    for (system, operation, result) in [
        (System::Aws("ECR"), "DescribeImages", CallResult::Throttled),
        (System::Aws("ECR"), "DescribeImages", CallResult::Throttled),
        (System::Aws("ECR"), "DescribeImages", CallResult::Ok),
        (System::Kubernetes, "patch", CallResult::Failed),
    ] {
        prometheus.made(&Call {
            system,
            operation,
            result,
        });
    }
    let ecr = r#"service="ECR",operation="DescribeImages""#;
    let throttled = format!(r#"{ecr},result="throttled""#);
    assert_eq!(
        value(&prometheus, "aws_requests_total", &throttled),
        Some(2.0)
    );
    let ok = format!(r#"{ecr},result="ok""#);
    assert_eq!(value(&prometheus, "aws_requests_total", &ok), Some(1.0));
    let failed = r#"verb="patch",result="failed""#;
    assert_eq!(
        value(&prometheus, "kubernetes_requests_total", failed),
        Some(1.0)
    );
}

/// An identity, an image, a tag, a name of a check or a reason would be a series each.
#[test]
fn no_label_grows_with_what_happens() {
    let reasons = json!([{ "kind": "check", "text": "check greets failed" }]);
    let mut events = promoted();
    events.pop();
    events.push(finished(60, "Aborted", &reasons));
    let text = told(events).text();
    for word in [
        super::PROMOTION,
        "9f8e7d6c5b4a",
        "greets",
        "migrate",
        "promoter-0",
    ] {
        assert!(!text.contains(word), "{word} in\n{text}");
    }
}
