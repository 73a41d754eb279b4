//! What an environment has to do with Amazon CloudWatch: the alarm that keeps
//! promotions back, the alarms on what AWS charges, promoter's own metrics.
//!
//! Input: what a person wrote. Output: the same, known to be of its form. Whether
//! there is such an alarm, only AWS knows.

use std::fmt;

use super::aws;

/// Where AWS publishes what it charges, whatever the regions it charges for.
pub const BILLING_REGION: &str = "us-east-1";

/// Most characters of an alarm's name, by CloudWatch's rule.
const LONGEST: usize = 255;

/// An alarm of CloudWatch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmRef {
    /// Its name.
    pub name: String,
    /// Its AWS region.
    pub region: String,
    /// Its AWS account; `None`: that of whoever asks.
    pub account: Option<String>,
}

/// Without the region where it is that of billing.
impl fmt::Display for AlarmRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.region == BILLING_REGION {
            return Ok(());
        }
        write!(f, " of {}", self.region)
    }
}

/// What keeps promotions back because of what they cost.
#[derive(Debug, Clone, PartialEq)]
pub enum BudgetGuard {
    /// While this alarm is in ALARM.
    Alarm(AlarmRef),
    /// While AWS has charged more than that this month, in USD.
    Above(f64),
}

impl BudgetGuard {
    /// The AWS region in which it is asked about.
    pub fn region(&self) -> &str {
        match self {
            Self::Alarm(alarm) => &alarm.region,
            Self::Above(_) => BILLING_REGION,
        }
    }
}

/// The `[cloudwatch]` table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CloudWatchRef {
    /// The alarms on what AWS charges, by name, in [`BILLING_REGION`].
    pub billing_alarms: Vec<String>,
    /// Whether promoter puts metrics of its own there.
    pub metrics: bool,
    /// The AWS region they go to; `None`: the registry's.
    pub region: Option<String>,
}

/// An alarm by name, which is then one of billing, or by ARN.
pub(super) fn alarm(text: &str) -> Result<AlarmRef, String> {
    if !text.starts_with("arn:") {
        return Ok(AlarmRef {
            name: alarm_name(text)?,
            region: BILLING_REGION.to_owned(),
            account: None,
        });
    }
    let parts: Vec<_> = text.splitn(7, ':').collect();
    match parts.as_slice() {
        [
            "arn",
            partition,
            "cloudwatch",
            region,
            account,
            "alarm",
            name,
        ] if partition.starts_with("aws") => Ok(AlarmRef {
            name: alarm_name(name)?,
            region: aws::region(region)?,
            account: Some(aws::account(account)?),
        }),
        _ => Err(format!(
            "`{text}` is not an alarm, write its name, or an ARN like arn:aws:cloudwatch:eu-west-1:123456789012:alarm:budget"
        )),
    }
}

/// The name of an alarm.
pub(super) fn alarm_name(text: &str) -> Result<String, String> {
    let length = text.chars().count();
    if text.trim() == text && (1..=LONGEST).contains(&length) && !text.contains(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` cannot be the name of an alarm, it has 1 to {LONGEST} characters"
        ))
    }
}

/// An amount of money, in USD.
pub(super) fn amount(usd: f64) -> Result<f64, String> {
    if usd.is_finite() && usd > 0.0 {
        Ok(usd)
    } else {
        Err(format!(
            "{usd} is no amount to compare charges with, write one above 0, in USD"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms() {
        let of = |name: &str, region: &str, account: Option<&str>| {
            Ok(AlarmRef {
                name: name.to_owned(),
                region: region.to_owned(),
                account: account.map(str::to_owned),
            })
        };
        assert_eq!(
            alarm("billing 100 USD"),
            of("billing 100 USD", "us-east-1", None)
        );
        let arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:team:a";
        assert_eq!(alarm(arn), of("team:a", "eu-west-1", Some("123456789012")));
        assert!(alarm(&"a".repeat(255)).is_ok());
        for bad in [
            "",
            " a",
            "a\nb",
            &"a".repeat(256),
            "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:",
            "arn:aws:cloudwatch:eu-west-1:1234:alarm:a",
            "arn:aws:cloudwatch::123456789012:alarm:a",
            "arn:aws:sns:eu-west-1:123456789012:alarm:a",
        ] {
            assert!(alarm(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn amounts() {
        assert_eq!(amount(0.5), Ok(0.5));
        for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(amount(bad).is_err(), "{bad}");
        }
    }
}
