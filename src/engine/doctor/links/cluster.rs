//! What the cluster says: whether it answers, is prepared, and lets a promoter do
//! what promotions need.

use std::collections::BTreeMap;

use super::{Facts, Link, LinkName, State, Subject};
use crate::group::ClusterRef;
use crate::port::chain::{Presence, Right, Server};

/// Kinds of objects that are told of, if rights are missing.
const TOLD: usize = 8;

pub(super) fn links(subject: &Subject, facts: &Facts) -> [Link; 4] {
    [
        server(subject, facts),
        definition(subject, facts),
        namespace(subject, facts),
        rights(subject, facts),
    ]
}

fn install(subject: &Subject) -> String {
    format!(
        "`promoter install --environment {}`",
        subject.environment.name
    )
}

fn server(subject: &Subject, facts: &Facts) -> Link {
    let name = LinkName::Cluster;
    let cluster = &subject.environment.cluster;
    let link = Link::judged(name, &facts.server, |Server { version, user }| {
        let user = user.as_ref().map(|user| format!(", as {user}"));
        let found = format!("Kubernetes {version}{}", user.unwrap_or_default());
        Link::new(name, State::Good, found)
    });
    match (cluster, link.state) {
        (ClusterRef::Eks(_), State::Bad) if link.help.is_some() => link.help(
            "check the network, and whether the cluster's endpoint lets this machine's address in (`allowed_cidrs` of Terraform)",
        ),
        _ => link,
    }
    .of(cluster.name())
}

fn definition(subject: &Subject, facts: &Facts) -> Link {
    let name = LinkName::Definition;
    Link::judged(name, &facts.installed, |is_installed| {
        if *is_installed {
            return Link::new(name, State::Good, "is installed");
        }
        Link::new(name, State::Bad, "is not installed")
            .help(format!("{} installs it", install(subject)))
    })
}

fn namespace(subject: &Subject, facts: &Facts) -> Link {
    let name = LinkName::Namespace;
    let link = Link::judged(name, &facts.namespace, |presence| match presence {
        Presence::There => Link::new(name, State::Good, "is there"),
        Presence::Ending => Link::new(name, State::Bad, "is being deleted").help(format!(
            "wait until it is gone; then {} makes it anew",
            install(subject)
        )),
        Presence::Missing => Link::new(name, State::Bad, "is not there")
            .help(format!("{} makes it", install(subject))),
        Presence::Hidden => {
            Link::new(name, State::Doubtful, "may not be read").help("see what rights are missing")
        }
    });
    link.of(subject.environment.namespace.as_str())
}

fn rights(subject: &Subject, facts: &Facts) -> Link {
    let name = LinkName::Rights;
    Link::judged(name, &facts.rights, |missing| {
        if missing.is_empty() {
            return Link::new(name, State::Good, "all that promotions need");
        }
        let (everywhere, here): (Vec<_>, Vec<_>) =
            missing.iter().partition(|right| right.everywhere);
        let print = format!(
            "`promoter install --environment {} --print-role` prints the roles: bind them to whoever deploys",
            subject.environment.name
        );
        if here.is_empty() {
            let found = format!("may not {} in the whole cluster", listed(&everywhere));
            // Only planning asks, and does without.
            return Link::new(name, State::Doubtful, found)
                .help(format!("`promoter plan` cannot tell all without; {print}"));
        }
        let namespace = &subject.environment.namespace;
        let found = format!("may not {} in namespace {namespace}", listed(&here));
        let found = if everywhere.is_empty() {
            found
        } else {
            format!("{found}, nor {} in the whole cluster", listed(&everywhere))
        };
        Link::new(name, State::Bad, found).help(print)
    })
}

/// `create, delete jobs.batch; get pods`.
fn listed(rights: &[&Right]) -> String {
    let mut verbs: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for right in rights {
        verbs.entry(&right.resource).or_default().push(&right.verb);
    }
    let kinds = verbs.len();
    let shown = verbs.into_iter().take(TOLD);
    let shown = shown.map(|(resource, verbs)| format!("{} {resource}", verbs.join(", ")));
    let shown = shown.collect::<Vec<_>>().join("; ");
    match kinds.saturating_sub(TOLD) {
        0 => shown,
        more => format!("{shown}; and so on with {more} more kinds"),
    }
}
