//! Whether what was recorded was also told, and told to its end.
//!
//! Events of all promoters of a test are taken together, as a store that they
//! all write to would. A fact may be told twice after a crash; none that is or
//! was on record may be missing.

use std::collections::{BTreeMap, BTreeSet};

use promoter::group::name::CheckName;
use promoter::promotion::Promotion;
use promoter::promotion::check::CheckResult;
use promoter::promotion::event::Fact;
use promoter::promotion::id::PromotionId;
use promoter::promotion::phase::Phase;
use promoter::promotion::record::{CheckSummary, GroupRecord, Outcome};

use crate::support::scenario::Scenario;

/// Everything that was ever on record of one promotion.
#[derive(Default)]
struct Recorded {
    phases: BTreeSet<Phase>,
    repeated: BTreeSet<CheckName>,
    results: Vec<CheckResult>,
    returned: bool,
    outcomes: Vec<Outcome>,
}

impl Recorded {
    fn take(&mut self, promotion: &Promotion) {
        self.phases.insert(promotion.phase);
        self.returned |= promotion.returned_at.is_some();
        let repeated = promotion.attempts.iter().filter(|(_, run)| **run > 1);
        self.repeated
            .extend(repeated.map(|(check, _)| check.clone()));
        for result in &promotion.results {
            if !self.results.iter().any(|known| known.is_of_run(result)) {
                self.results.push(result.clone());
            }
        }
    }
}

/// Every promotion that was begun has ended once, with what its checks said,
/// and everything about it was told.
#[track_caller]
pub(super) fn nothing_is_lost(scenario: &Scenario) {
    let (history, last) = {
        let state = scenario.world.state();
        (state.history.clone(), state.record.clone())
    };
    assert_eq!(last.untold, None, "nobody noted that its end was told");
    let events = scenario.events.events();
    for (id, recorded) in promotions(&history, &last) {
        let told = events.iter().filter(|e| e.promotion.as_ref() == Some(&id));
        let told: Vec<_> = told.map(|event| &event.fact).collect();
        let missing = missing(&recorded, &told);
        assert!(missing.is_empty(), "{id}: {missing:?}\ntold: {told:#?}");
    }
}

fn promotions(history: &[GroupRecord], last: &GroupRecord) -> BTreeMap<PromotionId, Recorded> {
    let mut all: BTreeMap<PromotionId, Recorded> = BTreeMap::new();
    for promotion in history.iter().filter_map(|r| r.in_flight.as_ref()) {
        all.entry(promotion.id.clone()).or_default().take(promotion);
    }
    for outcome in &last.outcomes {
        if let Some(recorded) = all.get_mut(&outcome.promotion) {
            recorded.phases.insert(outcome.phase);
            recorded.outcomes.push(outcome.clone());
        }
    }
    all
}

/// What is wrong, in words.
fn missing(recorded: &Recorded, told: &[&Fact]) -> Vec<String> {
    let mut missing = Vec::new();
    let mut expect = |held: bool, what: String| {
        if !held {
            missing.push(what);
        }
    };
    let tells = |fits: &dyn Fn(&Fact) -> bool| told.iter().any(|fact| fits(fact));
    let [outcome] = &recorded.outcomes[..] else {
        return vec![format!("{} outcomes", recorded.outcomes.len())];
    };
    let all_run = recorded.results.iter().map(|r| &r.check);
    let summed = outcome.checks.iter().chain(&outcome.hooks);
    let summed: BTreeSet<_> = summed.map(|c| &c.check).collect();
    expect(
        summed == all_run.collect::<BTreeSet<_>>(),
        format!("results in {:?}", outcome.checks),
    );
    expect(
        tells(&|fact| matches!(fact, Fact::Started { .. })),
        "that it was started".to_owned(),
    );
    for phase in &recorded.phases {
        let named = |fact: &Fact| match fact {
            Fact::Entered { phase: told, .. } | Fact::Resumed { phase: told } => told == phase,
            Fact::Finished { outcome } => outcome.phase == *phase,
            _ => *phase == Phase::Planned,
        };
        expect(tells(&named), format!("that it was {phase}"));
    }
    for check in &recorded.repeated {
        let named =
            |fact: &Fact| matches!(fact, Fact::CheckRepeated { check: told, .. } if told == check);
        expect(tells(&named), format!("that check {check} began again"));
    }
    for result in &recorded.results {
        let summary = CheckSummary::of(result);
        let same = |told: &CheckResult| {
            told.is_of_run(result)
                && told.verdict == result.verdict
                && told.reason == summary.reason
        };
        expect(
            tells(&|fact| matches!(fact, Fact::CheckEnded { result } if same(result))),
            format!("that check {} ended", result.check),
        );
    }
    let settled = recorded.phases.contains(&Phase::Settling);
    expect(
        !settled || tells(&|fact| matches!(fact, Fact::Switched { .. })),
        "the switch".to_owned(),
    );
    expect(
        !recorded.returned || tells(&|fact| matches!(fact, Fact::SwitchedBack)),
        "the way back".to_owned(),
    );
    let finished = |fact: &Fact| match fact {
        Fact::Finished { outcome: told } => {
            (told.phase, &told.reasons) == (outcome.phase, &outcome.reasons)
        }
        _ => false,
    };
    expect(tells(&finished), format!("its end as {}", outcome.phase));
    missing
}
