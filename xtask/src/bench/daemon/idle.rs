//! What a daemon takes that has nothing to promote: memory, the processor's time, and
//! requests to the cluster and to ECR.

use std::time::{Duration, SystemTime};

use anyhow::Result;

use super::process::Daemon;
use super::rate::{self, Rates};
use super::told::Subject;
use crate::audit::Audit;

/// How long it has run before anything counts: all images were looked up twice.
const SETTLES: Duration = Duration::from_secs(130);
/// As many minutes count: a watch is begun anew every five.
const MINUTES: usize = 5;
const MINUTE: Duration = Duration::from_mins(1);
/// As often `/metrics` is asked, one right after the other.
const SCRAPES: usize = 20;
/// How its requests are known.
const AGENT: &str = "promoter/";

/// Measures and prints all of it.
pub(super) fn measure(
    daemon: &Daemon,
    subject: &Subject,
    audit: &Audit,
    namespace: &str,
) -> Result<()> {
    subject.print("time until ready", "s", &[daemon.start.as_secs_f64()]);
    std::thread::sleep(SETTLES);
    let mut memory = vec![daemon.resident()?];
    subject.print(
        "peak memory before metrics are asked",
        "MB",
        &[daemon.peak()?],
    );
    let (mut busy, mut api, mut ecr) = (Vec::new(), Vec::new(), Vec::new());
    let mut metrics = daemon.metrics()?;
    for _ in 0..MINUTES {
        let mark = audit.mark()?;
        let begun = SystemTime::now();
        let before = daemon.busy()?;
        std::thread::sleep(MINUTE);
        busy.push(daemon.busy()? - before);
        let now = daemon.metrics()?;
        ecr.push(rate::of_ecr(&metrics, &now, MINUTE));
        metrics = now;
        let requests = audit.since(mark, AGENT)?;
        api.push(rate::of_requests(&requests, namespace, begun, MINUTE));
        memory.push(daemon.resident()?);
    }
    subject.print_memory("memory", &memory);
    subject.print("processor time per idle minute", "s", &busy);
    print_rates(subject, "API requests per idle minute", &api);
    print_rates(subject, "ECR calls per idle minute", &ecr);

    let mut scraped = Vec::new();
    for _ in 0..SCRAPES {
        daemon.metrics()?;
        scraped.push(daemon.resident()?);
    }
    subject.print_memory("memory while metrics are asked", &scraped);
    subject.print("peak memory", "MB", &[daemon.peak()?]);
    Ok(())
}

/// All together, and each of them.
fn print_rates(subject: &Subject, figure: &str, minutes: &[Rates]) {
    let sum = |rates: &Rates| rates.values().fold(0.0, |sum, rate| sum + rate);
    let sums: Vec<_> = minutes.iter().map(sum).collect();
    subject.print(figure, "1/min", &sums);
    let mut all: Vec<_> = minutes.iter().flat_map(Rates::keys).collect();
    all.sort();
    all.dedup();
    for what in all {
        let of = minutes.iter().map(|rates| rates.get(what).copied());
        let values: Vec<_> = of.map(Option::unwrap_or_default).collect();
        subject.print(&format!("{figure}: {what}"), "1/min", &values);
    }
}
