//! A role that is assumed first: for asking EKS, and for the token.

use promoter::adapter::eks::Eks;
use promoter::group::EksRef;
use promoter::port::LoginError;
use promoter::port::login::Token;
use wiremock::matchers::{body_string_contains, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{SECRET, answers, chain, cluster, config, prod};
use crate::support::clock::FakeClock;

const ROLE: &str = "arn:aws:iam::123456789012:role/deployer";

async fn as_deployer(server: &MockServer) -> Eks {
    let cluster = EksRef {
        role: Some(ROLE.to_owned()),
        ..prod()
    };
    Eks::new(config(server).load().await, &cluster)
        .await
        .unwrap()
}

async fn sts_answers(server: &MockServer, with: ResponseTemplate) {
    Mock::given(method("POST"))
        .and(path("/"))
        .and(body_string_contains("Action=AssumeRole&"))
        .and(body_string_contains("role%2Fdeployer"))
        .respond_with(with)
        .mount(server)
        .await;
}

fn assumed(until: &str) -> ResponseTemplate {
    let body = format!(
        "<AssumeRoleResponse><AssumeRoleResult>\
         <Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>{SECRET}</SecretAccessKey>\
         <SessionToken>session</SessionToken><Expiration>{until}</Expiration></Credentials>\
         <AssumedRoleUser><AssumedRoleId>A:promoter</AssumedRoleId>\
         <Arn>arn:aws:sts::123456789012:assumed-role/deployer/promoter</Arn></AssumedRoleUser>\
         </AssumeRoleResult></AssumeRoleResponse>"
    );
    ResponseTemplate::new(200).set_body_raw(body, "text/xml")
}

fn address(token: &Token) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let text = token.secret().strip_prefix("k8s-aws-v1.").unwrap();
    String::from_utf8(URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

#[tokio::test]
async fn a_role_asks_and_logs_in() {
    let server = MockServer::start().await;
    sts_answers(&server, assumed("2126-11-21T10:00:00Z")).await;
    let found = ResponseTemplate::new(200)
        .set_body_json(serde_json::json!({ "cluster": cluster("ACTIVE") }));
    answers(&server, found).await;
    let eks = as_deployer(&server).await;
    eks.describe().await.unwrap();
    let token = eks.sign(&FakeClock::new(), false).await.unwrap();
    let address = address(&token);
    assert!(
        address.contains("X-Amz-Credential=ASIAROLE%2F20261121"),
        "{address}"
    );
    assert!(
        address.contains("X-Amz-Security-Token=session"),
        "{address}"
    );
    let asked = server.received_requests().await.unwrap();
    let describe = asked
        .iter()
        .find(|asked| asked.url.path() == "/clusters/prod");
    let signed = describe.unwrap().headers["authorization"].to_str().unwrap();
    assert!(signed.contains("Credential=ASIAROLE/"), "{signed}");
}

/// The cluster cannot check what was signed with a key that is good no longer.
#[tokio::test]
async fn a_token_is_good_no_longer_than_its_credentials() {
    let server = MockServer::start().await;
    sts_answers(&server, assumed("2026-11-21T09:05:00Z")).await;
    let clock = FakeClock::new();
    let token = as_deployer(&server)
        .await
        .sign(&clock, false)
        .await
        .unwrap();
    assert_eq!(token.expires.to_string(), "2026-11-21T09:05:00Z");
    let later = FakeClock::from("2026-11-21T09:05:00Z".parse().unwrap());
    let error = as_deployer(&server)
        .await
        .sign(&later, false)
        .await
        .unwrap_err();
    assert_eq!(
        chain(&error),
        "the AWS credentials have expired: run `aws sso login`, or renew the session token: they \
         were good until 2026-11-21T09:05:00Z"
    );
}

#[tokio::test]
async fn an_sts_that_does_not_answer_is_no_matter_of_credentials() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let server = MockServer::start().await;
    let config = config(&server).endpoint_url(nobody).load().await;
    let cluster = EksRef {
        role: Some(ROLE.to_owned()),
        ..prod()
    };
    let eks = Eks::new(config, &cluster).await.unwrap();
    let described = eks.describe().await.unwrap_err();
    let signed = eks.sign(&FakeClock::new(), false).await.unwrap_err();
    for error in [described, signed] {
        assert!(matches!(error, LoginError::Unreachable { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_role_that_may_not_be_assumed_is_named() {
    for (code, message, expected) in [
        (
            "AccessDenied",
            "User: u is not authorized to perform: sts:AssumeRole on resource: deployer",
            "the AWS credentials lack a permission: have it granted to them: ",
        ),
        (
            "ExpiredToken",
            "The security token included in the request is expired",
            "the AWS credentials have expired: run `aws sso login`, or renew the session token: ",
        ),
    ] {
        let server = MockServer::start().await;
        let body = format!(
            "<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error>\
             </ErrorResponse>"
        );
        let denied = ResponseTemplate::new(403).set_body_raw(body, "text/xml");
        sts_answers(&server, denied).await;
        let eks = as_deployer(&server).await;
        let described = chain(&eks.describe().await.unwrap_err());
        let signed = chain(&eks.sign(&FakeClock::new(), false).await.unwrap_err());
        for error in [described, signed] {
            assert!(
                error.starts_with(expected) && error.contains(message),
                "{error}"
            );
            assert!(!error.contains(SECRET), "{error}");
        }
    }
}
