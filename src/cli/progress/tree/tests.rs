//! The tree's lines, and what a window of little room shows of them.

use std::time::Duration;

use super::draw::{self, Moment};
use super::screen::Screen;
use super::state::State;
use super::*;
use crate::cli::progress::sample::{aborted, app, at, deployed, event, promoted, started};
use crate::cli::view::terminal::Size;
use crate::promotion::event::{Event, Fact};
use crate::promotion::phase::Phase;

/// What stays above, then the tree, as drawn some seconds after the beginning.
#[track_caller]
fn shown(events: Vec<Event>, seconds: i64, size: (usize, usize)) -> String {
    let mut state = State::default();
    let above: Vec<_> = events
        .into_iter()
        .flat_map(|event| state.take(event))
        .collect();
    let ended = state.run.as_ref().is_some_and(|run| run.phase.is_final());
    let moment = Moment {
        now: at(seconds),
        passed: Duration::from_millis(250),
        finished: ended,
    };
    let (columns, rows) = size;
    let tree = draw::lines(&state, moment, Size { columns, rows });
    assert!(tree.iter().all(|line| line.width() <= columns));
    assert!(ended || tree.len() < rows);
    let above = above.iter().map(Line::plain);
    let lines: Vec<_> = above
        .chain([String::from("--")])
        .chain(tree.iter().map(Line::plain))
        .collect();
    lines.join("\n")
}

#[test]
fn before_there_is_a_plan() {
    insta::assert_snapshot!(shown(Vec::new(), 0, (80, 24)), @r"
    --
    ⠹ planning: asks registry and cluster  0s
    ");
}

#[test]
fn while_it_deploys() {
    let events = || deployed().into_iter().take(8);
    insta::assert_snapshot!(shown(events().collect(), 8, (80, 24)), @r"
    warning: failed to reach the cluster; trying again
    --
    master  8s  release 9f8e7d6c5b4a in green, blue serves
      ● hello-a  2/2 ready
      ◐ hello-b  1/2 ready
          unschedulable: 0/2 nodes are available: 2 Insufficient memory
      ○ greets   check, not started
      ○ smoke    check, not started
      ⠹ deploying  4m52s left  waits for pods of hello-a, hello-b to be ready
    ");
    insta::assert_snapshot!(shown(events().collect(), 8, (50, 24)), @r"
    warning: failed to reach the cluster; trying again
    --
    master  8s  release 9f8e7d6c5b4a in green, blue s…
      ● hello-a  2/2 ready
      ◐ hello-b  1/2 ready
          unschedulable: 0/2 nodes are available: 2
          Insufficient memory
      ○ greets   check, not started
      ○ smoke    check, not started
      ⠹ deploying  4m52s left
          waits for pods of hello-a, hello-b to be
          ready
    ");
}

#[test]
fn while_checks_run() {
    insta::assert_snapshot!(shown(deployed(), 75, (80, 24)), @r"
    warning: failed to reach the cluster; trying again
    ✓ all candidates are ready  9.0s
    --
    master  1m15s  release 9f8e7d6c5b4a in green, blue serves
      ● hello-a  2/2 ready
      ● hello-b  2/2 ready
      ⠹ greets   1m04s  ok 1 - greets
      ⠹ smoke    1m04s
      ⠹ checking  3m45s left
          waits for check greets: its container to end; check smoke: its container
          to end
    ");
    insta::assert_snapshot!(shown(deployed(), 13, (30, 24)), @r"
    warning: failed to reach the cluster; trying again
    ✓ all candidates are ready  9.0s
    --
    master  13s  release 9f8e7d6c…
      ● hello-a  2/2 ready
      ● hello-b  2/2 ready
      ⠹ greets   2s     ok 1 - gr…
      ⠹ smoke    2s
      ⠹ checking  4m47s left
          waits for check greets:
          its container to end;
          check smoke: its …
    ");
}

#[test]
fn while_the_old_colour_is_kept() {
    let events = promoted().into_iter().take(24).collect();
    insta::assert_snapshot!(shown(events, 30, (80, 24)), @r"
    warning: failed to reach the cluster; trying again
    ✓ all candidates are ready  9.0s
    ↻ check smoke is run again: its pod was deleted
    ✓ the gate lets it pass  11s
    ✓ switched 2 Services to green in 14 ms
    --
    master  30s  release 9f8e7d6c5b4a in green serves, blue served before
      ● hello-a  2/2 ready  blue gone
      ● hello-b  2/2 ready
      ✓ greets   passed 4.2s  14 test cases passed
      ✓ smoke    passed 4.2s  exit 0
      ⠹ settling  4m30s left  keep_old: blue stays for an instant way back
    ");
}

#[test]
fn at_the_end() {
    insta::assert_snapshot!(shown(promoted(), 52, (80, 24)), @r"
    warning: failed to reach the cluster; trying again
    ✓ all candidates are ready  9.0s
    ↻ check smoke is run again: its pod was deleted
    ✓ the gate lets it pass  11s
    ✓ switched 2 Services to green in 14 ms
    ✓ the old colour is gone  31s
    --
    master  52s  release 9f8e7d6c5b4a in green serves
      ● hello-a  2/2 ready  blue gone
      ● hello-b  2/2 ready  blue gone
      ✓ greets   passed 4.2s  14 test cases passed
      ✓ smoke    passed 4.2s  exit 0
    ");
    insta::assert_snapshot!(shown(aborted(), 18, (80, 24)), @r"
    warning: failed to reach the cluster; trying again
    ✓ all candidates are ready  9.0s
    ✗ app hello-a: somebody changed its candidate
    ✓ the candidate is gone  3.0s
    --
    master  18s  release 9f8e7d6c5b4a in green, blue serves
      ● hello-a  2/2 ready
      ● hello-b  2/2 ready
      ✗ greets   failed 4.2s
          exit 1; 2 of 14 test cases failed: greets > in French, with accents
      ○ smoke    check, did not end
    ");
}

#[test]
fn what_matters_least_makes_room() {
    let many = (0..30).map(|n| app(1, &format!("app-{n}"), if n == 28 { 1 } else { 2 }, None));
    let events = deployed().into_iter().chain(many).collect();
    insta::assert_snapshot!(shown(events, 13, (80, 10)), @r"
    warning: failed to reach the cluster; trying again
    ✓ all candidates are ready  9.0s
    --
    master  13s  release 9f8e7d6c5b4a in green, blue serves
      ● hello-a  2/2 ready
      ◐ app-28   1/2 ready
      ⠹ greets   2s     ok 1 - greets
      ⠹ smoke    2s
      … 30 more, for which there is no room
      ⠹ checking  4m47s left
          waits for check greets: its container to end; check smoke: its container
          to end
    ");
    for rows in 0..40 {
        let events = deployed().into_iter().take(6).collect();
        let lines = shown(events, 8, (10, rows.max(2)));
        assert!(lines.contains("master"), "{rows}: {lines}");
    }
}

#[test]
fn a_promotion_that_is_resumed_makes_room_for_the_next() {
    let mut other = event(
        -5,
        Fact::Resumed {
            phase: Phase::Settling,
        },
    );
    other.promotion = crate::cli::view::sample::from("0tq00000");
    let mut gone = event(
        -4,
        Fact::Entered {
            phase: Phase::Promoted,
            reasons: Vec::new(),
        },
    );
    gone.promotion = other.promotion.clone();
    insta::assert_snapshot!(shown(vec![other, gone, started()], 0, (80, 24)), @r"
    ↻ promotion 0tq00000 was left while settling; it is driven on first
    ✓ the old colour is gone  1.0s
    ✓ promotion 0tq00000: promoted
    --
    master  0s  release 9f8e7d6c5b4a in green, blue serves
      ○ hello-a  app, no pods yet
      ○ hello-b  app, no pods yet
      ○ greets   check, not started
      ○ smoke    check, not started
      ⠹ planned
    ");
}

#[test]
fn every_line_of_a_check_stays_if_wanted() {
    let mut state = State {
        stream: true,
        run: None,
    };
    let above: Vec<_> = deployed()
        .into_iter()
        .flat_map(|event| state.take(event))
        .collect();
    assert_eq!(
        above
            .iter()
            .filter(|line| line.plain().starts_with("greets │"))
            .count(),
        2
    );
}

#[test]
fn frames_are_drawn_over_each_other() {
    let mut written = Vec::new();
    let mut screen = Screen::new(&mut written, false);
    let line = |text: &str| Line::new().and(text);
    screen
        .frame(&[], vec![line("one"), line("two")], 20)
        .unwrap();
    screen
        .frame(&[], vec![line("one"), line("two")], 20)
        .unwrap();
    screen
        .frame(&[line("stays")], vec![line("a line of 17 cols")], 20)
        .unwrap();
    screen.frame(&[], vec![line("narrow")], 10).unwrap();
    let written = String::from_utf8(written)
        .unwrap()
        .replace('\x1b', "␛")
        .replace('\r', "␍");
    insta::assert_snapshot!(written, @r"
    ␍␛[J␛[?7l␛[Kone␍
    ␛[Ktwo␍
    ␛[J␛[?7h␍␛[2A␛[Kstays␛[K␍
    ␛[?7l␛[Ka line of 17 cols␍
    ␛[J␛[?7h␍␛[2A␛[J␛[?7l␛[Knarrow␍
    ␛[J␛[?7h
    ");
}

#[test]
fn a_tree_ends_when_told() {
    let tree = Tree::new(false);
    tree.finish();
    tree.finish();
}
