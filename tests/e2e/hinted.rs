//! Pushes that a queue tells of, as SQS' double hands them out.

use promoter::adapter::sqs::Sqs;
use promoter::group::RegistryRef;
use promoter::port::Hints as _;
use serde_json::{Value, json};

use crate::support::{Testbed, aws};

/// A queue, which goes with its test.
struct Queue(String);

impl Queue {
    fn new() -> Self {
        let name = format!("e2e-{}-pushes", Testbed::get().run);
        let made = sqs(&["create-queue", "--queue-name", &name]);
        Self(made["QueueUrl"].as_str().unwrap().to_owned())
    }

    fn send(&self, body: &str) {
        self.call("send-message", &["--message-body", body]);
    }

    /// Messages that are in it, those included that somebody has received.
    fn messages(&self) -> u32 {
        let names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
        ];
        let all = ["--attribute-names", names[0], names[1]];
        let told = self.call("get-queue-attributes", &all);
        let counts = names.map(|name| told["Attributes"][name].as_str().unwrap().to_owned());
        counts
            .iter()
            .map(|count| count.parse::<u32>().unwrap())
            .sum()
    }

    fn call(&self, action: &str, options: &[&str]) -> Value {
        sqs(&[&[action, "--queue-url", &self.0], options].concat())
    }
}

/// What the double answers; without this option the command line asks AWS itself.
fn sqs(arguments: &[&str]) -> Value {
    let double = std::env::var("AWS_ENDPOINT_URL").unwrap();
    let answer = aws(&[&["sqs", "--endpoint-url", &double], arguments].concat());
    serde_json::from_str(&answer).unwrap_or_default()
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.call("delete-queue", &[]);
    }
}

fn pushed(account: &str, repository: &str) -> String {
    json!({
        "version": "0",
        "detail-type": "ECR Image Action",
        "source": "aws.ecr",
        "account": account,
        "region": Testbed::get().region,
        "detail": {
            "result": "SUCCESS",
            "repository-name": repository,
            "image-digest": format!("sha256:{}", "0".repeat(64)),
            "action-type": "PUSH",
            "image-tag": "master-1-000000a",
        },
    })
    .to_string()
}

#[test]
fn a_push_is_heard_of_and_a_forged_one_is_dropped() {
    let queue = Queue::new();
    let account = "123456789012";
    queue.send(&pushed(account, "hello-a"));
    queue.send(&pushed("210987654321", "hello-a"));
    queue.send("hello-a was pushed, believe me");
    queue.send(&pushed(account, "hello-a"));

    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let own = RegistryRef {
            account: Some(account.to_owned()),
            region: Some(Testbed::get().region.clone()),
        };
        let sqs = Sqs::connect(&queue.0, &[own]).await.unwrap();
        // SQS may hand out fewer messages than there are.
        let (mut hints, mut dropped, mut messages) = (Vec::new(), 0, 0);
        while messages + dropped < 4 {
            let heard = sqs.next().await.unwrap();
            messages += heard.hints.iter().map(|h| h.receipts.len()).sum::<usize>();
            dropped += heard.dropped;
            hints.extend(heard.hints);
        }
        assert_eq!((messages, dropped), (2, 2));
        assert!(
            hints
                .iter()
                .all(|hint| hint.repository.as_str() == "hello-a")
        );
        // Those of use stay until they were followed.
        assert_eq!(queue.messages(), 2);
        for hint in &hints {
            sqs.done(hint).await.unwrap();
        }
        assert_eq!(queue.messages(), 0);
    });
}
