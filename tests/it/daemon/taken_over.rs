//! What a daemon left, another one drives on.

use std::collections::BTreeSet;
use std::time::Duration;

use promoter::group::name::GroupName;
use promoter::group::triggers::Triggers;
use promoter::promotion::phase::Phase;

use super::{PHASES, hourly, locally, on_push, pass, phases, serve, until};
use crate::support::yard::Town;

#[tokio::test(start_paused = true)]
async fn what_one_that_was_killed_left_another_finishes() {
    for phase in PHASES {
        locally(async {
            let town = Town::of([hourly()]);
            let acting = serve(&town, "acting");
            let standby = {
                pass(59).await;
                until(&town, "master", phase).await;
                serve(&town, "standby")
            };
            acting.kill();
            pass(10).await;
            assert_eq!(
                phases(&town, "master"),
                [Phase::Promoted],
                "killed in {phase}"
            );
            let scenario = town.of_group("master");
            assert!(scenario.is_tidy(), "killed in {phase}");
            // All that is told is of the same promotion.
            let events = scenario.events.events().into_iter();
            let promotions: BTreeSet<_> = events.filter_map(|event| event.promotion).collect();
            assert_eq!(promotions.len(), 1, "killed in {phase}");
            // It is taken over once, and seen through.
            assert_eq!(scenario.events.of("left").len(), 0, "killed in {phase}");
            assert_eq!(town.outcomes("master")[0].actor.name, "acting");
            standby.stop().await;
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_told_to_stop_leaves_it_at_once() {
    for phase in PHASES {
        locally(async {
            let town = Town::of([hourly()]);
            let acting = serve(&town, "acting");
            let standby = serve(&town, "standby");
            pass(59).await;
            until(&town, "master", phase).await;
            let holder = town.of_group("master").world.state().lease.clone();
            assert!(holder.is_some());
            acting.stop().await;
            let record = town.of_group("master").world.state().record.clone();
            println!("left in {phase}: {:?}", record.in_flight.map(|p| p.phase));
            pass(5).await;
            assert_eq!(
                phases(&town, "master"),
                [Phase::Promoted],
                "left in {phase}"
            );
            standby.stop().await;
        })
        .await;
    }
}

/// A person's deploy that was detached, or died.
#[tokio::test(start_paused = true)]
async fn what_a_person_left_is_driven_on_without_its_file() {
    locally(async {
        let town = Town::of([on_push()]);
        let scenario = town.of_group("master");
        scenario.deploy_until("write checking").await;
        town.delete("master");
        town.files(|files| files.named.push(GroupName::parse("other").unwrap()));
        let daemon = serve(&town, "daemon");
        pass(3).await;
        assert_eq!(phases(&town, "master"), [Phase::Promoted]);
        daemon.stop().await;
    })
    .await;
}

/// The file of a group goes while it is promoted: that comes to its end.
#[tokio::test(start_paused = true)]
async fn a_group_that_is_deleted_while_it_is_promoted_comes_to_its_end() {
    locally(async {
        let other = super::named("other", super::with(Triggers::default()));
        let town = Town::of([hourly(), other]);
        let daemon = serve(&town, "daemon");
        pass(59).await;
        until(&town, "master", Phase::Checking).await;
        town.delete("master");
        pass(5).await;
        assert_eq!(phases(&town, "master"), [Phase::Promoted]);
        town.of_group("master").push_all();
        pass(120).await;
        assert_eq!(phases(&town, "master").len(), 1);
        daemon.stop().await;
    })
    .await;
}

/// Who takes it over does not know which images it has: those that are there are not news.
#[tokio::test(start_paused = true)]
async fn what_is_taken_over_by_one_that_looks_for_images_is_not_left_again() {
    locally(async {
        let mut group = on_push();
        group.triggers.quiet_period = Duration::ZERO;
        group.strategy.keep_old = Duration::from_mins(2);
        let town = Town::of([group]);
        let scenario = town.of_group("master");
        let acting = serve(&town, "acting");
        pass(5).await;
        assert_eq!(phases(&town, "master").len(), 1);
        scenario.push_all();
        until(&town, "master", Phase::Checking).await;
        acting.kill();
        // It hears of them after it has begun.
        scenario.registry.takes(Duration::from_secs(40));
        let standby = serve(&town, "standby");
        pass(10).await;
        assert_eq!(phases(&town, "master"), [Phase::Promoted; 2]);
        assert_eq!(scenario.events.of("left").len(), 0);
        assert_eq!(scenario.events.of("resumed").len(), 1);
        standby.stop().await;
    })
    .await;
}
