//! The rate limit: it is told, and nobody is asked on once it is used up.

use super::*;

const RESET: &str = "1795259400";

fn limited(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status)
        .insert_header("date", "Sat, 21 Nov 2026 10:40:00 GMT")
        .insert_header("x-ratelimit-limit", "60")
        .insert_header("x-ratelimit-reset", RESET)
        .set_body_json(json!({"message": "API rate limit exceeded"}))
}

#[tokio::test]
async fn a_used_up_limit_says_until_when_and_is_respected() {
    for status in [403, 429] {
        let server = only(limited(status).insert_header("x-ratelimit-remaining", "0")).await;
        let github = github(&server);
        for commit in [FULL, SHORT] {
            let error = chain(&github.standing(&claim(commit)).await.unwrap_err());
            assert_eq!(
                error,
                "GitHub's rate limit is used up until 2026-11-21 11:10 UTC: try again then"
            );
        }
        assert_eq!(requests(&server).await, 1);
    }
}

#[tokio::test]
async fn without_a_token_it_is_low() {
    let server = only(limited(403).insert_header("retry-after", "60")).await;
    let github = Github::new(&settings(&server), None);
    let error = chain(&github.standing(&claim(FULL)).await.unwrap_err());
    assert_eq!(
        error,
        "GitHub's rate limit is used up until 2026-11-21 10:41 UTC: try again then, or set \
         GH_ENTERPRISE_TOKEN, as without a token it is low"
    );
}

#[tokio::test]
async fn it_is_asked_again_once_the_time_is_over() {
    let server = server(&[], &[PASSED]).await;
    let once = get(FULL, "status").respond_with(limited(429).insert_header("retry-after", "0"));
    server
        .register(once.up_to_n_times(1).with_priority(1))
        .await;
    let github = github(&server);
    github.standing(&claim(FULL)).await.unwrap_err();
    assert_eq!(github.standing(&claim(FULL)).await, Ok(Standing::Good));
}
