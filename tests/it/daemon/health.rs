//! Whether a daemon lives and is ready.

use std::time::Duration;

use promoter::group::Group;
use promoter::promotion::phase::Phase;

use super::said::Log;
use super::{hourly, locally, pass, phases, serve};
use crate::support::simulate::Run;
use crate::support::yard::Town;

const NOBODY: [&str; 0] = [];

/// [`hourly`], whose check may take an hour.
fn patient() -> Group {
    let mut group = hourly();
    group.checks[0].timeout = Duration::from_hours(1);
    group
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_is_away_at_the_start_is_waited_for() {
    locally(async {
        let town = Town::of([hourly()]);
        town.is_away(Some("connection refused"));
        let daemon = serve(&town, "daemon");
        pass(61).await;
        // Nobody knows what is under way, so nothing is begun.
        assert_eq!(phases(&town, "master"), []);
        let why = daemon.state.not_ready();
        assert_eq!(why, ["environment v2: connection refused"]);
        assert_eq!(daemon.livez.stuck(), Vec::<String>::new());
        town.is_away(None);
        pass(2).await;
        assert_eq!(daemon.state.not_ready(), Vec::<String>::new());
        assert_eq!(phases(&town, "master").len(), 1);
        daemon.stop().await;
    })
    .await;
}

/// Nothing happens there that would tell that it answers again.
#[tokio::test(start_paused = true)]
async fn a_cluster_that_was_away_for_a_moment_is_known_to_answer() {
    locally(async {
        let town = Town::of([hourly()]);
        let daemon = serve(&town, "daemon");
        pass(1).await;
        assert_eq!(daemon.state.not_ready(), Vec::<String>::new());
        town.breaks_off("connection reset");
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(
            daemon.state.not_ready(),
            ["environment v2: connection reset"]
        );
        pass(1).await;
        assert_eq!(daemon.state.not_ready(), Vec::<String>::new());
        daemon.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_get_on_is_named() {
    locally(async {
        let town = Town::of([super::on_push()]);
        let scenario = town.of_group("master");
        let daemon = serve(&town, "daemon");
        pass(30).await;
        assert_eq!(daemon.livez.stuck(), Vec::<String>::new());
        // The registry never answers.
        let day = Duration::from_hours(24);
        scenario.registry.takes(day);
        pass(20).await;
        assert_eq!(daemon.livez.stuck(), ["watcher"]);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_check_that_takes_its_time_is_no_standstill() {
    locally(async {
        let town = Town::of([patient()]);
        let scenario = town.of_group("master");
        scenario.world.run("greets", Run::exits(0).lasts(50 * 60));
        let daemon = serve(&town, "daemon");
        for minute in 0..180 {
            pass(1).await;
            assert_eq!(daemon.livez.stuck(), NOBODY, "after minute {minute}");
        }
        assert_eq!(phases(&town, "master"), [Phase::Promoted]);
        daemon.stop().await;
    })
    .await;
}

/// What it waited for before was a long time off, which excuses nothing.
#[tokio::test(start_paused = true)]
async fn a_promotion_that_does_not_get_on_is_named() {
    locally(async {
        let town = Town::of([patient(), super::named("other", hourly())]);
        let scenario = town.of_group("master");
        scenario.world.run("greets", Run::exits(0).lasts(50 * 60));
        let daemon = serve(&town, "daemon");
        pass(65).await;
        let hour = Duration::from_hours(1);
        scenario.world.meddle(|state| state.cut_off_holder(hour));
        pass(20).await;
        assert_eq!(daemon.livez.stuck(), ["promotion of v2/master"]);
        assert_eq!(phases(&town, "other"), [Phase::Promoted]);
        // It is answered at last.
        pass(60).await;
        assert_eq!(daemon.livez.stuck(), NOBODY);
        assert_eq!(phases(&town, "master"), [Phase::Promoted]);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn records_that_are_away_keep_nothing_from_being_promoted() {
    locally(async {
        let town = Town::of([hourly()]);
        let log = Log::begin();
        *town.unkept.lock().unwrap() = Some("the database is away".to_owned());
        let daemon = serve(&town, "daemon");
        pass(65).await;
        assert_eq!(daemon.state.not_ready(), ["the database is away"]);
        assert_eq!(phases(&town, "master").len(), 1);
        *town.unkept.lock().unwrap() = None;
        pass(1).await;
        assert_eq!(daemon.state.not_ready(), Vec::<String>::new());
        let said = log.with("the records");
        assert!(
            said[0].contains("do not answer") && said[0].contains("is away"),
            "{said:#?}"
        );
        assert!(
            said[1].contains("answer again") && said.len() == 2,
            "{said:#?}"
        );
        daemon.stop().await;
    })
    .await;
}
