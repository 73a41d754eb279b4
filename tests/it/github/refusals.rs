//! Everything that is no answer: it proves nothing, and says what to do.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

fn refusal(status: u16, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"message": message}))
}

#[tokio::test]
async fn a_commit_that_is_not_shown_is_unknown() {
    for status in [404, 409, 422] {
        let server = only(refusal(status, "No commit found for SHA: abc1234")).await;
        let Ok(Standing::Unknown(why)) = standing(&server).await else {
            panic!("{status}");
        };
        let expected = if status == 404 {
            "127.0.0.1 shows no commit abc1234def0123456789abcdef0123456789abcd of `acme/hello-a`: \
             check `owner` and `sources` under [github] in the environment, and that \
             GH_ENTERPRISE_TOKEN may read it"
        } else {
            "`acme/hello-a` has no commit abc1234def0123456789abcdef0123456789abcd, or several that \
             begin like that: have CI set the image's revision label to the full commit"
        };
        assert_eq!(why, expected);
        assert_eq!(requests(&server).await, 1);
    }
}

#[tokio::test]
async fn what_is_refused_says_what_to_do() {
    for (status, message, expected) in [
        (
            401,
            "Bad credentials",
            "127.0.0.1 does not accept the token in GH_ENTERPRISE_TOKEN: renew it",
        ),
        (
            403,
            "Resource not accessible by personal access token",
            "127.0.0.1 does not tell what was reported on `acme/hello-a`: let GH_ENTERPRISE_TOKEN \
             hold a token that may read its commit statuses and checks: HTTP status 403 Resource \
             not accessible by personal access token",
        ),
        (
            301,
            "Moved Permanently",
            "repository `acme/hello-a` has moved on GitHub: set its name under [github.sources] in \
             the environment",
        ),
        (
            418,
            "short\nand \u{1b}[31mstout",
            "failed to read what was reported on commit abc1234def0123456789abcdef0123456789abcd of \
             `acme/hello-a`: HTTP status 418 short and  [31mstout",
        ),
    ] {
        let server = only(refusal(status, message)).await;
        assert_eq!(fails(&server).await, expected);
        assert_eq!(requests(&server).await, 1, "asking again would not help");
    }
}

#[tokio::test]
async fn without_a_token_it_is_told_to_set_one() {
    let server = only(refusal(401, "Requires authentication")).await;
    let github = Github::new(&settings(&server), None);
    let error = chain(&github.standing(&claim(FULL)).await.unwrap_err());
    assert!(
        error.contains("let GH_ENTERPRISE_TOKEN hold a token"),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_fails_is_asked_again_a_few_times() {
    let server = only(ResponseTemplate::new(502)).await;
    assert_eq!(
        fails(&server).await,
        "failed to get an answer of GitHub at 127.0.0.1: try again later, or check the network and \
         `api` under [github]: it answers with HTTP status 502"
    );
    assert_eq!(requests(&server).await, 3);
}

#[tokio::test]
async fn one_that_fails_once_does_no_harm() {
    let server = server(&[], &[PASSED]).await;
    let once = get(FULL, "status").respond_with(ResponseTemplate::new(503));
    server
        .register(once.up_to_n_times(1).with_priority(1))
        .await;
    assert_eq!(standing(&server).await, Ok(Standing::Good));
    assert_eq!(requests(&server).await, 3);
}

#[tokio::test]
async fn answers_that_are_none_prove_nothing() {
    let whole = statuses(&[("ci/a", "success")]).to_string();
    for body in [
        "",
        "[]",
        "{}",
        "<html>sign in</html>",
        &whole[..whole.len() / 2],
        r#"{"sha": 1}"#,
    ] {
        let server = only(ResponseTemplate::new(200).set_body_string(body)).await;
        let error = fails(&server).await;
        assert!(
            error.ends_with("it is cut off, or is not GitHub's"),
            "{body}: {error}"
        );
    }
}

/// A server that begins an answer and closes the connection.
async fn breaking_off() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{\"sha\": ";
            let _ = stream.write_all(head.as_bytes()).await;
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn an_answer_that_breaks_off_proves_nothing() {
    let settings = GithubRef {
        api: GithubApi::parse(&breaking_off().await).unwrap(),
        ..GithubRef::default()
    };
    let github = Github::new(&settings, None);
    let error = chain(&github.standing(&claim(FULL)).await.unwrap_err());
    assert!(error.ends_with("its answer broke off"), "{error}");
}

/// The time of the client is virtual: it passes while the server is silent.
#[tokio::test(start_paused = true)]
async fn a_silent_server_is_not_waited_for_without_end() {
    let server = only(ResponseTemplate::new(200).set_delay(Duration::from_hours(1))).await;
    let began = tokio::time::Instant::now();
    let error = fails(&server).await;
    assert!(error.ends_with("it does not answer within 20 s"), "{error}");
    assert!(
        began.elapsed() < Duration::from_mins(2),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn nobody_there() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let settings = GithubRef {
        api: GithubApi::parse(&api).unwrap(),
        ..GithubRef::default()
    };
    let github = Github::new(&settings, None);
    let error = github.standing(&claim(FULL)).await.unwrap_err();
    assert!(matches!(error, ForgeError::Unreachable { .. }), "{error:?}");
}
