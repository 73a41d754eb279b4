//! The GitHub adapter against answers as GitHub gives them.

mod examine;
mod limits;
mod refusals;
mod secrets;
mod standings;

use promoter::adapter::github::{Github, Token};
use promoter::group::github::{GithubApi, GithubRef, SourceRepository};
use promoter::plan::proof::{Claim, Commit, Standing};
use promoter::port::proof::{Forge as _, ForgeError};
use serde_json::{Value, json};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::outside::chain;

const FULL: &str = "abc1234def0123456789abcdef0123456789abcd";
const SHORT: &str = "abc1234";
const TOKEN: &str = "ghp_not-to-be-seen";

/// What holds for a server that stands in for GitHub.
fn settings(server: &MockServer) -> GithubRef {
    GithubRef {
        api: GithubApi::parse(&server.uri()).unwrap(),
        ..GithubRef::default()
    }
}

/// The token as the environment holds it.
fn token(settings: &GithubRef) -> Option<Token> {
    let get = |name: &str| (name == "GH_ENTERPRISE_TOKEN").then(|| TOKEN.to_owned());
    Token::find(&settings.api, get)
}

fn github(server: &MockServer) -> Github {
    let settings = settings(server);
    Github::new(&settings, token(&settings))
}

fn claim(commit: &str) -> Claim {
    Claim {
        repository: SourceRepository::parse("acme/hello-a").unwrap(),
        commit: Commit::parse(commit).unwrap(),
    }
}

async fn standing(server: &MockServer) -> Result<Standing, ForgeError> {
    github(server).standing(&claim(FULL)).await
}

async fn fails(server: &MockServer) -> String {
    chain(&standing(server).await.unwrap_err())
}

/// A request for something of a commit.
fn get(commit: &str, what: &str) -> wiremock::MockBuilder {
    let wanted = format!("/repos/acme/hello-a/commits/{commit}/{what}");
    Mock::given(method("GET")).and(path(wanted))
}

fn answer(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

fn statuses(states: &[(&str, &str)]) -> Value {
    let one = |(context, state): &(&str, &str)| json!({"context": context, "state": state});
    json!({
        "state": "not looked at",
        "sha": FULL,
        "total_count": states.len(),
        "statuses": states.iter().map(one).collect::<Vec<_>>(),
    })
}

fn runs(runs: &[(&str, &str, Option<&str>)]) -> Value {
    json!({
        "total_count": runs.len(),
        "check_runs": runs.iter().map(run).collect::<Vec<_>>(),
    })
}

fn run((name, status, conclusion): &(&str, &str, Option<&str>)) -> Value {
    json!({
        "name": name,
        "head_sha": FULL,
        "status": status,
        "conclusion": conclusion,
        "output": {"title": null, "summary": "all of it"},
    })
}

const PASSED: (&str, &str, Option<&str>) = ("build", "completed", Some("success"));

/// A server on which these were reported on the commit.
async fn server(states: &[(&str, &str)], reported: &[(&str, &str, Option<&str>)]) -> MockServer {
    let server = MockServer::start().await;
    let mocks = [
        get(FULL, "status").respond_with(answer(&statuses(states))),
        get(SHORT, "status").respond_with(answer(&statuses(states))),
        get(FULL, "check-runs").respond_with(answer(&runs(reported))),
    ];
    for mock in mocks {
        server.register(mock).await;
    }
    server
}

/// A server that gives this answer to everything.
async fn only(with: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    let all = Mock::given(method("GET"));
    server.register(all.respond_with(with)).await;
    server
}

async fn requests(server: &MockServer) -> usize {
    server.received_requests().await.unwrap().len()
}
