//! How large promoter is, and how long it takes to tell that there is nothing
//! to do, beside what kubectl takes to show something of the same cluster.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};

use super::figure::{Controllers, Figure};
use super::promoter::Promoter;
use super::race::Contender;
use super::workload::{Release, Workload};
use super::{Bench, images, say};
use crate::progress::Progress;
use crate::run;

/// Measures and prints both.
pub(super) fn run(bench: &Bench, rounds: usize, progress: &mut Progress) -> Result<()> {
    let figure = |name, of, unit| Figure {
        name,
        of,
        unit,
        apps: 1,
        controllers: Controllers::Raised,
        goal: None,
    };
    let program = &bench.programs.promoter;
    let size = std::fs::metadata(program)
        .with_context(|| format!("failed to read {}", program.display()))?
        .len();
    let size = f64::from(u32::try_from(size)?);
    figure("release binary", "promoter", "bytes").print(&[size]);

    let workload = Workload::new(1);
    let releases = images::push(&bench.testbed, &workload, progress)?;
    let doing = format!("starting promoter plan and kubectl get ({rounds} rounds)");
    let times = progress.step(&doing, || {
        let measured = measure(bench, &workload, &releases[0], rounds);
        let removed = bench.cluster.remove_namespaces();
        removed.and(measured)
    })?;
    let (plan, get): (Vec<_>, Vec<_>) = times.into_iter().unzip();
    let ratios: Vec<_> = plan
        .iter()
        .zip(&get)
        .map(|(plan, get)| plan / get)
        .collect();
    figure("cold start", "promoter plan", "s").print(&plan);
    figure("cold start", "kubectl get", "s").print(&get);
    figure("cold start", "promoter plan/kubectl get", "ratio").print(&ratios);
    Ok(())
}

/// Seconds of each pair of whole processes.
fn measure(
    bench: &Bench,
    workload: &Workload,
    release: &Release,
    rounds: usize,
) -> Result<Vec<(f64, f64)>> {
    let namespace = "bench-start".to_owned();
    bench.cluster.create_namespace(&namespace)?;
    let mut promoter = Promoter::new(bench, workload, namespace.clone())?;
    promoter.lap(release)?;
    let plan = || promoter.command(&["plan", "bench", "--branch", release.branch]);
    let get = || {
        bench
            .cluster
            .kubectl(["--namespace", &namespace, "get", "deployments"])
    };
    // The first ones fill caches, of files and of kubectl's discovery.
    timed(plan())?;
    timed(get())?;
    let mut times = Vec::new();
    for round in 0..rounds {
        let pair = if round % 2 == 0 {
            let plan = timed(plan())?;
            (plan, timed(get())?)
        } else {
            let get = timed(get())?;
            (timed(plan())?, get)
        };
        say(&format!(
            "round {}: promoter plan {:.3} s, kubectl get {:.3} s",
            round + 1,
            pair.0,
            pair.1
        ));
        times.push(pair);
    }
    Ok(times)
}

fn timed(mut command: Command) -> Result<f64> {
    let begun = Instant::now();
    run::output(&mut command)?;
    Ok(begun.elapsed().as_secs_f64())
}
