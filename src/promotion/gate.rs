//! The gate: from the results of checks to a decision.
//!
//! Input: the checks a plan requires, the results there are, and the promotion
//! and plan they have to be of. Output: a [`Decision`]. Promote comes out only
//! when every required check has one result for exactly this promotion and
//! plan, and it is Passed; a result of any other counts as none. Nothing here
//! looks at how a result came about, and nothing carries over from before.

use std::collections::BTreeSet;
use std::fmt;

use super::check::{CheckResult, Verdict};
use crate::group::name::CheckName;

/// What the gate decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// The candidate may be switched to.
    Promote,
    /// It may not; there is at least one reason.
    Abort(Vec<AbortReason>),
    /// Results are missing: what for, in words.
    Wait(String),
}

/// Why the gate refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AbortReason {
    /// A check said no.
    Failed {
        /// Which.
        check: CheckName,
        /// Its result's reason.
        reason: String,
    },
    /// A check did not end in time.
    TimedOut {
        /// Which.
        check: CheckName,
        /// Its result's reason.
        reason: String,
    },
    /// Nobody can tell what a check would have said.
    Errored {
        /// Which.
        check: CheckName,
        /// Its result's reason.
        reason: String,
    },
    /// A check has several results, so that none can be trusted.
    Ambiguous {
        /// Which.
        check: CheckName,
        /// How many.
        results: usize,
    },
    /// There is no check, and the environment does not allow that.
    Untested,
}

/// The kinds of reasons, in the order in which they name a whole abort; exit
/// codes tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AbortKind {
    /// A check failed or timed out.
    Check,
    /// A check gave no verdict.
    Errored,
    /// The gate refused for another reason.
    Gate,
}

impl AbortReason {
    /// Its kind.
    pub fn kind(&self) -> AbortKind {
        match self {
            Self::Failed { .. } | Self::TimedOut { .. } => AbortKind::Check,
            Self::Errored { .. } | Self::Ambiguous { .. } => AbortKind::Errored,
            Self::Untested => AbortKind::Gate,
        }
    }
}

impl fmt::Display for AbortReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { check, reason } => write!(f, "check {check} failed: {reason}"),
            Self::TimedOut { check, reason } => write!(f, "check {check} timed out: {reason}"),
            Self::Errored { check, reason } => write!(f, "check {check} errored: {reason}"),
            Self::Ambiguous { check, results } => {
                write!(f, "check {check} has {results} results, so none counts")
            }
            Self::Untested => f.write_str(
                "the group has no check, and its environment does not allow untested groups",
            ),
        }
    }
}

/// Decides whether a plan's candidate may be switched to (promise 2).
///
/// One check that did not pass is enough to abort, also while others run; all
/// that is known by then is named, in the order of the required checks.
pub fn gate(
    required: &[CheckName],
    results: &[CheckResult],
    promotion: &str,
    plan: &str,
    untested_allowed: bool,
) -> Decision {
    if required.is_empty() && !untested_allowed {
        return Decision::Abort(vec![AbortReason::Untested]);
    }
    let mut reasons = Vec::new();
    let mut missing = Vec::new();
    let mut done = BTreeSet::new();
    for check in required {
        if !done.insert(check) {
            continue;
        }
        let of_this = |result: &&CheckResult| {
            result.check == *check && result.promotion == promotion && result.plan == plan
        };
        let found: Vec<&CheckResult> = results.iter().filter(of_this).collect();
        match found.as_slice() {
            [] => missing.push(check.as_str()),
            [result] => reasons.extend(refusal(result)),
            several => {
                reasons.extend(several.iter().filter_map(|result| refusal(result)));
                reasons.push(AbortReason::Ambiguous {
                    check: check.clone(),
                    results: several.len(),
                });
            }
        }
    }
    if !reasons.is_empty() {
        Decision::Abort(reasons)
    } else if !missing.is_empty() {
        let s = if missing.len() == 1 { "" } else { "s" };
        Decision::Wait(format!("the result{s} of {}", missing.join(", ")))
    } else {
        Decision::Promote
    }
}

/// Why a result does not let anything pass; `None` for Passed alone.
fn refusal(result: &CheckResult) -> Option<AbortReason> {
    let check = result.check.clone();
    let reason = result.reason.clone();
    match result.verdict {
        Verdict::Passed => None,
        Verdict::Failed => Some(AbortReason::Failed { check, reason }),
        Verdict::TimedOut => Some(AbortReason::TimedOut { check, reason }),
        Verdict::Errored => Some(AbortReason::Errored { check, reason }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    const VERDICTS: [Verdict; 4] = [
        Verdict::Passed,
        Verdict::Failed,
        Verdict::Errored,
        Verdict::TimedOut,
    ];

    fn name(text: &str) -> CheckName {
        CheckName::parse(text).unwrap()
    }

    fn result(check: &str, promotion: &str, plan: &str, verdict: Verdict) -> CheckResult {
        CheckResult {
            check: name(check),
            promotion: promotion.to_owned(),
            plan: plan.to_owned(),
            verdict,
            reason: "exit 1".to_owned(),
            exit_code: None,
            attempt: 1,
            duration: None,
            cases: Vec::new(),
            left_out: BTreeMap::new(),
            tail: Vec::new(),
        }
    }

    #[track_caller]
    fn check(required: &[&str], results: &[CheckResult], expected: &str) {
        let required: Vec<CheckName> = required.iter().map(|text| name(text)).collect();
        let found = match gate(&required, results, "p", "f", false) {
            Decision::Promote => "promote".to_owned(),
            Decision::Wait(what) => format!("wait for {what}"),
            Decision::Abort(reasons) => reasons
                .iter()
                .map(|r| format!("{:?}: {r}", r.kind()))
                .collect::<Vec<_>>()
                .join("; "),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn words() {
        let of = |check, verdict| result(check, "p", "f", verdict);
        check(&["a"], &[of("a", Verdict::Passed)], "promote");
        check(&["a", "a"], &[of("a", Verdict::Passed)], "promote");
        check(&["a"], &[], "wait for the result of a");
        check(
            &["a", "b"],
            &[of("c", Verdict::Failed)],
            "wait for the results of a, b",
        );
        check(
            &["b", "a"],
            &[of("a", Verdict::Failed), of("b", Verdict::TimedOut)],
            "Check: check b timed out: exit 1; Check: check a failed: exit 1",
        );
        check(
            &["a", "b"],
            &[of("b", Verdict::Errored)],
            "Errored: check b errored: exit 1",
        );
        check(
            &["a"],
            &[of("a", Verdict::Passed), of("a", Verdict::Passed)],
            "Errored: check a has 2 results, so none counts",
        );
        check(
            &["a"],
            &[of("a", Verdict::Passed), of("a", Verdict::Failed)],
            "Check: check a failed: exit 1; Errored: check a has 2 results, so none counts",
        );
        check(
            &[],
            &[],
            "Gate: the group has no check, and its environment does not allow untested groups",
        );
        assert_eq!(gate(&[], &[], "p", "f", true), Decision::Promote);
        assert!(AbortKind::Check < AbortKind::Errored && AbortKind::Errored < AbortKind::Gate);
    }

    /// What promise 2 says, in other words than the gate's.
    fn may_promote(required: &[CheckName], results: &[CheckResult], untested: bool) -> bool {
        let here = |r: &CheckResult| (r.promotion.as_str(), r.plan.as_str()) == ("p", "f");
        let count = |check: &CheckName, passed: bool| {
            let same = |r: &&CheckResult| r.check == *check && here(r);
            let fits = |r: &&CheckResult| (r.verdict == Verdict::Passed) == passed;
            results.iter().filter(same).filter(fits).count()
        };
        (untested || !required.is_empty())
            && required
                .iter()
                .all(|check| count(check, true) == 1 && count(check, false) == 0)
    }

    #[track_caller]
    fn holds(required: &[CheckName], results: &[CheckResult], untested: bool) -> bool {
        let decision = gate(required, results, "p", "f", untested);
        let promotes = decision == Decision::Promote;
        assert_eq!(
            promotes,
            may_promote(required, results, untested),
            "{required:?} {results:?}"
        );
        if let Decision::Abort(reasons) = decision {
            assert!(!reasons.is_empty());
        }
        promotes
    }

    /// Up to two required checks, up to three results, each of one of three
    /// checks, this or another promotion, this or another plan, any verdict.
    #[test]
    fn every_small_case() {
        let mut one = vec![None];
        for check in ["a", "b", "c"] {
            for (promotion, plan) in [("p", "f"), ("q", "f"), ("p", "g"), ("f", "p")] {
                one.extend(VERDICTS.map(|verdict| Some(result(check, promotion, plan, verdict))));
            }
        }
        let required: Vec<Vec<CheckName>> = [&[][..], &["a"], &["a", "b"]]
            .map(|names| names.iter().map(|n| name(n)).collect())
            .into();
        let (mut visited, mut promoted) = (0_u64, 0_u64);
        for first in &one {
            for second in &one {
                for third in &one {
                    let results: Vec<CheckResult> = [first, second, third]
                        .into_iter()
                        .flatten()
                        .cloned()
                        .collect();
                    for required in &required {
                        for untested in [false, true] {
                            let is_open = holds(required, &results, untested);
                            promoted += u64::from(is_open && !required.is_empty());
                            visited += 1;
                        }
                    }
                }
            }
        }
        println!("{visited} cases, {promoted} of them promote with a check");
        assert!(visited > 600_000 && promoted > 0);
    }

    fn some_result() -> impl Strategy<Value = CheckResult> {
        let check = prop::sample::select(&["a", "b", "c", "d"][..]);
        // Mostly of this promotion and plan, or hardly anything would promote.
        let place =
            prop::sample::select(&[("p", "f"), ("p", "f"), ("p", "f"), ("q", "f"), ("p", "")][..]);
        let verdict =
            prop_oneof![3 => Just(Verdict::Passed), 1 => prop::sample::select(&VERDICTS[..])];
        (check, place, verdict)
            .prop_map(|(check, (promotion, plan), verdict)| result(check, promotion, plan, verdict))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn many_results(
            required in prop::collection::btree_set(prop::sample::select(&["a", "b", "c"][..]), 0..4),
            results in prop::collection::vec(some_result(), 0..7),
            untested: bool,
        ) {
            let required: Vec<CheckName> = required.iter().map(|text| name(text)).collect();
            holds(&required, &results, untested);
        }

        /// Results of other promotions and plans change nothing.
        #[test]
        fn others_do_not_count(results in prop::collection::vec(some_result(), 0..7)) {
            let required = [name("a"), name("b")];
            let ours: Vec<CheckResult> =
                results.iter().filter(|r| r.promotion == "p" && r.plan == "f").cloned().collect();
            prop_assert_eq!(
                gate(&required, &results, "p", "f", false),
                gate(&required, &ours, "p", "f", false)
            );
        }
    }
}
