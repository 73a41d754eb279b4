//! Hints of pushes, from a queue that `EventBridge` puts ECR's events into.
//!
//! Input: the URL of the queue, the standard AWS configuration, and which
//! registries there are. Output: which repositories are worth a look. What it
//! cannot read, or is of another registry, it says once, deletes and never acts
//! upon; a hint is deleted only once it was followed. No text of a message gets
//! further than its names, and no credential leaves it in an error or log.

mod event;
mod url;

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::timeout::TimeoutConfig;
use aws_config::{Region, SdkConfig};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Builder;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message};
use tracing::{debug, warn};

use crate::adapter::aws::{self, Meaning, Session, Source, Told};
use crate::group::RegistryRef;
use crate::port::hint::{Heard, Hint, Hints, Receipt};
use crate::port::registry::Said;
use crate::port::{Calls, HintError};
use event::{Push, Useless};
use url::Queue;

/// Seconds that SQS waits for a message, which is as long as it does.
const WAIT: i32 = 20;
/// Longest wait for one attempt: longer than that, as an answer takes its time.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);
/// Seconds in which a hint has to be followed, or it comes again.
const VISIBILITY: i32 = 60;
/// Most messages of one answer, and of one request to delete, by the rule of SQS.
const MOST: i32 = 10;

/// A queue of pushes.
#[derive(Debug)]
pub struct Sqs {
    session: Session<Client>,
    queue: Queue,
    /// Where the queue is.
    region: String,
    /// That of registries that name none.
    default_region: Option<String>,
    /// Accounts and regions of the registries there are.
    registries: Mutex<BTreeSet<(String, String)>>,
    /// Of what kinds of messages it was said that they are of no use.
    said: Mutex<BTreeSet<Useless>>,
}

impl Sqs {
    /// Reads the AWS configuration. Nothing is asked yet. Hints of other registries
    /// than these are dropped; see [`Self::expect`].
    ///
    /// # Errors
    /// The URL is none of a queue, or nothing says in which region that is.
    pub async fn connect(url: &str, registries: &[RegistryRef]) -> Result<Self, HintError> {
        let queue = Queue::parse(url)?;
        let config = Source::default().read().await;
        let source = Source {
            region: queue.region.clone().map(Region::new),
            ..Source::default()
        };
        Self::over(queue, source, config, registries)
    }

    /// Uses a configuration as it is, but for the region of the queue.
    ///
    /// # Errors
    /// The URL is none of a queue, or nothing says in which region that is.
    pub fn new(
        config: SdkConfig,
        url: &str,
        registries: &[RegistryRef],
    ) -> Result<Self, HintError> {
        let queue = Queue::parse(url)?;
        let source = Source {
            given: Some(config.clone()),
            ..Source::default()
        };
        Self::over(queue, source, config, registries)
    }

    fn over(
        queue: Queue,
        mut source: Source,
        config: SdkConfig,
        registries: &[RegistryRef],
    ) -> Result<Self, HintError> {
        let default_region = config.region().map(ToString::to_string);
        let region = queue.region.clone().or_else(|| default_region.clone());
        let region = region.ok_or_else(|| HintError::NoRegion(queue.name.clone()))?;
        let there = Region::new(region.clone());
        let config = config.into_builder().region(there).build();
        if source.given.is_some() {
            source.given = Some(config.clone());
        }
        let sqs = Self {
            session: Session::new("SQS", source, config, client),
            queue,
            region,
            default_region,
            registries: Mutex::default(),
            said: Mutex::default(),
        };
        sqs.expect(registries);
        Ok(sqs)
    }

    /// From now on these are the registries there are. One that names no account is
    /// taken to be of the queue's, one without a region in that of the AWS defaults.
    pub fn expect(&self, registries: &[RegistryRef]) {
        let default = self.default_region.as_ref().unwrap_or(&self.region);
        let known = registries.iter().map(|registry| {
            let account = registry.account.as_ref().unwrap_or(&self.queue.account);
            let region = registry.region.as_ref().unwrap_or(default);
            (account.clone(), region.clone())
        });
        *self
            .registries
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = known.collect();
    }

    /// From now on somebody is told of each request.
    pub fn listen(&self, calls: Arc<dyn Calls>) {
        self.session.listen(calls);
    }

    fn read(&self, message: &Message) -> Result<Push, Useless> {
        let push = event::read(message.body().unwrap_or_default())?;
        let of = (push.account.clone(), push.region.clone());
        let known = self.registries.lock();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        if known.contains(&of) {
            Ok(push)
        } else {
            Err(Useless::Foreign)
        }
    }

    /// Says once of each kind that there are such messages.
    fn say(&self, useless: Useless) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if !said.insert(useless) {
            return;
        }
        let what = match useless {
            Useless::Unreadable => "that is no event of ECR",
            Useless::OtherKind => "that is not about an image that was pushed",
            Useless::Foreign => "about a registry that no environment has",
        };
        let queue = &self.queue.name;
        warn!(
            "queue {queue} had a message {what}: it is deleted, as all others like it, without a word"
        );
    }

    async fn delete(&self, receipts: &[Receipt]) -> Result<(), HintError> {
        for receipts in receipts.chunks(usize::try_from(MOST).unwrap_or(1)) {
            let entries = receipts.iter().enumerate().map(|(n, receipt)| {
                let entry = DeleteMessageBatchRequestEntry::builder().id(n.to_string());
                entry.receipt_handle(&receipt.0).build()
            });
            let action = || format!("delete messages of queue `{}`", self.queue.name);
            let entries: Result<Vec<_>, _> = entries.collect();
            let entries = entries.map_err(|error| HintError::Other {
                action: action(),
                source: Said::of(&error),
            })?;
            let delete = |client: &Client| {
                let request = client.delete_message_batch().queue_url(&self.queue.url);
                request.set_entries(Some(entries.clone())).send()
            };
            let answer = self.told(self.session.send(delete).await, action).await?;
            if let Some(failed) = answer.failed().first() {
                return Err(HintError::Other {
                    action: action(),
                    source: Said(failed.code().to_owned()),
                });
            }
        }
        Ok(())
    }

    async fn told<T, E>(
        &self,
        answer: Result<T, SdkError<E>>,
        action: impl FnOnce() -> String,
    ) -> Result<T, HintError>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let failed = match answer {
            Ok(answer) => return Ok(answer),
            Err(failed) => failed,
        };
        let code = aws::code(&failed).unwrap_or_default();
        if code == "QueueDoesNotExist" || code.ends_with(".NonExistentQueue") {
            return Err(HintError::Missing {
                queue: self.queue.name.clone(),
                region: self.region.clone(),
            });
        }
        Err(match self.session.meaning(&failed).await {
            Meaning::Throttled { attempts, source } => HintError::Throttled { attempts, source },
            Meaning::Credentials { problem, source } => HintError::Credentials { problem, source },
            Meaning::Unreachable { source } => HintError::Unreachable { source },
            Meaning::Other { source } => HintError::Other {
                action: action(),
                source,
            },
        })
    }
}

fn client(config: &SdkConfig, told: Told) -> Client {
    let own = Builder::from(config).interceptor(told);
    let timeouts = config.timeout_config().cloned();
    let timeouts = timeouts.map_or_else(TimeoutConfig::builder, TimeoutConfig::into_builder);
    let timeouts = timeouts.operation_attempt_timeout(ATTEMPT_TIMEOUT);
    Client::from_conf(own.timeout_config(timeouts.build()).build())
}

#[async_trait]
impl Hints for Sqs {
    async fn next(&self) -> Result<Heard, HintError> {
        let receive = |client: &Client| {
            let request = client.receive_message().queue_url(&self.queue.url);
            let request = request.max_number_of_messages(MOST);
            let request = request.visibility_timeout(VISIBILITY);
            request.wait_time_seconds(WAIT).send()
        };
        let answer = self.session.send(receive).await;
        let action = || format!("receive messages of queue `{}`", self.queue.name);
        let answer = self.told(answer, action).await?;
        let mut heard = Heard::default();
        let mut useless = Vec::new();
        for message in answer.messages() {
            // Without one it could never be deleted; SQS always gives one.
            let Some(receipt) = message.receipt_handle() else {
                continue;
            };
            let receipt = Receipt(receipt.to_owned());
            match self.read(message) {
                Ok(push) => add(&mut heard.hints, push, receipt),
                Err(kind) => {
                    self.say(kind);
                    useless.push(receipt);
                }
            }
        }
        heard.dropped = useless.len();
        if let Err(error) = self.delete(&useless).await {
            // They come again, and then another time.
            let why = Said::of(&error).0;
            debug!("messages of no use are not deleted: {why}");
        }
        Ok(heard)
    }

    async fn done(&self, hint: &Hint) -> Result<(), HintError> {
        self.delete(&hint.receipts).await
    }
}

/// Adds a push to the hint of its repository.
fn add(hints: &mut Vec<Hint>, push: Push, receipt: Receipt) {
    let of = |hint: &&mut Hint| {
        let Push {
            account,
            region,
            repository,
            ..
        } = &push;
        (&hint.account, &hint.region, &hint.repository) == (account, region, repository)
    };
    if let Some(hint) = hints.iter_mut().find(of) {
        hint.receipts.push(receipt);
        hint.pushed = push.pushed;
        return;
    }
    hints.push(Hint {
        account: push.account,
        region: push.region,
        repository: push.repository,
        pushed: push.pushed,
        receipts: vec![receipt],
    });
}
