//! What AWS has charged since the month began.
//!
//! AWS adds it up anew every few hours and publishes the sum as a metric, which
//! begins at zero with each month (UTC).

use std::time::{Duration, SystemTime};

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::types::Statistic;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{CHARGES, CloudWatch, NAMESPACE, moment, usd};
use crate::port::SpendingError;
use crate::promotion::restraint::Charges;

/// How far back is looked: AWS publishes every four to six hours, and now and then
/// leaves some out.
const BACK: Duration = Duration::from_hours(24);
/// The end is left out, and cut to whole seconds before: what has just been published
/// is within it if that lies ahead. So it is if AWS' clock goes before.
const AHEAD: Duration = Duration::from_mins(5);
/// Charges of one hour are told apart.
const PERIOD: i32 = 3600;

impl CloudWatch {
    /// The last sum that was published. `None`: none was within a day.
    pub(super) async fn charges(&self) -> Result<Option<Charges>, SpendingError> {
        let now = SystemTime::now();
        let ask = |client: &Client| {
            let request = client.get_metric_statistics();
            let request = request.namespace(NAMESPACE).metric_name(CHARGES);
            let request = request.dimensions(usd()).statistics(Statistic::Maximum);
            let request = request.start_time((now - BACK).into());
            request.end_time((now + AHEAD).into()).period(PERIOD).send()
        };
        let answer = self.session.send(ask).await;
        let action = || format!("look up what AWS charges, in {}", self.region);
        let answer = self.told(answer, action).await?;
        let told = answer.datapoints().iter().filter_map(|point| {
            let (usd, at) = (point.maximum()?, moment(point.timestamp())?);
            Some(Charges { usd, at })
        });
        let last = told.max_by_key(|charges| charges.at);
        let now = Timestamp::try_from(now).ok();
        Ok(last.map(|last| now.map_or(last, |now| of_month(last, now))))
    }
}

/// What that says of the month it is now: where the last sum is of the month before,
/// nothing was charged in this one as far as anybody knows.
fn of_month(last: Charges, now: Timestamp) -> Charges {
    if month(last.at) == month(now) {
        return last;
    }
    Charges { usd: 0.0, ..last }
}

/// The first day of it, as AWS counts.
fn month(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date().first_of_month()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_begins_at_nothing() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let last = Charges {
            usd: 95.0,
            at: at("2026-11-30T22:00:00Z"),
        };
        let nothing = Charges { usd: 0.0, ..last };
        assert_eq!(of_month(last, at("2026-11-30T23:59:59Z")), last);
        assert_eq!(of_month(last, at("2026-12-01T03:00:00+02:00")), nothing);
        assert_eq!(of_month(last, at("2026-12-01T01:59:59+02:00")), last);
        assert_eq!(of_month(last, at("2027-11-30T23:00:00Z")), nothing);
    }
}
