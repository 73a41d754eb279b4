//! Looking at all that promotions of an environment hang on: asks every outside
//! system, and judges what it was told. Writes nothing anywhere.
//!
//! What does not depend on each other is asked at the same time, and nothing is waited
//! for without end. What depends on a link that is broken is not asked.

mod facts;
mod links;

use std::collections::BTreeSet;
use std::error::Error;
use std::time::Duration;

use futures::future::join;
use futures::{FutureExt as _, StreamExt as _, stream};
use tokio::time::{Instant, timeout_at};

use crate::group::{ClusterRef, Environment, Group, Proof};
use crate::port::Chain;
use crate::port::chain::Presence;
use crate::port::registry::Said;

pub use facts::{Answer, Facts};
pub use links::{Link, LinkName, State, links};

/// How long an outside system may take for one answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long all repositories together may take.
const PATIENCE_FOR_ALL: Duration = Duration::from_mins(1);

/// Repositories that are looked at at the same time.
const AT_ONCE: usize = 8;

/// What is looked at: an environment, and what runs there.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The environment.
    pub environment: Environment,
    /// Its groups.
    pub groups: Vec<Group>,
}

impl Subject {
    /// Whether commits are proven for any of its groups.
    fn proves_commits(&self) -> bool {
        let mut groups = self.groups.iter();
        groups.any(|group| group.proof == Proof::GithubChecks)
    }
}

/// Asks everybody.
pub async fn examine(subject: &Subject, chain: &dyn Chain) -> Facts {
    let caller = ask(chain.caller()).shared();
    let is_aws = matches!(subject.environment.cluster, ClusterRef::Eks(_));
    let repositories = async {
        let caller = caller.clone().await;
        let broken = caller.broken(LinkName::Credentials);
        repositories(subject, chain, broken).await
    };
    let alarms = async {
        let broken = caller.clone().await.broken(LinkName::Credentials);
        let names = &subject.environment.cloudwatch.billing_alarms;
        ask_after(broken, chain.billing_alarms(names)).await
    };
    let guard = async {
        let guard = subject.environment.budget_guard.as_ref()?;
        let broken = caller.clone().await.broken(LinkName::Credentials);
        Some(ask_after(broken, chain.guard(guard)).await)
    };
    let cluster = async {
        // Others log in with what the kubeconfig says.
        let caller = if is_aws {
            caller.clone().await.broken(LinkName::Credentials)
        } else {
            None
        };
        let server = ask_after(caller, chain.server()).await;
        let broken = server.broken(LinkName::Cluster);
        let installed = ask_after(broken, chain.is_installed());
        let namespace = ask_after(broken, chain.namespace());
        let (installed, namespace) = join(installed, namespace).await;
        let is_gone = matches!(namespace, Answer::Is(Presence::Missing | Presence::Ending));
        // Nobody has rights in what is not there.
        let gone = is_gone.then_some(LinkName::Namespace);
        let broken = namespace.broken(LinkName::Namespace).or(gone);
        let rights = ask_after(broken, chain.missing_rights()).await;
        (server, installed, namespace, rights)
    };
    let forge = async {
        if subject.proves_commits() {
            Some(ask(chain.forge()).await)
        } else {
            None
        }
    };
    let (repositories, billing_alarms, guard, cluster, forge) =
        futures::join!(repositories, alarms, guard, cluster, forge);
    let (server, installed, namespace, rights) = cluster;
    Facts {
        caller: caller.await,
        repositories,
        billing_alarms,
        guard,
        server,
        installed,
        namespace,
        rights,
        forge,
    }
}

async fn repositories(
    subject: &Subject,
    chain: &dyn Chain,
    broken: Option<LinkName>,
) -> Vec<facts::OfRepository> {
    let images = subject.groups.iter().flat_map(Group::branch_images);
    let names: BTreeSet<_> = images.map(|image| image.repository.clone()).collect();
    let end = Instant::now() + PATIENCE_FOR_ALL;
    let asked = stream::iter(names).map(|name| async move {
        let answer = match broken {
            Some(link) => Answer::Behind(link),
            None => ask_until(end, chain.repository(&name)).await,
        };
        (name, answer)
    });
    asked.buffered(AT_ONCE).collect().await
}

async fn ask<T, E: Error + 'static>(question: impl Future<Output = Result<T, E>>) -> Answer<T> {
    ask_until(Instant::now() + PATIENCE, question).await
}

/// Asks unless a link is broken that leads there.
async fn ask_after<T, E: Error + 'static>(
    broken: Option<LinkName>,
    question: impl Future<Output = Result<T, E>>,
) -> Answer<T> {
    match broken {
        Some(link) => Answer::Behind(link),
        None => ask(question).await,
    }
}

/// Asks, and waits as long as for any answer, but not beyond that moment.
async fn ask_until<T, E: Error + 'static>(
    end: Instant,
    question: impl Future<Output = Result<T, E>>,
) -> Answer<T> {
    let begun = Instant::now();
    match timeout_at(end.min(begun + PATIENCE), question).await {
        Ok(Ok(answer)) => Answer::Is(answer),
        Ok(Err(error)) => Answer::Failed(Said::of(&error)),
        Err(_) => Answer::Late(PATIENCE),
    }
}
