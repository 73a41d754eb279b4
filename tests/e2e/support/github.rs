//! A stand-in for GitHub on this machine: it says of commits what a test wants.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// Digits of a commit that tags have.
const SHORT: usize = 7;

/// GitHub, as far as promoter asks it. What nothing is said of has passed.
pub(crate) struct Github {
    runtime: Runtime,
    server: MockServer,
    builds: Builds,
}

/// The check run `build` of each commit.
#[derive(Clone, Default)]
struct Builds(Arc<Mutex<BTreeMap<String, Build>>>);

/// Its status and, once it has ended, its conclusion.
type Build = (String, Option<String>);

impl Github {
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let builds = Builds::default();
        let server = runtime.block_on(async {
            let server = MockServer::start().await;
            let all = Mock::given(method("GET")).respond_with(builds.clone());
            server.register(all).await;
            server
        });
        Self {
            runtime,
            server,
            builds,
        }
    }

    /// The address of its API.
    pub(crate) fn api(&self) -> String {
        self.server.uri()
    }

    /// From now on the build of a commit stands like this.
    pub(crate) fn build(&self, commit: &str, status: &str, conclusion: Option<&str>) {
        let standing = (status.to_owned(), conclusion.map(str::to_owned));
        let mut builds = self.builds.0.lock().unwrap();
        builds.insert(commit[..SHORT].to_owned(), standing);
    }

    /// Paths that were asked for, and with which authorization.
    pub(crate) fn asked(&self) -> Vec<(String, String)> {
        let requests = self.runtime.block_on(self.server.received_requests());
        let asked = |request: &Request| {
            let sent = request.headers.get("authorization");
            let sent = sent.map_or("", |value| value.to_str().unwrap());
            (request.url.path().to_owned(), sent.to_owned())
        };
        requests.unwrap().iter().map(asked).collect()
    }
}

impl Respond for Builds {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut parts = request.url.path().rsplit('/');
        let (what, commit) = (parts.next().unwrap(), parts.next().unwrap());
        let sha = format!("{commit:0<40}");
        let body = match what {
            "status" => json!({"sha": sha, "total_count": 0, "statuses": []}),
            "check-runs" => json!({"total_count": 1, "check_runs": [self.run(&sha)]}),
            _ => return ResponseTemplate::new(404),
        };
        ResponseTemplate::new(200).set_body_json(body)
    }
}

impl Builds {
    fn run(&self, sha: &str) -> Value {
        let known = self.0.lock().unwrap().get(&sha[..SHORT]).cloned();
        let passed = || ("completed".to_owned(), Some("success".to_owned()));
        let (status, conclusion) = known.unwrap_or_else(passed);
        json!({"name": "build", "head_sha": sha, "status": status, "conclusion": conclusion})
    }
}
