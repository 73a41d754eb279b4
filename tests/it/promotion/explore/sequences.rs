//! Promotions through situations that follow from nothing: whatever is found
//! after every step, no path leads past the gate.

use promoter::promotion::phase::Phase;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;

use super::choice::{AGES, ASKED, CANDIDATES, OLDS, POINTS, RUNS};
use super::model::Node;
use super::states::{Age, Asked, Candidate, Kind, Old, Points, Run};
use super::{concrete, invariants};
use crate::support::given;

/// What is found when the promoter looks again, and what comes of its step.
#[derive(Debug, Clone)]
struct Look {
    /// `None`: what has become by itself of what there was, here and below.
    candidates: [Option<Candidate>; 2],
    olds: [Option<Old>; 2],
    points: [Option<Points>; 2],
    reachable: [bool; 2],
    runs: [Run; 2],
    age: Age,
    asked: Asked,
    taken_over: bool,
    /// Mostly the first: that the step was done.
    outcome: usize,
}

/// Mostly all is well, or promotions would hardly get anywhere.
fn look() -> impl Strategy<Value = Look> {
    let candidate = || prop_oneof![30 => Just(None), 1 => select(&CANDIDATES[..]).prop_map(Some)];
    let old = || prop_oneof![30 => Just(None), 1 => select(&OLDS[..]).prop_map(Some)];
    let points = || prop_oneof![9 => Just(None), 1 => select(&POINTS[..]).prop_map(Some)];
    let run = || prop_oneof![3 => Just(Run::ExitZero), 1 => select(&RUNS[1..])];
    let age = prop_oneof![9 => select(&AGES[..3]), 1 => Just(Age::Overdue)];
    let both = (
        candidate(),
        old(),
        points(),
        prop::bool::weighted(0.9),
        run(),
    );
    let other = (
        candidate(),
        old(),
        points(),
        prop::bool::weighted(0.9),
        run(),
    );
    let asked = prop_oneof![9 => Just(Asked::Nothing), 1 => select(&ASKED[..])];
    let outcome = prop_oneof![9 => Just(0), 1 => 0..4_usize];
    let rest = (age, asked, prop::bool::weighted(0.1), outcome);
    (both, other, rest).prop_map(|(one, two, (age, asked, taken_over, outcome))| Look {
        candidates: [one.0, two.0],
        olds: [one.1, two.1],
        points: [one.2, two.2],
        reachable: [one.3, two.3],
        runs: [one.4, two.4],
        age,
        asked,
        taken_over,
        outcome,
    })
}

/// The node as it is found at a look.
fn found(mut node: Node, look: &Look) -> Node {
    if look.taken_over {
        node = node.taken_over(look.outcome == 0);
    }
    let state = &mut node.state;
    let is_tested = state.phase > Phase::Deploying;
    (state.age, state.asked) = (look.age, look.asked);
    for n in 0..state.kind.apps {
        let app = &mut state.apps[n];
        app.candidate = match (look.candidates[n], app.candidate) {
            // Before anything was tested, none can be another one than was tested.
            (Some(Candidate::Replaced), _) if !is_tested => Candidate::Ready,
            (None, Candidate::Unready) => Candidate::Ready,
            (None, Candidate::Deleting) => Candidate::Absent,
            (candidate, before) => candidate.unwrap_or(before),
        };
        app.old = match (look.olds[n], app.old) {
            (None, Old::Deleting) => Old::Absent,
            (old, before) => old.unwrap_or(before),
        };
        app.points = look.points[n].unwrap_or(app.points);
        (app.routed, app.followed) = (look.reachable[n], look.reachable[n]);
    }
    for (check, run) in state.checks.iter_mut().zip(look.runs) {
        if check.run != Run::Unstarted {
            check.run = run;
        }
    }
    node
}

/// Follows a promotion through these looks; says where it came to.
fn followed(kind: Kind, looks: &[Look]) -> Result<Phase, TestCaseError> {
    let mut node = Node::begin(kind, 0);
    for look in looks {
        node = found(node, look);
        let decided = concrete::decide(&node.state);
        let broken = invariants::broken(&node.state, &decided);
        prop_assert!(
            broken.is_empty(),
            "{broken:?}: {decided:?} in {:#?}",
            node.state
        );
        let outcomes = node.outcomes(&decided);
        node = *outcomes
            .get(look.outcome)
            .or(outcomes.first())
            .unwrap_or(&node);
        let promoted = node.state.phase == Phase::Promoted;
        prop_assert!(!promoted || node.gated, "promoted past the gate");
    }
    Ok(node.state.phase)
}

#[test]
fn no_sequence_leads_past_the_gate() {
    let kinds = (1..3_usize, 1..3_usize, any::<bool>(), any::<bool>());
    let kinds = kinds.prop_map(|(apps, checks, replaces, reports)| Kind {
        apps,
        checks,
        untested: false,
        replaces,
        reports,
    });
    let cases = (kinds, prop::collection::vec(look(), 0..40));
    let ends = std::cell::RefCell::new(std::collections::BTreeMap::new());
    let followed = TestRunner::new(given::cases(1000)).run(&cases, |(kind, looks)| {
        let end = followed(kind, &looks)?;
        let mut ends = ends.borrow_mut();
        let (sequences, looked) = ends.entry(end).or_insert((0, 0));
        (*sequences, *looked) = (*sequences + 1, *looked + looks.len());
        Ok(())
    });
    followed.unwrap_or_else(|error| panic!("{error}"));
    let ends = ends.into_inner();
    println!("sequences and looks by the phase they end in: {ends:?}");
    assert!(ends.contains_key(&Phase::Promoted) && ends.contains_key(&Phase::Aborted));
}
