//! Going through all combinations of what a situation is made of.

use std::collections::BTreeMap;

use promoter::promotion::Mark;
use promoter::promotion::next::Next;
use promoter::promotion::phase::Phase;

use super::states::{
    Age, App, Asked, Candidate, Check, Kind, MARKS, Old, Points, Recorded, Returned, Run, State,
    bit,
};
use super::{concrete, invariants};

pub(super) const CANDIDATES: [Candidate; 7] = [
    Candidate::Absent,
    Candidate::Ready,
    Candidate::Unready,
    Candidate::Edited,
    Candidate::Replaced,
    Candidate::Foreign,
    Candidate::Deleting,
];
pub(super) const BEFORE_TESTS: [Candidate; 6] = [
    Candidate::Absent,
    Candidate::Ready,
    Candidate::Unready,
    Candidate::Edited,
    Candidate::Foreign,
    Candidate::Deleting,
];
pub(super) const OLDS: [Old; 5] = [
    Old::Absent,
    Old::Ready,
    Old::Unready,
    Old::Unrouted,
    Old::Deleting,
];
pub(super) const POINTS: [Points; 7] = [
    Points::Missing,
    Points::Nowhere,
    Points::Elsewhere,
    Points::Old,
    Points::New,
    Points::BentOld,
    Points::BentNew,
];
pub(super) const RUNS: [Run; 10] = [
    Run::Unstarted,
    Run::Starting,
    Run::Running,
    Run::Overtime,
    Run::ExitZero,
    Run::ExitOne,
    Run::Deleted,
    Run::JobGone,
    Run::Foreign,
    Run::Swapped,
];
pub(super) const RECORDED: [Recorded; 9] = [
    Recorded::Nothing,
    Recorded::Passed,
    Recorded::Failed,
    Recorded::Errored,
    Recorded::TimedOut,
    Recorded::OtherPromotion,
    Recorded::OtherPlan,
    Recorded::PassedTwice,
    Recorded::PassedAndFailed,
];
pub(super) const AGES: [Age; 4] = [Age::Young, Age::Drained, Age::Kept, Age::Overdue];
pub(super) const RETURNED: [Returned; 3] = [Returned::No, Returned::JustNow, Returned::LongAgo];
pub(super) const ASKED: [Asked; 5] = [
    Asked::Nothing,
    Asked::Rollback,
    Asked::Abort,
    Asked::Held,
    Asked::RollbackOfAnother,
];
pub(super) const BOTH: [bool; 2] = [false, true];

/// Goes through the situations that `vary` makes of a choice of values.
///
/// `vary` takes a value of each list it needs from the [`Choice`]; the
/// choices run through all combinations of them. Rules that never came to the
/// decisions it `reaches` would break nothing either.
pub(super) fn explore(name: &str, reaches: &[&str], vary: impl Fn(&mut Choice) -> State) {
    let mut choice = Choice::default();
    let (mut visited, mut violations) = (0_u64, Vec::new());
    let mut decided = BTreeMap::new();
    loop {
        choice.begin();
        let state = vary(&mut choice);
        let next = concrete::decide(&state);
        let broken = invariants::broken(&state, &next);
        if !broken.is_empty() {
            violations.push(format!("{broken:?}: {next:?} in {state:?}"));
        }
        *decided.entry(word(&next)).or_insert(0_u64) += 1;
        visited += 1;
        if !choice.advance() {
            break;
        }
    }
    println!(
        "{name}: {visited} situations, {} violations; {decided:?}",
        violations.len()
    );
    for reached in reaches {
        assert!(decided.contains_key(*reached), "never decided: {reached}");
    }
    let some: Vec<_> = violations.iter().take(5).collect();
    assert!(
        violations.is_empty(),
        "{} violations: {some:#?}",
        violations.len()
    );
}

fn word(next: &Next) -> String {
    match next {
        Next::Do(step) => {
            let step = format!("{step:?}");
            step.split(['(', ' ']).next().unwrap().to_owned()
        }
        Next::Enter { phase, .. } => phase.to_string(),
        Next::Wait { .. } => "wait".to_owned(),
        Next::End => "end".to_owned(),
    }
}

/// An odometer over all combinations of what was asked of it.
#[derive(Default)]
pub(super) struct Choice {
    /// Digit and base of each list.
    digits: Vec<(usize, usize)>,
    at: usize,
    round: u64,
}

impl Choice {
    fn begin(&mut self) {
        self.at = 0;
        self.round += 1;
    }

    pub(super) fn of<T: Copy>(&mut self, list: &[T]) -> T {
        if self.at == self.digits.len() {
            self.digits.push((0, list.len()));
        }
        let (digit, base) = self.digits[self.at];
        assert_eq!(base, list.len(), "a list depends on an earlier choice");
        self.at += 1;
        list[digit]
    }

    /// A value that changes from one combination to the next, without making
    /// more of them.
    pub(super) fn any<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.place(list.len())]
    }

    /// A place in a list of that length, another one in each combination.
    fn place(&mut self, length: usize) -> usize {
        // Fibonacci hashing: neighbours fall far apart.
        self.round = self
            .round
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(17)
            | 1;
        (self.round >> 33) as usize % length
    }

    fn advance(&mut self) -> bool {
        for (digit, base) in self.digits.iter_mut().rev() {
            *digit += 1;
            if *digit < *base {
                return true;
            }
            *digit = 0;
        }
        false
    }
}

fn kind(choice: &mut Choice, apps: usize, checks: usize) -> Kind {
    Kind {
        apps,
        checks,
        // With checks it must not matter.
        untested: if checks == 0 {
            choice.of(&BOTH)
        } else {
            choice.any(&BOTH)
        },
        replaces: choice.of(&BOTH),
        reports: choice.any(&BOTH),
    }
}

/// A situation of so many apps and checks, of which nothing was looked at yet.
pub(super) fn whatever(choice: &mut Choice, (apps, checks): (usize, usize), phase: Phase) -> State {
    let kind = kind(choice, apps, checks);
    let mut app = || App {
        candidate: choice.any(&CANDIDATES),
        old: choice.any(&OLDS),
        points: choice.any(&POINTS),
        routed: choice.any(&BOTH),
        followed: choice.any(&BOTH),
        rerouted: choice.any(&BOTH),
        leftover: choice.any(&BOTH),
    };
    let apps = [app(), app()];
    let mut check = || Check {
        run: choice.any(&RUNS),
        last_run: choice.any(&BOTH),
        recorded: choice.any(&RECORDED),
    };
    let checks = [check(), check()];
    State {
        kind,
        phase,
        age: choice.any(&AGES),
        resumed: choice.any(&BOTH),
        marks: u16::try_from(choice.place(1 << MARKS.len())).unwrap(),
        apps,
        checks,
        exposed: choice.any(&BOTH),
        returned: choice.any(&RETURNED),
        hurry: choice.any(&BOTH),
        asked: choice.any(&ASKED),
        stray_job: choice.any(&BOTH),
        exposing: choice.any(&BOTH),
    }
}

/// Every combination of these marks, whatever the others are.
pub(super) fn mark(choice: &mut Choice, state: &mut State, marks: &[Mark]) {
    for mark in marks {
        state.marks &= !bit(*mark);
        if choice.of(&BOTH) {
            state.mark(*mark);
        }
    }
}
