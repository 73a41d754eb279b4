//! Queues of SQS' double, and what `EventBridge` would put into them.

use serde_json::{Value, json};

use super::aws::aws;
use super::testbed::Testbed;

/// A queue, which goes with its test.
pub(crate) struct Queue {
    pub(crate) url: String,
}

impl Queue {
    /// One of a test.
    pub(crate) fn new(test: &str) -> Self {
        let name = format!("e2e-{}-{test}", Testbed::get().run);
        let made = sqs(&["create-queue", "--queue-name", &name]);
        let url = made["QueueUrl"].as_str().unwrap().to_owned();
        Self { url }
    }

    /// Somebody puts a message into it.
    pub(crate) fn send(&self, body: &str) {
        self.call("send-message", &["--message-body", body]);
    }

    /// Messages that are in it, those included that somebody has received.
    pub(crate) fn messages(&self) -> u32 {
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
        sqs(&[&[action, "--queue-url", &self.url], options].concat())
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

/// What `EventBridge` says of a push.
pub(crate) fn pushed(account: &str, repository: &str) -> String {
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
