//! What reports on a commit come to.

use super::*;

#[tokio::test]
async fn statuses_and_check_runs_both_count() {
    let failed = ("lint", "completed", Some("failure"));
    let queued = ("test", "queued", None);
    let bad = Standing::Bad("check run lint failed".to_owned());
    let pending = |what: &str| Standing::Pending(what.to_owned());
    for (states, reported, expected) in [
        (&[("ci/a", "success")][..], &[PASSED][..], Standing::Good),
        (&[("ci/a", "success")], &[], Standing::Good),
        (&[], &[PASSED], Standing::Good),
        (&[("ci/a", "success")], &[PASSED, failed], bad),
        (
            &[("ci/a", "failure")],
            &[PASSED],
            Standing::Bad("status ci/a failed".to_owned()),
        ),
        (
            &[("ci/a", "pending")],
            &[PASSED],
            pending("status ci/a is pending"),
        ),
        (
            &[],
            &[PASSED, queued],
            pending("check run test has not ended (queued)"),
        ),
        (
            &[],
            &[],
            Standing::Unknown("nothing has reported on its commit".to_owned()),
        ),
    ] {
        let server = server(states, reported).await;
        assert_eq!(standing(&server).await, Ok(expected));
        assert_eq!(requests(&server).await, 2);
    }
}

#[tokio::test]
async fn what_is_required_alone_counts() {
    let server = server(&[], &[PASSED, ("lint", "completed", Some("failure"))]).await;
    let mut settings = settings(&server);
    for (required, expected) in [
        ("build", Standing::Good),
        (
            "test",
            Standing::Pending("`test` has not reported".to_owned()),
        ),
    ] {
        settings.required = vec![required.to_owned()];
        let github = Github::new(&settings, None);
        assert_eq!(github.standing(&claim(FULL)).await, Ok(expected));
    }
}

#[tokio::test]
async fn all_pages_are_read() {
    let server = MockServer::start().await;
    let page = |number: u32, from: usize, to: usize| {
        let run = |n: usize| {
            let conclusion = if n == 230 { "failure" } else { "success" };
            run(&(&format!("run-{n}"), "completed", Some(conclusion)))
        };
        let body = json!({
            "total_count": 231,
            "check_runs": (from..to).map(run).collect::<Vec<_>>(),
        });
        get(FULL, "check-runs")
            .and(query_param("filter", "latest"))
            .and(query_param("per_page", "100"))
            .and(query_param("page", number.to_string()))
            .respond_with(answer(&body))
            .expect(1)
    };
    get(FULL, "status")
        .respond_with(answer(&statuses(&[])))
        .mount(&server)
        .await;
    for (number, from, to) in [(1, 0, 100), (2, 100, 200), (3, 200, 231)] {
        page(number, from, to).mount(&server).await;
    }
    let expected = Standing::Bad("check run run-230 failed".to_owned());
    assert_eq!(standing(&server).await, Ok(expected));
}

#[tokio::test]
async fn lists_that_are_not_whole_are_no_proof() {
    for (total, expected) in [
        (2, "it lists 1 of 2 reports"),
        (0, "it lists 1 of 0 reports"),
    ] {
        let server = MockServer::start().await;
        let mut short = runs(&[PASSED]);
        short["total_count"] = json!(total);
        let status = get(FULL, "status").respond_with(answer(&statuses(&[])));
        server.register(status).await;
        let runs = get(FULL, "check-runs").respond_with(answer(&short));
        server.register(runs).await;
        let error = fails(&server).await;
        assert!(error.ends_with(expected), "{error}");
    }
}

#[tokio::test]
async fn a_list_without_an_end_is_left() {
    let server = MockServer::start().await;
    let page: Vec<_> = (0..100).map(|_| run(&PASSED)).collect();
    let status = get(FULL, "status").respond_with(answer(&statuses(&[])));
    server.register(status).await;
    let body = json!({"total_count": 1_000_000, "check_runs": page});
    let endless = get(FULL, "check-runs").respond_with(answer(&body));
    server.register(endless).await;
    let error = fails(&server).await;
    assert!(error.ends_with("there are too many reports"), "{error}");
    assert_eq!(requests(&server).await, 21);
}

#[tokio::test]
async fn a_short_commit_is_asked_for_in_full_from_then_on() {
    let server = server(&[], &[PASSED]).await;
    let github = github(&server);
    assert_eq!(github.standing(&claim(SHORT)).await, Ok(Standing::Good));
    let asked = server.received_requests().await.unwrap();
    assert!(asked[0].url.path().ends_with("/commits/abc1234/status"));
    assert!(
        asked[1]
            .url
            .path()
            .ends_with(&format!("/commits/{FULL}/check-runs"))
    );
}

#[tokio::test]
async fn a_branch_that_is_called_like_a_commit_proves_nothing() {
    let server = MockServer::start().await;
    let mut other = statuses(&[("ci/a", "success")]);
    other["sha"] = json!("f".repeat(40));
    let status = get(SHORT, "status").respond_with(answer(&other));
    server.register(status).await;
    let standing = github(&server).standing(&claim(SHORT)).await.unwrap();
    let expected = "`abc1234` is a branch or a tag of `acme/hello-a` as well, and leads to another \
                    commit: have CI set the image's revision label to the full commit";
    assert_eq!(standing, Standing::Unknown(expected.to_owned()));
}

#[tokio::test]
async fn check_runs_of_another_commit_prove_nothing() {
    let server = MockServer::start().await;
    let mut other = runs(&[PASSED, PASSED]);
    other["check_runs"][1]["head_sha"] = json!("f".repeat(40));
    let status = get(FULL, "status").respond_with(answer(&statuses(&[])));
    server.register(status).await;
    let runs = get(FULL, "check-runs").respond_with(answer(&other));
    server.register(runs).await;
    let error = fails(&server).await;
    assert!(
        error.ends_with("it lists check runs of another commit"),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_final_is_asked_for_once() {
    let failed = ("lint", "completed", Some("failure"));
    let queued = ("lint", "queued", None);
    for (reported, times) in [(PASSED, 1), (failed, 1), (queued, 3)] {
        let server = server(&[], &[reported]).await;
        let github = github(&server);
        for _ in 0..3 {
            github.standing(&claim(FULL)).await.unwrap();
        }
        assert_eq!(requests(&server).await, 2 * times, "{reported:?}");
    }
}

#[tokio::test]
async fn apps_of_one_commit_ask_once() {
    let server = server(&[], &[PASSED]).await;
    let github = github(&server);
    let claim = claim(FULL);
    let all = (0..8).map(|_| github.standing(&claim));
    for standing in futures::future::join_all(all).await {
        assert_eq!(standing, Ok(Standing::Good));
    }
    assert_eq!(requests(&server).await, 2);
}
