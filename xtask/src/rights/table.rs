//! Rights and their uses, for people.

use std::fmt::Write;

use super::granted::Granted;
use super::used::Used;
use super::{Right, Scope};

/// As many tests of a right as are named.
const NAMED: usize = 3;

/// The test whose promoter is the installed daemon.
const DAEMON: &str = "installed";

const HEAD: &str = "\
# What promoter may do, and where it does

Each verb on each resource that the chart's roles grant (`promoter install --print-role` prints the same ones), and the
end-to-end tests in which the API server's audit log has it. All promoters of these tests, and the daemon that is installed
from the chart, are accounts with these rights and no others. `cargo xtask test` fails if a promoter is refused anything, or
if a right is not used by any test. `cargo xtask rights` writes this page anew. The daemon is in the test `installed`, which is
named first.
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
            let tests = named(&used.by(right));
            let _ = writeln!(text, "| {group} | `{resource}` | `{verb}` | {tests} |");
        }
    }
    text
}

/// A few of the tests, and how many more there are.
fn named(tests: &[&str]) -> String {
    let mut tests = tests.to_vec();
    tests.sort_by_key(|test| *test != DAEMON);
    let few = tests[..tests.len().min(NAMED)].join(", ");
    match tests.len() {
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
