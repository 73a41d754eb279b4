//! promoter's own metrics, from the events of promotions.
//!
//! They are gathered while a promotion runs and put at its end, in one request.
//! Whatever goes wrong with that is said and fails nothing; what was not taken
//! is put with what comes next. A promotion whose promoter died after its end is
//! counted by whoever tells of it, so one may be counted twice.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};
use aws_smithy_types::DateTime;

use super::CloudWatch;
use crate::group::name::{EnvironmentName, GroupName};
use crate::port::registry::Said;
use crate::port::{Clock, Recorder, SpendingError};
use crate::promotion::event::{Event, Fact};

/// The namespace of the metrics; what may be put is often limited to it.
const NAMESPACE: &str = "promoter";
/// How long the end of a promotion waits for them.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most data of one request, by CloudWatch's rule.
const MOST: usize = 1000;
/// Most data that wait.
const MOST_WAITING: usize = 10_000;

/// Puts what happens to a group into CloudWatch.
pub struct Metrics {
    cloudwatch: CloudWatch,
    environment: EnvironmentName,
    group: GroupName,
    clock: Arc<dyn Clock>,
    said_by: Arc<dyn Recorder>,
    waiting: Mutex<Waiting>,
}

/// What was gathered and not put yet.
#[derive(Default)]
struct Waiting {
    data: Vec<MetricDatum>,
    /// As many of them were not taken: they are put again with what comes next.
    refused: usize,
}

impl Metrics {
    /// For a group of that environment. What goes wrong is said by `said_by`.
    pub fn new(
        cloudwatch: CloudWatch,
        environment: EnvironmentName,
        group: GroupName,
        clock: Arc<dyn Clock>,
        said_by: Arc<dyn Recorder>,
    ) -> Self {
        Self {
            cloudwatch,
            environment,
            group,
            clock,
            said_by,
            waiting: Mutex::default(),
        }
    }

    /// What an event counts for: metric, unit, value, and what tells it from others
    /// but environment and group.
    fn counts(fact: &Fact) -> Vec<Counted> {
        match fact {
            Fact::Finished { outcome } => {
                let ending = ("Outcome", outcome.ending().word().to_owned());
                let took = outcome.ended_at.duration_since(outcome.started_at);
                vec![
                    Counted::one("Promotions", vec![ending]),
                    Counted::seconds("PromotionDuration", took.as_secs_f64(), Vec::new()),
                ]
            }
            Fact::CheckEnded { result } => {
                let check = ("Check", result.check.to_string());
                let verdict = ("Verdict", result.verdict.to_string());
                let took = result.duration.map(|took| {
                    Counted::seconds("CheckDuration", took.as_secs_f64(), vec![check.clone()])
                });
                let one = Counted::one("Checks", vec![check.clone(), verdict]);
                std::iter::once(one).chain(took).collect()
            }
            _ => Vec::new(),
        }
    }

    fn datum(&self, event: &Event, counted: Counted) -> MetricDatum {
        let own = [
            ("Environment", self.environment.to_string()),
            ("Group", self.group.to_string()),
        ];
        let dimensions = own.into_iter().chain(counted.of);
        let dimensions = dimensions.map(|(name, value)| {
            let dimension = Dimension::builder();
            dimension.name(name).value(value).build()
        });
        MetricDatum::builder()
            .metric_name(counted.metric)
            .value(counted.value)
            .unit(counted.unit)
            .timestamp(DateTime::from_millis(event.at.as_millisecond()))
            .set_dimensions(Some(dimensions.collect()))
            .build()
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn put(&self, data: &[MetricDatum]) -> Result<(), SpendingError> {
        for data in data.chunks(MOST) {
            let put = |client: &Client| {
                let request = client.put_metric_data().namespace(NAMESPACE);
                request.set_metric_data(Some(data.to_vec())).send()
            };
            let answer = self.cloudwatch.session.send(put).await;
            let action = || format!("put metrics into CloudWatch in {}", self.cloudwatch.region);
            self.cloudwatch.told(answer, action).await?;
        }
        Ok(())
    }
}

/// What one event counts for.
struct Counted {
    metric: &'static str,
    unit: StandardUnit,
    value: f64,
    of: Vec<(&'static str, String)>,
}

impl Counted {
    fn one(metric: &'static str, of: Vec<(&'static str, String)>) -> Self {
        Self {
            metric,
            unit: StandardUnit::Count,
            value: 1.0,
            of,
        }
    }

    fn seconds(metric: &'static str, value: f64, of: Vec<(&'static str, String)>) -> Self {
        Self {
            metric,
            unit: StandardUnit::Seconds,
            value,
            of,
        }
    }
}

#[async_trait]
impl Recorder for Metrics {
    fn record(&self, event: Event) {
        let counted = Self::counts(&event.fact).into_iter();
        let data = counted.map(|counted| self.datum(&event, counted));
        let mut waiting = self.waiting();
        waiting.data.extend(data);
        // For want of a CloudWatch, the oldest are the ones to lose.
        let over = waiting.data.len().saturating_sub(MOST_WAITING);
        waiting.data.drain(..over);
        waiting.refused = waiting.refused.saturating_sub(over);
    }

    async fn flush(&self) {
        let waiting = std::mem::take(&mut *self.waiting());
        if waiting.data.len() == waiting.refused {
            *self.waiting() = waiting;
            return;
        }
        let put = tokio::time::timeout(PATIENCE, self.put(&waiting.data)).await;
        let why = match put {
            Ok(Ok(())) => return,
            Ok(Err(error)) => Said::of(&error).0,
            Err(_) => "CloudWatch did not answer in time".to_owned(),
        };
        let mut later = self.waiting();
        later.refused = waiting.data.len();
        later.data.splice(0..0, waiting.data);
        drop(later);
        let message = format!("metrics are not in CloudWatch: {why}; the promotion goes on");
        self.said_by.record(Event {
            at: self.clock.now(),
            group: self.group.clone(),
            promotion: None,
            fact: Fact::Warning { message },
        });
    }
}
