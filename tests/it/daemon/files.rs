//! Configuration that changes, breaks and disappears.

use std::time::Duration;

use promoter::group::image::Branch;
use promoter::promotion::phase::Phase;
use promoter::serve::Files;

use super::said::Log;
use super::{hourly, locally, on_push, pass, phases, serve};
use crate::support::given;
use crate::support::yard::Town;

#[tokio::test(start_paused = true)]
async fn a_file_that_changes_counts_within_seconds() {
    locally(async {
        let town = Town::of([hourly()]);
        let daemon = serve(&town, "daemon");
        pass(5).await;
        town.write(on_push());
        pass(3).await;
        assert_eq!(phases(&town, "master"), [Phase::Promoted]);
        // What runs is another thing by the file alone.
        let mut group = on_push();
        group.apps[0].replicas = Some(3);
        town.write(group);
        pass(3).await;
        assert_eq!(phases(&town, "master").len(), 2);
        daemon.stop().await;
    })
    .await;
}

/// What was known of the old branch's images starts nothing: there is one promotion, and nobody
/// takes it for old news while it settles.
#[tokio::test(start_paused = true)]
async fn a_file_that_names_another_branch_is_promoted_once() {
    locally(async {
        let mut group = on_push();
        group.triggers.quiet_period = Duration::ZERO;
        let town = Town::of([group.clone()]);
        let scenario = town.of_group("master");
        let daemon = serve(&town, "daemon");
        pass(5).await;
        scenario.registry.push("web", "next");
        group.apps[0].image.branch = Branch::parse("next").unwrap();
        town.write(group);
        pass(5).await;
        assert_eq!(phases(&town, "master"), [Phase::Promoted; 2]);
        assert_eq!(scenario.events.of("left").len(), 0);
        assert_eq!(scenario.events.of("resumed").len(), 0);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_broken_file_keeps_the_last_good_one() {
    locally(async {
        let town = Town::of([hourly()]);
        let daemon = serve(&town, "daemon");
        pass(5).await;
        assert_eq!(daemon.state.problems(), Vec::<String>::new());
        town.files(|files| {
            files.groups.clear();
            files
                .problems
                .push("groups/master.toml:3:1: it is broken".to_owned());
        });
        pass(60).await;
        assert_eq!(phases(&town, "master"), [Phase::Promoted]);
        assert_eq!(daemon.state.problems().len(), 1);
        town.write(hourly());
        town.files(|files| files.problems.clear());
        pass(1).await;
        assert_eq!(daemon.state.problems(), Vec::<String>::new());
        // Everybody sees that it was so, and is no more.
        let next = "master: its schedule 21 11:00";
        let broken = format!("{next} (its file is broken, and the last good one holds)");
        assert_eq!(town.announced(), [&broken, next]);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn files_that_are_all_gone_are_not_believed() {
    locally(async {
        let town = Town::of([hourly()]);
        let daemon = serve(&town, "daemon");
        pass(5).await;
        town.files(|files| *files = Files::default());
        pass(60).await;
        assert_eq!(phases(&town, "master"), [Phase::Promoted]);
        let problems = daemon.state.problems();
        assert!(
            problems[0].contains("all group files are gone"),
            "{problems:?}"
        );
        daemon.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_gone_ends_its_promotions() {
    locally(async {
        let other = super::named("other", given::hello());
        let town = Town::of([hourly(), other]);
        let daemon = serve(&town, "daemon");
        pass(5).await;
        town.delete("master");
        pass(120).await;
        assert_eq!(phases(&town, "master"), []);
        daemon.stop().await;
    })
    .await;
}

/// Nobody is promised what nothing leads to any more.
#[tokio::test(start_paused = true)]
async fn what_is_next_of_a_group_whose_file_is_gone_is_taken_back() {
    locally(async {
        let other = super::named("other", given::hello());
        let town = Town::of([hourly(), other]);
        let daemon = serve(&town, "daemon");
        pass(65).await;
        assert_eq!(town.announced(), ["master: its schedule 21 11:00"]);
        // The cluster tells what was said.
        town.of_group("master").world.meddle(|_| {});
        pass(1).await;
        town.delete("master");
        pass(120).await;
        let announced = town.announced();
        assert_eq!(announced[1..], ["master: nothing"]);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn in_a_folder_that_is_not_there_nothing_is_ready() {
    locally(async {
        let log = Log::begin();
        let town = Town::of([]);
        town.files(|files| {
            files.is_missing = true;
            files.problems.push("groups: is not there".to_owned());
        });
        let daemon = serve(&town, "daemon");
        pass(5).await;
        let why = "no configuration was taken yet: groups: is not there";
        assert_eq!(daemon.state.not_ready(), [why]);
        assert_eq!(log.with("nothing can be promoted").len(), 1);
        assert_eq!(log.with("the last good one holds").len(), 0);
        // It is mounted, and empty yet.
        town.files(|files| files.is_missing = false);
        pass(1).await;
        assert_eq!(daemon.state.not_ready(), Vec::<String>::new());
        daemon.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn where_every_file_was_broken_from_the_beginning_nothing_is_ready() {
    locally(async {
        let town = Town::of([hourly()]);
        town.files(|files| {
            files.groups.clear();
            files.environments.clear();
            files
                .problems
                .push("groups/master.toml:3:1: it is broken".to_owned());
        });
        let daemon = serve(&town, "daemon");
        pass(5).await;
        assert_eq!(daemon.state.not_ready().len(), 1);
        town.write(hourly());
        town.files(|files| files.problems.clear());
        pass(1).await;
        assert_eq!(daemon.state.not_ready(), Vec::<String>::new());
        daemon.stop().await;
    })
    .await;
}
