//! Candidates are tested against each other only, and users never meet a candidate.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::support::{Access, Folder, Load, Seen, SeenPod, Witness, get, push, until};

/// The names a check calls hello-a by, as the example tests say them in their `User-Agent`.
const NAMES: [&str; 5] = ["short-name", "namespace", "svc", "fqdn", "service-link"];
const MIN_CALLS: usize = 1000;

#[test]
fn candidates_meet_candidates_only() {
    candidates_meet("pinning");
}

/// The wall takes nothing from users, nor from members of one colour.
#[test]
fn behind_a_wall_all_goes_on() {
    candidates_meet("network-policy");
}

fn candidates_meet(isolation: &'static str) {
    let folder = Folder::new("isolation");
    let mut group = folder.hello("master");
    group.isolation = isolation;
    group.apps.iter_mut().for_each(|app| app.replicas = 2);
    folder.write_group(&group);
    let witness = Witness::start(&folder.namespace);
    folder.promote("master");
    until("an answer at the node port", || get(folder.node_port).ok());

    for app in ["hello-a", "hello-b"] {
        push(app, "isolation", &[]);
        group.app(app).branch = Some("isolation".to_owned());
    }
    let env = [
        ("HOLD_SECONDS", "20".to_owned()),
        ("MIN_CALLS", MIN_CALLS.to_string()),
    ];
    group.checks[0].env = env.map(|(name, value)| (name.to_owned(), value)).to_vec();
    folder.write_group(&group);
    let users = Load::start(folder.node_port, 6, Duration::from_millis(60));
    let run = folder.promote("master");
    let served = users.stop();

    served.assert_undisturbed();
    assert_eq!(
        served.versions.len(),
        2,
        "answers before and after the switch, none between: {served}"
    );
    let calls = |seen: &Seen, by: &str| {
        seen.requests
            .iter()
            .filter(|request| request.user_agent == by)
            .count()
    };
    // The logs are complete: whatever users were answered is in them.
    let seen = witness.seen("the log lines of all users' requests", |seen| {
        calls(seen, "user") > served.requests
    });
    let entered = run
        .events_named("entered")
        .into_iter()
        .find(|event| event["phase"] == "Promoting");
    let switching: Timestamp = entered.unwrap()["at"].as_str().unwrap().parse().unwrap();
    let judged = Judged::of(&seen, switching);

    println!("isolation: {judged}\nisolation: users: {served}");
    assert!(judged.by_checks >= MIN_CALLS, "{judged}");
    for name in NAMES {
        assert!(
            judged
                .names
                .get(name)
                .is_some_and(|calls| *calls > MIN_CALLS / 10),
            "{name}: {judged}"
        );
    }
    assert!(judged.between_candidates > judged.by_checks / 2, "{judged}");
    assert!(judged.by_users_meanwhile > 0, "{judged}");
    let none: [String; 0] = [];
    assert_eq!(
        judged.candidate_to_old, none,
        "requests from candidates or checks at old pods"
    );
    assert_eq!(
        judged.others_to_candidate, none,
        "requests from others at candidates before the switch"
    );
    assert_eq!(
        judged.across, none,
        "calls between members of different colours, at any time"
    );
}

/// Every request in the access logs, told apart by who called whom.
#[derive(Debug, Default)]
struct Judged {
    by_checks: usize,
    /// Those by the name that was called.
    names: BTreeMap<String, usize>,
    between_candidates: usize,
    /// Users at old pods before the switch.
    by_users_meanwhile: usize,
    candidate_to_old: Vec<String>,
    others_to_candidate: Vec<String>,
    across: Vec<String>,
}

impl Judged {
    fn of(seen: &Seen, switching: Timestamp) -> Self {
        let mut judged = Self::default();
        for request in &seen.requests {
            judged.add(
                request,
                &seen.pods[&request.pod],
                seen.caller(&request.remote),
                switching,
            );
        }
        judged
    }

    fn add(&mut self, request: &Access, at: &SeenPod, by: Option<&SeenPod>, switching: Timestamp) {
        let said = || format!("{:?} at {} by {by:?}: {request:?}", request.host, at.name);
        let by_candidate = by.is_some_and(|by| by.color == "green");
        let old = at.color == "blue";
        let is_check = by_candidate && by.is_some_and(|by| by.is_check);
        match (by_candidate, old) {
            (true, true) => self.candidate_to_old.push(said()),
            (true, false) if is_check => {
                self.by_checks += 1;
                let name = request.user_agent.trim_start_matches("hello-tests/");
                *self.names.entry(name.to_owned()).or_default() += 1;
            }
            (true, false) => self.between_candidates += 1,
            (false, false) if request.at < switching => self.others_to_candidate.push(said()),
            (false, true) if request.user_agent == "user" && request.at < switching => {
                self.by_users_meanwhile += 1;
            }
            (false, _) => {}
        }
        // Nobody but members and checks calls hello-b, so this holds at all times.
        if at.app == "hello-b" && by.is_none_or(|by| by.color != at.color) {
            self.across.push(said());
        }
    }
}

impl std::fmt::Display for Judged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} calls of the check at candidates ({:?}), {} of candidates at each other, {} of users at old pods \
             meanwhile; {} from candidates at old pods, {} from others at candidates, {} across colours",
            self.by_checks,
            self.names,
            self.between_candidates,
            self.by_users_meanwhile,
            self.candidate_to_old.len(),
            self.others_to_candidate.len(),
            self.across.len(),
        )
    }
}
