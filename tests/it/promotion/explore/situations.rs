//! Every phase in every situation, of one app with one check and of pairs.
//!
//! What the rules of a phase may look at is gone through in full; whatever
//! else there is changes from one situation to the next all the same, so that
//! a rule which looked at it would be found out.

use promoter::promotion::Mark;
use promoter::promotion::phase::Phase;

use super::choice::{
    AGES, ASKED, BEFORE_TESTS, BOTH, CANDIDATES, OLDS, POINTS, RECORDED, RETURNED, RUNS, explore,
    mark, whatever,
};
use super::states::{Age, Candidate, Old, Points, Recorded};

/// Of pairs, what each of the two can be.
const FEW: [Candidate; 4] = [
    Candidate::Absent,
    Candidate::Ready,
    Candidate::Unready,
    Candidate::Edited,
];
const WAYS: [Points; 5] = [
    Points::Nowhere,
    Points::Elsewhere,
    Points::Old,
    Points::New,
    Points::BentNew,
];

/// What the rules of the switch look at.
const SWITCH: [Mark; 3] = [Mark::Unpublished, Mark::Shared, Mark::Services];

#[test]
fn first_and_last_phases() {
    for phase in [
        Phase::Planned,
        Phase::Promoted,
        Phase::Aborted,
        Phase::Failed,
    ] {
        // A final phase has no time limit, so it is never overdue.
        let ages = &AGES[..if phase == Phase::Planned { 4 } else { 3 }];
        explore(&phase.to_string(), &[], |choice| {
            let mut state = whatever(choice, (1, 1), phase);
            state.apps[0].candidate = choice.of(&CANDIDATES);
            state.apps[0].points = choice.of(&POINTS);
            state.checks[0].recorded = choice.of(&RECORDED);
            state.age = choice.of(ages);
            state
        });
    }
}

#[test]
fn deploying() {
    explore(
        "deploying",
        &[
            "Deploy",
            "Prepare",
            "DeleteServices",
            "DeleteDeployments",
            "DeleteJobs",
            "checking",
            "aborting",
            "wait",
        ],
        |choice| {
            let mut state = whatever(choice, (1, 1), Phase::Deploying);
            let app = &mut state.apps[0];
            app.candidate = choice.of(&BEFORE_TESTS);
            app.points = choice.of(&POINTS);
            app.routed = choice.of(&BOTH);
            app.leftover = choice.of(&BOTH);
            app.rerouted = choice.of(&BOTH);
            mark(choice, &mut state, &[Mark::Prepared]);
            state.age = choice.of(&AGES);
            state.stray_job = choice.of(&BOTH);
            state.exposing = choice.of(&BOTH);
            state
        },
    );
    explore("deploying a pair", &["Deploy", "checking"], |choice| {
        let mut state = whatever(choice, (2, 1), Phase::Deploying);
        for app in &mut state.apps {
            app.candidate = choice.of(&BEFORE_TESTS);
            app.points = choice.of(&WAYS);
            app.routed = choice.of(&BOTH);
        }
        mark(choice, &mut state, &[Mark::Prepared]);
        (state.stray_job, state.exposing) = (false, false);
        state.age = choice.of(&[Age::Young, Age::Overdue]);
        state
    });
}

#[test]
fn checking() {
    for checks in [0, 1] {
        explore(
            &format!("checking with {checks} checks"),
            &["promoting", "aborting"],
            |choice| {
                let mut state = whatever(choice, (1, checks), Phase::Checking);
                let app = &mut state.apps[0];
                app.candidate = choice.of(&CANDIDATES);
                app.points = choice.of(&POINTS);
                app.rerouted = choice.of(&BOTH);
                if checks == 1 {
                    let check = &mut state.checks[0];
                    check.run = choice.of(&RUNS);
                    check.recorded = choice.of(&RECORDED);
                    check.last_run = choice.of(&BOTH);
                }
                state.exposing = choice.of(&BOTH);
                state.age = choice.of(&[Age::Young, Age::Drained, Age::Overdue]);
                state
            },
        );
    }
    explore(
        "checking with a pair of checks",
        &[
            "StartChecks",
            "Conclude",
            "Repeat",
            "promoting",
            "aborting",
            "wait",
        ],
        |choice| {
            let mut state = whatever(choice, (1, 2), Phase::Checking);
            let app = &mut state.apps[0];
            app.candidate = choice.of(&[Candidate::Ready, Candidate::Edited]);
            (app.points, app.rerouted) = (Points::Old, false);
            for check in &mut state.checks {
                check.run = choice.of(&RUNS);
                check.recorded = choice.of(&RECORDED);
            }
            state.exposing = false;
            state.age = choice.of(&[Age::Young, Age::Drained, Age::Overdue]);
            state
        },
    );
}

#[test]
fn promoting() {
    for checks in [0, 1] {
        explore(
            &format!("promoting after {checks} checks"),
            &["ApplyShared", "Switch", "ApplyServices", "settling"],
            |choice| {
                let mut state = whatever(choice, (1, checks), Phase::Promoting);
                let app = &mut state.apps[0];
                app.candidate = choice.of(&CANDIDATES);
                app.points = choice.of(&POINTS);
                app.routed = choice.of(&BOTH);
                app.followed = choice.of(&BOTH);
                app.rerouted = choice.of(&BOTH);
                app.old = choice.of(&[Old::Ready, Old::Unready]);
                state.asked = choice.of(&ASKED[..3]);
                if checks == 1 {
                    state.checks[0].recorded = choice.of(&RECORDED);
                }
                mark(choice, &mut state, &SWITCH);
                state.age = choice.of(&[Age::Young, Age::Overdue]);
                state
            },
        );
    }
    explore(
        "promoting a pair",
        &["ApplyShared", "Switch", "settling", "aborting", "wait"],
        |choice| {
            let mut state = whatever(choice, (2, 2), Phase::Promoting);
            for app in &mut state.apps {
                app.candidate = choice.of(&FEW[1..]);
                app.points = choice.of(&WAYS);
                (app.routed, app.followed) = (choice.of(&BOTH), choice.any(&BOTH));
                app.rerouted = false;
            }
            state.checks[0].recorded = Recorded::Passed;
            state.checks[1].recorded = choice.of(&[Recorded::Nothing, Recorded::Passed]);
            mark(choice, &mut state, &SWITCH);
            state.age = choice.of(&[Age::Young, Age::Overdue]);
            state
        },
    );
    explore(
        "promoting after a pair of checks",
        &["Switch", "settling"],
        |choice| {
            let mut state = whatever(choice, (1, 2), Phase::Promoting);
            let app = &mut state.apps[0];
            app.candidate = Candidate::Ready;
            app.points = choice.of(&POINTS);
            (app.routed, app.rerouted) = (true, false);
            state.asked = choice.of(&ASKED[..3]);
            for check in &mut state.checks {
                check.recorded = choice.of(&RECORDED);
            }
            mark(choice, &mut state, &SWITCH);
            state.age = choice.of(&[Age::Young, Age::Overdue]);
            state
        },
    );
}

#[test]
fn settling() {
    explore(
        "settling",
        &[
            "ApplyServices",
            "LetGo",
            "DeleteDeployments",
            "DeleteJobs",
            "Prune",
            "promoted",
            "aborting",
            "wait",
        ],
        |choice| {
            let mut state = whatever(choice, (1, 1), Phase::Settling);
            state.kind.reports = choice.of(&BOTH);
            let app = &mut state.apps[0];
            app.candidate = choice.of(&CANDIDATES);
            app.old = choice.of(&OLDS);
            app.points = choice.of(&POINTS);
            app.routed = choice.of(&BOTH);
            state.hurry = choice.of(&BOTH);
            state.asked = choice.of(&ASKED);
            let marks = [Mark::Services, Mark::LetGo, Mark::Pruned];
            mark(choice, &mut state, &marks);
            state.age = choice.of(&AGES);
            state
        },
    );
    explore(
        "settling a pair",
        &["DeleteDeployments", "aborting"],
        |choice| {
            let mut state = whatever(choice, (2, 1), Phase::Settling);
            for app in &mut state.apps {
                app.candidate = choice.of(&[Candidate::Ready, Candidate::Unready]);
                app.old = choice.of(&OLDS);
                app.points = choice.of(&[Points::Old, Points::New, Points::BentOld]);
                app.routed = true;
            }
            state.hurry = choice.of(&BOTH);
            state.resumed = false;
            state.mark(Mark::Services);
            mark(choice, &mut state, &[Mark::LetGo]);
            state.asked = choice.of(&ASKED);
            state.age = choice.of(&AGES);
            state
        },
    );
}

#[test]
fn aborting() {
    explore(
        "aborting",
        &[
            "SwitchBack",
            "Restore",
            "DeleteDeployments",
            "DeleteJobs",
            "Prune",
            "aborted",
            "failed",
            "wait",
        ],
        |choice| {
            let mut state = whatever(choice, (1, 1), Phase::Aborting);
            let app = &mut state.apps[0];
            app.candidate = choice.of(&CANDIDATES);
            app.points = choice.of(&POINTS);
            app.leftover = choice.of(&BOTH);
            state.exposed = choice.of(&BOTH);
            state.returned = choice.of(&RETURNED);
            let marks = [Mark::SharedBegun, Mark::Restored, Mark::Pruned];
            mark(choice, &mut state, &marks);
            state.stray_job = choice.of(&BOTH);
            state.age = choice.of(&[Age::Young, Age::Overdue]);
            state
        },
    );
    explore(
        "aborting a pair",
        &["SwitchBack", "DeleteDeployments"],
        |choice| {
            let mut state = whatever(choice, (2, 1), Phase::Aborting);
            for app in &mut state.apps {
                app.candidate = choice.of(&FEW);
                app.points = choice.of(&WAYS);
                app.leftover = choice.of(&BOTH);
            }
            state.exposed = choice.of(&BOTH);
            state.returned = choice.of(&RETURNED);
            state.age = choice.of(&[Age::Young, Age::Overdue]);
            state
        },
    );
}
