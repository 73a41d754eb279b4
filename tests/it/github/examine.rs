//! Whether GitHub answers, and takes the token.

use promoter::adapter::github::Github;
use promoter::port::chain::ForgeFound;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{TOKEN, github, settings};

async fn server(with: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/rate_limit"))
        .respond_with(with)
        .mount(&server)
        .await;
    server
}

fn limit(remaining: u64) -> ResponseTemplate {
    let remaining = remaining.to_string();
    ResponseTemplate::new(200)
        .insert_header("x-ratelimit-limit", "5000")
        .insert_header("x-ratelimit-remaining", &*remaining)
        .set_body_raw("{}", "application/json")
}

#[tokio::test]
async fn one_request_tells() {
    let server = MockServer::start().await;
    let bearer = format!("Bearer {TOKEN}");
    Mock::given(path("/rate_limit"))
        .and(header("authorization", &*bearer))
        .respond_with(limit(4990))
        .expect(1)
        .mount(&server)
        .await;
    let expected = ForgeFound {
        host: "127.0.0.1".to_owned(),
        token: Some("GH_ENTERPRISE_TOKEN"),
        variable: "GH_ENTERPRISE_TOKEN",
        left: Some((4990, 5000)),
    };
    assert_eq!(github(&server).examine().await, Ok(expected));
}

#[tokio::test]
async fn an_enterprise_s_server_need_not_count() {
    let server = server(ResponseTemplate::new(404)).await;
    let nobody = Github::new(&settings(&server), None)
        .examine()
        .await
        .unwrap();
    assert_eq!((nobody.token, nobody.left), (None, None));
}

#[tokio::test]
async fn what_is_wrong_is_told() {
    let body = |status| ResponseTemplate::new(status).set_body_string(TOKEN);
    for (with, expected) in [
        (
            body(401),
            "127.0.0.1 does not accept the token in GH_ENTERPRISE_TOKEN: renew it",
        ),
        (
            body(429).insert_header("x-ratelimit-remaining", "0"),
            "GitHub's rate limit is used up: try again later",
        ),
        (
            body(302),
            "127.0.0.1 answers with HTTP status 302, as GitHub's API does not: check `api` under \
             [github]",
        ),
        (
            body(500),
            "failed to get an answer of GitHub at 127.0.0.1: try again later, or check the network \
             and `api` under [github]: it answers with HTTP status 500",
        ),
    ] {
        let server = server(with).await;
        let error = github(&server).examine().await.unwrap_err();
        assert_eq!(error.0, expected);
    }
    let server = server(body(401)).await;
    let error = Github::new(&settings(&server), None).examine().await;
    assert_eq!(
        error.unwrap_err().0,
        "127.0.0.1 answers nobody without a token: set GH_ENTERPRISE_TOKEN"
    );
}
