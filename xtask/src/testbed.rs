//! `cargo xtask testbed`: a real cluster, a registry and an AWS double.
//!
//! Chooses who provides the cluster: a kubeconfig context that was named
//! explicitly, or this machine itself. The current context is never used, so
//! that no test runs against a cluster by accident.

mod context;
mod native;

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use self::native::Disturbance;
use crate::progress::{self, Progress};

pub(crate) use native::{ARGO_ROLLOUTS, Peers, controllers_as_shipped, layout, peers};

pub(crate) const USAGE: &str = "\
testbed up        start a Kubernetes cluster, a registry and an AWS double, or mend what is dead
testbed down      stop them and put the machine back as it was (build caches stay)
testbed status    show each part, whether it is healthy, and where its log lies
testbed env       print shell exports: eval \"$(cargo xtask testbed env)\"
testbed stop|start|restart|pause|resume PART
                  disturb one part, such as etcd (`status` names them); `up` mends it
testbed pid PART  print the process id of a part
";

/// Names the kubeconfig context to use instead of a cluster of our own.
const CONTEXT: &str = "PROMOTER_E2E_CONTEXT";

/// A testbed that is up: what one needs to use it.
#[derive(Debug, Clone)]
pub(crate) struct Testbed {
    /// The kubeconfig, unless the usual one is to be used.
    pub(crate) kubeconfig: Option<PathBuf>,
    /// The context in it.
    pub(crate) context: String,
    /// The registry to push to, as `host:port`.
    pub(crate) registry: Option<String>,
    /// The registry's name in the references of pods.
    pub(crate) ecr: Option<String>,
    /// Where AWS is answered.
    pub(crate) aws_endpoint: Option<String>,
    /// A folder with `kubectl` and `aws`, to come first in the search path.
    pub(crate) programs: Option<PathBuf>,
    /// A folder with storage and configuration for building images, unless the
    /// user's own are to be used.
    pub(crate) builds: Option<PathBuf>,
    /// The API server's audit log.
    pub(crate) audit_log: Option<PathBuf>,
}

impl Testbed {
    /// A program that uses the testbed, by the same variables a shell would set.
    pub(crate) fn command(&self, program: &str) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let no_proxy = std::env::var("NO_PROXY").or_else(|_| std::env::var("no_proxy"));
        let mut command = Command::new(program);
        command.envs(variables(self, &path, no_proxy.ok().as_deref()));
        command
    }
}

/// Who provides the cluster.
enum Provider {
    /// A cluster that exists, by the name of its kubeconfig context.
    Context(String),
    /// This machine, from packages.
    Native,
}

impl Provider {
    fn chosen() -> Self {
        match std::env::var(CONTEXT) {
            Ok(name) if !name.is_empty() => Self::Context(name),
            _ => Self::Native,
        }
    }
}

/// Starts what is not running and returns once all of it is healthy.
pub(crate) fn up(progress: &mut Progress) -> Result<Testbed> {
    match Provider::chosen() {
        Provider::Context(name) => context::up(&name, progress),
        Provider::Native => native::up(progress),
    }
}

/// The testbed that is up, without changing anything.
pub(crate) fn current() -> Result<Testbed> {
    match Provider::chosen() {
        Provider::Context(name) => Ok(context::testbed(&name)),
        Provider::Native => native::current(),
    }
}

/// Runs the command.
pub(crate) fn run(mut arguments: lexopt::Parser) -> Result<()> {
    let verb = match arguments.next()? {
        Some(lexopt::Arg::Value(verb)) => verb.into_string().unwrap_or_default(),
        Some(other) => bail!("{}\n\n{USAGE}", other.unexpected()),
        None => bail!("say what to do with the testbed\n\n{USAGE}"),
    };
    let disturbance = Disturbance::named(&verb);
    let part = if disturbance.is_some() || verb == "pid" {
        arguments.value()?.into_string().unwrap_or_default()
    } else {
        String::new()
    };
    if let Some(extra) = arguments.next()? {
        bail!("{}\n\n{USAGE}", extra.unexpected());
    }
    let mut progress = Progress::new();
    if let Some(disturbance) = disturbance {
        ours()?;
        return native::disturb(disturbance, &part, &mut progress);
    }
    match (verb.as_str(), Provider::chosen()) {
        ("up", _) => {
            let testbed = up(&mut progress)?;
            progress.note(&format!(
                "The testbed is up: context {} ({}). Use it with\n  \
                 eval \"$(cargo xtask testbed env)\"",
                testbed.context,
                progress::human(progress.elapsed()),
            ));
            Ok(())
        }
        ("env", _) => {
            let path = std::env::var("PATH").unwrap_or_default();
            let no_proxy = std::env::var("NO_PROXY").or_else(|_| std::env::var("no_proxy"));
            let exports = exports(&current()?, &path, no_proxy.ok().as_deref());
            progress::print(&exports);
            Ok(())
        }
        ("down", Provider::Context(name)) => {
            progress.note(&format!(
                "{CONTEXT} names {name}, which is not ours: nothing is touched"
            ));
            Ok(())
        }
        ("down", Provider::Native) => native::down(&mut progress),
        ("status", Provider::Context(name)) => {
            context::up(&name, &mut progress)?;
            progress::print(&format!("context {name} answers\n"));
            Ok(())
        }
        ("status", Provider::Native) => {
            progress::print(&native::status(&mut progress)?);
            Ok(())
        }
        ("pid", _) => {
            ours()?;
            let pid = native::pid(&part, &mut progress)?;
            progress::print(&format!("{pid}\n"));
            Ok(())
        }
        (other, _) => bail!("there is no `testbed {other}`\n\n{USAGE}"),
    }
}

/// Refuses to touch the parts of a cluster that is not ours.
fn ours() -> Result<()> {
    match Provider::chosen() {
        Provider::Native => Ok(()),
        Provider::Context(name) => {
            bail!("{CONTEXT} names {name}, which is not ours: its parts are not touched")
        }
    }
}

/// The variables with which promoter, kubectl and aws use the testbed.
fn variables(testbed: &Testbed, path: &str, no_proxy: Option<&str>) -> Vec<(&'static str, String)> {
    let mut all = vec![("PROMOTER_TESTBED_CONTEXT", testbed.context.clone())];
    let mut add = |name, value: &Option<String>| {
        all.extend(value.iter().map(|value| (name, value.clone())));
    };
    let shown = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    add("KUBECONFIG", &shown(&testbed.kubeconfig));
    add("PROMOTER_TESTBED_REGISTRY", &testbed.registry);
    add("PROMOTER_TESTBED_ECR", &testbed.ecr);
    add("PROMOTER_TESTBED_AUDIT_LOG", &shown(&testbed.audit_log));
    // Elsewhere, AWS is what the environment says already.
    if let (Some(endpoint), true) = (&testbed.aws_endpoint, testbed.kubeconfig.is_some()) {
        all.extend([
            ("AWS_ENDPOINT_URL", endpoint.clone()),
            ("AWS_ACCESS_KEY_ID", "testbed".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "testbed".to_owned()),
            ("AWS_REGION", layout::REGION.to_owned()),
            ("AWS_DEFAULT_REGION", layout::REGION.to_owned()),
        ]);
    }
    if let Some(programs) = &testbed.programs {
        let programs = programs.display().to_string();
        if path.split(':').next() != Some(programs.as_str()) {
            all.push(("PATH", format!("{programs}:{path}")));
        }
    }
    if testbed.kubeconfig.is_some() {
        let mut hosts: Vec<_> = no_proxy.unwrap_or_default().split(',').collect();
        hosts.retain(|host| !host.is_empty() && !layout::NO_PROXY.contains(host));
        hosts.extend(layout::NO_PROXY);
        let hosts = hosts.join(",");
        all.extend([("NO_PROXY", hosts.clone()), ("no_proxy", hosts)]);
    }
    all
}

/// Those variables as text for a shell.
fn exports(testbed: &Testbed, path: &str, no_proxy: Option<&str>) -> String {
    let lines = variables(testbed, path, no_proxy)
        .into_iter()
        .map(|(name, value)| format!("export {name}='{}'", value.replace('\'', r"'\''")));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// Reads a variable that the user has to set for a cluster of their own.
fn required(name: &str, what: &str) -> Result<String> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.is_empty())
        .with_context(|| format!("{name} is not set: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn testbed() -> Testbed {
        Testbed {
            kubeconfig: Some("/state/kubeconfig".into()),
            context: "promoter-testbed".to_owned(),
            registry: Some("127.0.0.1:1".to_owned()),
            ecr: None,
            aws_endpoint: Some("http://127.0.0.1:2".to_owned()),
            programs: Some("/state/bin".into()),
            builds: None,
            audit_log: None,
        }
    }

    #[test]
    fn exports_put_the_programs_first() {
        let text = exports(&testbed(), "/usr/bin:/it's", None);
        assert!(
            text.contains(r"export PATH='/state/bin:/usr/bin:/it'\''s'"),
            "{text}"
        );
        assert!(
            text.contains("export AWS_ENDPOINT_URL='http://127.0.0.1:2'\n"),
            "{text}"
        );
        assert!(!text.contains("PROMOTER_E2E_CONTEXT"), "{text}");
    }

    #[test]
    fn exports_twice_do_not_pile_up() {
        let text = exports(
            &testbed(),
            "/state/bin:/usr/bin",
            Some("example.com,127.0.0.1"),
        );
        assert!(!text.contains("export PATH"), "{text}");
        let line = text
            .lines()
            .find(|line| line.contains(" NO_PROXY="))
            .expect("NO_PROXY");
        assert_eq!(line.matches("127.0.0.1").count(), 1, "{line}");
        assert!(line.contains("'example.com,"), "{line}");
    }
}
