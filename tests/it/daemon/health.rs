//! Whether a daemon lives and is ready.

use super::{hourly, locally, pass, phases, serve};
use crate::support::yard::Town;

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

#[tokio::test(start_paused = true)]
async fn who_does_not_get_on_is_named() {
    locally(async {
        let town = Town::of([super::on_push()]);
        let scenario = town.of_group("master");
        let daemon = serve(&town, "daemon");
        pass(30).await;
        assert_eq!(daemon.livez.stuck(), Vec::<String>::new());
        // The registry never answers.
        let day = std::time::Duration::from_hours(24);
        scenario.registry.takes(day);
        pass(20).await;
        assert_eq!(daemon.livez.stuck(), ["watcher"]);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn records_that_are_away_keep_nothing_from_being_promoted() {
    locally(async {
        let town = Town::of([hourly()]);
        *town.unkept.lock().unwrap() = Some("the database is away".to_owned());
        let daemon = serve(&town, "daemon");
        pass(65).await;
        assert_eq!(daemon.state.not_ready(), ["the database is away"]);
        assert_eq!(phases(&town, "master").len(), 1);
        *town.unkept.lock().unwrap() = None;
        pass(1).await;
        assert_eq!(daemon.state.not_ready(), Vec::<String>::new());
        daemon.stop().await;
    })
    .await;
}
