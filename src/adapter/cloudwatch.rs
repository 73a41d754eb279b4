//! Amazon CloudWatch: what is spent, and promoter's own metrics.
//!
//! Input: the standard AWS configuration and what an environment says. Output:
//! how alarms stand, and what AWS has charged. What that means is for others to
//! decide; it changes no alarm, and no credential leaves it in an error or log.

mod charges;
mod metrics;

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::{Region, SdkConfig};
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::Builder;
use aws_sdk_cloudwatch::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudwatch::types::{AlarmType, Dimension, MetricAlarm, StateValue};
use jiff::Timestamp;

use crate::adapter::aws::{Meaning, Session, Source, Told};
use crate::group::cloudwatch::{AlarmRef, BudgetGuard};
use crate::port::{Calls, Spending, SpendingError};
use crate::promotion::restraint::{Alarm, AlarmState, GuardFound};

pub use metrics::Metrics;

/// Most alarms that one request asks for, by CloudWatch's rule.
const PAGE: u8 = 100;

/// What AWS charges is a metric of this name.
const NAMESPACE: &str = "AWS/Billing";
const CHARGES: &str = "EstimatedCharges";

/// CloudWatch of one region.
#[derive(Debug)]
pub struct CloudWatch {
    session: Session<Client>,
    region: String,
}

impl CloudWatch {
    /// Reads the AWS configuration; without a region its own holds. Nothing is asked yet.
    pub async fn connect(region: Option<&str>) -> Self {
        let source = Source {
            region: region.map(|region| Region::new(region.to_owned())),
            ..Source::default()
        };
        let config = source.read().await;
        Self::over(source, config)
    }

    /// Uses a configuration as it is.
    pub fn new(config: SdkConfig) -> Self {
        let source = Source {
            given: Some(config.clone()),
            ..Source::default()
        };
        Self::over(source, config)
    }

    fn over(source: Source, config: SdkConfig) -> Self {
        let region = config.region();
        Self {
            region: region.map_or_else(|| "no region".to_owned(), ToString::to_string),
            session: Session::new("CloudWatch", source, config, client),
        }
    }

    /// From now on somebody is told of each request.
    pub fn listen(&self, calls: Arc<dyn Calls>) {
        self.session.listen(calls);
    }

    /// The alarms of these names; those that are not there are left out.
    ///
    /// # Errors
    /// CloudWatch does not say.
    pub async fn alarms(&self, names: &[String]) -> Result<Vec<Alarm>, SpendingError> {
        let found = self.look_up(names).await?;
        Ok(found.into_iter().map(|(_, alarm)| alarm).collect())
    }

    async fn look_up(&self, names: &[String]) -> Result<Vec<(Arn, Alarm)>, SpendingError> {
        let mut found = Vec::new();
        for names in names.chunks(usize::from(PAGE)) {
            let describe = |client: &Client| {
                let request = client.describe_alarms();
                let request = request.set_alarm_names(Some(names.to_vec()));
                // Only those of metrics are told of by default, and fewer than a page holds.
                let request = request.alarm_types(AlarmType::MetricAlarm);
                let request = request.alarm_types(AlarmType::CompositeAlarm);
                request.max_records(i32::from(PAGE)).send()
            };
            let answer = self.session.send(describe).await;
            let action = || format!("look up alarms in {}", self.region);
            let answer = self.told(answer, action).await?;
            // More than are asked for cannot come.
            let of_metrics = answer.metric_alarms().iter();
            found.extend(of_metrics.map(|found| (Arn::new(found.alarm_arn()), alarm(found))));
            let composite = answer.composite_alarms().iter();
            found.extend(composite.map(|found| {
                let alarm = Alarm {
                    name: found.alarm_name().unwrap_or_default().to_owned(),
                    state: state(found.state_value()),
                    reason: found.state_reason().unwrap_or_default().to_owned(),
                    since: moment(found.state_updated_timestamp()),
                };
                (Arn::new(found.alarm_arn()), alarm)
            }));
        }
        Ok(found)
    }

    /// The alarm that is meant. `None`: it is not there.
    async fn alarm(&self, alarm: &AlarmRef) -> Result<Option<Alarm>, SpendingError> {
        let found = self.look_up(std::slice::from_ref(&alarm.name)).await?;
        // Only alarms of one's own account are told of; a namesake of another is another.
        let is_meant = |arn: &Arn| {
            let account = alarm.account.as_deref();
            account.is_none_or(|account| arn.0.split(':').nth(4) == Some(account))
        };
        let mut meant = found.into_iter().filter(|(arn, _)| is_meant(arn));
        Ok(meant.next().map(|(_, alarm)| alarm))
    }

    /// All alarms on what AWS charges the account, in USD.
    ///
    /// # Errors
    /// CloudWatch does not say.
    pub async fn billing_alarms(&self) -> Result<Vec<Alarm>, SpendingError> {
        let describe = |client: &Client| {
            let request = client.describe_alarms_for_metric();
            let request = request.namespace(NAMESPACE).metric_name(CHARGES);
            request.dimensions(usd()).send()
        };
        let answer = self.session.send(describe).await;
        let action = || format!("look up billing alarms in {}", self.region);
        let answer = self.told(answer, action).await?;
        Ok(answer.metric_alarms().iter().map(alarm).collect())
    }

    async fn told<T, E>(
        &self,
        answer: Result<T, SdkError<E>>,
        action: impl FnOnce() -> String,
    ) -> Result<T, SpendingError>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let failed = match answer {
            Ok(answer) => return Ok(answer),
            Err(failed) => failed,
        };
        Err(match self.session.meaning(&failed).await {
            Meaning::Throttled { attempts, source } => {
                SpendingError::Throttled { attempts, source }
            }
            Meaning::Credentials { problem, source } => {
                SpendingError::Credentials { problem, source }
            }
            Meaning::Unreachable { source } => SpendingError::Unreachable { source },
            Meaning::Other { source } => SpendingError::Other {
                action: action(),
                source,
            },
        })
    }
}

fn client(config: &SdkConfig, told: Told) -> Client {
    let own = Builder::from(config).interceptor(told);
    Client::from_conf(own.build())
}

/// Of the guard's region: that of its alarm, or of billing.
#[async_trait]
impl Spending for CloudWatch {
    async fn guard(&self, guard: &BudgetGuard) -> Result<GuardFound, SpendingError> {
        match guard {
            BudgetGuard::Alarm(alarm) => self.alarm(alarm).await.map(GuardFound::Alarm),
            BudgetGuard::Above(_) => self.charges().await.map(GuardFound::Charges),
        }
    }
}

/// What names an alarm and its account.
struct Arn(String);

impl Arn {
    fn new(arn: Option<&str>) -> Self {
        Self(arn.unwrap_or_default().to_owned())
    }
}

/// Charges come in this currency, and in another only where the account pays in it.
fn usd() -> Dimension {
    Dimension::builder().name("Currency").value("USD").build()
}

fn alarm(alarm: &MetricAlarm) -> Alarm {
    Alarm {
        name: alarm.alarm_name().unwrap_or_default().to_owned(),
        state: state(alarm.state_value()),
        reason: alarm.state_reason().unwrap_or_default().to_owned(),
        since: moment(alarm.state_updated_timestamp()),
    }
}

/// A state that is not known yet counts as one without data.
fn state(value: Option<&StateValue>) -> AlarmState {
    match value {
        Some(StateValue::Ok) => AlarmState::Ok,
        Some(StateValue::Alarm) => AlarmState::Alarm,
        _ => AlarmState::InsufficientData,
    }
}

fn moment(time: Option<&aws_smithy_types::DateTime>) -> Option<Timestamp> {
    Timestamp::from_millisecond(time?.to_millis().ok()?).ok()
}
