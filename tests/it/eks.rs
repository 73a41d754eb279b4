//! The EKS adapter against answers as EKS and STS give them.

mod fresh;
mod refused;
mod requests;
mod role;

use promoter::adapter::eks::Eks;
use promoter::group::EksRef;
use promoter::port::LoginError;
use promoter::port::login::Endpoint;
use serde_json::{Value, json};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::outside::{SECRET, chain, config};

fn prod() -> EksRef {
    EksRef {
        name: "prod".to_owned(),
        region: None,
        role: None,
    }
}

async fn eks(server: &MockServer) -> Eks {
    Eks::new(config(server).load().await, &prod())
        .await
        .unwrap()
}

fn failure(status: u16, code: &str, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status)
        .insert_header("x-amzn-errortype", code)
        .set_body_json(json!({ "message": message }))
}

fn cluster(status: &str) -> Value {
    json!({
        "name": "prod",
        "status": status,
        "endpoint": "https://0A1B.gr7.eu-west-1.eks.amazonaws.com",
        "certificateAuthority": { "data": "Q0VSVA==" },
    })
}

async fn answers(server: &MockServer, with: ResponseTemplate) {
    Mock::given(method("GET"))
        .and(path("/clusters/prod"))
        .respond_with(with)
        .mount(server)
        .await;
}

async fn describe(with: ResponseTemplate) -> (Result<Endpoint, LoginError>, usize) {
    let server = MockServer::start().await;
    answers(&server, with).await;
    let described = eks(&server).await.describe().await;
    (described, server.received_requests().await.unwrap().len())
}

async fn described(cluster: &Value) -> Result<Endpoint, LoginError> {
    let answer = ResponseTemplate::new(200).set_body_json(json!({ "cluster": cluster }));
    describe(answer).await.0
}

#[tokio::test]
async fn a_cluster_is_where_eks_says() {
    let expected = Endpoint {
        cluster: "prod".to_owned(),
        server: "https://0A1B.gr7.eu-west-1.eks.amazonaws.com".to_owned(),
        authority: "Q0VSVA==".to_owned(),
    };
    for status in ["ACTIVE", "UPDATING", "SOMETHING_NEW"] {
        assert_eq!(
            described(&cluster(status)).await,
            Ok(expected.clone()),
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_cluster_that_cannot_be_used_says_why() {
    for (status, expected) in [
        (
            "CREATING",
            "cluster `prod` is still being created: try again in some minutes",
        ),
        (
            "PENDING",
            "cluster `prod` is still being created: try again in some minutes",
        ),
        (
            "DELETING",
            "cluster `prod` is being deleted: name another one",
        ),
        (
            "FAILED",
            "cluster `prod` could not be created: `aws eks describe-cluster` says why, under \
             `health`",
        ),
    ] {
        let error = described(&cluster(status)).await.unwrap_err();
        assert_eq!(chain(&error), expected);
    }
    for missing in ["endpoint", "certificateAuthority"] {
        let mut cluster = cluster("ACTIVE");
        cluster.as_object_mut().unwrap().remove(missing);
        let error = described(&cluster).await.unwrap_err();
        assert_eq!(
            chain(&error),
            "cluster `prod` has no endpoint yet: try again in some minutes"
        );
    }
}

async fn not_found(list: ResponseTemplate) -> String {
    let server = MockServer::start().await;
    let gone = failure(
        404,
        "ResourceNotFoundException",
        "No cluster found for name: prod.",
    );
    answers(&server, gone).await;
    Mock::given(method("GET"))
        .and(path("/clusters"))
        .and(query_param("maxResults", "100"))
        .respond_with(list)
        .mount(&server)
        .await;
    chain(&eks(&server).await.describe().await.unwrap_err())
}

#[tokio::test]
async fn a_missing_cluster_is_told_with_those_like_it() {
    let names = json!({ "clusters": ["prod-eu", "staging", "prods"] });
    assert_eq!(
        not_found(ResponseTemplate::new(200).set_body_json(names)).await,
        "cluster `prod` does not exist in EKS in eu-west-1: did you mean `prods` or `prod-eu`?"
    );
    // Whoever may describe clusters need not be allowed to list them.
    assert_eq!(
        not_found(failure(403, "AccessDeniedException", "no")).await,
        "cluster `prod` does not exist in EKS in eu-west-1: check the cluster's name, the region \
         and the credentials' account"
    );
}

#[tokio::test]
async fn problems_say_what_helps() {
    for (status, code, message, expected, requests) in [
        (
            403,
            "AccessDeniedException",
            "User: u is not authorized to perform: eks:DescribeCluster",
            "the AWS credentials lack a permission: have it granted to them: \
             AccessDeniedException: User: u is not authorized to perform: eks:DescribeCluster",
            1,
        ),
        (
            403,
            "ExpiredTokenException",
            "The security token included in the request is expired",
            "the AWS credentials have expired: run `aws sso login`, or renew the session token: \
             ExpiredTokenException: The security token included in the request is expired",
            // They are read again, as somebody may have renewed them.
            2,
        ),
        (
            429,
            "ThrottlingException",
            "Rate exceeded",
            "EKS turned 3 attempts away as too many requests: try again later: \
             ThrottlingException: Rate exceeded",
            3,
        ),
        (
            400,
            "InvalidParameterException",
            "odd",
            "failed to describe cluster `prod`: InvalidParameterException: odd",
            1,
        ),
    ] {
        let (described, asked) = describe(failure(status, code, message)).await;
        let error = described.unwrap_err();
        assert_eq!(chain(&error), expected);
        assert!(!format!("{error:?}").contains(SECRET));
        assert_eq!(asked, requests, "{code}");
    }
}

#[tokio::test]
async fn without_a_region_there_is_nothing_to_ask() {
    let config = aws_config::SdkConfig::builder().build();
    let error = Eks::new(config, &prod()).await.unwrap_err();
    assert_eq!(
        chain(&error),
        "no AWS region is set: give the cluster's `region`, AWS_REGION or the profile's `region`"
    );
}
