//! What is due when, told as a day of one group.

use proptest::prelude::*;

use super::*;
use crate::group::schedule::Schedule;

fn time(text: &str) -> Timestamp {
    format!("2026-03-01T{text}Z").parse().unwrap()
}

fn group() -> GroupName {
    GroupName::parse("master").unwrap()
}

fn scheduled(cron: &str) -> Triggers {
    Triggers {
        schedule: Some(Schedule::parse(cron, "UTC").unwrap()),
        ..Triggers::default()
    }
}

fn on_push() -> Triggers {
    Triggers {
        on_push: true,
        ..Triggers::default()
    }
}

fn agenda(triggers: Triggers, now: &str) -> Agenda {
    Agenda::new(group(), triggers, time(now))
}

/// What is next, in short.
fn next(agenda: &Agenda, now: &str) -> String {
    match agenda.next(time(now)) {
        Next::Promote(Start { trigger, meets }) => {
            let meets = meets.map_or_else(String::new, |met| {
                format!(" of {}", met.at.strftime("%H:%M"))
            });
            format!("{trigger:?}{meets}")
        }
        Next::Wait { until, what } => format!("{}: {what}", until.strftime("%H:%M:%S")),
        Next::Rest => "rest".to_owned(),
    }
}

/// Tries what is due and ends it.
#[track_caller]
fn begin(agenda: &mut Agenda, now: &str) -> Start {
    let Next::Promote(start) = agenda.next(time(now)) else {
        panic!("nothing is due: {}", next(agenda, now));
    };
    agenda.begins(&start);
    start
}

fn end(agenda: &mut Agenda, now: &str, came: Came) {
    let start = begin(agenda, now);
    agenda.ended(&start, came, time(now));
}

fn failed() -> Came {
    Came::Failed {
        why: "ECR is away".to_owned(),
    }
}

#[test]
fn a_schedule_is_met_once() {
    let mut agenda = agenda(scheduled("0 2 * * *"), "00:30:00");
    assert_eq!(next(&agenda, "01:59:59"), "02:00:00: its schedule");
    assert_eq!(next(&agenda, "02:00:00"), "Cron of 02:00");
    end(&mut agenda, "02:00:00", Came::Settled);
    assert_eq!(next(&agenda, "02:00:00"), "02:00:00: its schedule");
    assert_eq!(
        agenda.next(time("02:00:01")),
        Next::Wait {
            until: "2026-03-02T02:00:00Z".parse().unwrap(),
            what: "its schedule".to_owned(),
        }
    );
}

#[test]
fn moments_that_were_missed_are_made_up_for_once() {
    let triggers = scheduled("*/10 * * * *");
    let met = Met {
        schedule: "*/10 * * * * UTC".to_owned(),
        at: time("01:00:00"),
    };
    let mut agenda = Agenda::new(group(), triggers, time("02:05:00"));
    agenda.was_met(&met);
    end(&mut agenda, "02:05:00", Came::Settled);
    assert_eq!(next(&agenda, "02:05:00"), "02:10:00: its schedule");
}

#[test]
fn a_schedule_that_is_new_is_not_made_up_for() {
    let met = Met {
        schedule: "0 2 * * * UTC".to_owned(),
        at: time("01:00:00"),
    };
    let mut agenda = agenda(scheduled("0 4 * * *"), "05:00:00");
    agenda.was_met(&met);
    assert!(matches!(agenda.next(time("05:00:00")), Next::Wait { .. }));
    agenda.change(scheduled("0 3 * * *"), time("05:30:00"));
    assert!(matches!(agenda.next(time("05:30:00")), Next::Wait { .. }));
}

#[test]
fn what_another_daemon_met_is_met() {
    let mut agenda = agenda(scheduled("0 2 * * *"), "01:00:00");
    agenda.is_met(&Met {
        schedule: "0 2 * * * UTC".to_owned(),
        at: time("02:00:00"),
    });
    assert!(next(&agenda, "02:00:30").ends_with("its schedule"));
}

#[test]
fn new_images_are_promoted_once_it_is_quiet() {
    let mut agenda = agenda(on_push(), "01:00:00");
    assert_eq!(next(&agenda, "01:00:00"), "rest");
    agenda.offered("a", time("01:00:00"));
    assert_eq!(
        next(&agenda, "01:00:30"),
        "01:01:00: nobody to push any more"
    );
    agenda.offered("b", time("01:00:30"));
    assert_eq!(
        next(&agenda, "01:01:00"),
        "01:01:30: nobody to push any more"
    );
    agenda.offered("b", time("01:01:20"));
    // Somebody may have pushed since.
    assert_eq!(
        next(&agenda, "01:01:30"),
        "01:10:00: nobody to push any more"
    );
    agenda.offered("b", time("01:01:40"));
    end(&mut agenda, "01:01:40", Came::Settled);
    assert_eq!(next(&agenda, "01:01:31"), "rest");
    agenda.offered("b", time("01:02:00"));
    assert_eq!(next(&agenda, "09:00:00"), "rest");
    agenda.offered("c", time("09:00:00"));
    agenda.offered("c", time("09:01:00"));
    assert_eq!(next(&agenda, "09:01:00"), "Push");
}

#[test]
fn where_it_is_never_quiet_they_are_promoted_all_the_same() {
    let mut agenda = agenda(on_push(), "01:00:00");
    for minute in 0..10 {
        for second in [0, 30] {
            let at = format!("01:{minute:02}:{second:02}");
            agenda.offered(&at, time(&at));
            assert!(next(&agenda, &at).ends_with("push any more"), "{at}");
        }
    }
    assert_eq!(next(&agenda, "01:10:00"), "Push");
}

#[test]
fn what_is_pushed_while_others_are_promoted_is_promoted_next() {
    let mut agenda = agenda(on_push(), "01:00:00");
    agenda.offered("a", time("01:00:00"));
    agenda.offered("a", time("01:01:00"));
    let start = begin(&mut agenda, "01:01:00");
    assert_eq!(next(&agenda, "01:01:30"), "rest");
    agenda.offered("b", time("01:02:00"));
    agenda.offered("b", time("01:03:00"));
    assert_eq!(next(&agenda, "01:03:00"), "Push");
    agenda.ended(&start, Came::Settled, time("01:05:00"));
    assert_eq!(next(&agenda, "01:05:00"), "Push");
}

#[test]
fn a_file_that_changes_is_something_new() {
    let mut agenda = agenda(on_push(), "01:00:00");
    agenda.offered("a", time("01:00:00"));
    agenda.offered("a", time("01:01:00"));
    end(&mut agenda, "01:01:00", Came::Settled);
    agenda.change(on_push(), time("02:00:00"));
    assert_eq!(next(&agenda, "02:00:00"), "rest");
    agenda.offered("a", time("02:00:00"));
    assert!(next(&agenda, "02:00:30").ends_with("push any more"));
    agenda.offered("a", time("02:01:00"));
    assert_eq!(next(&agenda, "02:01:00"), "Push");
}

#[test]
fn a_file_that_changes_while_the_old_one_is_tried_is_tried_next() {
    let mut agenda = agenda(on_push(), "01:00:00");
    agenda.offered("a", time("01:00:00"));
    agenda.offered("a", time("01:01:00"));
    let start = begin(&mut agenda, "01:01:00");
    agenda.change(on_push(), time("01:02:00"));
    agenda.offered("a", time("01:02:00"));
    agenda.ended(&start, Came::Settled, time("01:02:30"));
    agenda.offered("a", time("01:03:00"));
    assert_eq!(next(&agenda, "01:03:00"), "Push");
}

#[test]
fn who_fails_outside_is_asked_ever_more_seldom() {
    let mut agenda = agenda(scheduled("0 * * * *"), "00:30:00");
    let (mut now, mut tries) = (time("01:00:00"), 0);
    while now < time("01:55:00") {
        match agenda.next(now) {
            Next::Promote(start) => {
                tries += 1;
                agenda.begins(&start);
                agenda.ended(&start, failed(), now);
            }
            Next::Wait { until, what } => {
                assert_eq!(what, "ECR is away");
                now = until;
            }
            Next::Rest => panic!("it is forgotten"),
        }
    }
    assert!((8..15).contains(&tries), "{tries}");
    // Both hours come to one promotion.
    let Next::Wait { until, .. } = agenda.next(time("02:10:00")) else {
        assert_eq!(next(&agenda, "02:10:00"), "Cron of 02:00");
        return;
    };
    assert!(until < time("02:11:00"), "{until}");
}

#[test]
fn what_waits_is_looked_at_once_something_changes() {
    let mut agenda = agenda(scheduled("0 2 * * *"), "01:00:00");
    let waits = Came::Waits {
        why: "requires group base".to_owned(),
        pause: Duration::from_mins(10),
    };
    end(&mut agenda, "02:00:00", waits);
    assert_eq!(next(&agenda, "02:00:05"), "02:10:00: requires group base");
    agenda.look_again();
    assert_eq!(next(&agenda, "02:00:05"), "Cron of 02:00");
    end(&mut agenda, "02:00:05", failed());
    agenda.look_again();
    assert!(next(&agenda, "02:00:05").ends_with("ECR is away"));
}

#[test]
fn what_did_not_become_ready_is_tried_three_times_more() {
    let mut agenda = agenda(scheduled("0 2 * * *"), "01:00:00");
    let unlucky = || Came::Unlucky {
        why: "hello-a is not ready".to_owned(),
    };
    end(&mut agenda, "02:00:00", unlucky());
    assert_eq!(next(&agenda, "02:05:00"), "02:10:00: hello-a is not ready");
    for at in ["02:10:00", "02:20:00", "02:30:00"] {
        assert_eq!(next(&agenda, at), "Cron");
        end(&mut agenda, at, unlucky());
    }
    assert!(next(&agenda, "02:40:00").ends_with("its schedule"));
}

proptest! {
    /// Whatever comes of it: a moment of the schedule is handed over until it is
    /// settled, and then never again.
    #[test]
    fn no_moment_is_lost_or_doubled(steps in prop::collection::vec((1_i64..2000, 0_u8..4), 1..60)) {
        let mut agenda = agenda(scheduled("*/5 * * * *"), "00:00:00");
        let mut now = time("00:00:00");
        let mut settled = now;
        for (seconds, came) in steps {
            now = now.saturating_add(jiff::SignedDuration::from_secs(seconds)).unwrap();
            if let Next::Promote(start) = agenda.next(now) {
                let Some(met) = start.meets.clone() else { continue };
                prop_assert!(met.at > settled && met.at <= now);
                prop_assert!(now.duration_since(met.at).as_secs() < 300, "the last one is");
                agenda.begins(&start);
                let came = match came {
                    0 => Came::Settled,
                    1 => failed(),
                    2 => Came::Unlucky { why: String::new() },
                    _ => Came::Waits { why: String::new(), pause: Duration::from_secs(30) },
                };
                if matches!(came, Came::Settled | Came::Unlucky { .. }) {
                    settled = met.at;
                }
                agenda.ended(&start, came, now);
            } else {
                let first = settled.saturating_add(jiff::SignedDuration::from_secs(300)).unwrap();
                let is_paused = agenda.pause.as_ref().is_some_and(|pause| pause.until > now);
                prop_assert!(is_paused || now < first, "{now}: nothing is due since {settled}");
            }
        }
    }
}
