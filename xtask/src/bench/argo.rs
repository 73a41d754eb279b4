//! Argo Rollouts in the race: its controller as released, with its defaults.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::Bench;
use super::memory;
use super::race::{Contender, Lap, Switch};
use super::report::ARGO;
use super::workload::{Release, Workload};
use crate::audit::{Mark, Request};
use crate::testbed::ARGO_ROLLOUTS;
use crate::{http, run};

/// Ports of the controller, which hardly anything else uses.
const METRICS: u16 = 21801;
const HEALTH: u16 = 21802;

const STARTS_WITHIN: Duration = Duration::from_secs(30);
const SWITCHES_WITHIN: Duration = Duration::from_mins(5);
const INTERVAL: Duration = Duration::from_millis(100);

/// Promotes Rollouts in a namespace. Dropped, the controller is stopped.
pub(super) struct Argo<'a> {
    bench: &'a Bench,
    workload: Workload,
    namespace: String,
    controller: Child,
    log: PathBuf,
}

impl<'a> Argo<'a> {
    /// Starts a controller for one namespace and makes what Rollouts refer to.
    pub(super) fn start(bench: &'a Bench, workload: &Workload, namespace: String) -> Result<Self> {
        let cluster = &bench.cluster;
        let crds = bench.peers.argo_rollouts_crds.display().to_string();
        let mut apply = cluster.kubectl(["apply", "--server-side", "--filename", &crds]);
        run::output(&mut apply)?;
        let all = format!("--filename={crds}");
        let wait = ["wait", "--for=condition=Established", "--timeout=1m", &all];
        run::output(&mut cluster.kubectl(wait))?;

        let log = bench.scratch.path().join("argo-rollouts.log");
        let file = File::create(&log)?;
        let controller = bench
            .command(&bench.peers.argo_rollouts)
            .args(["--namespaced", "--namespace", &namespace])
            .args(["--context", cluster.context()])
            .args(["--leader-elect=false", "--loglevel=warn"])
            .args([
                format!("--metricsPort={METRICS}"),
                format!("--healthzPort={HEALTH}"),
            ])
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .context("failed to start Argo Rollouts")?;
        let mut argo = Self {
            bench,
            workload: workload.clone(),
            namespace,
            controller,
            log,
        };
        argo.wait_until_healthy()?;
        argo.apply(argo.workload.beside_rollouts())?;
        Ok(argo)
    }

    fn wait_until_healthy(&mut self) -> Result<()> {
        let begun = Instant::now();
        while !http::answers(&format!("http://127.0.0.1:{HEALTH}/healthz")) {
            let ended = self.controller.try_wait()?.is_some();
            if ended || begun.elapsed() > STARTS_WITHIN {
                bail!("Argo Rollouts does not start:\n{}", run::tail(&self.log));
            }
            std::thread::sleep(INTERVAL);
        }
        Ok(())
    }

    fn apply(&self, mut objects: Vec<serde_json::Value>) -> Result<()> {
        for object in &mut objects {
            object["metadata"]["namespace"] = json!(self.namespace);
        }
        self.bench.cluster.apply(&objects)
    }

    /// What the controller has asked since.
    fn requests(&self, mark: Mark) -> Result<Vec<Request>> {
        self.bench.audit.since(mark, &format!("{ARGO_ROLLOUTS}/"))
    }

    fn switched(&mut self, mark: Mark) -> Result<Switch> {
        let begun = Instant::now();
        loop {
            let requests = self.requests(mark)?;
            let patches = requests.iter().filter(|request| {
                request.verb == "patch" && request.resource == "services" && request.code == 200
            });
            match Switch::of(&self.workload.apps, patches) {
                Ok(switch) => return Ok(switch),
                Err(error) if begun.elapsed() > SWITCHES_WITHIN => {
                    let said = run::tail(&self.log);
                    return Err(error.context(format!("Argo Rollouts does not switch:\n{said}")));
                }
                Err(_) => std::thread::sleep(INTERVAL),
            }
        }
    }
}

impl Contender for Argo<'_> {
    fn name(&self) -> &'static str {
        ARGO
    }

    fn lap(&mut self, release: &Release) -> Result<Lap> {
        let audit = &self.bench.audit;
        let mark = audit.mark()?;
        self.apply(self.workload.rollouts(release))?;
        // From the first write on, so that kubectl's own time does not count.
        let writes = audit.since(mark, "kubectl/")?;
        let mut writes = writes
            .iter()
            .filter(|request| request.resource == "rollouts");
        let begun = writes.next().context("kubectl wrote no Rollout")?.received;
        let switch = self.switched(mark)?;
        self.bench
            .cluster
            .settled(&self.namespace, self.workload.size())?;
        Ok(Lap {
            took: switch.last.duration_since(begun).unwrap_or(Duration::ZERO),
            skew: Some(switch.skew()),
            requests: u32::try_from(self.requests(mark)?.len()).ok(),
            memory: memory::peak_of(self.controller.id()),
        })
    }
}

impl Drop for Argo<'_> {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.controller.kill();
        let _ = self.controller.wait();
    }
}

/// Removes the resource definitions.
pub(super) fn remove_crds(bench: &Bench) -> Result<()> {
    let crds = bench.peers.argo_rollouts_crds.display().to_string();
    let words = [
        "delete",
        "--ignore-not-found",
        "--timeout=5m",
        "--filename",
        &crds,
    ];
    run::output(&mut bench.cluster.kubectl(words))?;
    Ok(())
}
