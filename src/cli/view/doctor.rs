//! What `promoter doctor` found, link by link.

use serde_json::{Value, json};

use super::line::{BAD, BOLD, DIM, GOOD, Line, PLACE, PLAIN, WARN};
use super::terminal::Room;
use super::text::Text;
use super::words::verb;
use crate::cli::called;
use crate::engine::doctor::{Link, State};
use crate::group::Environment;

/// The files, then each environment with what it hangs on, and what it comes to.
pub fn doctor(files: &Link, environments: &[(Environment, Vec<Link>)], room: Room) -> String {
    let mut text = Text::new(room.prose);
    one(&mut text, files);
    for (environment, links) in environments {
        text.gap();
        let place = format!(
            "  namespace {} of {}",
            environment.namespace,
            environment.cluster.name()
        );
        let head = Line::new().with(BOLD, format!("environment {}", environment.name));
        text.line(head.with(DIM, place));
        for link in links {
            one(&mut text, link);
        }
    }
    text.gap();
    let all = environments.iter().flat_map(|(_, links)| links);
    let all: Vec<_> = all.chain([files]).collect();
    text.line(sum(&all));
    text.finish()
}

fn one(text: &mut Text, link: &Link) {
    let (style, mark) = match link.state {
        State::Good => (GOOD, "✓"),
        State::Doubtful => (WARN, "!"),
        State::Bad => (BAD, "✗"),
        State::NotLookedAt => (DIM, "-"),
    };
    let of = link.of.iter().map(|of| format!(" {of}"));
    let said = Line::new()
        .with(style, format!("{mark} "))
        .with(BOLD, link.name.as_str())
        .and(of.collect::<String>());
    text.line(said.and(": ").and(called::said(&link.found)));
    if let Some(help) = &link.help {
        text.line(Line::new().with(PLACE, "  hint: ").and(called::said(help)));
    }
}

/// What it comes to.
fn sum(links: &[&Link]) -> Line {
    let count = |state: State| links.iter().filter(|link| link.state == state).count();
    let are = |n: usize, what: &str| format!("{n} {} {what}", verb(n, "is", "are"));
    let counts = [
        (BAD, count(State::Bad), "broken"),
        (WARN, count(State::Doubtful), "doubtful"),
        (DIM, count(State::NotLookedAt), "not looked at"),
    ];
    let told = counts.into_iter().filter(|(_, n, _)| *n > 0);
    let told = told.map(|(style, n, what)| Line::new().with(style, are(n, what)));
    let parts = told.reduce(|line, next| line.with(PLAIN, ", ").join(next));
    match parts {
        Some(parts) => Line::new().and("of these links ").join(parts),
        None => Line::new().with(GOOD, "all good"),
    }
}

/// For programs: `state`, the worst of all links, and `links`, each with its
/// `environment` (null for the files), `link`, `of` (null where there is one only),
/// `state` (`good`, `doubtful`, `bad`, `not-looked-at`), `found` and `help` (or null).
/// Keys stay as they are; new ones may come.
pub fn doctor_json(files: &Link, environments: &[(Environment, Vec<Link>)]) -> Value {
    let of = |environment: Option<&Environment>, link: &Link| {
        json!({
            "environment": environment.map(|environment| environment.name.as_str()),
            "link": link.name.as_str().to_lowercase().replace(' ', "-"),
            "of": link.of,
            "state": word(link.state),
            "found": link.found,
            "help": link.help,
        })
    };
    let mut links = vec![of(None, files)];
    let all = environments.iter();
    links.extend(all.clone().flat_map(|(environment, links)| {
        links.iter().map(move |link| of(Some(environment), link))
    }));
    let states = all.flat_map(|(_, links)| links).chain([files]);
    let worst = states.map(|link| link.state).max().unwrap_or(State::Good);
    json!({ "state": word(worst), "links": links })
}

fn word(state: State) -> &'static str {
    match state {
        State::Good => "good",
        State::Doubtful => "doubtful",
        State::Bad => "bad",
        State::NotLookedAt => "not-looked-at",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::sample::{fits, from, plain};
    use crate::engine::doctor::LinkName;
    use crate::group::cloudwatch::CloudWatchRef;
    use crate::group::github::GithubRef;
    use crate::group::{ClusterRef, RegistryRef, Untested};

    fn environment() -> Environment {
        Environment {
            name: from("v2"),
            namespace: from("shop"),
            cluster: ClusterRef::Context("prod".to_owned()),
            cluster_domain: "cluster.local".to_owned(),
            untested: Untested::Refused,
            github: GithubRef::default(),
            budget_guard: None,
            cloudwatch: CloudWatchRef::default(),
            registry: RegistryRef::default(),
            values: std::collections::BTreeMap::new(),
        }
    }

    fn files() -> Link {
        Link::new(
            LinkName::Files,
            State::Good,
            "2 valid groups in 1 environment",
        )
    }

    fn sample() -> [(Environment, Vec<Link>); 1] {
        let links = vec![
            Link::new(
                LinkName::Credentials,
                State::Doubtful,
                "they are of account 2",
            )
            .help("choose others, unless account 1 lets them in"),
            Link::new(LinkName::Repository, State::Good, "may be read").of("hello-a"),
            Link::new(LinkName::Cluster, State::Bad, "no answer within 20 s").of("prod"),
            Link::new(
                LinkName::Rights,
                State::NotLookedAt,
                "not looked at, as it needs the cluster",
            ),
        ];
        [(environment(), links)]
    }

    #[test]
    fn link_by_link() {
        let shown = |columns| doctor(&files(), &sample(), Room::from(columns));
        fits(shown);
        insta::assert_snapshot!(plain(&shown(100)), @r"
        ✓ files: 2 valid groups in 1 environment

        environment v2  namespace shop of prod
        ! AWS credentials: they are of account 2
          hint: choose others, unless account 1 lets them in
        ✓ repository hello-a: may be read
        ✗ cluster prod: no answer within 20 s
        - rights: not looked at, as it needs the cluster

        of these links 1 is broken, 1 is doubtful, 1 is not looked at
        ");
        let good = doctor(&files(), &[(environment(), Vec::new())], Room::from(100));
        assert!(plain(&good).ends_with("\n\nall good\n"), "{good}");
    }

    #[test]
    fn for_programs() {
        let found = doctor_json(&files(), &sample());
        assert_eq!(found["state"], "bad");
        insta::assert_snapshot!(found["links"][1], @r#"{"environment":"v2","found":"they are of account 2","help":"choose others, unless account 1 lets them in","link":"aws-credentials","of":null,"state":"doubtful"}"#);
        assert_eq!(found["links"][0]["environment"], Value::Null);
        assert_eq!(found["links"][4]["state"], "not-looked-at");
    }
}
