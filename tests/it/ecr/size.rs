//! Large repositories and large groups: the real adapter under the real
//! `resolve`, with its real backoff in virtual time.

use promoter::engine::resolve::{AT_ONCE, Sources, resolve};
use promoter::group::{Group, Newest};

use super::aws::Aws;
use super::chain;
use crate::support::given;

/// As many apps, each with a repository of its own.
fn apps(number: usize) -> Group {
    let apps = (0..number).map(|n| given::app(&format!("app-{n}")));
    given::group(apps.collect(), vec![given::check("greets")])
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_images_take_ten_calls() {
    let aws = Aws::new(10_000);
    let mut group = apps(2);
    // Two apps of one repository.
    group.apps[1].image = group.apps[0].image.clone();
    let resolved = resolve(Sources::pushed(&aws.ecr().await), &group)
        .await
        .unwrap();
    assert_eq!(aws.seen().requests["DescribeImages"], 10);
    for image in resolved.apps.values() {
        assert_eq!(image.tag, "master-9999-aaaaaaa");
    }
}

#[tokio::test(start_paused = true)]
async fn a_moving_tag_among_ten_thousand_images_takes_one_call() {
    let aws = Aws::new(10_000);
    let mut group = apps(1);
    group.newest = Newest::MovingTag;
    let resolved = resolve(Sources::pushed(&aws.ecr().await), &group)
        .await
        .unwrap();
    assert_eq!(aws.seen().requests["DescribeImages"], 1);
    for image in resolved.apps.values() {
        assert_eq!(image.tag, "master-9999-aaaaaaa");
    }
}

#[tokio::test(start_paused = true)]
async fn two_hundred_apps_survive_throttling_and_an_expired_token() {
    let aws = Aws::new(3).throttling(3).expiring(300, true);
    let resolved = resolve(Sources::pushed(&aws.ecr().await), &apps(200))
        .await
        .unwrap();
    let seen = aws.seen();
    assert_eq!(resolved.apps.len(), 200);
    for (name, image) in &resolved.apps {
        assert_eq!(image.repository.as_str(), name.as_str());
        assert_eq!(image.tag, "master-2-aaaaaaa");
        assert_eq!(image.platforms.len(), 1, "{name}");
    }
    assert_eq!(seen.most_in_flight, AT_ONCE);
    assert!(seen.throttled * 2 > seen.all(), "{seen:?}");
    assert!((1..=AT_ONCE).contains(&seen.expired), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_not_renewed_is_told() {
    let aws = Aws::new(3).expiring(10, false);
    let errors = resolve(Sources::pushed(&aws.ecr().await), &apps(200))
        .await
        .unwrap_err();
    let text = chain(&errors[0]);
    assert!(
        text.contains("the AWS credentials have expired: run `aws sso login`"),
        "{text}"
    );
    // Once more with what the provider gave when asked again, not once for each app.
    assert!(aws.seen().expired <= 200 + AT_ONCE, "{:?}", aws.seen());
}
