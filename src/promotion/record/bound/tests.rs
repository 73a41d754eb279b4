//! The largest record there can be of a hundred apps and a hundred checks.

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::plan::Serving;
use crate::promotion::phase::Phase;
use crate::promotion::record::{EARLIER, Met};

const MEMBERS: usize = 100;
const MOST: usize = 57_000;

fn hex(seed: &str) -> String {
    let hash = Sha256::digest(seed);
    let digits: Vec<_> = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

/// A name of so many characters that compresses badly.
fn name(prefix: &str, n: usize, length: usize) -> String {
    let seed = format!("{prefix}{n}");
    format!("{prefix}{n}-{}", hex(&seed))[..length].to_owned()
}

/// A text with much in it that JSON writes longer.
fn text(bytes: usize) -> String {
    let said = r#"2 of 14 test cases failed: "grüße > \"in French\"", 'C:\\new'; "#;
    cut(&said.repeat(bytes / said.len() + 1), bytes)
}

fn promotion_id(n: usize) -> String {
    format!("0tq{n:05}")
}

fn actor() -> Value {
    json!({ "name": text(300), "trigger": "cli" })
}

/// As many reasons, each with what a container wrote last.
fn reasons(number: usize) -> Value {
    let kinds = ["check", "check-errored", "deploy", "apply"];
    let reason = |n: usize| json!({ "kind": kinds[n % 4], "text": text(600), "lastLines": vec![text(500); 10] });
    (0..number).map(reason).collect()
}

/// What served once.
fn earlier() -> Vec<Serving> {
    let serving = |n: usize| json!({ "color": "green", "release": hex(&format!("r{n}")), "plan": hex(&format!("p{n}")) });
    let all: Value = (0..EARLIER).map(serving).collect();
    serde_json::from_value(all).unwrap()
}

/// In the face of a hold and of a ban of every image.
fn overrides() -> Value {
    let known = |n: usize| json!({ "id": hex(&format!("known {n}"))[..16], "what": text(700) });
    let known: Vec<_> = (0..Override::MOST).map(known).collect();
    json!({ "reason": text(500), "known": known })
}

fn check(n: usize) -> String {
    name("c", n, 40)
}

fn verdict(n: usize) -> &'static str {
    ["Passed", "Failed", "Errored", "TimedOut"][n % 4]
}

/// What the API server answers a uid with.
fn uid(n: usize) -> String {
    let hash = hex(&format!("uid {n}"));
    format!(
        "{}-{}-{}-{}-{}",
        &hash[..8],
        &hash[8..12],
        &hash[12..16],
        &hash[16..20],
        &hash[20..32]
    )
}

/// A checkpoint in which everything there is to note is noted.
fn checkpoint(phase: Phase) -> Promotion {
    let serving = json!({ "color": "green", "release": hex("old"), "plan": hex("old plan") });
    let case = json!({ "name": text(300), "outcome": "Failed", "durationMs": 12, "diagnostic": text(2048) });
    let result = |n: usize| {
        json!({
            "check": check(n), "promotion": promotion_id(10), "plan": hex("plan"),
            "verdict": verdict(n), "reason": text(500), "exitCode": 1, "attempt": 3,
            "durationMs": 123_456, "cases": vec![case.clone(); 5],
        })
    };
    let tested = |n: usize| {
        let tested = json!({ "uid": uid(n), "generation": 12, "ready": 10 });
        (name("a", n, 57), tested)
    };
    let raise = |n: usize| {
        let app = name("a", n, 57);
        json!({
            "app": app, "color": "blue", "deployment": format!("{app}-green"), "uid": uid(n),
            "generation": 12, "replicas": 100,
        })
    };
    let now = "2026-11-21T10:00:00.123456789Z";
    let members = 0..MEMBERS;
    let written = json!({
        "id": promotion_id(10), "plan": hex("plan"), "release": hex("release"),
        "fingerprint": hex("fingerprint"), "candidate": "blue", "replaces": serving,
        "actor": actor(), "why": text(500), "leaves": &hex("left")[..12], "overrides": overrides(), "startedAt": now, "phase": phase, "phaseSince": now, "resumedAt": now,
        "marks": ["Prepared", "Unpublished", "SharedBegun", "Shared", "Autoscaled", "Services"],
        "tested": members.clone().map(tested).collect::<serde_json::Map<_, _>>(),
        "raising": members.clone().map(raise).collect::<Vec<_>>(),
        "attempts": members.clone().map(|n| (check(n), json!(3))).collect::<serde_json::Map<_, _>>(),
        "runs": members.clone().map(|n| (check(n), json!(uid(MEMBERS + n)))).collect::<serde_json::Map<_, _>>(),
        "early": members.clone().map(check).collect::<Vec<_>>(),
        "results": members.map(result).collect::<Vec<_>>(),
        "waitsFor": text(6000), "exposed": true, "returnedAt": now, "reasons": reasons(MEMBERS), "hurry": true,
    });
    serde_json::from_value(written).unwrap()
}

fn outcome(n: usize) -> Outcome {
    let app = |n| json!({ "app": name("a", n, 57), "tag": name("t", n, 60).repeat(2) });
    let summary = |n| {
        json!({
            "check": check(n), "verdict": verdict(n), "reason": text(500), "passed": 12,
            "failed": 9, "failedCases": vec![text(300); 5],
        })
    };
    let now = "2026-11-21T10:00:00.123456789Z";
    let written = json!({
        "promotion": promotion_id(n), "phase": "Aborted", "release": hex(&format!("release {n}")),
        "fingerprint": hex(&format!("fingerprint {n}")), "color": "green", "actor": actor(),
        "why": text(500), "leaves": &hex("left")[..12], "overrides": overrides(),
        "startedAt": now, "endedAt": now, "reasons": reasons(4),
        "apps": (0..MEMBERS).map(app).collect::<Vec<_>>(),
        "checks": (0..MEMBERS).map(summary).collect::<Vec<_>>(),
    });
    serde_json::from_value(written).unwrap()
}

/// The largest record in a phase.
pub(crate) fn largest(phase: Phase) -> GroupRecord {
    let checkpoint = checkpoint(phase);
    GroupRecord {
        untold: None,
        serving: checkpoint.replaces.clone(),
        previous: checkpoint.replaces.clone(),
        earlier: earlier(),
        met: Some(Met {
            schedule: text(100),
            at: Timestamp::UNIX_EPOCH,
        }),
        removing: Some(text(300)),
        in_flight: (!phase.is_final()).then_some(checkpoint),
        astray: vec![text(200); MEMBERS],
        outcomes: (0..10).rev().map(outcome).collect(),
    }
}

fn stored(record: &GroupRecord) -> (usize, GroupRecord) {
    let json = record.to_json(MOST).unwrap();
    (size(&json).unwrap(), GroupRecord::from_json(json).unwrap())
}

/// All that a promoter needs to drive on: a checkpoint without its texts.
fn needed(promotion: Option<&Promotion>) -> Option<Promotion> {
    let mut promotion = promotion?.clone();
    promotion.actor.name.clear();
    promotion.waits_for = None;
    for result in &mut promotion.results {
        result.reason.clear();
        result.cases.clear();
        result.left_out.clear();
    }
    promotion.why = promotion.why.map(|_| String::new());
    // What tells them from others is needed.
    if let Some(overrides) = &mut promotion.overrides {
        overrides.reason.clear();
        for known in &mut overrides.known {
            known.what.clear();
        }
    }
    // Kinds decide the exit code.
    for reason in &mut promotion.reasons {
        reason.text.clear();
        reason.last_lines.clear();
    }
    promotion.reasons.sort_by_key(|reason| reason.kind);
    promotion.reasons.dedup();
    Some(promotion)
}

#[test]
fn the_largest_record_fits_in_every_phase() {
    for phase in Phase::ALL {
        let whole = largest(phase);
        let (bytes, kept) = stored(&whole);
        println!("{phase}: {} bytes, {bytes} stored", size(&whole).unwrap());
        assert!(bytes <= MOST, "{phase}: {bytes} bytes");
        assert_eq!(
            (&kept.serving, &kept.previous),
            (&whole.serving, &whole.previous)
        );
        assert_eq!(
            needed(kept.in_flight.as_ref()),
            needed(whole.in_flight.as_ref())
        );
        assert_eq!(kept.outcomes.len(), 10);
        for (kept, whole) in kept.outcomes.iter().zip(&whole.outcomes) {
            assert_eq!(
                (&kept.promotion, kept.phase),
                (&whole.promotion, whole.phase)
            );
            assert_eq!(
                (kept.worst(), kept.tested()),
                (Some(Verdict::TimedOut), MEMBERS)
            );
            assert_eq!(kept.apps.len() + kept.left_out.apps, MEMBERS);
            for reason in &whole.reasons {
                assert!(kept.reasons.iter().any(|kept| kept.kind == reason.kind));
            }
        }
    }
}

#[test]
fn what_is_cut_says_so() {
    let (_, kept) = stored(&largest(Phase::Aborting));
    let promotion = kept.in_flight.unwrap();
    assert!(promotion.reasons[0].text.ends_with('…'));
    assert!(
        promotion
            .reasons
            .last()
            .unwrap()
            .text
            .starts_with("and more")
    );
    assert!(promotion.waits_for.unwrap().ends_with('…'));
    for result in &promotion.results {
        assert!(result.reason.ends_with('…'));
        let left_out: usize = result.left_out.values().sum();
        assert_eq!(result.cases.len() + left_out, 5);
    }
    assert_eq!(kept.astray.last().unwrap(), "and 95 more");
}

#[test]
fn a_small_record_is_stored_as_it_is() {
    let mut record = largest(Phase::Checking);
    let checkpoint = record.in_flight.as_mut().unwrap();
    checkpoint.results.truncate(2);
    checkpoint.raising.clear();
    checkpoint.runs.clear();
    checkpoint.early.clear();
    checkpoint.overrides = None;
    checkpoint.reasons.clear();
    record.astray.clear();
    record.outcomes.clear();
    let json = record.to_json(MOST).unwrap();
    assert_eq!(json, serde_json::to_value(&record).unwrap());
    assert_eq!(GroupRecord::from_json(json).unwrap(), record);
}

#[test]
fn older_outcomes_are_thinned_first() {
    let mut record = largest(Phase::Promoted);
    record.astray.clear();
    for outcome in &mut record.outcomes {
        outcome.reasons.clear();
        outcome.checks.truncate(3);
    }
    let (_, kept) = stored(&record);
    let apps: Vec<_> = kept
        .outcomes
        .iter()
        .map(|outcome| outcome.apps.len())
        .collect();
    assert!(apps.is_sorted_by(|newer, older| newer >= older), "{apps:?}");
    assert!(apps[0] > apps[9], "{apps:?}");
}

#[test]
fn a_record_that_was_thinned_stays_as_it_is() {
    for phase in [Phase::Aborting, Phase::Promoted] {
        let (_, once) = stored(&largest(phase));
        let (_, twice) = stored(&once);
        assert_eq!(twice, once, "{phase}");
    }
}

#[test]
fn a_damaged_checkpoint_is_told() {
    let mut json = largest(Phase::Promoting).to_json(MOST).unwrap();
    json["inFlight"]["packed"] = "AAAA".into();
    let error = GroupRecord::from_json(json).unwrap_err();
    assert_eq!(error.to_string(), "failed to unpack its checkpoint");
}
