//! What AWS has charged since the month began.
//!
//! AWS adds it up anew every few hours and publishes the sum as a metric, which
//! begins at zero with each month (UTC).

use std::time::{Duration, SystemTime};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::Statistic;

use super::{CHARGES, CloudWatch, NAMESPACE, moment, usd};
use crate::port::SpendingError;
use crate::promotion::restraint::Charges;

/// How far back is looked: AWS publishes every four to six hours, and now and then
/// leaves some out.
const BACK: Duration = Duration::from_hours(24);
/// Charges of one hour are told apart.
const PERIOD: i32 = 3600;

impl CloudWatch {
    /// The last sum that was published. `None`: none was within a day.
    ///
    /// # Errors
    /// CloudWatch does not say.
    pub async fn charges(&self) -> Result<Option<Charges>, SpendingError> {
        let now = SystemTime::now();
        let ask = |client: &Client| {
            let request = client.get_metric_statistics();
            let request = request.namespace(NAMESPACE).metric_name(CHARGES);
            let request = request.dimensions(usd()).statistics(Statistic::Maximum);
            let request = request.start_time((now - BACK).into());
            request.end_time(now.into()).period(PERIOD).send()
        };
        let answer = self.session.send(ask).await;
        let action = || format!("look up what AWS charges, in {}", self.region);
        let answer = self.told(answer, action).await?;
        let told = answer.datapoints().iter().filter_map(|point| {
            let (usd, at) = (point.maximum()?, moment(point.timestamp())?);
            Some(Charges { usd, at })
        });
        Ok(told.max_by_key(|charges| charges.at))
    }
}
