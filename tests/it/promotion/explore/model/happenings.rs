//! What happens in the model without the promoter.

use promoter::promotion::phase::Phase;

use super::node::Node;
use crate::promotion::explore::states::{Age, App, Asked, Candidate, Old, Points, Returned, Run};

/// All that can happen next: the cluster, time, people, crashes.
pub(super) fn happenings(node: Node) -> Vec<Node> {
    let mut all = cluster(node);
    all.extend(passing_time(node));
    let phase = node.state.phase;
    for hurry in [false, true] {
        all.push(node.taken_over(hurry));
    }
    if phase < Phase::Settling {
        // A person stops it.
        all.push(node.enter(Phase::Aborting));
    }
    if node.state.asked == Asked::Nothing && phase == Phase::Settling {
        all.push(node.with(|state| state.asked = Asked::Rollback));
    }
    if node.state.asked == Asked::Nothing && phase < Phase::Settling {
        all.push(node.with(|state| state.asked = Asked::Held));
    }
    if node.meddlings > 0 {
        let meddled = meddling(node).into_iter();
        all.extend(meddled.map(|n| Node {
            meddlings: node.meddlings - 1,
            ..n
        }));
    }
    all
}

fn cluster(node: Node) -> Vec<Node> {
    let mut all = Vec::new();
    for n in 0..node.state.kind.apps {
        let app = node.state.apps[n];
        let mut become_of = |change: &dyn Fn(&mut App)| all.push(node.with_app(n, change));
        match app.candidate {
            Candidate::Unready => become_of(&|app| app.candidate = Candidate::Ready),
            Candidate::Ready => become_of(&|app| app.candidate = Candidate::Unready),
            Candidate::Deleting => {
                become_of(&|app| (app.candidate, app.leftover) = (Candidate::Absent, true));
            }
            _ => {}
        }
        if app.leftover {
            become_of(&|app| app.leftover = false);
        }
        if app.old == Old::Deleting {
            become_of(&|app| app.old = Old::Absent);
        }
        if !app.routed && app.candidate != Candidate::Absent {
            become_of(&|app| app.routed = true);
        }
        if !app.followed {
            become_of(&|app| app.followed = true);
        }
    }
    for n in 0..node.state.kind.checks {
        let runs: &[Run] = match node.state.checks[n].run {
            Run::Starting => &[Run::Running, Run::Deleted],
            Run::Running => &[
                Run::ExitZero,
                Run::ExitOne,
                Run::Deleted,
                Run::Overtime,
                Run::Swapped,
            ],
            _ => &[],
        };
        let ran = runs
            .iter()
            .map(|run| node.with(|state| state.checks[n].run = *run));
        all.extend(ran);
    }
    all
}

fn passing_time(node: Node) -> Vec<Node> {
    let later = match (node.state.phase, node.state.age) {
        (_, Age::Overdue) => None,
        (Phase::Settling, Age::Drained) => Some(Age::Kept),
        (Phase::Settling | Phase::Checking, Age::Young) => Some(Age::Drained),
        _ => Some(Age::Overdue),
    };
    let aged = later.map(|age| node.with(|state| state.age = age));
    let drained = (node.state.returned == Returned::JustNow)
        .then(|| node.with(|state| state.returned = Returned::LongAgo));
    aged.into_iter().chain(drained).collect()
}

/// What somebody with kubectl may do, once.
fn meddling(node: Node) -> Vec<Node> {
    let mut all = Vec::new();
    let app = node.state.apps[0];
    let stands = matches!(app.candidate, Candidate::Ready | Candidate::Unready);
    if stands {
        all.push(node.with_app(0, |app| app.candidate = Candidate::Edited));
        all.push(node.with_app(0, |app| app.candidate = Candidate::Deleting));
        if node.state.phase > Phase::Deploying {
            all.push(node.with_app(0, |app| app.candidate = Candidate::Replaced));
        }
    }
    all.push(node.with_app(0, |app| app.rerouted = true));
    for points in [
        Points::Missing,
        Points::Elsewhere,
        Points::Old,
        Points::New,
        Points::BentNew,
    ] {
        all.push(node.with_app(0, |app| app.points = points));
    }
    if app.old == Old::Ready {
        all.push(node.with_app(0, |app| app.old = Old::Unready));
    }
    all.push(node.with(|state| state.exposing = true));
    all
}
