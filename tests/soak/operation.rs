//! What is done to the group under load: promotions, aborts, and rollbacks inside the window.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use crate::kube_proxy::Stopped;
use crate::site::{GROUP, Site, moment};
use crate::support::{Run, Running};
use crate::table::{self, LEAST_AROUND, LEAST_REQUESTS};

/// Answers that users get of the new release before it is rolled back.
const TASTE: usize = 500;

/// 450 requests a second, half of them on kept-alive connections.
pub(crate) const USERS: usize = 18;
pub(crate) const EVERY: Duration = Duration::from_millis(40);

/// Something that is done to the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// The other release is promoted.
    Promotion,
    /// A build is deployed that its check refuses.
    Abort,
    /// The other release is promoted, and rolled back inside `keep_old`.
    Rollback,
}

/// Does all operations under load, prints what came of them, and fails if anybody noticed.
pub(crate) fn carry_out_all(mut site: Site, kube_proxy: Option<&str>) -> Vec<Done> {
    let mut done = Vec::new();
    for operation in all() {
        done.push(operation.carry_out(&mut site, kube_proxy));
        site.tell(done.len(), operation.name());
    }
    site.load.end();
    let (text, fewest) = table::of(&done, &site.load);
    println!("{text}");

    site.assert_undisturbed();
    assert!(site.load.so_far().requests >= LEAST_REQUESTS);
    assert!(fewest >= LEAST_AROUND, "too little load around a switch");
    done
}

/// 20 promotions, 3 aborts and 3 rollbacks, in a row.
fn all() -> Vec<Operation> {
    use Operation::{Abort, Promotion, Rollback};
    let promotions = |count| std::iter::repeat_n(Promotion, count);
    let first = (0..3).flat_map(|_| promotions(6).chain([Abort, Rollback]));
    first.chain(promotions(2)).collect()
}

/// What was done.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) operation: Operation,
    pub(crate) began: Timestamp,
    pub(crate) took: Duration,
    /// When traffic moved, there or back.
    pub(crate) switches: Vec<Timestamp>,
    /// From the first patch of the switch to the last answer, in ms.
    pub(crate) skew: Option<u64>,
    /// From when to when kube-proxy was stopped, and around what.
    pub(crate) stopped: Option<(Timestamp, Timestamp, Timestamp)>,
}

impl Operation {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Promotion => "promotion",
            Self::Abort => "abort",
            Self::Rollback => "rollback",
        }
    }

    /// Does it and waits for its end, which must be as it should. With the process id of kube-proxy,
    /// that is stopped right before traffic moves, or before the abort; the check must then say
    /// [`OVER`] and end a moment later.
    pub(crate) fn carry_out(self, site: &mut Site, kube_proxy: Option<&str>) -> Done {
        let (began, clock) = (Timestamp::now(), Instant::now());
        let (run, stopped) = match self {
            Self::Promotion => promotion(site, kube_proxy),
            Self::Abort => abort(site, kube_proxy),
            Self::Rollback => rollback(site, kube_proxy),
        };
        site.assert_settled();
        let events = run.events();
        let moments = |is: fn(&Value) -> bool| events.iter().filter(move |e| is(e)).map(moment);
        // What kube-proxy was to know nothing of.
        let around = match self {
            Self::Promotion => is_switch,
            Self::Abort => is_abort,
            Self::Rollback => is_way_back,
        };
        let around = moments(around).next();
        let around = around.unwrap_or_else(|| panic!("it did not come about: {run}"));
        let switched = events.iter().find(|event| is_switch(event));
        Done {
            operation: self,
            began,
            took: clock.elapsed(),
            switches: moments(is_switch).chain(moments(is_way_back)).collect(),
            skew: switched.and_then(|event| event["skewMs"].as_u64()),
            stopped: stopped.map(|(from, until)| (from, until, around)),
        }
    }
}

/// What a check says when its verdict is certain and about to be known.
pub(crate) const OVER: &str = "# over";

type Pause = Option<(Timestamp, Timestamp)>;

fn promotion(site: &mut Site, kube_proxy: Option<&str>) -> (Run, Pause) {
    let mut deploy = site.deploy_next().start();
    let stopped = kube_proxy.map(|pid| stop_around(&mut deploy, pid, is_switch));
    let run = deploy.wait();
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(run.outcome()["phase"], "Promoted", "{run}");
    site.promoted();
    (run, stopped)
}

fn abort(site: &Site, kube_proxy: Option<&str>) -> (Run, Pause) {
    let before = site.record();
    let mut deploy = site.deploy_broken().start();
    let stopped = kube_proxy.map(|pid| stop_around(&mut deploy, pid, is_abort));
    let run = deploy.wait();
    assert_eq!(run.code, 3, "{run}");
    assert_eq!(run.outcome()["phase"], "Aborted", "{run}");
    assert_eq!(run.events_named("switched"), [Value::Null; 0], "{run}");
    assert_eq!(site.record(), before, "{run}");
    (run, stopped)
}

fn rollback(site: &Site, kube_proxy: Option<&str>) -> (Run, Pause) {
    let before = site.record();
    let mut deploy = site.deploy_next().start();
    deploy.phase("Settling");
    site.await_users_of_next(TASTE);
    let stopped = kube_proxy.map(Stopped::now);
    let command = ["rollback", "--group", GROUP, "--output", "json"];
    let asked = site.folder.promoter(command).start();
    let stopped = stopped.map(|stopped| {
        deploy.event("traffic to be back", is_way_back);
        stopped.over()
    });
    let (run, asked) = (deploy.wait(), asked.wait());
    assert_eq!((run.code, asked.code), (130, 0), "{run}{asked}");
    let outcome = run.outcome();
    assert_eq!(outcome["phase"], "Aborted", "{run}");
    assert_eq!(outcome["reasons"][0]["kind"], "rolled-back", "{run}");
    assert_eq!(site.record(), before, "{run}");
    (run, stopped)
}

/// Stops kube-proxy from the end of the check until after what comes of it.
fn stop_around(
    deploy: &mut Running,
    pid: &str,
    comes: impl Fn(&Value) -> bool,
) -> (Timestamp, Timestamp) {
    deploy.event("the end of the check", |event| event["line"] == OVER);
    let stopped = Stopped::now(pid);
    deploy.event("what the check leads to", comes);
    stopped.over()
}

fn is_switch(event: &Value) -> bool {
    event["event"] == "switched"
}

fn is_way_back(event: &Value) -> bool {
    event["event"] == "switched-back"
}

fn is_abort(event: &Value) -> bool {
    event["event"] == "entered" && event["phase"] == "Aborting"
}
