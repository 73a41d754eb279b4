//! Promotions by schedule.

use std::sync::Arc;
use std::time::Duration;

use promoter::group::cloudwatch::BudgetGuard;
use promoter::group::schedule::Schedule;
use promoter::group::triggers::Triggers;
use promoter::port::registry::RegistryError;
use promoter::promotion::Trigger;
use promoter::promotion::phase::Phase;
use promoter::promotion::record::Met;

use super::{hourly, locally, named, on_push, pass, phases, serve};
use crate::support::clock::FakeClock;
use crate::support::simulate::Run;
use crate::support::yard::{Serving, Town};

#[tokio::test(start_paused = true)]
async fn each_moment_starts_one_promotion_if_there_is_something_new() {
    locally(async {
        let town = Town::of([hourly()]);
        let scenario = town.of_group("master");
        let daemon = serve(&town, "daemon");
        pass(59).await;
        assert_eq!(phases(&town, "master"), []);
        pass(6).await;
        assert_eq!(phases(&town, "master"), [Phase::Promoted]);
        let actor = town.outcomes("master")[0].actor.clone();
        assert_eq!(
            (actor.name.as_str(), actor.trigger),
            ("daemon", Trigger::Cron)
        );
        // Nothing is new.
        pass(60).await;
        let announced = town.announced();
        assert_eq!(
            announced,
            [
                "master: its schedule 21 11:00",
                "master: its schedule 21 12:00"
            ]
        );
        assert_eq!(phases(&town, "master"), [Phase::Promoted]);
        scenario.push_all();
        pass(60).await;
        assert_eq!(phases(&town, "master"), [Phase::Promoted; 2]);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_not_tried_again_until_its_input_changes() {
    locally(async {
        let town = Town::of([hourly()]);
        let scenario = town.of_group("master");
        scenario.world.run("greets", Run::exits(1));
        let daemon = serve(&town, "daemon");
        pass(65).await;
        assert_eq!(phases(&town, "master"), [Phase::Aborted]);
        pass(300).await;
        assert_eq!(phases(&town, "master"), [Phase::Aborted]);
        scenario.push_all();
        pass(60).await;
        assert_eq!(phases(&town, "master"), [Phase::Promoted, Phase::Aborted]);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_is_made_up_for_once() {
    locally(async {
        let town = Town::of([hourly()]);
        let scenario = town.of_group("master");
        scenario.promote().await;
        scenario.push_all();
        scenario.world.meddle(|state| {
            state.record.met = Some(Met {
                schedule: "0 * * * * UTC".to_owned(),
                at: "2026-11-19T03:00:00Z".parse().unwrap(),
            });
        });
        let daemon = serve(&town, "daemon");
        pass(5).await;
        assert_eq!(phases(&town, "master").len(), 2);
        let met = scenario.world.state().record.met.clone().unwrap();
        assert_eq!(met.at, "2026-11-21T09:00:00Z".parse().unwrap());
        daemon.stop().await;
    })
    .await;
}

/// Whoever's clock goes before is first; nobody is second.
#[tokio::test(start_paused = true)]
async fn daemons_whose_clocks_differ_meet_each_moment_once() {
    locally(async {
        let mut group = hourly();
        group.triggers.schedule = Schedule::parse("0 */2 * * *", "UTC").ok();
        let town = Town::of([group]);
        let scenario = town.of_group("master");
        let clock = FakeClock::new();
        let fast = Serving::start(&town, "fast", Arc::new(clock.an_hour_off(true)));
        let right = Serving::start(&town, "right", Arc::new(clock));
        // It is 10 o'clock for the fast one when they begin.
        let expected = ["right", "fast", "fast", "fast"];
        for (n, first) in expected.into_iter().enumerate() {
            pass(if n == 0 { 70 } else { 120 }).await;
            let outcomes = town.outcomes("master");
            assert_eq!(outcomes.len(), n + 1, "{outcomes:#?}");
            assert_eq!(outcomes[0].actor.name, first);
            scenario.push_all();
        }
        fast.kill();
        // What the fast one met, the right one does not meet again.
        pass(60).await;
        assert_eq!(phases(&town, "master").len(), 4);
        pass(120).await;
        assert_eq!(phases(&town, "master").len(), 5);
        assert_eq!(town.outcomes("master")[0].actor.name, "right");
        right.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_is_away_for_an_hour_brings_no_storm() {
    locally(async {
        let town = Town::of([hourly()]);
        let scenario = town.of_group("master");
        scenario.registry.fail(RegistryError::Throttled {
            attempts: 7,
            source: promoter::port::registry::Said("slow down".to_owned()),
        });
        let daemon = serve(&town, "daemon");
        pass(125).await;
        assert_eq!(phases(&town, "master"), []);
        let asked = scenario.registry.listings();
        assert!((5..30).contains(&asked), "{asked} listings in an hour");
        scenario.registry.works_again();
        pass(11).await;
        assert_eq!(phases(&town, "master"), [Phase::Promoted]);
        pass(30).await;
        assert_eq!(phases(&town, "master").len(), 1);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_budget_that_is_spent_is_waited_for() {
    locally(async {
        let mut group = hourly();
        group.environment.budget_guard = Some(BudgetGuard::Above(10.0));
        let town = Town::of([group]);
        let scenario = town.of_group("master");
        scenario.spending.charges(11.0);
        let daemon = serve(&town, "daemon");
        pass(90).await;
        assert_eq!(phases(&town, "master"), []);
        scenario.spending.charges(9.0);
        pass(11).await;
        assert_eq!(phases(&town, "master"), [Phase::Promoted]);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_hundred_groups_of_the_same_minute_go_a_few_at_a_time() {
    locally(async {
        let groups = (0..100).map(|n| named(&format!("group-{n}"), hourly()));
        let town = Town::of(groups);
        let daemon = serve(&town, "daemon");
        pass(59).await;
        let mut most = 0;
        for _ in 0..600 {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            let under_way = (0..100)
                .map(|n| town.of_group(&format!("group-{n}")))
                .filter(|scenario| {
                    let state = scenario.world.state();
                    let promotion = state.record.in_flight.as_ref();
                    promotion.is_some_and(|promotion| promotion.phase < Phase::Settling)
                })
                .count();
            most = most.max(under_way);
        }
        assert!((1..=8).contains(&most), "{most} at once");
        for n in 0..100 {
            assert_eq!(
                phases(&town, &format!("group-{n}")),
                [Phase::Promoted],
                "{n}"
            );
        }
        daemon.stop().await;
    })
    .await;
}

/// What is promoted already waits for its old pods: a moment comes to nothing, or waits, too.
#[tokio::test(start_paused = true)]
async fn moments_without_anything_new_leave_what_settles_alone() {
    locally(async {
        let mut group = on_push();
        group.triggers.schedule = Some(Schedule::parse("*/5 * * * *", "UTC").unwrap());
        group.strategy.keep_old = Duration::from_mins(32);
        let town = Town::of([group]);
        let scenario = town.of_group("master");
        let daemon = serve(&town, "daemon");
        // The first one has no old pods to keep.
        pass(11).await;
        assert_eq!(phases(&town, "master").len(), 1);
        scenario.push_all();
        pass(30).await;
        let promotion = scenario.world.state().record.in_flight.clone();
        assert_eq!(promotion.map(|at| at.phase), Some(Phase::Settling));
        assert_eq!(scenario.events.of("left").len(), 0);
        // Whoever pushed something does not wait.
        scenario.push_all();
        pass(5).await;
        assert_eq!(phases(&town, "master").len(), 2);
        assert_eq!(scenario.events.of("left").len(), 1);
        daemon.stop().await;
    })
    .await;
}

/// Names decide nothing where there is not room for all.
#[tokio::test(start_paused = true)]
async fn who_has_waited_longest_goes_first() {
    locally(async {
        let each_minute = || {
            super::with(Triggers {
                schedule: Some(Schedule::parse("* * * * *", "UTC").unwrap()),
                ..Triggers::default()
            })
        };
        let mut names: Vec<_> = (0..12).map(|n| format!("busy-{n:02}")).collect();
        names.push("zoo".to_owned());
        let town = Town::of(names.iter().map(|name| named(name, each_minute())));
        let daemon = serve(&town, "daemon");
        // Each of them has something new each time it is looked at.
        for _ in 0..40 {
            for name in &names {
                town.of_group(name).push_all();
            }
            tokio::time::sleep(Duration::from_secs(15)).await;
        }
        let often = |name: &str| phases(&town, name).len();
        let (first, last) = (often("busy-00"), often("zoo"));
        assert!(last > 0 && last + 1 >= first, "{first} and {last}");
        daemon.stop().await;
    })
    .await;
}
