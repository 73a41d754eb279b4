//! A queue of pushes in the AWS double, and what `EventBridge` would put into it.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::aws::Service;
use crate::testbed::{Testbed, layout};

/// The queue. Dropped, it is deleted.
pub(super) struct Queue {
    sqs: Service,
    pub(super) url: String,
}

impl Queue {
    pub(super) fn new(testbed: &Testbed) -> Result<Self> {
        let endpoint = testbed.aws_endpoint.as_ref();
        let sqs = Service {
            endpoint: endpoint.context("the bench needs the AWS double")?.clone(),
            region: layout::REGION.to_owned(),
            name: "sqs",
            target: "AmazonSQS",
            content: "application/x-amz-json-1.0",
        };
        let made = sqs.call("CreateQueue", &json!({ "QueueName": "bench-pushes" }))?;
        let made = made.success()?;
        let url = made["QueueUrl"].as_str().context("a queue has a URL")?;
        Ok(Self {
            url: url.to_owned(),
            sqs,
        })
    }

    /// Tells of a push to a repository.
    pub(super) fn send(&self, repository: &str) -> Result<()> {
        let body = pushed(repository).to_string();
        let asked = json!({ "QueueUrl": self.url, "MessageBody": body });
        self.sqs.call("SendMessage", &asked)?.success().map(drop)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // One that stays harms nobody, and is taken again.
        let _ = self
            .sqs
            .call("DeleteQueue", &json!({ "QueueUrl": self.url }));
    }
}

fn pushed(repository: &str) -> Value {
    json!({
        "version": "0",
        "detail-type": "ECR Image Action",
        "source": "aws.ecr",
        "account": layout::ECR.split('.').next(),
        "region": layout::REGION,
        "detail": {
            "result": "SUCCESS",
            "repository-name": repository,
            "image-digest": format!("sha256:{}", "0".repeat(64)),
            "action-type": "PUSH",
        },
    })
}
