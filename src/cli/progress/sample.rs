//! A promotion to show in tests.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::cli::view::sample::{actor, from, serving};
use crate::plan::color::Color;
use crate::promotion::check::{CheckResult, Verdict};
use crate::promotion::event::{Event, Fact};
use crate::promotion::phase::Phase;
use crate::promotion::record::{AppVersion, LeftOut, Outcome};
use crate::promotion::{Reason, ReasonKind};

/// Seconds after it began.
pub(super) fn at(seconds: i64) -> Timestamp {
    let began: Timestamp = "2026-11-21T10:04:07Z".parse().unwrap();
    began + SignedDuration::from_secs(seconds)
}

/// One of its events.
pub(super) fn event(seconds: i64, fact: Fact) -> Event {
    Event {
        at: at(seconds),
        group: from("master"),
        promotion: Some(from("0tq00001")),
        fact,
    }
}

pub(super) fn started() -> Event {
    let app = |name: &str| AppVersion {
        app: from(name),
        tag: "master-42-000002a".to_owned(),
    };
    let fact = Fact::Started {
        actor: actor(),
        release: from("9f8e7d6c5b4a3322"),
        candidate: Color::Green,
        replaces: Some(serving(Color::Blue)),
        apps: vec![app("hello-a"), app("hello-b")],
        checks: vec![from("greets"), from("smoke")],
        hooks: Vec::new(),
    };
    event(0, fact)
}

pub(super) fn entered(seconds: i64, phase: Phase) -> Event {
    event(
        seconds,
        Fact::Entered {
            phase,
            reasons: Vec::new(),
        },
    )
}

pub(super) fn app(seconds: i64, name: &str, ready: u32, trouble: Option<&str>) -> Event {
    let trouble = trouble.map(str::to_owned);
    event(
        seconds,
        Fact::App {
            app: from(name),
            color: Color::Green,
            ready,
            wanted: 2,
            trouble,
        },
    )
}

pub(super) fn waiting(seconds: i64, wait_for: &str) -> Event {
    event(
        seconds,
        Fact::Waiting {
            wait_for: wait_for.to_owned(),
            until: at(300),
        },
    )
}

pub(super) fn output(seconds: i64, check: &str, line: &str) -> Event {
    event(
        seconds,
        Fact::CheckOutput {
            check: from(check),
            attempt: 1,
            line: line.to_owned(),
        },
    )
}

pub(super) fn runs(seconds: i64, check: &str, attempt: u32) -> Event {
    event(
        seconds,
        Fact::CheckStarted {
            check: from(check),
            attempt,
        },
    )
}

pub(super) fn warning(seconds: i64, message: &str) -> Event {
    event(
        seconds,
        Fact::Warning {
            message: message.to_owned(),
        },
    )
}

pub(super) fn ended(seconds: i64, check: &str, verdict: Verdict, reason: &str) -> Event {
    let result = CheckResult {
        check: from(check),
        promotion: "0tq00001".to_owned(),
        plan: "plan".to_owned(),
        verdict,
        reason: reason.to_owned(),
        exit_code: None,
        attempt: 1,
        duration: Some(Duration::from_millis(4249)),
        cases: Vec::new(),
        left_out: BTreeMap::new(),
        tail: Vec::new(),
    };
    event(seconds, Fact::CheckEnded { result })
}

fn finished(seconds: i64, phase: Phase) -> Event {
    let outcome = Outcome {
        promotion: from("0tq00001"),
        phase,
        release: from("9f8e7d6c5b4a3322"),
        fingerprint: from("print"),
        color: Color::Green,
        actor: actor(),
        started_at: at(0),
        ended_at: at(seconds),
        why: None,
        leaves: None,
        overrides: None,
        reasons: Vec::new(),
        apps: Vec::new(),
        checks: Vec::new(),
        hooks: Vec::new(),
        left_out: LeftOut::default(),
    };
    event(
        seconds,
        Fact::Finished {
            outcome: Box::new(outcome),
        },
    )
}

/// Until checks run.
pub(super) fn deployed() -> Vec<Event> {
    vec![
        started(),
        entered(0, Phase::Deploying),
        app(1, "hello-a", 0, None),
        waiting(1, "pods of hello-a, hello-b to be ready"),
        app(4, "hello-a", 2, None),
        app(
            5,
            "hello-b",
            1,
            Some("unschedulable: 0/2 nodes are available: 2 Insufficient memory"),
        ),
        warning(6, "failed to reach the cluster; trying again"),
        warning(7, "failed to reach the cluster; trying again"),
        app(9, "hello-b", 2, None),
        entered(9, Phase::Checking),
        runs(11, "greets", 1),
        runs(11, "smoke", 1),
        waiting(
            11,
            "check greets: its container to end; check smoke: its container to end",
        ),
        output(12, "greets", "\u{1b}[32mok 1\u{1b}[0m - greets"),
        output(12, "greets", "  "),
    ]
}

/// One that is promoted.
pub(super) fn promoted() -> Vec<Event> {
    let switched = Fact::Switched {
        services: 2,
        color: Color::Green,
        skew: Some(Duration::from_millis(14)),
    };
    let gone = |app: &str| Fact::OldGone {
        app: from(app),
        color: Color::Blue,
    };
    let mut events = deployed();
    events.extend([
        event(
            14,
            Fact::CheckRepeated {
                check: from("smoke"),
                reason: "its pod was deleted".to_owned(),
            },
        ),
        runs(14, "smoke", 2),
        ended(15, "greets", Verdict::Passed, "14 test cases passed"),
        ended(20, "smoke", Verdict::Passed, "exit 0"),
        entered(20, Phase::Promoting),
        event(20, switched),
        entered(21, Phase::Settling),
        waiting(21, "keep_old: blue stays for an instant way back"),
        event(51, gone("hello-a")),
        event(52, gone("hello-b")),
        entered(52, Phase::Promoted),
        finished(52, Phase::Promoted),
    ]);
    events
}

/// One that is not.
pub(super) fn aborted() -> Vec<Event> {
    let reason = Reason::new(ReasonKind::Check, "check greets failed: exit 1");
    let lost = Reason::new(
        ReasonKind::Gate,
        "app hello-a: somebody changed its candidate",
    );
    let mut events = deployed();
    events.extend([
        ended(
            15,
            "greets",
            Verdict::Failed,
            "exit 1; 2 of 14 test cases failed: greets > in French, with accents",
        ),
        event(
            15,
            Fact::Entered {
                phase: Phase::Aborting,
                reasons: vec![reason, lost],
            },
        ),
        entered(18, Phase::Aborted),
        finished(18, Phase::Aborted),
    ]);
    events
}
