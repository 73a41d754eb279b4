//! ECR in memory, behind the SDK's own client: what is replaced is the wire.
//!
//! Every request takes a while of virtual time, so that requests overlap and
//! the client's real backoff costs nothing. It counts, throttles and lets
//! tokens expire; whether a request is throttled depends on the request alone,
//! so that every run is the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_config::Region;
use aws_credential_types::Credentials;
use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use promoter::adapter::aws;
use promoter::adapter::ecr::Ecr;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{ACCOUNT, digest};

/// How long the answer to a request takes.
const LATENCY: Duration = Duration::from_millis(20);

/// ECR with as many repositories as anybody asks for, each of one size.
#[derive(Debug, Clone)]
pub(super) struct Aws(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    images: u32,
    /// Most times in a row that one request is turned away.
    throttles: u64,
    /// Requests after which the first token is no longer good.
    expires_after: Option<usize>,
    /// Whether somebody who asks for credentials then gets others.
    renews: bool,
    credentials_given: usize,
    in_flight: usize,
    seen: Seen,
    attempts: BTreeMap<String, u64>,
}

/// What was asked and answered.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Requests by action, those included that were turned away.
    pub(super) requests: BTreeMap<String, usize>,
    /// Most requests that were under way at the same time.
    pub(super) most_in_flight: usize,
    /// Answers that said "too many requests".
    pub(super) throttled: usize,
    /// Answers that said that the token has expired.
    pub(super) expired: usize,
}

impl Seen {
    pub(super) fn all(&self) -> usize {
        self.requests.values().sum()
    }
}

impl Aws {
    /// Repositories of so many images, all of the branch `master`.
    pub(super) fn new(images: u32) -> Self {
        Self(Arc::new(Mutex::new(State {
            images,
            throttles: 0,
            expires_after: None,
            renews: true,
            credentials_given: 0,
            in_flight: 0,
            seen: Seen::default(),
            attempts: BTreeMap::new(),
        })))
    }

    /// Turns requests away up to so many times in a row, each another number
    /// of times.
    pub(super) fn throttling(self, throttles: u64) -> Self {
        self.state().throttles = throttles;
        self
    }

    /// After so many requests the token in use is good no longer; `renews`:
    /// there is a new one for those who ask.
    pub(super) fn expiring(self, after: usize, renews: bool) -> Self {
        self.state().expires_after = Some(after);
        self.state().renews = renews;
        self
    }

    pub(super) fn seen(&self) -> Seen {
        self.state().seen.clone()
    }

    /// The adapter as it runs in production, but for the wire and the credentials.
    pub(super) async fn ecr(&self) -> Ecr {
        let config = aws::loader()
            .region(Region::new("eu-west-1"))
            .credentials_provider(self.credentials())
            .http_client(self.clone());
        Ecr::new(config.load().await, None).unwrap()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// They are said to be good for ever, so nobody renews them in time.
    fn credentials(&self) -> impl ProvideCredentials + 'static {
        let aws = self.clone();
        provide_credentials_fn(move || {
            let mut state = aws.state();
            state.credentials_given += 1;
            let token = state.token();
            async move {
                Ok(Credentials::new(
                    "AKIDTEST",
                    "secret",
                    Some(token),
                    None,
                    "test",
                ))
            }
        })
    }
}

impl State {
    fn has_expired(&self) -> bool {
        self.expires_after
            .is_some_and(|most| self.seen.all() > most)
    }

    /// The token that credentials hold now.
    fn token(&self) -> String {
        let renewed = self.has_expired() && self.renews;
        if renewed { "second" } else { "first" }.to_owned()
    }

    fn answer(&mut self, action: &str, token: &str, body: &str) -> (u16, Value) {
        let asked: Value = serde_json::from_str(body).unwrap();
        *self.seen.requests.entry(action.to_owned()).or_default() += 1;
        if self.has_expired() && token == "first" {
            self.seen.expired += 1;
            let message = "The security token included in the request is expired";
            return (
                400,
                json!({"__type": "ExpiredTokenException", "message": message}),
            );
        }
        let key = format!("{action} {body}");
        let turned_away = Sha256::digest(&key)[0];
        let attempts = self.attempts.entry(key).or_default();
        *attempts += 1;
        if *attempts <= u64::from(turned_away) % (self.throttles + 1) {
            self.seen.throttled += 1;
            return if self.seen.throttled.is_multiple_of(2) {
                (
                    400,
                    json!({"__type": "ThrottlingException", "message": "Rate exceeded"}),
                )
            } else {
                (
                    429,
                    json!({"__type": "TooManyRequestsException", "message": "Slow down"}),
                )
            };
        }
        (200, self.good(action, &asked))
    }

    fn good(&self, action: &str, asked: &Value) -> Value {
        match action {
            "DescribeImages" if asked["imageIds"].is_array() => self.tagged(asked),
            "DescribeImages" => self.page(asked),
            "BatchGetImage" => json!({"images": [{"imageManifest": index()}], "failures": []}),
            other => panic!("nobody should ask for {other}"),
        }
    }

    /// CI has moved the branch's tag to its last image.
    fn tagged(&self, asked: &Value) -> Value {
        let moving = "branch.master";
        assert_eq!(asked["imageIds"], json!([{"imageTag": moving}]));
        json!({"imageDetails": [image(asked, self.images - 1, &[moving])]})
    }

    fn page(&self, asked: &Value) -> Value {
        let most = u32::try_from(asked["maxResults"].as_u64().unwrap()).unwrap();
        let first: u32 = asked["nextToken"]
            .as_str()
            .map_or(0, |token| token.parse().unwrap());
        let next = first.saturating_add(most).min(self.images);
        let images: Vec<_> = (first..next).map(|n| image(asked, n, &[])).collect();
        let more = (next < self.images).then(|| next.to_string());
        json!({"imageDetails": images, "nextToken": more})
    }
}

fn image(asked: &Value, n: u32, more: &[&str]) -> Value {
    let mut tags = vec![format!("master-{n}-aaaaaaa")];
    tags.extend(more.iter().map(|&tag| tag.to_owned()));
    json!({
        "registryId": ACCOUNT,
        "repositoryName": asked["repositoryName"],
        "imageDigest": digest(n).as_str(),
        "imageTags": tags,
        "imagePushedAt": 1_750_000_000 + n,
    })
}

/// An index whose platform can be told without reading further.
fn index() -> String {
    let platform = json!({"os": "linux", "architecture": "amd64"});
    json!({"manifests": [{"digest": digest(1).as_str(), "platform": platform}]}).to_string()
}

impl HttpClient for Aws {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let aws = self.clone();
        HttpConnectorFuture::new(async move {
            {
                let mut state = aws.state();
                state.in_flight += 1;
                state.seen.most_in_flight = state.seen.most_in_flight.max(state.in_flight);
            }
            tokio::time::sleep(LATENCY).await;
            let header = |name| request.headers().get(name).unwrap_or_default();
            let action = header("x-amz-target")
                .rsplit('.')
                .next()
                .unwrap_or_default();
            let body = std::str::from_utf8(request.body().bytes().unwrap()).unwrap();
            let mut state = aws.state();
            state.in_flight -= 1;
            let (status, body) = state.answer(action, header("x-amz-security-token"), body);
            let body = SdkBody::from(body.to_string());
            Ok(HttpResponse::new(status.try_into().unwrap(), body))
        })
    }
}
