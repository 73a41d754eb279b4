//! A daemon that loses its lock in the middle of a promotion, as it is cut off from the
//! cluster: another one finishes, and what the first one still asks for is refused.

use std::time::Duration;

use promoter::promotion::phase::Phase;

use super::{hourly, locally, pass, phases, serve, until};
use crate::support::journal::Entry;
use crate::support::simulate::Run;
use crate::support::yard::Town;

/// It comes back while the other one drives on, and long after it was done.
#[tokio::test(start_paused = true)]
async fn who_was_cut_off_changes_nothing_and_the_other_finishes() {
    for away in [Duration::from_mins(1), Duration::from_mins(30)] {
        locally(async {
            let town = Town::of([hourly()]);
            let scenario = town.of_group("master");
            // Whoever drives waits for it for long.
            scenario.world.run("greets", Run::exits(0).lasts(50));
            let acting = serve(&town, "acting");
            pass(59).await;
            until(&town, "master", Phase::Checking).await;
            let standby = serve(&town, "standby");
            let (first, lost, calls) = scenario.world.meddle(|state| {
                state.cut_off_holder(away);
                let lease = state.lease.clone().unwrap();
                (lease.holder, state.epoch, state.journal.0.len())
            });
            pass(45).await;
            assert_eq!(phases(&town, "master"), [Phase::Promoted], "{away:?}");
            assert!(scenario.is_tidy(), "{away:?}");
            let since = scenario.world.state().journal.0[calls..].to_vec();
            let writes = since.iter().filter(|entry| entry.epoch.is_some());
            let (of_first, of_other): (Vec<&Entry>, Vec<&Entry>) =
                writes.partition(|entry| entry.process == first);
            // What it was about to do, and no further try. It may tidy up once it has the
            // lock anew.
            let (late, anew): (Vec<&Entry>, Vec<&Entry>) = of_first
                .into_iter()
                .partition(|entry| entry.epoch == Some(lost));
            assert!(late.len() <= 1, "{away:?}: {late:#?}");
            assert!(late.iter().all(|entry| entry.error.is_some()), "{late:#?}");
            assert!(
                anew.iter().all(|entry| entry.call == "forget plans"),
                "{away:?}: {anew:#?}"
            );
            let points = of_other.iter().filter(|e| e.call.starts_with("point "));
            assert_eq!(points.count(), 1, "{away:?}");
            acting.stop().await;
            standby.stop().await;
        })
        .await;
    }
}
