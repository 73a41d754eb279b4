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

/// What is told of a budget guard.
#[derive(Debug, Clone, PartialEq)]
pub enum GuardFound {
    /// Its alarm; `None`: there is none of that name.
    Alarm(Option<Alarm>),
    /// What was charged; `None`: nobody tells.
    Charges(Option<Charges>),
}

/// Whether there is money left, by a guard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget<'a> {
    /// There is.
    Left,
    /// There is none: the alarm went off.
    Fired(&'a Alarm),
    /// There is none: more was charged than may be, in USD.
    Exceeded {
        /// So much was.
        charged: f64,
        /// So much may be.
        most: f64,
    },
    /// There are no data to tell by.
    Silent,
    /// The alarm is not there.
    Missing(&'a AlarmRef),
}

impl GuardFound {
    /// What it means: the one rule of what keeps promotions back.
    pub fn budget<'a>(&'a self, guard: &'a BudgetGuard) -> Budget<'a> {
        match (guard, self) {
            (BudgetGuard::Alarm(wanted), Self::Alarm(None)) => Budget::Missing(wanted),
            (_, Self::Alarm(Some(alarm))) => match alarm.state {
                AlarmState::Ok => Budget::Left,
                AlarmState::Alarm => Budget::Fired(alarm),
                AlarmState::InsufficientData => Budget::Silent,
            },
            (&BudgetGuard::Above(most), &Self::Charges(Some(Charges { usd: charged, .. })))
                if charged > most =>
            {
                Budget::Exceeded { charged, most }
            }
            (_, Self::Charges(Some(_))) => Budget::Left,
            (_, Self::Charges(None) | Self::Alarm(None)) => Budget::Silent,
        }
    }
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

    /// By what was told of a guard.
    pub fn by(guard: &BudgetGuard, found: &GuardFound) -> Self {
        match found.budget(guard) {
            Budget::Left => Self::default(),
            Budget::Missing(AlarmRef { name, region, .. }) => Self::against(format!(
                "there is no alarm {name} in CloudWatch in {region}"
            )),
            Budget::Fired(Alarm { reason, .. }) => {
                let because = match reason.as_str() {
                    "" => String::new(),
                    reason => format!(": {reason}"),
                };
                Self::against(format!("{} is in ALARM{because}", watched(guard)))
            }
            Budget::Exceeded { charged, most } => Self::against(format!(
                "AWS has charged {charged:.2} USD this month, which is more than {most}"
            )),
            Budget::Silent => {
                let guard = match guard {
                    BudgetGuard::Alarm(alarm) => format!("budget guard {alarm}"),
                    BudgetGuard::Above(usd) => format!("the budget guard of {usd} USD"),
                };
                Self::warned(format!(
                    "{guard} has no data and keeps nothing back: {ALERTS}"
                ))
            }
        }
    }

    /// Nobody could be asked, for that reason.
    pub fn unknown(guard: &BudgetGuard, error: &str) -> Self {
        Self::against(format!("nobody can tell of {}: {error}", watched(guard)))
    }
}

fn watched(guard: &BudgetGuard) -> String {
    match guard {
        BudgetGuard::Alarm(alarm) => format!("alarm {alarm}"),
        BudgetGuard::Above(usd) => format!("charges above {usd} USD"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> BudgetGuard {
        BudgetGuard::Alarm(AlarmRef {
            name: "spent".to_owned(),
            region: "us-east-1".to_owned(),
            account: None,
        })
    }

    fn by_charges(usd: Option<f64>) -> Guarded {
        let at = Timestamp::UNIX_EPOCH;
        let charges = usd.map(|usd| Charges { usd, at });
        Guarded::by(&BudgetGuard::Above(80.0), &GuardFound::Charges(charges))
    }

    fn alarm(state: AlarmState, reason: &str) -> Guarded {
        let alarm = Alarm {
            name: "spent".to_owned(),
            state,
            reason: reason.to_owned(),
            since: None,
        };
        Guarded::by(&guard(), &GuardFound::Alarm(Some(alarm)))
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
            why(&Guarded::by(&guard(), &GuardFound::Alarm(None))),
            "budget guard: there is no alarm spent in CloudWatch in us-east-1"
        );
    }

    #[test]
    fn without_data_nothing_is_in_the_way_and_that_is_said() {
        let unknown = alarm(AlarmState::InsufficientData, "");
        assert_eq!(unknown.restraint, None);
        assert!(unknown.warning.unwrap().contains("spent has no data"));
        let unknown = by_charges(None);
        assert_eq!(unknown.restraint, None);
        assert!(unknown.warning.unwrap().contains("80 USD has no data"));
    }

    #[test]
    fn charges_are_compared() {
        let of = |usd| by_charges(Some(usd));
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
            why(&Guarded::unknown(&guard(), error)),
            "budget guard: nobody can tell of alarm spent: failed to look up alarm `spent`: AccessDenied"
        );
    }
}
