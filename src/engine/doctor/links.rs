//! From facts to links: whether each holds, and what to do where it does not.
//!
//! Pure: nobody is asked here.

mod cluster;
mod registry;
mod spending;

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use super::{Answer, Facts, Subject};
use crate::port::chain::ForgeFound;
use crate::port::registry::Said;

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Which.
    pub name: LinkName,
    /// What of it, where there are several.
    pub of: Option<String>,
    /// Whether it holds.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do, where that does not say so.
    pub help: Option<String>,
}

/// The links there are, in the order they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LinkName {
    /// What is written.
    Files,
    /// Those of AWS.
    Credentials,
    /// Of ECR.
    Repository,
    /// On what AWS charges.
    BillingAlarms,
    /// That of the environment.
    BudgetGuard,
    /// Kubernetes.
    Cluster,
    /// The group's own resource there.
    Definition,
    /// Of the environment.
    Namespace,
    /// In the cluster.
    Rights,
    /// Where commits are proven.
    Github,
}

impl LinkName {
    /// As people and programs are told.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Credentials => "AWS credentials",
            Self::Repository => "repository",
            Self::BillingAlarms => "billing alarms",
            Self::BudgetGuard => "budget guard",
            Self::Cluster => "cluster",
            Self::Definition => "DeploymentGroup resource",
            Self::Namespace => "namespace",
            Self::Rights => "rights",
            Self::Github => "GitHub",
        }
    }
}

impl fmt::Display for LinkName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a link holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It does.
    Good,
    /// It was not looked at, as one before it is broken.
    NotLookedAt,
    /// It does, but somebody should know.
    Doubtful,
    /// It does not.
    Bad,
}

impl Link {
    /// A link and what was found.
    pub fn new(name: LinkName, state: State, found: impl Into<String>) -> Self {
        Self {
            name,
            of: None,
            state,
            found: found.into(),
            help: None,
        }
    }

    /// The same with what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same of one of several.
    #[must_use]
    pub fn of(mut self, of: impl Into<String>) -> Self {
        self.of = Some(of.into());
        self
    }

    /// What became of a question about it; `judge` says what an answer means.
    fn judged<T>(name: LinkName, answer: &Answer<T>, judge: impl FnOnce(&T) -> Self) -> Self {
        match answer {
            Answer::Is(found) => judge(found),
            Answer::Failed(said) => Self::failed(name, said),
            Answer::Late(waited) => Self::late(name, *waited),
            Answer::Behind(broken) => Self::behind(name, *broken),
        }
    }

    fn failed(name: LinkName, said: &Said) -> Self {
        Self::new(name, State::Bad, &said.0)
    }

    fn late(name: LinkName, waited: Duration) -> Self {
        let found = format!("no answer within {} s", waited.as_secs());
        Self::new(name, State::Bad, found)
            .help("check the network, and what stands between: a proxy, a VPN, a firewall")
    }

    fn behind(name: LinkName, broken: LinkName) -> Self {
        let found = format!("not looked at, as it needs the {broken}");
        Self::new(name, State::NotLookedAt, found)
    }
}

/// Every link of an environment, in order.
pub fn links(subject: &Subject, facts: &Facts) -> Vec<Link> {
    let mut links = vec![registry::credentials(subject, &facts.caller)];
    links.extend(registry::repositories(subject, &facts.repositories));
    links.extend(spending::billing_alarms(subject, &facts.billing_alarms));
    links.extend(spending::guard(subject, facts.guard.as_ref()));
    links.extend(cluster::links(subject, facts));
    links.extend(facts.forge.as_ref().map(github));
    links
}

/// A tenth of the limit is little enough to say so.
const LITTLE: u64 = 10;

fn github(answer: &Answer<ForgeFound>) -> Link {
    let name = LinkName::Github;
    Link::judged(name, answer, |found| {
        let host = &found.host;
        let left = found.left.map_or_else(String::new, |(left, most)| {
            format!("; {left} of {most} requests are left")
        });
        let Some(variable) = found.token else {
            let found_it = format!("{host} answers, without a token{left}");
            let help = format!(
                "set {}: without it private repositories are not seen, and few requests are taken",
                found.variable
            );
            return Link::new(name, State::Doubtful, found_it).help(help);
        };
        let found_it = format!("{host} takes the token in {variable}{left}");
        let is_low = found
            .left
            .is_some_and(|(left, most)| left.saturating_mul(LITTLE) < most);
        if is_low {
            return Link::new(name, State::Doubtful, found_it)
                .help("wait for the hour to end, or find out who else uses the token");
        }
        Link::new(name, State::Good, found_it)
    })
}
