//! How soon after a push its promotion begins: told by a queue, or found by looking.

use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};

use super::super::images::{Shelves, Source};
use super::super::race::pause;
use super::super::site::Site;
use super::super::workload::Workload;
use super::super::{Bench, say};
use super::groups::Groups;
use super::process::Daemon;
use super::queue::Queue;
use super::told::Subject;
use crate::progress::Progress;
use crate::run;

/// How often it looks for images where nobody tells it of them.
const POLL: Duration = Duration::from_secs(10);
/// What is aimed at where a queue tells of a push, in seconds.
const SOON: f64 = 2.0;

const ENDS_WITHIN: Duration = Duration::from_mins(5);
const INTERVAL: Duration = Duration::from_millis(250);

/// Measures and prints both.
pub(super) fn run(bench: &Bench, rounds: usize, progress: &mut Progress) -> Result<()> {
    let groups = Groups {
        number: 1,
        apps: 1,
        quiet_period: "0s",
    };
    let site = Site::new(bench, "bench-daemon-begun".to_owned())?;
    bench.cluster.create_namespace(&site.namespace)?;
    site.install()?;
    groups.write(&site)?;
    let shelves = Shelves::of(&bench.testbed)?;
    let mut pushes = Pushes {
        bench,
        site: &site,
        shelves: &shelves,
        source: Source::build(&bench.testbed, super::groups::BRANCH, progress)?,
        repository: Workload::repository(&format!("{}-app-0", Groups::name(0))),
    };
    groups.push(&shelves, &pushes.source)?;
    let subject = |how: &str| Subject {
        of: format!("promoter serve, {how}"),
        apps: 1,
        memory: None,
    };
    let figure = "time from put-image to promotion begun";

    let queue = Queue::new(&bench.testbed)?;
    let doing = format!("pushing, and telling of it by a queue ({rounds} rounds)");
    let told = progress.step(&doing, || {
        let mut serve = site.command(&["serve", "--poll", "24h"]);
        serve.env("PROMOTER_PUSH_QUEUE", &queue.url);
        let daemon = Daemon::start(serve, site.path("told.log"))?;
        let measured = pushes.measure(rounds, Duration::from_secs(1), Some(&queue));
        drop(daemon);
        measured
    })?;
    subject("told by a queue").print_with(figure, "s", Some(SOON), &told);

    let doing = format!("pushing, and leaving it to be found ({rounds} rounds)");
    let found = progress.step(&doing, || {
        let poll = format!("{}s", POLL.as_secs());
        let serve = site.command(&["serve", "--poll", &poll]);
        let daemon = Daemon::start(serve, site.path("found.log"))?;
        let measured = pushes.measure(rounds, POLL, None);
        drop(daemon);
        measured
    })?;
    let subject = subject(&format!("looking every {} s", POLL.as_secs()));
    subject.print_with(figure, "s", Some(POLL.as_secs_f64()), &found);
    let ratios: Vec<_> = found.iter().map(|took| took / POLL.as_secs_f64()).collect();
    let figure = format!("{figure}/interval");
    subject.print_with(&figure, "ratio", Some(1.0), &ratios);
    Ok(())
}

/// One push after the other to the app of a group.
struct Pushes<'a> {
    bench: &'a Bench,
    site: &'a Site<'a>,
    shelves: &'a Shelves,
    source: Source,
    repository: String,
}

impl Pushes<'_> {
    /// Seconds from each push to its promotion. A push comes at another place of
    /// `interval` each time.
    fn measure(
        &mut self,
        rounds: usize,
        interval: Duration,
        queue: Option<&Queue>,
    ) -> Result<Vec<f64>> {
        // What it finds when it starts.
        self.rests()?;
        let mut all = Vec::new();
        for round in 0..rounds {
            std::thread::sleep(interval.mul_f64(pause(u32::try_from(round)?).as_secs_f64()));
            self.source = self.source.next()?;
            self.shelves.store(&self.source, &self.repository)?;
            let put = SystemTime::now();
            self.shelves.list(&self.source, &self.repository)?;
            if let Some(queue) = queue {
                queue.send(&self.repository)?;
            }
            let begun = self.rests_after(Some(put))?;
            let took = begun.duration_since(put).unwrap_or_default().as_secs_f64();
            say(&format!("round {}: {took:.3} s", round + 1));
            all.push(took);
        }
        Ok(all)
    }

    fn rests(&self) -> Result<SystemTime> {
        self.rests_after(None)
    }

    /// Waits until the group's last promotion is over and is of what was pushed last,
    /// and says when it began.
    fn rests_after(&self, put: Option<SystemTime>) -> Result<SystemTime> {
        let waiting = Instant::now();
        let path = "--output=jsonpath={.status.record.inFlight.id}|\
                    {.status.record.outcomes[0].phase}|\
                    {.status.record.outcomes[0].startedAt}|\
                    {.status.record.outcomes[0].apps[0].tag}";
        let group = Groups::name(0);
        let words = [
            "--namespace",
            &self.site.namespace,
            "get",
            "deploymentgroup",
            &group,
            "--ignore-not-found",
            path,
        ];
        loop {
            let found = run::output(&mut self.bench.cluster.kubectl(words))?;
            if let Some(begun) = ended(&found, &self.source.tag)?
                && put.is_none_or(|put| begun >= put)
            {
                return Ok(begun);
            }
            if waiting.elapsed() > ENDS_WITHIN {
                bail!("{} is not promoted: {found}", self.source.tag);
            }
            std::thread::sleep(INTERVAL);
        }
    }
}

/// When a promotion began that is over, if it was one of that image.
fn ended(found: &str, tag: &str) -> Result<Option<SystemTime>> {
    let fields: Vec<_> = found.split('|').collect();
    let ["", phase, started, of] = fields[..] else {
        return Ok(None);
    };
    if of != tag {
        return Ok(None);
    }
    if phase != "Promoted" {
        bail!("the promotion of {tag} ended as {phase}");
    }
    let begun = humantime::parse_rfc3339(started);
    begun
        .map(Some)
        .with_context(|| format!("a promotion began at {started:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_the_image_that_was_pushed_counts() {
        let at = "2026-11-30T10:00:00.25Z";
        let found = format!("|Promoted|{at}|a-2-0000000");
        let begun = ended(&found, "a-2-0000000").expect("readable");
        assert_eq!(begun, Some(humantime::parse_rfc3339(at).expect("a time")));
        assert_eq!(ended(&found, "a-3-0000000").expect("readable"), None);
        let under_way = format!("0ve|Promoted|{at}|a-2-0000000");
        assert_eq!(ended(&under_way, "a-2-0000000").expect("readable"), None);
        assert_eq!(ended("", "a-2-0000000").expect("readable"), None);
        let failed = format!("|Aborted|{at}|a-2-0000000");
        assert!(ended(&failed, "a-2-0000000").is_err());
    }
}
