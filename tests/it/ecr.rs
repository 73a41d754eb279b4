//! The ECR adapter against answers as ECR gives them.

mod aws;
mod examine;
mod size;

use aws_config::profile::ProfileFileCredentialsProvider;
use promoter::adapter::ecr::Ecr;
use promoter::group::image::RepositoryName;
use promoter::plan::image::Digest;
use promoter::port::registry::{CredentialProblem, Registry as _, RegistryError};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use wiremock::matchers::{body_partial_json, header, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::outside::{SECRET, chain, config};

const ACCOUNT: &str = "123456789012";

async fn ecr(server: &MockServer) -> Ecr {
    Ecr::new(config(server).load().await, None).unwrap()
}

fn hello() -> RepositoryName {
    RepositoryName::parse("hello-a").unwrap()
}

fn digest(n: u32) -> Digest {
    Digest::parse(&format!("sha256:{n:064x}")).unwrap()
}

fn action(name: &str) -> wiremock::MockBuilder {
    let target = format!("AmazonEC2ContainerRegistry_V20150921.{name}");
    Mock::given(method("POST")).and(header("x-amz-target", &*target))
}

fn answer(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body.to_string(), "application/x-amz-json-1.1")
}

fn failure(status: u16, code: &str, message: &str) -> ResponseTemplate {
    let body = json!({"__type": code, "message": message}).to_string();
    ResponseTemplate::new(status).set_body_raw(body, "application/x-amz-json-1.1")
}

async fn list_fails(with: ResponseTemplate) -> (RegistryError, usize) {
    let server = MockServer::start().await;
    action("DescribeImages")
        .respond_with(with)
        .mount(&server)
        .await;
    let error = ecr(&server).await.images(&hello()).await.unwrap_err();
    (error, server.received_requests().await.unwrap().len())
}

#[tokio::test]
async fn a_large_repository_takes_a_call_per_thousand_images() {
    let server = MockServer::start().await;
    let page = |request: &Request| {
        let asked: Value = request.body_json().unwrap();
        assert_eq!(asked["maxResults"], 1000);
        assert_eq!(asked["filter"]["tagStatus"], "TAGGED");
        let first: u32 = asked["nextToken"]
            .as_str()
            .map_or(0, |token| token.parse().unwrap());
        let image = |n: u32| {
            json!({
                "registryId": ACCOUNT,
                "repositoryName": "hello-a",
                "imageDigest": digest(n).as_str(),
                "imageTags": [format!("master-{n}-aaaaaaa")],
                "imagePushedAt": 1_750_000_000 + n,
            })
        };
        let next = (first + 1000).min(2500);
        let images: Vec<_> = (first..next).map(image).collect();
        let mut body = json!({"imageDetails": images});
        if next < 2500 {
            body["nextToken"] = json!(next.to_string());
        }
        answer(&body)
    };
    action("DescribeImages")
        .respond_with(page)
        .expect(3)
        .mount(&server)
        .await;
    let listing = ecr(&server).await.images(&hello()).await.unwrap();
    assert_eq!(listing.images.len(), 2500);
    assert_eq!(listing.images[2499].tags, ["master-2499-aaaaaaa"]);
    assert_eq!(listing.images[1].pushed_at.as_second(), 1_750_000_001);
    assert_eq!(
        listing.reference(&hello(), &digest(1)),
        format!(
            "{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/hello-a@{}",
            digest(1)
        )
    );
}

#[tokio::test]
async fn repositories_are_listed_page_by_page() {
    let server = MockServer::start().await;
    let page = |request: &Request| {
        let asked: Value = request.body_json().unwrap();
        let repository = |name: &str| json!({"registryId": ACCOUNT, "repositoryName": name});
        answer(&match asked["nextToken"].as_str() {
            None => json!({"repositories": [repository("team/hello-b")], "nextToken": "2"}),
            Some(_) => json!({"repositories": [repository("hello-a")]}),
        })
    };
    action("DescribeRepositories")
        .respond_with(page)
        .expect(2)
        .mount(&server)
        .await;
    let found = ecr(&server).await.repositories().await.unwrap();
    let names: Vec<_> = found.names.iter().map(RepositoryName::as_str).collect();
    assert_eq!(names, ["hello-a", "team/hello-b"]);
    assert_eq!(
        found.host,
        format!("{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com")
    );
    assert_eq!(
        (found.account.as_str(), found.region.as_str()),
        (ACCOUNT, "eu-west-1")
    );

    let denied = MockServer::start().await;
    action("DescribeRepositories")
        .respond_with(failure(400, "AccessDeniedException", "not authorized"))
        .mount(&denied)
        .await;
    let error = ecr(&denied).await.repositories().await.unwrap_err();
    let RegistryError::Credentials { problem, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(problem, CredentialProblem::Denied);
}

#[tokio::test]
async fn a_tag_is_looked_up_by_itself() {
    let server = MockServer::start().await;
    action("DescribeImages")
        .and(body_partial_json(
            json!({"repositoryName": "hello-a", "imageIds": [{"imageTag": "branch.master"}]}),
        ))
        .respond_with(answer(&json!({"imageDetails": [{
            "registryId": ACCOUNT,
            "imageDigest": digest(1).as_str(),
            "imageTags": ["branch.master", "master-7-aaaaaaa"],
            "imagePushedAt": 1_750_000_000,
        }]})))
        .expect(1)
        .mount(&server)
        .await;
    let ecr = ecr(&server).await;
    let found = ecr.tagged(&hello(), "branch.master").await.unwrap();
    assert_eq!(found.images[0].tags, ["branch.master", "master-7-aaaaaaa"]);
    assert!(found.registry.starts_with(ACCOUNT));
}

#[tokio::test]
async fn a_tag_that_is_not_there_is_no_error_and_a_repository_is() {
    for (code, found) in [
        ("ImageNotFoundException", Some(0)),
        ("RepositoryNotFoundException", None),
    ] {
        let server = MockServer::start().await;
        action("DescribeImages")
            .respond_with(failure(400, code, "not there"))
            .mount(&server)
            .await;
        action("DescribeRepositories")
            .respond_with(answer(&json!({"repositories": []})))
            .mount(&server)
            .await;
        let answer = ecr(&server).await.tagged(&hello(), "branch.master").await;
        assert_eq!(answer.ok().map(|listing| listing.images.len()), found);
    }
}

#[tokio::test]
async fn only_tagged_active_images_are_listed() {
    let server = MockServer::start().await;
    let image = |n: u32, tags: Value, status: Value| {
        json!({
            "registryId": ACCOUNT,
            "imageDigest": digest(n).as_str(),
            "imageTags": tags,
            "imagePushedAt": 1_750_000_000.5,
            "imageStatus": status,
        })
    };
    let body = json!({"imageDetails": [
        image(1, json!(["a"]), json!("ACTIVE")),
        image(2, json!(["b"]), json!("ARCHIVED")),
        image(3, json!(["c"]), json!("ACTIVATING")),
        image(4, json!(null), json!("ACTIVE")),
        image(5, json!(["e"]), json!(null)),
    ]});
    action("DescribeImages")
        .respond_with(answer(&body))
        .mount(&server)
        .await;
    let listing = ecr(&server).await.images(&hello()).await.unwrap();
    let tags: Vec<_> = listing
        .images
        .iter()
        .flat_map(|image| &image.tags)
        .collect();
    assert_eq!(tags, ["a", "e"]);
    assert_eq!(
        listing.images[0].pushed_at.as_millisecond(),
        1_750_000_000_500
    );
}

#[tokio::test]
async fn an_account_that_is_named_is_asked() {
    let server = MockServer::start().await;
    action("DescribeImages")
        .and(body_partial_json(json!({"registryId": ACCOUNT})))
        .respond_with(answer(&json!({"imageDetails": []})))
        .mount(&server)
        .await;
    let ecr = Ecr::new(config(&server).load().await, Some(ACCOUNT.to_owned())).unwrap();
    assert!(ecr.images(&hello()).await.unwrap().images.is_empty());
}

/// The first calls of an action are refused for want of rate.
async fn throttle(server: &MockServer, name: &str, times: u64) {
    action(name)
        .respond_with(failure(400, "ThrottlingException", "Rate exceeded"))
        .up_to_n_times(times)
        .mount(server)
        .await;
}

#[tokio::test]
async fn a_throttled_request_is_tried_again() {
    let server = MockServer::start().await;
    throttle(&server, "DescribeImages", 2).await;
    action("DescribeImages")
        .respond_with(answer(&json!({"imageDetails": []})))
        .mount(&server)
        .await;
    assert!(ecr(&server).await.images(&hello()).await.is_ok());
    assert_eq!(server.received_requests().await.unwrap().len(), 3);
}

#[tokio::test]
async fn throttling_to_the_end_is_told() {
    let (error, requests) = list_fails(failure(400, "ThrottlingException", "Rate exceeded")).await;
    assert_eq!(requests, 3);
    assert_eq!(
        chain(&error),
        "the registry turned 3 attempts away as too many requests: try again later: \
         ThrottlingException: Rate exceeded"
    );
}

#[tokio::test]
async fn problems_with_credentials_say_what_helps() {
    for (code, message, expected) in [
        (
            "ExpiredTokenException",
            "The security token included in the request is expired",
            "the AWS credentials have expired: run `aws sso login`, or renew the session token: \
             ExpiredTokenException: The security token included in the request is expired",
        ),
        (
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            "AWS does not accept the credentials: check AWS_PROFILE and the AWS_ variables that \
             are set: UnrecognizedClientException: The security token included in the request is \
             invalid.",
        ),
        (
            "InvalidSignatureException",
            "The Canonical String should have been\n'POST\nx-amz-security-token:not-to-be-seen'",
            "AWS does not accept the credentials: check AWS_PROFILE and the AWS_ variables that \
             are set: InvalidSignatureException",
        ),
        (
            "AccessDeniedException",
            "User: u is not authorized to perform: ecr:DescribeImages",
            "the AWS credentials lack a permission: have it granted to them: \
             AccessDeniedException: User: u is not authorized to perform: ecr:DescribeImages",
        ),
    ] {
        let (error, requests) = list_fails(failure(400, code, message)).await;
        assert_eq!(chain(&error), expected);
        assert!(!format!("{error:?}").contains(SECRET));
        // Expired ones are read again, as somebody may have renewed them.
        let expected = if code.starts_with("Expired") { 2 } else { 1 };
        assert_eq!(requests, expected, "{code}");
    }
}

#[tokio::test]
async fn without_credentials_nothing_is_sent() {
    let server = MockServer::start().await;
    let provider = ProfileFileCredentialsProvider::builder()
        .profile_name("no-such-profile")
        .build();
    let chained = config(&server).credentials_provider(provider).load().await;
    let none = config(&server).no_credentials().load().await;
    for config in [chained, none] {
        let error = Ecr::new(config, None)
            .unwrap()
            .images(&hello())
            .await
            .unwrap_err();
        let RegistryError::Credentials { problem, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(*problem, CredentialProblem::Missing);
        assert!(chain(&error).starts_with("failed to get AWS credentials: run `aws sso login`"));
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_missing_repository_is_told_with_those_like_it() {
    let server = MockServer::start().await;
    action("DescribeImages")
        .respond_with(failure(
            400,
            "RepositoryNotFoundException",
            "It does not exist",
        ))
        .mount(&server)
        .await;
    let names = ["hello-aa", "billing", "team/hello-a"].map(|name| json!({"repositoryName": name}));
    action("DescribeRepositories")
        .respond_with(answer(&json!({"repositories": names})))
        .mount(&server)
        .await;
    let error = ecr(&server).await.images(&hello()).await.unwrap_err();
    assert_eq!(
        chain(&error),
        "repository `hello-a` does not exist in ECR of the credentials' account in eu-west-1: did \
         you mean `hello-aa`?"
    );
}

#[tokio::test]
async fn a_server_error_is_told_as_it_is() {
    let (error, requests) = list_fails(failure(500, "ServerException", "Try later")).await;
    assert_eq!(requests, 3);
    assert_eq!(
        chain(&error),
        "failed to list the images of repository `hello-a`: ServerException: Try later"
    );
}

#[tokio::test]
async fn nobody_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let server = MockServer::start().await;
    let config = config(&server).endpoint_url(nobody).load().await;
    let error = Ecr::new(config, None)
        .unwrap()
        .images(&hello())
        .await
        .unwrap_err();
    assert!(
        matches!(error, RegistryError::Unreachable { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn somebody_else_there() {
    let (error, _) = list_fails(ResponseTemplate::new(404).set_body_string("<html>")).await;
    assert_eq!(
        chain(&error),
        "failed to list the images of repository `hello-a`: an answer with HTTP status 404 that is \
         not ECR's"
    );
}

/// Answers requests for an image with its manifest.
async fn serve(server: &MockServer, n: u32, manifest: &Value) {
    let asked = json!({"imageIds": [{"imageDigest": digest(n).as_str()}]});
    let image = json!({"images": [{"imageManifest": manifest.to_string()}], "failures": []});
    action("BatchGetImage")
        .and(body_partial_json(asked))
        .respond_with(answer(&image))
        .mount(server)
        .await;
}

/// Serves a configuration at a signed address; returns the manifest with it.
async fn serve_configuration(server: &MockServer, sent: &str, promised: &str) -> Value {
    let hash = Sha256::digest(promised.as_bytes());
    let digest = hash
        .iter()
        .fold("sha256:".to_owned(), |text, b| format!("{text}{b:02x}"));
    let address = format!("{}/blob?X-Amz-Signature={SECRET}", server.uri());
    action("GetDownloadUrlForLayer")
        .and(body_partial_json(json!({"layerDigest": digest})))
        .respond_with(answer(
            &json!({"downloadUrl": address, "layerDigest": digest}),
        ))
        .mount(server)
        .await;
    Mock::given(method("GET"))
        .and(path("/blob"))
        .respond_with(ResponseTemplate::new(200).set_body_string(sent))
        .mount(server)
        .await;
    json!({
        "config": {"digest": digest, "size": promised.len()},
        "annotations": {"from": "manifest"},
    })
}

const CONFIGURATION: &str = r#"{"os": "linux", "architecture": "amd64",
    "config": {"Labels": {"org.opencontainers.image.ref.name": "feature/a", "from": "label"}}}"#;

#[tokio::test]
async fn platforms_of_an_index_come_from_the_index() {
    let server = MockServer::start().await;
    let entry = |n: u32, os: &str, architecture: &str| {
        json!({
            "digest": digest(n).as_str(),
            "platform": {"os": os, "architecture": architecture},
        })
    };
    let index = json!({"manifests": [
        entry(2, "linux", "amd64"),
        entry(3, "linux", "arm64"),
        entry(4, "unknown", "unknown"),
    ]});
    serve(&server, 1, &index).await;
    let manifest = serve_configuration(&server, CONFIGURATION, CONFIGURATION).await;
    serve(&server, 2, &manifest).await;
    let details = ecr(&server)
        .await
        .inspect(&hello(), &digest(1))
        .await
        .unwrap();
    let platforms: Vec<_> = details.platforms.iter().map(ToString::to_string).collect();
    assert_eq!(platforms, ["linux/amd64", "linux/arm64"]);
    assert_eq!(
        details.labels["org.opencontainers.image.ref.name"],
        "feature/a"
    );
    assert_eq!(details.labels["from"], "manifest");
}

#[tokio::test]
async fn the_platform_of_one_image_comes_from_its_configuration() {
    let server = MockServer::start().await;
    let manifest = serve_configuration(&server, CONFIGURATION, CONFIGURATION).await;
    serve(&server, 1, &manifest).await;
    let details = ecr(&server)
        .await
        .inspect(&hello(), &digest(1))
        .await
        .unwrap();
    assert_eq!(details.platforms[0].to_string(), "linux/amd64");
    assert_eq!(
        details.labels["org.opencontainers.image.ref.name"],
        "feature/a"
    );
}

#[tokio::test]
async fn labels_are_read_though_requests_are_throttled() {
    let server = MockServer::start().await;
    throttle(&server, "GetDownloadUrlForLayer", 3).await;
    let manifest = serve_configuration(&server, CONFIGURATION, CONFIGURATION).await;
    serve(&server, 1, &manifest).await;
    let details = ecr(&server)
        .await
        .inspect(&hello(), &digest(1))
        .await
        .unwrap();
    assert_eq!(
        details.labels["org.opencontainers.image.ref.name"],
        "feature/a"
    );
}

#[tokio::test]
async fn a_configuration_with_another_digest_says_nothing() {
    let server = MockServer::start().await;
    let manifest = serve_configuration(&server, CONFIGURATION, "{}").await;
    serve(&server, 1, &manifest).await;
    let details = ecr(&server)
        .await
        .inspect(&hello(), &digest(1))
        .await
        .unwrap();
    assert!(details.platforms.is_empty());
    assert_eq!(details.labels.len(), 1);
}

#[tokio::test]
async fn a_registry_without_blobs_leaves_the_platform_open() {
    let server = MockServer::start().await;
    serve(
        &server,
        1,
        &json!({"config": {"digest": "sha256:0", "size": 2}}),
    )
    .await;
    let details = ecr(&server)
        .await
        .inspect(&hello(), &digest(1))
        .await
        .unwrap();
    assert_eq!(details, promoter::port::registry::ImageDetails::default());
}

#[tokio::test]
async fn an_image_that_is_gone() {
    let server = MockServer::start().await;
    let failed = json!({"failureCode": "ImageNotFound", "failureReason": "not found"});
    action("BatchGetImage")
        .respond_with(answer(&json!({"images": [], "failures": [failed]})))
        .mount(&server)
        .await;
    let error = ecr(&server)
        .await
        .inspect(&hello(), &digest(1))
        .await
        .unwrap_err();
    let (repository, digest) = (hello(), digest(1));
    assert_eq!(error, RegistryError::ImageGone { repository, digest });
}
