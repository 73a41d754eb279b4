//! Promotions of new images.

use std::sync::Arc;

use promoter::group::Proof;
use promoter::group::github::Owner;
use promoter::group::image::RepositoryName;
use promoter::plan::proof::Standing;
use promoter::port::Registry;
use promoter::promotion::Trigger;
use promoter::promotion::phase::Phase;
use promoter::promotion::restraint::Statement;

use super::{locally, on_push, pass, phases, serve};
use crate::support::recording::Recording;
use crate::support::yard::Town;

#[tokio::test(start_paused = true)]
async fn new_images_are_promoted_once_it_is_quiet() {
    locally(async {
        let town = Town::of([on_push()]);
        let scenario = town.of_group("master");
        let daemon = serve(&town, "daemon");
        pass(5).await;
        assert_eq!(phases(&town, "master"), [Phase::Promoted]);
        assert_eq!(town.outcomes("master")[0].actor.trigger, Trigger::Push);
        pass(60).await;
        assert_eq!(phases(&town, "master").len(), 1);
        // Pushes that come one after the other are promoted together.
        for _ in 0..5 {
            scenario.push_all();
            tokio::time::sleep(std::time::Duration::from_secs(50)).await;
        }
        pass(10).await;
        assert_eq!(phases(&town, "master").len(), 2);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_hint_is_looked_into_at_once() {
    locally(async {
        let mut group = on_push();
        group.triggers.quiet_period = std::time::Duration::ZERO;
        let town = Town::of([group]);
        let scenario = town.of_group("master");
        let daemon = serve(&town, "daemon");
        pass(5).await;
        assert_eq!(phases(&town, "master").len(), 1);
        scenario.push_all();
        scenario.forget();
        // Doubled, and of what nobody uses.
        daemon.queue.push(&["web", "web", "elsewhere"]);
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        assert!(!scenario.events.of("started").is_empty());
        pass(5).await;
        assert_eq!(phases(&town, "master").len(), 2);
        // Nothing is new: it is listed, and that is all.
        let listed = scenario.registry.listings();
        daemon.queue.push(&["web"]);
        tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        assert!(scenario.registry.listings() <= listed + 2);
        assert_eq!(phases(&town, "master").len(), 2);
        let done = daemon.queue.done.lock().unwrap().clone();
        assert_eq!(done, ["web", "web", "elsewhere", "web"]);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn while_nothing_is_pushed_a_repository_is_listed_once_a_round() {
    locally(async {
        let town = Town::of([on_push()]);
        let scenario = town.of_group("master");
        let daemon = serve(&town, "daemon");
        pass(5).await;
        let listed = scenario.registry.listings();
        pass(60).await;
        let listed = scenario.registry.listings() - listed;
        assert!((59..=61).contains(&listed), "{listed}");
        daemon.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn whoever_is_to_be_told_hears_each_promotion_once() {
    locally(async {
        let town = Town::of([on_push()]);
        let heard = Arc::new(Recording::default());
        let listener = heard.clone();
        town.tell(Box::new(move |_| listener.clone()));
        let daemon = serve(&town, "daemon");
        for promotion in 1..=12 {
            town.of_group("master").push_all();
            pass(5).await;
            assert_eq!(heard.of("finished").len(), promotion);
            // Nor is it promoted again for want of images that were there before.
            town.forget();
            pass(5).await;
            assert_eq!(heard.of("started").len(), promotion);
        }
        daemon.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn images_wait_for_a_group_that_is_held() {
    locally(async {
        let town = Town::of([on_push()]);
        let scenario = town.of_group("master");
        scenario.world.meddle(|state| {
            state.restraints.hold = Some(Statement {
                actor: "ann".to_owned(),
                reason: "not now".to_owned(),
                at: "2026-11-21T08:00:00Z".parse().unwrap(),
            });
        });
        let daemon = serve(&town, "daemon");
        pass(120).await;
        assert_eq!(phases(&town, "master"), []);
        scenario.world.meddle(|state| state.restraints.hold = None);
        pass(2).await;
        assert_eq!(phases(&town, "master"), [Phase::Promoted]);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_image_that_is_proven_later_is_promoted_then() {
    locally(async {
        let mut group = on_push();
        group.proof = Proof::GithubChecks;
        group.environment.github.owner = Some(Owner::parse("acme").unwrap());
        let town = Town::of([group]);
        let scenario = town.of_group("master");
        let web = RepositoryName::parse("web").unwrap();
        let images = scenario.registry.images(&web).await.unwrap().images;
        let (_, commit) = images[0].tags[0].rsplit_once('-').unwrap();
        scenario
            .forge
            .says(commit, Standing::Bad("it is red".to_owned()));
        let daemon = serve(&town, "daemon");
        pass(5).await;
        assert_eq!(phases(&town, "master"), []);
        scenario.forge.says(commit, Standing::Good);
        pass(3).await;
        assert_eq!(phases(&town, "master"), [Phase::Promoted]);
        daemon.stop().await;
    })
    .await;
}
