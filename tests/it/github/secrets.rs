//! Where the token goes, and where it does not.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;
use wiremock::matchers::header;

use super::*;

#[tokio::test]
async fn it_is_sent_to_the_api_with_what_github_asks_for() {
    let server = server(&[], &[PASSED]).await;
    assert_eq!(standing(&server).await, Ok(Standing::Good));
    for request in server.received_requests().await.unwrap() {
        let sent = |name| request.headers.get(name).unwrap().to_str().unwrap();
        assert_eq!(sent("authorization"), format!("Bearer {TOKEN}"));
        assert_eq!(sent("accept"), "application/vnd.github+json");
        assert_eq!(sent("x-github-api-version"), "2022-11-28");
        assert!(sent("user-agent").starts_with("promoter/"));
    }
}

#[tokio::test]
async fn without_one_nothing_is_sent() {
    let server = server(&[], &[PASSED]).await;
    let github = Github::new(&settings(&server), None);
    assert_eq!(github.standing(&claim(FULL)).await, Ok(Standing::Good));
    for request in server.received_requests().await.unwrap() {
        assert!(!request.headers.contains_key("authorization"));
    }
}

#[tokio::test]
async fn no_redirect_is_followed() {
    let elsewhere = MockServer::start().await;
    for status in [301, 302, 307, 308] {
        let to = format!("{}/repositories/1/commits/{FULL}/status", elsewhere.uri());
        let server = only(ResponseTemplate::new(status).insert_header("location", to)).await;
        let error = standing(&server).await.unwrap_err();
        assert!(matches!(error, ForgeError::Moved { .. }), "{error:?}");
        assert_eq!(requests(&server).await, 1);
    }
    assert_eq!(requests(&elsewhere).await, 0);
}

#[tokio::test]
async fn it_is_in_no_error() {
    let echo = json!({"message": format!("you sent Bearer {TOKEN}")});
    for status in [200, 301, 400, 401, 403, 404, 418, 422, 429, 500] {
        let server = only(ResponseTemplate::new(status).set_body_json(&echo)).await;
        let answer = standing(&server).await;
        let text = match &answer {
            Ok(standing) => format!("{standing:?}"),
            Err(error) => format!("{error:?} {}", chain(error)),
        };
        assert!(!text.contains(TOKEN), "{status}: {text}");
    }
    let server = server(&[], &[]).await;
    let debug = format!("{:?}", github(&server));
    assert!(
        debug.contains("GH_ENTERPRISE_TOKEN") && !debug.contains(TOKEN),
        "{debug}"
    );
}

#[tokio::test]
async fn one_that_cannot_be_sent_is_not_shown() {
    let server = server(&[], &[PASSED]).await;
    let settings = settings(&server);
    let get = |name: &str| (name == "GH_ENTERPRISE_TOKEN").then(|| "hid\u{1}den".to_owned());
    let github = Github::new(&settings, Token::find(&settings.api, get));
    let error = github.standing(&claim(FULL)).await.unwrap_err();
    assert!(matches!(error, ForgeError::Token { .. }), "{error:?}");
    assert!(!format!("{error:?} {}", chain(&error)).contains("den"));
    assert_eq!(requests(&server).await, 0);
}

/// All that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;
    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn the_log_says_what_is_left_of_the_limit_and_not_the_token() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    for (remaining, level) in [("4999", "DEBUG"), ("499", "WARN")] {
        let server = MockServer::start().await;
        let status = answer(&statuses(&[("ci/a", "success")]));
        let status = status
            .insert_header("x-ratelimit-limit", "5000")
            .insert_header("x-ratelimit-remaining", remaining);
        let all = get(FULL, "status").and(header("authorization", format!("Bearer {TOKEN}")));
        server.register(all.respond_with(status)).await;
        let none = get(FULL, "check-runs").respond_with(answer(&runs(&[])));
        server.register(none).await;
        assert_eq!(standing(&server).await, Ok(Standing::Good));
        let text = String::from_utf8(std::mem::take(&mut *log.0.lock().unwrap())).unwrap();
        let said = format!("remaining={remaining} most=5000");
        let line = text.lines().find(|line| line.contains(&said));
        assert!(line.is_some_and(|line| line.contains(level)), "{text}");
        assert!(!text.contains(TOKEN), "{text}");
    }
}
