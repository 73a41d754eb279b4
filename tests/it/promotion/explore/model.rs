//! All sequences of what a promoter does and what happens to it, in a model:
//! the rules decide, an environment answers, and every state that can be come
//! to is visited once.
//!
//! Steps are done, half done, refused or cut off; pods come, go and fail;
//! checks end either way; time passes; promoters die and others take over; a
//! person stops it; and somebody with kubectl interferes, so often.

mod happenings;
mod node;

use std::collections::{HashMap, VecDeque};

use promoter::promotion::phase::Phase;

use super::judged;
use super::states::Kind;
use happenings::happenings;
pub(super) use node::Node;

/// Visits everything that can be come to.
fn visit(kind: Kind, meddlings: u8) {
    let begin = Node::begin(kind, meddlings);
    let mut places = HashMap::from([(begin, 0_usize)]);
    let mut nodes = vec![begin];
    let mut sources: Vec<Vec<usize>> = vec![Vec::new()];
    let mut open = VecDeque::from([0]);
    while let Some(place) = open.pop_front() {
        let node = nodes[place];
        let decided = judged(&node.state);
        let mut follow = node.outcomes(&decided);
        if !node.state.phase.is_final() {
            follow.extend(happenings(node));
        }
        for next in follow {
            let at = *places.entry(next).or_insert_with(|| {
                nodes.push(next);
                sources.push(Vec::new());
                open.push_back(nodes.len() - 1);
                nodes.len() - 1
            });
            sources[at].push(place);
        }
    }
    let ended = |place: &usize| nodes[*place].state.phase.is_final();
    let mut can_end: Vec<bool> = (0..nodes.len()).map(|place| ended(&place)).collect();
    let mut open: Vec<usize> = (0..nodes.len()).filter(ended).collect();
    while let Some(place) = open.pop() {
        for source in &sources[place] {
            if !std::mem::replace(&mut can_end[*source], true) {
                open.push(*source);
            }
        }
    }
    let stuck = can_end.iter().position(|can_end| !can_end);
    assert_eq!(stuck.map(|place| nodes[place]), None, "no way to an end");
    let ends = |phase| {
        nodes
            .iter()
            .filter(|node| node.state.phase == phase)
            .count()
    };
    let (promoted, aborted, failed) = (
        ends(Phase::Promoted),
        ends(Phase::Aborted),
        ends(Phase::Failed),
    );
    println!(
        "{kind:?}, {meddlings} meddlings: {} states, all lead to an end; {promoted} promoted, \
         {aborted} aborted, {failed} failed, 0 past the gate",
        nodes.len()
    );
    assert!(promoted > 0 && aborted > 0 && failed > 0);
}

/// A group with as many apps and checks, that is not promoted untested.
fn kind(apps: usize, checks: usize, replaces: bool) -> Kind {
    Kind {
        apps,
        checks,
        untested: false,
        replaces,
        reports: false,
    }
}

#[test]
fn a_promotion_with_which_somebody_interferes() {
    visit(kind(1, 1, true), 1);
}

#[test]
fn a_first_promotion_with_which_somebody_interferes() {
    visit(kind(1, 1, false), 1);
}

#[test]
fn a_pair_of_apps_left_alone() {
    visit(kind(2, 1, true), 0);
}
