//! promoter in the race, as a user runs it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Bench;
use super::memory::Watched;
use super::race::{Contender, Lap, Switch};
use super::report::PROMOTER;
use super::site::Site;
use super::workload::{Release, Workload};
use crate::audit::Request;
use crate::run;

/// How its requests are known.
const AGENT: &str = "promoter/";
/// Who writes selectors in it, as the address of a request tells.
const SWITCHES: &str = "fieldManager=promoter-switch";

/// Promotes a group in a namespace.
pub(super) struct Promoter<'a> {
    bench: &'a Bench,
    workload: Workload,
    site: Site<'a>,
}

impl<'a> Promoter<'a> {
    /// Writes the group's files and prepares the namespace.
    pub(super) fn new(bench: &'a Bench, workload: &Workload, namespace: String) -> Result<Self> {
        let site = Site::new(bench, namespace)?;
        site.write("groups/bench.toml", &workload.group("a"))?;
        site.write("groups/app.json", &Workload::template())?;
        site.install()?;
        Ok(Self {
            bench,
            workload: workload.clone(),
            site,
        })
    }

    /// A command of promoter on the group.
    pub(super) fn command(&self, words: &[&str]) -> Command {
        self.site.command(words)
    }

    /// Promotes a release to the end, and gives its events and its peak memory.
    fn deploy(&self, release: &Release) -> Result<(Vec<Value>, Option<u32>)> {
        let words = [
            "deploy",
            "bench",
            "--branch",
            release.branch,
            "--output",
            "json",
        ];
        let log = self.bench.scratch.path().join("promoter.log");
        let mut child = self
            .command(&words)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log)?)
            .spawn()?;
        let memory = Watched::new(&child);
        let stdout = child.stdout.take().context("its output is piped")?;
        let lines = BufReader::new(stdout).lines();
        let events: Vec<Value> = lines
            .map_while(Result::ok)
            .filter_map(|line| serde_json::from_str(&line).ok())
            .collect();
        // Before the process is waited for: until then nobody else has its id.
        let peak = memory.peak();
        let status = child.wait()?;
        let last = events.last().map(Value::to_string).unwrap_or_default();
        ensure!(
            status.success(),
            "promoter {} failed ({status}); its last event: {last}\n{}",
            words.join(" "),
            run::tail(&log),
        );
        Ok((events, peak))
    }

    /// The patches that moved the selectors: the last of each Service until
    /// the switch was reported. (Earlier ones of that field manager stamp.)
    fn switch(&self, requests: &[Request], events: &[Value]) -> Result<Switch> {
        let switched = events.iter().find(|event| event["event"] == "switched");
        let switched = switched.and_then(|event| event["at"].as_str());
        let switched = switched.context("promoter told of no switch")?;
        let reported = humantime::parse_rfc3339(switched)?;
        let patches = requests.iter().filter(|request| {
            request.verb == "patch"
                && request.resource == "services"
                && request.namespace == self.site.namespace
                && request.code == 200
                && request.uri.contains(SWITCHES)
                && request.answered <= reported
        });
        Switch::of(&self.workload.apps, patches)
    }

    /// Writes what was asked and when, for those who make it less.
    fn write_requests(&self, requests: &[Request], begun: SystemTime) -> Result<()> {
        let Some(folder) = &self.bench.requests else {
            return Ok(());
        };
        let since = |time: SystemTime| time.duration_since(begun).unwrap_or_default().as_millis();
        let line = |request: &Request| {
            let query = request.uri.split_once('?').map_or("", |(_, query)| query);
            format!(
                "{:8} {:8} {:6} {} {} {} {query}\n",
                since(request.received),
                since(request.answered),
                request.verb,
                request.resource,
                request.name,
                request.code,
            )
        };
        let head =
            "# received, answered (ms since the command), verb, resource, name, code, query\n";
        let lines = requests.iter().map(line);
        let text: String = std::iter::once(head.to_owned()).chain(lines).collect();
        std::fs::create_dir_all(folder)?;
        let file = folder.join(format!("promoter-{}.txt", self.workload.size()));
        std::fs::write(&file, text).with_context(|| format!("failed to write {}", file.display()))
    }
}

impl Contender for Promoter<'_> {
    fn name(&self) -> &'static str {
        PROMOTER
    }

    fn lap(&mut self, release: &Release) -> Result<Lap> {
        let mark = self.bench.audit.mark()?;
        let begun = SystemTime::now();
        let (events, memory) = self.deploy(release)?;
        let mut requests = self.bench.audit.since(mark, AGENT)?;
        requests.sort_by_key(|request| request.received);
        let switch = self.switch(&requests, &events)?;
        self.write_requests(&requests, begun)?;
        self.bench
            .cluster
            .settled(&self.site.namespace, self.workload.size())?;
        Ok(Lap {
            took: switch.last.duration_since(begun).unwrap_or(Duration::ZERO),
            skew: Some(switch.skew()),
            requests: u32::try_from(requests.len()).ok(),
            memory,
        })
    }
}
