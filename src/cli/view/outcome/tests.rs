//! How the end of a promotion reads.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{outcome, rendered};
use crate::cli::view::sample::{actor, fits, from, plain};
use crate::plan::color::Color;
use crate::promotion::check::{CaseOutcome, CheckResult, TestCase, Verdict};
use crate::promotion::phase::Phase;
use crate::promotion::record::{CheckSummary, LeftOut, Outcome};
use crate::promotion::{Reason, ReasonKind};

fn result(check: &str, verdict: Verdict, reason: &str) -> CheckResult {
    CheckResult {
        check: from(check),
        promotion: "0tq00000".to_owned(),
        plan: "plan".to_owned(),
        verdict,
        reason: reason.to_owned(),
        exit_code: None,
        attempt: 1,
        duration: Some(Duration::from_millis(4249)),
        cases: Vec::new(),
        left_out: BTreeMap::new(),
        tail: Vec::new(),
    }
}

fn ended(phase: Phase, results: &[CheckResult], reasons: Vec<Reason>) -> Outcome {
    Outcome {
        promotion: from("0tq00000"),
        phase,
        release: from("9f8e7d6c5b4a3322"),
        fingerprint: from("print"),
        color: Color::Green,
        actor: actor(),
        started_at: "2026-11-21T10:00:00Z".parse().unwrap(),
        ended_at: "2026-11-21T10:01:12Z".parse().unwrap(),
        why: None,
        leaves: None,
        overrides: None,
        reasons,
        apps: Vec::new(),
        checks: results.iter().map(CheckSummary::of).collect(),
        hooks: Vec::new(),
        left_out: LeftOut::default(),
    }
}

#[test]
fn promoted() {
    let results = [result("greets", Verdict::Passed, "14 test cases passed")];
    let ended = ended(Phase::Promoted, &results, Vec::new());
    insta::assert_snapshot!(plain(&rendered(&ended, &results, 80)), @r"
    CHECK   VERDICT   TIME  WHY
    greets  ✓ passed  4.2s  14 test cases passed

    ✓ promoted: release 9f8e7d6c5b4a is active in green  promotion 0tq00000, 1m12s
    ");
}

#[test]
fn promoted_untested_with_a_rest() {
    let left = Reason::new(ReasonKind::Deploy, "promoted, but old pods do not end: a-1");
    let ended = ended(Phase::Promoted, &[], vec![left]);
    insta::assert_snapshot!(plain(&outcome(&ended, &[])), @r"
    warning: nothing was tested: the group has no check
    warning: promoted, but old pods do not end: a-1
    ✓ promoted: release 9f8e7d6c5b4a is active in green  promotion 0tq00000, 1m12s
    ");
}

#[test]
fn failed_checks() {
    let case = |name: &str, outcome, diagnostic: Option<&str>| TestCase {
        name: name.to_owned(),
        outcome,
        duration_ms: None,
        diagnostic: diagnostic.map(str::to_owned),
    };
    let mut greets = result(
        "greets",
        Verdict::Failed,
        "exit 1; 2 of 3 test cases failed: greets > in French",
    );
    greets.cases = vec![
        case("greets > in English", CaseOutcome::Passed, None),
        case(
            "greets > in French",
            CaseOutcome::Failed,
            Some("expected: Bonjour\nactual: Hello"),
        ),
        case("greets > in German", CaseOutcome::Failed, None),
    ];
    let mut orders = result("orders", Verdict::Errored, "its image cannot be pulled");
    orders.tail = (1..=20).map(|n| format!("line {n}")).collect();
    orders.attempt = 2;
    orders.duration = None;
    let results = [greets, result("smoke", Verdict::Passed, "exit 0"), orders];
    let reasons = vec![
        Reason::new(
            ReasonKind::Check,
            format!("check greets failed: {}", results[0].reason),
        ),
        Reason::new(
            ReasonKind::CheckErrored,
            format!("check orders errored: {}", results[2].reason),
        ),
    ];
    let ended = ended(Phase::Aborted, &results, reasons);
    insta::assert_snapshot!(plain(&rendered(&ended, &results, 60)), @r"
    CHECK   VERDICT    TIME  WHY
    greets  ✗ failed   4.2s  exit 1; 2 of 3 test cases failed:
                             greets > in French
    smoke   ✓ passed   4.2s  exit 0
    orders  ! errored        its image cannot be pulled

    greets: 2 test cases failed
      ✗ greets > in French
          expected: Bonjour
          actual: Hello
      ✗ greets > in German

    orders: last lines of its log, run 2
      │ line 6
      │ line 7
      │ line 8
      │ line 9
      │ line 10
      │ line 11
      │ line 12
      │ line 13
      │ line 14
      │ line 15
      │ line 16
      │ line 17
      │ line 18
      │ line 19
      │ line 20

    ✗ check greets failed
    ✗ check orders errored
    ✗ not promoted: 2 reasons; what served before keeps serving
      release 9f8e7d6c5b4a, promotion 0tq00000, 1m12s
      hint: `promoter logs 0tq00000` prints all that the checks
      wrote
    ");
}

#[test]
fn never_ready() {
    let reason = Reason::new(
        ReasonKind::Deploy,
        "app hello-b: its image cannot be pulled: not found",
    );
    insta::assert_snapshot!(plain(&rendered(&ended(Phase::Aborted, &[], vec![reason.clone()]), &[], 80)), @r"
    ✗ not promoted: app hello-b: its image cannot be pulled: not found; what served
      before keeps serving
      release 9f8e7d6c5b4a, promotion 0tq00000, 1m12s
      hint: put it right and run `promoter plan` to see what the next deploy would
      do
    ");
    insta::assert_snapshot!(plain(&rendered(&ended(Phase::Failed, &[], vec![reason]), &[], 80)), @r"
    ✗ not promoted, and the abort did not finish: app hello-b: its image cannot be
      pulled: not found; a person has to look at the cluster
      release 9f8e7d6c5b4a, promotion 0tq00000, 1m12s
      hint: `promoter status` shows what is left; `promoter deploy` clears it away
      and tries again
    ");
}

#[test]
fn a_crash_with_its_last_lines() {
    let mut reason = Reason::new(
        ReasonKind::Deploy,
        "app hello-b: container hello-b crashes (exit code 3), 2 restarts",
    );
    reason.last_lines = ["starting", "no database: at db:5432"]
        .map(str::to_owned)
        .into();
    insta::assert_snapshot!(plain(&rendered(&ended(Phase::Aborted, &[], vec![reason]), &[], 80)), @r"
    app hello-b: last lines of its container
      │ starting
      │ no database: at db:5432

    ✗ not promoted: app hello-b: container hello-b crashes (exit code 3), 2
      restarts; what served before keeps serving
      release 9f8e7d6c5b4a, promotion 0tq00000, 1m12s
      hint: put it right and run `promoter plan` to see what the next deploy would
      do
    ");
}

#[test]
fn a_narrow_terminal() {
    let results = [
        result("greets", Verdict::Passed, "14 test cases passed"),
        result(
            "buys",
            Verdict::Failed,
            "exit 1; 2 of 5 test cases failed: 'pays'",
        ),
    ];
    let reason = Reason::new(ReasonKind::Check, "check buys failed: exit 1");
    let ended = ended(Phase::Aborted, &results, vec![reason]);
    fits(|columns| rendered(&ended, &results, columns));
}
