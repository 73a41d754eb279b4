//! The adapter for SQS, against answers as SQS gives them.

use std::sync::{Arc, Mutex};

use promoter::adapter::sqs::Sqs;
use promoter::group::RegistryRef;
use promoter::port::calls::{Call, CallResult, System};
use promoter::port::hint::{Heard, Receipt};
use promoter::port::registry::CredentialProblem;
use promoter::port::{Calls, HintError, Hints as _};
use serde_json::{Value, json};
use wiremock::matchers::header;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::outside::{SECRET, chain, config};

const ACCOUNT: &str = "123456789012";
const URL: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/promoter-pushes";

fn event(account: &str, region: &str, repository: &str, tag: &str) -> Value {
    json!({
        "version": "0",
        "detail-type": "ECR Image Action",
        "source": "aws.ecr",
        "account": account,
        "region": region,
        "detail": {
            "result": "SUCCESS",
            "repository-name": repository,
            "image-digest": format!("sha256:{}", "7f5b2640".repeat(8)),
            "action-type": "PUSH",
            "image-tag": tag,
        }
    })
}

/// SQS with these messages, which are received as `r0`, `r1` and so on.
async fn holding(messages: &[String]) -> MockServer {
    let server = MockServer::start().await;
    let messages: Vec<_> = messages
        .iter()
        .enumerate()
        .map(|(n, body)| json!({ "ReceiptHandle": format!("r{n}"), "Body": body }))
        .collect();
    answers(
        &server,
        "ReceiveMessage",
        200,
        &json!({ "Messages": messages }),
    )
    .await;
    let deleted = json!({ "Successful": [], "Failed": [] });
    answers(&server, "DeleteMessageBatch", 200, &deleted).await;
    server
}

async fn answers(server: &MockServer, action: &str, status: u16, body: &Value) {
    let body = body.to_string();
    let answer = ResponseTemplate::new(status).set_body_raw(body, "application/x-amz-json-1.0");
    Mock::given(header(
        "x-amz-target",
        format!("AmazonSQS.{action}").as_str(),
    ))
    .respond_with(answer)
    .mount(server)
    .await;
}

async fn sqs(server: &MockServer) -> Sqs {
    let own = RegistryRef::default();
    Sqs::new(config(server).load().await, URL, &[own]).unwrap()
}

/// What was asked for by that action.
async fn asked(server: &MockServer, action: &str) -> Vec<Value> {
    let requests = server.received_requests().await.unwrap();
    let target = format!("AmazonSQS.{action}");
    let of_action = |request: &&Request| {
        let found = request.headers.get("x-amz-target");
        found.is_some_and(|found| found.as_bytes() == target.as_bytes())
    };
    let bodies = requests.iter().filter(of_action);
    bodies
        .map(|request| serde_json::from_slice(&request.body).unwrap())
        .collect()
}

/// The messages that were deleted.
async fn deleted(server: &MockServer) -> Vec<String> {
    let requests = asked(server, "DeleteMessageBatch").await;
    let entries = requests.iter().flat_map(|request| {
        let entries = request["Entries"].as_array().unwrap();
        entries.iter().map(|entry| entry["ReceiptHandle"].clone())
    });
    entries
        .map(|receipt| receipt.as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn pushes_to_one_repository_are_one_hint_and_stay_until_it_was_followed() {
    let push = |repository, tag| event(ACCOUNT, "eu-west-1", repository, tag).to_string();
    let server = holding(&[
        push("hello-a", "master-1-000000a"),
        push("hello-b", "master-1-000000a"),
        // Doubled, and out of order.
        push("hello-a", "master-0-000000a"),
        push("hello-a", "master-1-000000a"),
    ])
    .await;
    let sqs = sqs(&server).await;
    let Heard { hints, dropped } = sqs.next().await.unwrap();
    let found: Vec<_> = hints
        .iter()
        .map(|hint| (hint.repository.as_str(), hint.receipts.len()))
        .collect();
    assert_eq!(found, [("hello-a", 3), ("hello-b", 1)]);
    assert_eq!(
        (&*hints[0].account, &*hints[0].region),
        (ACCOUNT, "eu-west-1")
    );
    assert_eq!(dropped, 0);
    assert_eq!(deleted(&server).await, [""; 0]);
    sqs.done(&hints[0]).await.unwrap();
    assert_eq!(deleted(&server).await, ["r0", "r2", "r3"]);

    let received = asked(&server, "ReceiveMessage").await;
    let expected = json!({
        "QueueUrl": URL,
        "MaxNumberOfMessages": 10,
        "VisibilityTimeout": 60,
        "WaitTimeSeconds": 20,
    });
    assert_eq!(received, [expected]);
}

#[tokio::test]
async fn what_is_forged_or_foreign_is_deleted_and_never_followed() {
    let mut deletion = event(ACCOUNT, "eu-west-1", "hello-a", "t");
    deletion["detail"]["action-type"] = json!("DELETE");
    let server = holding(&[
        event("210987654321", "eu-west-1", "hello-a", "t").to_string(),
        event(ACCOUNT, "us-east-1", "hello-a", "t").to_string(),
        deletion.to_string(),
        "hello-a".to_owned(),
        event(ACCOUNT, "eu-west-1", "hello-b", "t").to_string(),
    ])
    .await;
    let sqs = sqs(&server).await;
    let heard = sqs.next().await.unwrap();
    assert_eq!(heard.dropped, 4);
    let found: Vec<_> = heard.hints.iter().map(|h| h.repository.as_str()).collect();
    assert_eq!(found, ["hello-b"]);
    assert_eq!(deleted(&server).await, ["r0", "r1", "r2", "r3"]);
}

#[tokio::test]
async fn registries_that_are_added_are_heard_of() {
    let push = event("210987654321", "us-east-1", "hello-a", "t");
    let server = holding(&[push.to_string()]).await;
    let sqs = sqs(&server).await;
    assert_eq!(sqs.next().await.unwrap().hints, []);
    sqs.expect(&[RegistryRef {
        account: Some("210987654321".to_owned()),
        region: Some("us-east-1".to_owned()),
    }]);
    let heard = sqs.next().await.unwrap();
    assert_eq!(heard.hints[0].receipts, [Receipt("r0".to_owned())]);
}

/// What is of no use stays where it cannot be deleted, and what is of use comes through.
#[tokio::test]
async fn a_queue_that_deletes_nothing_is_listened_to() {
    let server = MockServer::start().await;
    let body = event(ACCOUNT, "eu-west-1", "hello-a", "t").to_string();
    let messages = json!({ "Messages": [
        { "ReceiptHandle": "r0", "Body": "nonsense" },
        { "ReceiptHandle": "r1", "Body": body },
    ]});
    answers(&server, "ReceiveMessage", 200, &messages).await;
    let failed = json!({ "Id": "0", "Code": "InternalError", "SenderFault": false });
    let deleted = json!({ "Successful": [], "Failed": [failed] });
    answers(&server, "DeleteMessageBatch", 200, &deleted).await;
    let sqs = sqs(&server).await;
    let heard = sqs.next().await.unwrap();
    assert_eq!((heard.hints.len(), heard.dropped), (1, 1));
    let error = sqs.done(&heard.hints[0]).await.unwrap_err();
    let expected = "failed to delete messages of queue `promoter-pushes`: InternalError";
    assert_eq!(chain(&error), expected);
}

#[tokio::test]
async fn what_is_wrong_is_told_and_credentials_are_not() {
    for (status, code, message, expected) in [
        (
            400,
            "QueueDoesNotExist",
            "The specified queue does not exist.",
            "queue `promoter-pushes` does not exist in eu-west-1: check PROMOTER_PUSH_QUEUE, or \
             unset it to poll only",
        ),
        (
            403,
            "AccessDeniedException",
            "not authorized to perform: sqs:receivemessage",
            "the AWS credentials lack a permission: have it granted to them: \
             AccessDeniedException: not authorized to perform: sqs:receivemessage",
        ),
        (
            403,
            "ExpiredTokenException",
            "The security token included in the request is expired",
            "the AWS credentials have expired: run `aws sso login`, or renew the session token: \
             ExpiredTokenException: The security token included in the request is expired",
        ),
        (
            400,
            "ThrottlingException",
            "Rate exceeded",
            "SQS turned 3 attempts away as too many requests: try again later: \
             ThrottlingException: Rate exceeded",
        ),
        (
            500,
            "InternalFailure",
            "an error on our side",
            "failed to receive messages of queue `promoter-pushes`: InternalFailure: an error on \
             our side",
        ),
    ] {
        let server = MockServer::start().await;
        let body = json!({ "__type": format!("com.amazonaws.sqs#{code}"), "message": message });
        answers(&server, "ReceiveMessage", status, &body).await;
        let error = sqs(&server).await.next().await.unwrap_err();
        assert_eq!(chain(&error), expected);
        assert!(!format!("{error:?}").contains(SECRET));
    }
}

#[tokio::test]
async fn nobody_is_there_or_nobody_asks() {
    let server = MockServer::start().await;
    let away = config(&server).endpoint_url("http://127.0.0.1:9");
    let sqs = Sqs::new(away.load().await, URL, &[]).unwrap();
    let error = sqs.next().await.unwrap_err();
    assert!(
        chain(&error).starts_with("failed to reach SQS"),
        "{error:?}"
    );

    let nobody = config(&server).no_credentials().load().await;
    let error = Sqs::new(nobody, URL, &[]).unwrap().next().await;
    let Err(HintError::Credentials { problem, .. }) = error else {
        panic!("{error:?}")
    };
    assert_eq!(problem, CredentialProblem::Missing);
    assert!(server.received_requests().await.unwrap().is_empty());
}

/// Requests are sent to where the queue is, not to where the registry is.
#[tokio::test]
async fn the_region_is_the_queues() {
    let server = MockServer::start().await;
    let there = "https://sqs.us-east-1.amazonaws.com/123456789012/promoter-pushes";
    let config = config(&server).load().await;
    answers(&server, "ReceiveMessage", 200, &json!({})).await;
    let sqs = Sqs::new(config, there, &[]).unwrap();
    sqs.next().await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let signed = requests[0].headers["authorization"].to_str().unwrap();
    assert!(signed.contains("/us-east-1/sqs/"), "{signed}");
}

#[derive(Default)]
struct Noted(Mutex<Vec<String>>);

impl Calls for Noted {
    fn made(&self, call: &Call<'_>) {
        let System::Aws(service) = call.system else {
            panic!("{call:?}")
        };
        let line = format!("{service} {} {}", call.operation, call.result.word());
        self.0.lock().unwrap().push(line);
    }
}

/// Attempts that the client repeats by itself are told of as well.
#[tokio::test]
async fn each_request_is_told_of() {
    let server = MockServer::start().await;
    let throttled = json!({ "__type": "ThrottlingException", "message": "" });
    let answer = ResponseTemplate::new(400)
        .set_body_raw(throttled.to_string(), "application/x-amz-json-1.0");
    Mock::given(header("x-amz-target", "AmazonSQS.ReceiveMessage"))
        .respond_with(answer)
        .up_to_n_times(2)
        .mount(&server)
        .await;
    answers(&server, "ReceiveMessage", 200, &json!({})).await;
    let sqs = sqs(&server).await;
    let noted = Arc::new(Noted::default());
    sqs.listen(noted.clone());
    sqs.next().await.unwrap();
    let [ok, throttled] = [CallResult::Ok, CallResult::Throttled].map(CallResult::word);
    let expected = [throttled, throttled, ok].map(|word| format!("SQS ReceiveMessage {word}"));
    assert_eq!(*noted.0.lock().unwrap(), expected);
}
