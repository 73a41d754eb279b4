//! How groups and their records read.

use jiff::Timestamp;

use super::{detail, listed, status, status_json};
use crate::adapter::kubernetes::GroupStatus;
use crate::cli::view::sample::{self, actor, fits, from, plain};
use crate::plan::color::Color;
use crate::port::sight::Upcoming;
use crate::promotion::check::Verdict;
use crate::promotion::phase::Phase;
use crate::promotion::record::{AppVersion, GroupRecord, LeftOut, Outcome};
use crate::promotion::{Mark, Promotion, Reason, ReasonKind};

fn at(text: &str) -> Timestamp {
    format!("2026-11-21T{text}Z").parse().unwrap()
}

fn group() -> GroupStatus {
    let outcome = |promotion: &str, phase, release: &str, reasons| Outcome {
        promotion: from(promotion),
        phase,
        release: from(release),
        fingerprint: from("print"),
        color: Color::Blue,
        actor: actor(),
        started_at: at("08:00:00"),
        ended_at: at("08:01:12"),
        why: None,
        leaves: None,
        overrides: None,
        reasons,
        apps: vec![AppVersion {
            app: from("hello-a"),
            tag: "master-41-0000029".to_owned(),
        }],
        checks: Vec::new(),
        hooks: Vec::new(),
        left_out: LeftOut::default(),
    };
    let reason = Reason::new(
        ReasonKind::Check,
        "check greets failed: exit 1; 2 of 3 test cases failed",
    );
    let mut plan = sample::plan(Color::Green, &[("hello-a", 42)]);
    plan.replaces = Some(sample::serving(Color::Blue));
    let mut promotion = Promotion::new(from("0tq00002"), &plan, actor(), at("10:00:00"));
    promotion.enter(Phase::Checking, Vec::new(), at("10:00:30"));
    promotion.attempts.insert(from("greets"), 1);
    promotion.marks.insert(Mark::Walled);
    GroupStatus {
        name: "master".to_owned(),
        record: GroupRecord {
            met: None,
            astray: Vec::new(),
            serving: Some(sample::serving(Color::Blue)),
            previous: Some(sample::serving(Color::Green)),
            earlier: Vec::new(),
            removing: None,
            in_flight: Some(promotion),
            untold: None,
            outcomes: vec![
                outcome("0tq00001", Phase::Aborted, "cccccccccccccccc", vec![reason]),
                outcome(
                    "0tq00000",
                    Phase::Promoted,
                    "bluerelease0000000000",
                    Vec::new(),
                ),
            ],
        },
        hold: None,
        banned: Vec::new(),
        driver: None,
        upcoming: None,
    }
}

#[test]
fn groups_in_a_list() {
    let fresh = GroupStatus {
        name: "fresh".to_owned(),
        record: GroupRecord::default(),
        hold: None,
        banned: Vec::new(),
        driver: None,
        upcoming: None,
    };
    insta::assert_snapshot!(plain(&status(&[group(), fresh], at("10:02:00"))), @r"
    GROUP   COLOR  RELEASE         NOW                 LAST PROMOTION
    master  blue   bluerelease0    checking for 1m30s  failed 2h ago
    fresh   none   nothing serves  idle                none yet
    ");
    insta::assert_snapshot!(status(&[], at("10:02:00")), @"no group was promoted here yet");
}

#[test]
fn one_group() {
    insta::assert_snapshot!(plain(&detail(&group(), at("10:02:00"), 100.into())), @r"
    master
      serves    blue, release bluerelease0
      apps      hello-a  master-41-0000029
      before    green, release greenrelease

    checking for 1m30s: release greenrelease into green
      promotion 0tq00002 by ada@laptop, begun 2m ago
      NetworkPolicy master-green keeps the colours from calling each other
      ○ greets: runs

    ENDED                         BY          RELEASE       TOOK   OUTCOME   WHY
    2026-11-21 08:01 UTC  2h ago  ada@laptop  cccccccccccc  1m12s  failed    check greets failed: exit
                                                                             1; 2 of 3 test cases failed
    2026-11-21 08:01 UTC  2h ago  ada@laptop  bluerelease0  1m12s  promoted  nothing was tested
    ");
}

#[test]
fn what_a_daemon_does() {
    let mut group = group();
    group.driver = Some("daemon-1".to_owned());
    let driven = plain(&detail(&group, at("10:02:00"), 100.into()));
    let line = "promotion 0tq00002 by ada@laptop, begun 2m ago, driven on by daemon-1";
    assert!(driven.contains(line), "{driven}");
    group.record.in_flight = None;
    group.upcoming = Some(Upcoming {
        at: Some(at("12:00:00")),
        what: "its schedule".to_owned(),
        problem: None,
    });
    let idle = |now| plain(&detail(&group, at(now), 100.into()));
    let line = "next      2026-11-21 12:00 UTC (in 1h58m): its schedule";
    assert!(idle("10:02:00").contains(line), "{}", idle("10:02:00"));
    let line = "next      was due 2026-11-21 12:00 UTC (1h ago): its schedule";
    assert!(idle("13:02:00").contains(line), "{}", idle("13:02:00"));

    group.upcoming = Some(Upcoming {
        at: None,
        what: "something new".to_owned(),
        problem: Some("its file is broken".to_owned()),
    });
    let shown = plain(&detail(&group, at("10:02:00"), 100.into()));
    assert!(shown.contains("next      something new\n"), "{shown}");
    let line = "! its file is broken; `promoter validate` shows what is wrong\n";
    assert!(shown.contains(line), "{shown}");
}

/// Lists of a large group are kept in part; what is left of them is counted.
#[test]
fn what_the_record_had_no_room_for_is_counted() {
    let mut group = group();
    let promoted = &mut group.record.outcomes[1];
    promoted.left_out = LeftOut {
        apps: 99,
        checks: [(Verdict::Passed, 100)].into(),
    };
    let shown = plain(&detail(&group, at("10:02:00"), 100.into()));
    assert!(
        shown.contains("apps      hello-a  master-41-0000029\n"),
        "{shown}"
    );
    assert!(shown.contains("and 99 more\n"), "{shown}");
    assert!(
        shown.contains("promoted  all 100 checks passed\n"),
        "{shown}"
    );
}

#[test]
fn a_group_without_a_promotion() {
    let fresh = GroupStatus {
        name: "fresh".to_owned(),
        record: GroupRecord::default(),
        hold: None,
        banned: Vec::new(),
        driver: None,
        upcoming: None,
    };
    insta::assert_snapshot!(plain(&detail(&fresh, at("10:02:00"), 100.into())), @r"
    fresh
      serves    nothing: no promotion went through yet
    ");
    insta::assert_json_snapshot!(status_json(&[fresh]), @r#"
    [
      {
        "astray": [],
        "driver": null,
        "group": "fresh",
        "inFlight": null,
        "next": null,
        "outcomes": [],
        "previous": null,
        "serving": null
      }
    ]
    "#);
}

#[test]
fn a_narrow_terminal() {
    let groups = [group()];
    fits(|columns| listed(&groups, at("10:02:00"), columns));
    fits(|columns| detail(&group(), at("10:02:00"), columns.into()));
    insta::assert_snapshot!(plain(&detail(&group(), at("10:02:00"), 40.into())), @r"
    master
      serves    blue, release bluerelease0
      apps      hello-a  master-41-0000029
      before    green, release greenrelease

    checking for 1m30s: release greenrelease
      into green
      promotion 0tq00002 by ada@laptop,
      begun 2m ago
      NetworkPolicy master-green keeps the
      colours from calling each other
      ○ greets: runs

    ENDED    2026-11-21 08:01 UTC  2h ago
    BY       ada@laptop
    RELEASE  cccccccccccc
    TOOK     1m12s
    OUTCOME  failed
    WHY      check greets failed: exit 1; 2
             of 3 test cases failed

    ENDED    2026-11-21 08:01 UTC  2h ago
    BY       ada@laptop
    RELEASE  bluerelease0
    TOOK     1m12s
    OUTCOME  promoted
    WHY      nothing was tested
    ");
}
