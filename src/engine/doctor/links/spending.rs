//! What CloudWatch says of what is spent: the alarms on it, and the budget guard.

use std::collections::BTreeSet;

use super::{Answer, Link, LinkName, State, Subject};
use crate::group::cloudwatch::{AlarmRef, BILLING_REGION, BudgetGuard};
use crate::promotion::restraint::{Alarm, AlarmState, Budget, GuardFound};

/// What to do where there is no data.
const SWITCH_ON: &str = "switch on \"Receive billing alerts\" by hand in the paying account, under its billing preferences: only then AWS publishes charges, some hours later for the first time";

/// A link for all alarms that stand alike.
pub(super) fn billing_alarms(subject: &Subject, answer: &Answer<Vec<Alarm>>) -> Vec<Link> {
    let name = LinkName::BillingAlarms;
    let wanted = &subject.environment.cloudwatch.billing_alarms;
    let mut link = match answer {
        Answer::Is(found) => return each(wanted, found),
        Answer::Failed(said) => Link::failed(name, said),
        Answer::Late(patience) => Link::late(name, *patience),
        Answer::Behind(broken) => Link::behind(name, *broken),
    };
    // Where none is named, nothing is missing as far as anybody knows.
    if wanted.is_empty() && link.state == State::Bad {
        link.state = State::Doubtful;
        link.found = format!("whether there are any is not known: {}", link.found);
    }
    vec![link]
}

fn each(wanted: &[String], found: &[Alarm]) -> Vec<Link> {
    let name = LinkName::BillingAlarms;
    if wanted.is_empty() && found.is_empty() {
        let none = format!("no alarm in {BILLING_REGION} watches what AWS charges");
        return vec![Link::new(name, State::Doubtful, none).help(
            "let Terraform make some (terraform/modules/billing-alarms), and name them under `billing_alarms`",
        )];
    }
    let there: BTreeSet<_> = found.iter().map(|alarm| alarm.name.as_str()).collect();
    let missing = wanted.iter().map(String::as_str);
    let missing: Vec<_> = missing.filter(|name| !there.contains(name)).collect();
    let of = |state: AlarmState| {
        let alarms = found.iter().filter(|alarm| alarm.state == state);
        alarms.map(|alarm| alarm.name.as_str()).collect::<Vec<_>>()
    };
    let fired = found
        .iter()
        .filter(|alarm| alarm.state == AlarmState::Alarm);
    let fired: Vec<_> = fired.map(told).collect();
    let link =
        |names: &[&str], state, found: &str| Link::new(name, state, found).of(names.join(", "));
    let (good, silent) = (of(AlarmState::Ok), of(AlarmState::InsufficientData));
    let links = [
        (!good.is_empty()).then(|| link(&good, State::Good, "OK")),
        (!fired.is_empty()).then(|| Link::new(name, State::Doubtful, fired.join("; "))),
        (!silent.is_empty()).then(|| {
            link(
                &silent,
                State::Doubtful,
                "INSUFFICIENT_DATA, so that they never go off",
            )
            .help(SWITCH_ON)
        }),
        (!missing.is_empty()).then(|| {
            let found = format!("not there, in CloudWatch in {BILLING_REGION} of this account");
            link(&missing, State::Bad, &found)
                .help("`terraform apply` makes them; else take them out of `billing_alarms`")
        }),
    ];
    links.into_iter().flatten().collect()
}

/// What an alarm says that went off.
fn told(alarm: &Alarm) -> String {
    let since = alarm
        .since
        .map(|since| since.strftime(" since %F %H:%M UTC"));
    let since = since.map(|since| since.to_string()).unwrap_or_default();
    let reason = match alarm.reason.as_str() {
        "" => String::new(),
        reason => format!(": {reason}"),
    };
    format!("{} is in ALARM{since}{reason}", alarm.name)
}

/// Whether the guard can tell, and lets promotions begin.
pub(super) fn guard(subject: &Subject, answer: Option<&Answer<GuardFound>>) -> Option<Link> {
    let name = LinkName::BudgetGuard;
    let guard = subject.environment.budget_guard.as_ref()?;
    let charged = |usd: f64| format!("AWS has charged {usd:.2} USD this month");
    let link = Link::judged(name, answer?, |found| match found.budget(guard) {
        Budget::Missing(AlarmRef { region, .. }) => {
            let found = format!("not there, in CloudWatch in {region} of this account");
            Link::new(name, State::Bad, found)
                .help("nothing is promoted by itself without it: `terraform apply` makes it, or take out `budget_guard`")
        }
        Budget::Fired(alarm) => spent(told(alarm)),
        Budget::Exceeded { charged: usd, .. } => spent(charged(usd)),
        Budget::Silent => silent(),
        Budget::Left => {
            let found = match found {
                GuardFound::Charges(Some(of)) => charged(of.usd),
                GuardFound::Charges(None) | GuardFound::Alarm(_) => "OK".to_owned(),
            };
            Link::new(name, State::Good, found)
        }
    });
    Some(match guard {
        BudgetGuard::Alarm(alarm) => link.of(alarm.to_string()),
        BudgetGuard::Above(usd) => link.of(format!("of {usd} USD")),
    })
}

fn spent(found: String) -> Link {
    Link::new(LinkName::BudgetGuard, State::Doubtful, found)
        .help("promotions wait meanwhile; a person may go on with `--despite-budget --reason`")
}

fn silent() -> Link {
    let found = "no data, so that it keeps nothing back";
    Link::new(LinkName::BudgetGuard, State::Doubtful, found).help(SWITCH_ON)
}
