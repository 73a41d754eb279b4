//! What is told of promotions as metrics and traces.

mod deployed;
mod metrics;
mod traces;

use promoter::port::Recorder;
use promoter::promotion::event::Event;
use serde_json::{Value, json};

/// The promotion that is told of.
const PROMOTION: &str = "0tq00001";

/// An event so many seconds after the promotion began.
fn event(seconds: u32, event: &str, mut fact: Value) -> Event {
    fact["at"] = json!(at(seconds));
    fact["group"] = json!("master");
    fact["promotion"] = json!(PROMOTION);
    fact["event"] = json!(event);
    serde_json::from_value(fact).unwrap()
}

fn at(seconds: u32) -> String {
    format!("2026-11-21T10:{:02}:{:02}Z", seconds / 60, seconds % 60)
}

fn started(seconds: u32) -> Event {
    let fact = json!({
        "actor": { "name": "promoter-0", "trigger": "cli" },
        "release": "9f8e7d6c5b4a3322",
        "candidate": "green",
        "replaces": null,
        "apps": [],
        "checks": ["greets"],
        "hooks": ["migrate"],
    });
    event(seconds, "started", fact)
}

fn entered(seconds: u32, phase: &str) -> Event {
    event(seconds, "entered", json!({ "phase": phase, "reasons": [] }))
}

fn resumed(seconds: u32, phase: &str) -> Event {
    event(seconds, "resumed", json!({ "phase": phase }))
}

fn waiting(seconds: u32, wait_for: &str) -> Event {
    let fact = json!({ "waitFor": wait_for, "until": at(3000) });
    event(seconds, "waiting", fact)
}

fn runs(seconds: u32, check: &str, attempt: u32) -> Event {
    let fact = json!({ "check": check, "attempt": attempt });
    event(seconds, "check-started", fact)
}

fn ended(seconds: u32, check: &str, verdict: &str) -> Event {
    let result = json!({
        "check": check,
        "promotion": PROMOTION,
        "plan": "plan",
        "verdict": verdict,
        "reason": "exit 1; 2 of 14 test cases failed",
        "attempt": 1,
        "durationMs": 4000,
    });
    event(seconds, "check-ended", json!({ "result": result }))
}

fn finished(seconds: u32, phase: &str, reasons: &Value) -> Event {
    let outcome = json!({
        "promotion": PROMOTION,
        "phase": phase,
        "release": "9f8e7d6c5b4a3322",
        "fingerprint": "print",
        "color": "green",
        "actor": { "name": "promoter-0", "trigger": "cli" },
        "startedAt": at(0),
        "endedAt": at(seconds),
        "reasons": reasons,
        "apps": [],
    });
    event(seconds, "finished", json!({ "outcome": outcome }))
}

/// One that is promoted after a minute.
fn promoted() -> Vec<Event> {
    vec![
        started(0),
        entered(0, "Deploying"),
        runs(1, "migrate", 1),
        ended(5, "migrate", "Passed"),
        waiting(5, "pods of hello-a to be ready"),
        entered(10, "Checking"),
        runs(11, "greets", 1),
        ended(20, "greets", "Passed"),
        entered(20, "Promoting"),
        entered(21, "Settling"),
        entered(60, "Promoted"),
        finished(60, "Promoted", &json!([])),
    ]
}

fn tell(recorder: &dyn Recorder, events: impl IntoIterator<Item = Event>) {
    for event in events {
        recorder.record(event);
    }
}
