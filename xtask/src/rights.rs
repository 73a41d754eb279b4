//! `cargo xtask rights`: what promoter asks the API server in the end-to-end tests,
//! beside what the chart lets it do.
//!
//! Both have to be the same: a right that nothing uses is one too many, and what is
//! refused is one too few. Promoters of the tests are accounts with just the rights
//! that promoter says it needs, so the server's audit log has it all; the few tests
//! that promote as an administrator count for nothing.

mod granted;
mod table;
mod used;

use std::path::Path;

use anyhow::{Context, Result, bail};

use self::granted::Granted;
use self::used::Used;
use crate::audit::{Audit, Mark};
use crate::progress::Progress;
use crate::testbed::{self, Testbed};

pub(crate) const USAGE: &str = "\
rights            write docs/rights.md anew: what promoter may do, and where the end-to-end
                  tests that ran on the testbed used it; fails if a right was never used
";

const DOCUMENT: &str = "docs/rights.md";

/// A verb on a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    scope: Scope,
    /// The API group; empty for the core's.
    group: String,
    /// With a part of it, as `pods/log`.
    resource: String,
    verb: String,
}

/// Where it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    Namespace,
    Cluster,
}

/// Runs the command.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    if let Some(argument) = arguments.next()? {
        bail!("{}\n\n{USAGE}", argument.unexpected());
    }
    let mut progress = Progress::new();
    let testbed = testbed::current()?;
    let audit =
        audit(&testbed).context("there is no audit log: use the testbed of this machine")?;
    let (granted, used) = read(&testbed, &audit, audit.start()?)?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(DOCUMENT);
    std::fs::write(&path, table::markdown(&granted, &used))
        .with_context(|| format!("failed to write {}", path.display()))?;
    progress.note(&format!("wrote {DOCUMENT}"));
    judge(&granted, &used)
}

/// The audit log, where there is one.
pub(crate) fn audit(testbed: &Testbed) -> Option<Audit> {
    testbed.audit_log.clone().map(Audit::new)
}

/// Fails if promoters were refused since what they are not granted, if a daemon did what
/// the chart does not grant, or if they may do what none did.
pub(crate) fn check(testbed: &Testbed, audit: &Audit, since: Mark) -> Result<()> {
    let (granted, used) = read(testbed, audit, since)?;
    judge(&granted, &used)
}

fn read(testbed: &Testbed, audit: &Audit, since: Mark) -> Result<(Granted, Used)> {
    let granted = Granted::by_the_chart(testbed)?;
    let used = Used::of(audit.since(since, "promoter/")?);
    Ok((granted, used))
}

fn judge(granted: &Granted, used: &Used) -> Result<()> {
    // A server that has just begun refuses what it grants a moment later.
    let refused = used.refused().filter(|right| !granted.has(right));
    let refused: Vec<_> = refused.map(table::sentence).collect();
    let unused: Vec<_> = granted.unused(used).map(table::sentence).collect();
    let beyond: Vec<_> = granted.beyond(used).map(table::sentence).collect();
    let mut faults = Vec::new();
    if !refused.is_empty() {
        faults.push(format!("was refused: {}", refused.join("; ")));
    }
    if !unused.is_empty() {
        faults.push(format!("may do what no test did: {}", unused.join("; ")));
    }
    if !beyond.is_empty() {
        let beyond = beyond.join("; ");
        faults.push(format!("did what the chart does not let it: {beyond}"));
    }
    if faults.is_empty() {
        return Ok(());
    }
    bail!(
        "promoter {}; src/adapter/kubernetes/rules.rs says what it may do",
        faults.join("\nand ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Request;
    use std::time::SystemTime;

    fn right(resource: &str, verb: &str) -> Right {
        Right {
            scope: Scope::Namespace,
            group: String::new(),
            resource: resource.to_owned(),
            verb: verb.to_owned(),
        }
    }

    fn request(user: &str, resource: &str, verb: &str, code: u64) -> Request {
        let at = SystemTime::UNIX_EPOCH;
        Request {
            user: format!("system:serviceaccount:{user}:promoter"),
            verb: verb.to_owned(),
            group: String::new(),
            resource: resource.to_owned(),
            namespace: "e2e-gate-abc123".to_owned(),
            name: String::new(),
            uri: String::new(),
            code,
            received: at,
            answered: at,
        }
    }

    #[test]
    fn what_nobody_did_and_what_was_refused_is_told() {
        let granted = Granted::of([right("pods", "list"), right("secrets", "delete")]);
        let used = Used::of(vec![
            request("e2e-gate-abc123", "pods", "list", 200),
            request("e2e-gate-abc123", "nodes", "delete", 403),
            request("somebody-else", "secrets", "delete", 200),
        ]);
        let said = judge(&granted, &used).expect_err("a fault").to_string();
        assert!(said.contains("refused: delete nodes"), "{said}");
        assert!(said.contains("no test did: delete secrets"), "{said}");
        assert!(!said.contains("list pods"), "{said}");
    }

    #[test]
    fn what_is_refused_elsewhere_is_no_fault() {
        let granted = Granted::of([right("pods", "list")]);
        let elsewhere = Request {
            namespace: "nowhere".to_owned(),
            ..request("e2e-gate-abc123", "secrets", "get", 403)
        };
        let used = [elsewhere, request("e2e-gate-abc123", "pods", "list", 200)];
        judge(&granted, &Used::of(used.into())).expect("no fault");
    }

    #[test]
    fn what_is_granted_and_was_refused_once_is_no_fault() {
        let granted = Granted::of([right("pods", "list")]);
        let used = [403, 200].map(|code| request("e2e-gate-abc123", "pods", "list", code));
        judge(&granted, &Used::of(used.into())).expect("no fault");
    }

    #[test]
    fn a_patch_that_makes_something_is_a_creation_too() {
        let granted = Granted::of([right("secrets", "create"), right("secrets", "patch")]);
        let patch = |code| vec![request("e2e-gate-abc123", "secrets", "patch", code)];
        judge(&granted, &Used::of(patch(201))).expect("no fault");
        let said = judge(&granted, &Used::of(patch(200))).expect_err("a fault");
        assert!(said.to_string().contains("create secrets"), "{said}");
    }

    #[test]
    fn what_nobody_decided_on_is_no_use() {
        let granted = Granted::of([right("pods", "list")]);
        for code in [0, 401, 429, 503] {
            let used = Used::of(vec![request("e2e-gate-abc123", "pods", "list", code)]);
            judge(&granted, &used).expect_err("a fault");
        }
        let used = Used::of(vec![request("e2e-gate-abc123", "pods", "list", 404)]);
        judge(&granted, &used).expect("no fault");
    }

    #[test]
    fn a_daemon_does_nothing_that_the_chart_does_not_let_it() {
        let granted = Granted::of([right("pods", "list")]);
        let other = |user: &str| {
            let requests = ["pods", "nodes"].map(|of| request(user, of, "list", 200));
            judge(&granted, &Used::of(requests.into()))
        };
        other("e2e-gate-abc123").expect("no fault: a person may do more");
        let said = other("e2e-gate-abc123-daemon").expect_err("a fault");
        assert!(said.to_string().contains("let it: list nodes"), "{said}");
    }

    #[test]
    fn tests_are_told_by_their_names() {
        let granted = Granted::of([right("pods", "list")]);
        let users = ["e2e-gate-abc123", "e2e-installed-abc123-daemon"];
        let used = users.map(|user| request(user, "pods", "list", 200));
        let used = Used::of(used.into());
        judge(&granted, &used).expect("no fault");
        let text = table::markdown(&granted, &used);
        assert!(
            text.contains("| core | `pods` | `list` | **installed**, gate |"),
            "{text}"
        );
    }
}
