//! Whether what is spent keeps promotions back.
//!
//! Input: the guard of an environment, and what was answered about it. Output:
//! what stands in the way, or what a person should know. Who cannot be asked
//! may hide that the budget is spent, so that stands in the way, too; an alarm
//! that has no data has not gone off.

use jiff::Timestamp;

use super::Restraint;
use crate::group::cloudwatch::{AlarmRef, BudgetGuard};

/// Why there may be no data.
const ALERTS: &str = "AWS publishes charges only once \"Receive billing alerts\" is switched on in the paying account";

/// How an alarm stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// Whether it went off.
    pub state: AlarmState,
    /// Why, as it says itself.
    pub reason: String,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// Whether an alarm went off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmState {
    /// It did not.
    Ok,
    /// It did.
    Alarm,
    /// It cannot tell, as what it watches is not there.
    InsufficientData,
}

/// What was charged since the month began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Charges {
    /// How much, in USD.
    pub usd: f64,
    /// By when.
    pub at: Timestamp,
}

/// What a guard comes to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Guarded {
    /// What stands in the way.
    pub restraint: Option<Restraint>,
    /// What does not, and is worth saying.
    pub warning: Option<String>,
}

impl Guarded {
    fn against(why: String) -> Self {
        Self {
            restraint: Some(Restraint::Budget { why }),
            warning: None,
        }
    }

    fn warned(warning: String) -> Self {
        Self {
            restraint: None,
            warning: Some(warning),
        }
    }

    /// By an alarm; `None`: there is none of that name.
    pub fn by_alarm(guard: &AlarmRef, found: Option<&Alarm>) -> Self {
        match found {
            None => Self::against(format!(
                "there is no alarm {} in CloudWatch in {}",
                guard.name, guard.region
            )),
            Some(alarm) => match alarm.state {
                AlarmState::Ok => Self::default(),
                AlarmState::Alarm if alarm.reason.is_empty() => {
                    Self::against(format!("alarm {guard} is in ALARM"))
                }
                AlarmState::Alarm => {
                    Self::against(format!("alarm {guard} is in ALARM: {}", alarm.reason))
                }
                AlarmState::InsufficientData => Self::warned(format!(
                    "budget guard {guard} has no data and keeps nothing back: {ALERTS}"
                )),
            },
        }
    }

    /// By an amount, in USD; `None`: nobody tells what was charged.
    pub fn by_charges(above: f64, charges: Option<Charges>) -> Self {
        match charges {
            None => Self::warned(format!(
                "the budget guard of {above} USD has no data and keeps nothing back: {ALERTS}"
            )),
            Some(Charges { usd, .. }) if usd > above => Self::against(format!(
                "AWS has charged {usd:.2} USD this month, which is more than {above}"
            )),
            Some(_) => Self::default(),
        }
    }

    /// Nobody could be asked, for that reason.
    pub fn unknown(guard: &BudgetGuard, error: &str) -> Self {
        let guard = match guard {
            BudgetGuard::Alarm(alarm) => format!("alarm {alarm}"),
            BudgetGuard::Above(usd) => format!("charges above {usd} USD"),
        };
        Self::against(format!("nobody can tell of {guard}: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> AlarmRef {
        AlarmRef {
            name: "spent".to_owned(),
            region: "us-east-1".to_owned(),
            account: None,
        }
    }

    fn alarm(state: AlarmState, reason: &str) -> Guarded {
        let alarm = Alarm {
            name: "spent".to_owned(),
            state,
            reason: reason.to_owned(),
            since: None,
        };
        Guarded::by_alarm(&guard(), Some(&alarm))
    }

    fn why(guarded: &Guarded) -> String {
        assert_eq!(guarded.warning, None);
        guarded.restraint.as_ref().unwrap().to_string()
    }

    #[test]
    fn an_alarm_that_went_off_is_in_the_way() {
        assert_eq!(alarm(AlarmState::Ok, "fine"), Guarded::default());
        assert_eq!(
            why(&alarm(AlarmState::Alarm, "101 > 100")),
            "budget guard: alarm spent is in ALARM: 101 > 100"
        );
        assert_eq!(
            why(&alarm(AlarmState::Alarm, "")),
            "budget guard: alarm spent is in ALARM"
        );
        assert_eq!(
            why(&Guarded::by_alarm(&guard(), None)),
            "budget guard: there is no alarm spent in CloudWatch in us-east-1"
        );
    }

    #[test]
    fn without_data_nothing_is_in_the_way_and_that_is_said() {
        let unknown = alarm(AlarmState::InsufficientData, "");
        assert_eq!(unknown.restraint, None);
        assert!(unknown.warning.unwrap().contains("spent has no data"));
        let unknown = Guarded::by_charges(80.0, None);
        assert_eq!(unknown.restraint, None);
        assert!(unknown.warning.unwrap().contains("80 USD has no data"));
    }

    #[test]
    fn charges_are_compared() {
        let at = jiff::Timestamp::UNIX_EPOCH;
        let of = |usd| Guarded::by_charges(80.0, Some(Charges { usd, at }));
        assert_eq!(of(79.99), Guarded::default());
        assert_eq!(of(80.0), Guarded::default());
        assert_eq!(
            why(&of(80.5)),
            "budget guard: AWS has charged 80.50 USD this month, which is more than 80"
        );
    }

    #[test]
    fn who_cannot_be_asked_is_in_the_way() {
        let error = "failed to look up alarm `spent`: AccessDenied";
        assert_eq!(
            why(&Guarded::unknown(&BudgetGuard::Alarm(guard()), error)),
            "budget guard: nobody can tell of alarm spent: failed to look up alarm `spent`: AccessDenied"
        );
    }
}
