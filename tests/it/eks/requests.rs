//! The requests of the real Kubernetes client, while a clock goes on by hours.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use promoter::adapter::kubernetes::{Connection, list_groups};
use promoter::group::name::Namespace;
use promoter::port::Clock as _;
use promoter::port::login::Endpoint;
use serde_json::json;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::fresh::{Source, fresh};
use super::refused::Set;

/// When the token of a request was signed.
fn signed(request: &Request) -> Timestamp {
    let header = request.headers["authorization"].to_str().unwrap();
    let token = header.strip_prefix("Bearer k8s-aws-v1.").unwrap();
    let address = String::from_utf8(URL_SAFE_NO_PAD.decode(token).unwrap()).unwrap();
    let date = address.split("X-Amz-Date=").nth(1).unwrap();
    let date = date.split('&').next().unwrap();
    let date = date.replace('Z', "+0000");
    Timestamp::strptime("%Y%m%dT%H%M%S%z", date).unwrap()
}

#[tokio::test]
async fn no_request_of_a_long_promotion_has_a_token_that_is_over() {
    let source = Arc::<Source>::default();
    let clock = Set::new();
    let server = MockServer::start().await;
    let ages = Arc::new(Mutex::new(Vec::new()));
    let (now, seen) = (clock.clone(), Arc::clone(&ages));
    let api = move |request: &Request| {
        let age = now.now().duration_since(signed(request));
        seen.lock().unwrap().push(age);
        ResponseTemplate::new(200).set_body_json(json!({
            "apiVersion": "promoter.dev/v1alpha1",
            "kind": "DeploymentGroupList",
            "metadata": {},
            "items": [],
        }))
    };
    Mock::given(method("GET"))
        .respond_with(api)
        .mount(&server)
        .await;

    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let endpoint = Endpoint {
        cluster: "prod".to_owned(),
        server: server.uri(),
        authority: String::new(),
    };
    let login = Arc::new(fresh(&source, clock.clone()).await);
    let connection = Connection::to_endpoint(&endpoint, login).unwrap();
    let namespace = Namespace::parse("v2").unwrap();
    // Two hours, and more requests at a time than there are connections.
    for _ in 0..60 {
        let all = (0..8).map(|_| list_groups(&connection, &namespace));
        for answer in join_all(all).await {
            assert_eq!(answer.unwrap().len(), 0);
        }
        clock.by(2);
    }
    let ages = ages.lock().unwrap();
    assert_eq!(ages.len(), 480);
    let oldest = ages.iter().max().unwrap();
    assert!(*oldest < SignedDuration::from_mins(14), "{oldest:#}");
    // Every 14 minutes, by a clock that goes on two at a time.
    assert_eq!(source.asked(), 9);
}
