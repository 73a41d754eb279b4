//! Whose the credentials are, against answers as STS gives them.

use promoter::adapter::sts::caller;
use promoter::port::chain::{Caller, CallerError};
use promoter::port::registry::CredentialProblem;
use wiremock::matchers::{body_string_contains, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::outside::{SECRET, chain, config};

async fn answers(status: u16, body: &str) -> (Result<Caller, CallerError>, usize) {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(status).set_body_raw(body, "text/xml");
    Mock::given(method("POST"))
        .and(body_string_contains("Action=GetCallerIdentity"))
        .respond_with(answer)
        .mount(&server)
        .await;
    let found = caller(config(&server).load().await).await;
    (found, server.received_requests().await.unwrap().len())
}

fn failure(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error></ErrorResponse>"
    )
}

#[tokio::test]
async fn whose_they_are() {
    let body = "<GetCallerIdentityResponse><GetCallerIdentityResult>\
                <Arn>arn:aws:iam::123456789012:user/deployer</Arn><UserId>A</UserId>\
                <Account>123456789012</Account>\
                </GetCallerIdentityResult></GetCallerIdentityResponse>";
    let (found, requests) = answers(200, body).await;
    let expected = Caller {
        arn: "arn:aws:iam::123456789012:user/deployer".to_owned(),
        account: "123456789012".to_owned(),
    };
    assert_eq!((found, requests), (Ok(expected), 1));
}

#[tokio::test]
async fn what_is_wrong_with_them_is_told_and_they_are_not() {
    for (code, message, expected) in [
        (
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
            "AWS does not accept the credentials: check AWS_PROFILE and the AWS_ variables that \
             are set: InvalidClientTokenId: The security token included in the request is invalid.",
        ),
        (
            "ExpiredToken",
            "The security token included in the request is expired",
            "the AWS credentials have expired: run `aws sso login`, or renew the session token: \
             ExpiredToken: The security token included in the request is expired",
        ),
        (
            "SignatureDoesNotMatch",
            "The Canonical String should have been x-amz-security-token:not-to-be-seen",
            "AWS does not accept the credentials: check AWS_PROFILE and the AWS_ variables that \
             are set: SignatureDoesNotMatch",
        ),
    ] {
        let error = answers(403, &failure(code, message)).await.0.unwrap_err();
        assert_eq!(chain(&error), expected);
        assert!(!format!("{error:?}").contains(SECRET));
    }
}

#[tokio::test]
async fn without_any_nothing_is_sent() {
    let server = MockServer::start().await;
    let config = config(&server).no_credentials().load().await;
    let error = caller(config).await.unwrap_err();
    let CallerError::Credentials { problem, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(*problem, CredentialProblem::Missing);
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn nobody_there() {
    let server = MockServer::start().await;
    let nobody = config(&server).endpoint_url("http://127.0.0.1:9");
    let error = caller(nobody.load().await).await.unwrap_err();
    assert!(
        chain(&error).starts_with("failed to reach STS: check the network"),
        "{error:?}"
    );
}
