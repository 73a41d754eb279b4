//! ECR that throttles, and credentials that run out, while a promotion is planned.
//! Once it is planned, nothing of it asks ECR any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::{Scene, holding};
use crate::support::{Answer, Proxy, Running};

const EXPIRED: &str = "The security token included in the request is expired";

#[test]
fn a_throttled_ecr_is_asked_again_and_none_once_it_is_planned() {
    let scene = Scene::new("throttled");
    let proxy = Proxy::to_aws();
    let throttled = fail_times(&proxy, 4, "ThrottlingException", "Rate exceeded");
    let mut running = deploy(&scene, &proxy);
    let check = holding(&mut running);
    assert_eq!(
        throttled.load(Ordering::Relaxed),
        4,
        "answers that throttled"
    );
    let asked = fail_times(&proxy, usize::MAX, "ExpiredTokenException", EXPIRED);
    scene.let_go(&check);
    let run = running.wait();

    scene.assert_promoted(&run);
    assert_eq!(
        asked.load(Ordering::Relaxed),
        0,
        "requests once it was planned"
    );
}

#[test]
fn expired_credentials_are_named_and_change_nothing() {
    let scene = Scene::new("expired");
    let (before, users) = (scene.standing(), scene.users());
    let proxy = Proxy::to_aws();
    fail_times(&proxy, usize::MAX, "ExpiredTokenException", EXPIRED);
    let run = deploy(&scene, &proxy).wait();

    assert_eq!(run.code, 7, "{run}");
    assert!(run.stderr.contains("expired"), "{run}");
    assert_eq!(
        run.events(),
        Vec::<Value>::new(),
        "no promotion began: {run}"
    );
    assert_eq!(scene.standing(), before);
    users.stop().assert_undisturbed();
}

fn deploy(scene: &Scene, proxy: &Proxy) -> Running {
    scene.deploy().env("AWS_ENDPOINT_URL", &proxy.url()).start()
}

/// Lets so many requests fail; gives how many have.
fn fail_times(proxy: &Proxy, times: usize, code: &str, message: &str) -> Arc<AtomicUsize> {
    let failed = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&failed);
    let body = json!({ "__type": code, "message": message });
    proxy.answer(move |_| {
        let is_left = count.load(Ordering::Relaxed) < times;
        is_left.then(|| {
            count.fetch_add(1, Ordering::Relaxed);
            Answer {
                status: 400,
                body: body.clone(),
            }
        })
    });
    failed
}
