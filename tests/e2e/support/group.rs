//! A group file as data, so that a test changes just what it is about.

use std::fmt::{self, Write};

use super::images::repository;

/// A group file.
#[derive(Debug, Clone)]
pub(crate) struct GroupFile {
    /// Names the file too.
    pub(crate) name: String,
    pub(crate) branch: String,
    pub(crate) keep_old: String,
    pub(crate) deploy_timeout: String,
    /// `"0s"`: each run of a check says something, as none begins early.
    pub(crate) endpoint_delay: String,
    /// `pinning` or `network-policy`.
    pub(crate) isolation: &'static str,
    pub(crate) apps: Vec<App>,
    pub(crate) checks: Vec<Check>,
    /// Further lines of `[group]`.
    pub(crate) more: String,
    /// Each with the point it runs at.
    pub(crate) hooks: Vec<(&'static str, Check)>,
}

/// One `[[app]]`.
#[derive(Debug, Clone)]
pub(crate) struct App {
    pub(crate) name: String,
    pub(crate) repository: String,
    pub(crate) branch: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) replicas: u32,
    /// Path below `groups/`; none makes the app from the group file alone.
    pub(crate) manifest: Option<String>,
    pub(crate) needs: Vec<String>,
    /// Further lines of TOML.
    pub(crate) more: String,
}

/// One `[[check]]`.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    pub(crate) name: String,
    /// What it runs in: `repository = "…"`, `app = "…"` or `image = "…"`.
    pub(crate) source: String,
    pub(crate) command: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) timeout: String,
    /// `tap` or `none`.
    pub(crate) report: String,
    /// Further lines of TOML.
    pub(crate) more: String,
}

impl GroupFile {
    /// The example apps and their check, all of one branch.
    pub(super) fn hello(name: &str) -> Self {
        let mut a = App::new("hello-a", "manifests/hello-a.yaml");
        a.needs.push("hello-b".to_owned());
        Self {
            name: name.to_owned(),
            branch: "master".to_owned(),
            keep_old: "10s".to_owned(),
            deploy_timeout: "90s".to_owned(),
            endpoint_delay: "2s".to_owned(),
            isolation: "pinning",
            apps: vec![a, App::new("hello-b", "manifests/hello-b.json")],
            checks: vec![Check::greets()],
            more: String::new(),
            hooks: Vec::new(),
        }
    }

    /// An app of the group, to change it.
    pub(crate) fn app(&mut self, name: &str) -> &mut App {
        let found = self.apps.iter_mut().find(|app| app.name == name);
        found.unwrap_or_else(|| panic!("the group has no app {name}"))
    }
}

impl App {
    /// An app of this name and one pod, from the repository of this name.
    pub(crate) fn new(name: &str, manifest: &str) -> Self {
        Self {
            name: name.to_owned(),
            repository: repository(name),
            branch: None,
            port: Some(8080),
            replicas: 1,
            manifest: Some(manifest.to_owned()),
            needs: Vec::new(),
            more: String::new(),
        }
    }
}

impl Check {
    /// The example apps' own tests.
    pub(crate) fn greets() -> Self {
        Self {
            name: "greets".to_owned(),
            source: format!("repository = {}", quoted(&repository("hello-tests"))),
            command: vec!["npm".to_owned(), "test".to_owned()],
            env: Vec::new(),
            timeout: "2m".to_owned(),
            report: "tap".to_owned(),
            more: String::new(),
        }
    }

    /// A check that runs a shell script in the image of hello-tests.
    pub(crate) fn script(name: &str, script: &str) -> Self {
        Self {
            name: name.to_owned(),
            command: ["sh", "-c", script].map(str::to_owned).to_vec(),
            report: "none".to_owned(),
            ..Self::greets()
        }
    }
}

impl fmt::Display for GroupFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "[group]\nname = {}\nenvironment = \"test\"",
            quoted(&self.name)
        )?;
        writeln!(f, "branch = {}\n{}", quoted(&self.branch), self.more)?;
        writeln!(f, "\n[strategy]")?;
        writeln!(f, "keep_old = {}", quoted(&self.keep_old))?;
        writeln!(f, "deploy_timeout = {}", quoted(&self.deploy_timeout))?;
        writeln!(f, "endpoint_delay = {}", quoted(&self.endpoint_delay))?;
        writeln!(f, "isolation = {}", quoted(self.isolation))?;
        self.apps.iter().try_for_each(|app| write!(f, "{app}"))?;
        for check in &self.checks {
            writeln!(f, "\n[[check]]\nreport = {}", quoted(&check.report))?;
            write!(f, "{check}")?;
        }
        for (when, hook) in &self.hooks {
            write!(f, "\n[[hook]]\nwhen = {}\n{hook}", quoted(when))?;
        }
        Ok(())
    }
}

impl fmt::Display for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n[[app]]\nname = {}", quoted(&self.name))?;
        writeln!(f, "repository = {}", quoted(&self.repository))?;
        if let Some(port) = self.port {
            writeln!(f, "port = {port}")?;
        }
        if let Some(branch) = &self.branch {
            writeln!(f, "branch = {}", quoted(branch))?;
        }
        if let Some(manifest) = &self.manifest {
            writeln!(f, "manifest = {}", quoted(manifest))?;
        }
        writeln!(
            f,
            "replicas = {}\nneeds = {}",
            self.replicas,
            list(&self.needs)
        )?;
        writeln!(f, "{}", self.more)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "name = {}\n{}", quoted(&self.name), self.source)?;
        if !self.command.is_empty() {
            writeln!(f, "command = {}", list(&self.command))?;
        }
        let mut env = String::new();
        for (name, value) in &self.env {
            write!(
                env,
                "{}{name} = {}",
                if env.is_empty() { "" } else { ", " },
                quoted(value)
            )?;
        }
        writeln!(f, "env = {{ {env} }}\ntimeout = {}", quoted(&self.timeout))?;
        writeln!(f, "{}", self.more)
    }
}

fn list(texts: &[String]) -> String {
    let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

/// A JSON string is a TOML string too.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}
