//! Rights and their uses, for people.

use std::fmt::Write;

use super::granted::Granted;
use super::used::{Used, User};
use super::{Right, Scope};

/// As many tests of a right as are named.
const NAMED: usize = 3;

const HEAD: &str = "\
# What promoter may do, and where it does

Each verb on each resource that the chart's roles grant (`promoter install --print-role=daemon` prints the same ones), and
the end-to-end tests in which the API server's audit log has it. Bold are those in which the daemon did it, installed from
the chart with these rights and no others. In the others a command did, by the same engine, as an account with these rights;
a person's have one more, to delete a DeploymentGroup (`promoter remove`).

`cargo xtask test` fails if a promoter is refused what it needs and is not granted, if the daemon does what the chart does
not grant, or if no test uses a right. `cargo xtask rights` writes this page anew.
";

/// The page.
pub(super) fn markdown(granted: &Granted, used: &Used) -> String {
    let mut text = HEAD.to_owned();
    for (scope, title) in [
        (
            Scope::Namespace,
            "In the namespaces of its groups: a Role in each",
        ),
        (Scope::Cluster, "In the whole cluster: a ClusterRole"),
    ] {
        let _ = writeln!(text, "\n## {title}\n");
        text.push_str("| API group | resource | verb | used by the tests |\n|---|---|---|---|\n");
        for right in granted.rights().filter(|right| right.scope == scope) {
            let Right {
                scope: _,
                group,
                resource,
                verb,
            } = right;
            let group = if group.is_empty() { "core" } else { group };
            let users = named(&used.by(right));
            let _ = writeln!(text, "| {group} | `{resource}` | `{verb}` | {users} |");
        }
    }
    text
}

/// A few of the tests, and how many more there are.
fn named(users: &[&User]) -> String {
    let few = users.iter().take(NAMED).map(|user| {
        if user.is_command {
            user.test.clone()
        } else {
            format!("**{}**", user.test)
        }
    });
    let few = few.collect::<Vec<_>>().join(", ");
    match users.len() {
        0 => "**none**".to_owned(),
        number if number > NAMED => format!("{few} and {} more", number - NAMED),
        _ => few,
    }
}

/// A right in words.
pub(super) fn sentence(right: &Right) -> String {
    let Right {
        scope,
        group,
        resource,
        verb,
    } = right;
    let dot = if group.is_empty() { "" } else { "." };
    let wide = match scope {
        Scope::Namespace => "",
        Scope::Cluster => " in the whole cluster",
    };
    format!("{verb} {resource}{dot}{group}{wide}")
}
