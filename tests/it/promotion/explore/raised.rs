//! An app whose autoscaler may have more pods serve than its candidate has: the
//! candidate is raised after its checks, and that is the only change that passes.

use std::sync::LazyLock;
use std::time::Duration;

use promoter::group::name::AppName;
use promoter::plan::Plan;
use promoter::plan::color::Color;
use promoter::promotion::check::{CheckResult, Verdict};
use promoter::promotion::id::PromotionId;
use promoter::promotion::next::{Next, Situation, Step, next};
use promoter::promotion::observed::{DeploymentState, Endpoint, Observed};
use promoter::promotion::phase::Phase;
use promoter::promotion::{Actor, Mark, Promotion, Raise, Tested, Trigger};
use serde_json::json;

use super::concrete::{deployment, pod, slim, start};
use crate::support::given;

/// Pods at most, by the manifest.
const MOST: u32 = 5;
/// Pods when the checks began.
const TESTED: u32 = 2;

/// What is on record of a raise of the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Noted {
    Nothing,
    /// From what was tested, by one pod.
    Rightly,
    /// From another generation.
    OfAnother,
    /// To another number of pods.
    ToAnother,
    /// Of another Deployment of that name.
    Elsewhere,
}

/// One situation; all else is as it has to be.
#[derive(Debug, Clone, Copy)]
struct Found {
    phase: Phase,
    passed: bool,
    same: bool,
    generation: i64,
    wanted: u32,
    unready: u32,
    serving: u32,
    noted: Noted,
    marks: u8,
    at_new: bool,
    overdue: bool,
}

const MARKS: [Mark; 4] = [
    Mark::Unpublished,
    Mark::Shared,
    Mark::Autoscaled,
    Mark::Services,
];

static PLANS: LazyLock<(Plan, Plan)> =
    LazyLock::new(|| given::plans(&given::autoscaled(TESTED, MOST)));

/// Autoscalers are applied after the switch, and that comes after what is shared.
fn is_in_order(marks: &u8) -> bool {
    marks & 0b100 == 0 || marks & 0b010 != 0
}

fn all() -> Vec<Found> {
    let mut all = Vec::new();
    let noted = [
        Noted::Nothing,
        Noted::Rightly,
        Noted::OfAnother,
        Noted::ToAnother,
        Noted::Elsewhere,
    ];
    for n in 0..1_u32 << 7 {
        let is = |bit: u32| n >> bit & 1 == 1;
        for marks in (0..1_u8 << MARKS.len()).filter(is_in_order) {
            for generation in 1..=3 {
                for serving in [1, TESTED, TESTED + 1, MOST + 1] {
                    all.extend(noted.map(|noted| Found {
                        phase: if is(0) {
                            Phase::Promoting
                        } else {
                            Phase::Checking
                        },
                        passed: is(1),
                        same: is(2),
                        generation,
                        wanted: if is(3) { TESTED + 1 } else { TESTED },
                        unready: u32::from(is(4)),
                        serving,
                        noted,
                        marks,
                        at_new: is(5),
                        overdue: is(6),
                    }));
                }
            }
        }
    }
    all
}

impl Found {
    fn is_marked(&self, mark: Mark) -> bool {
        let place = MARKS.iter().position(|known| *known == mark);
        place.is_some_and(|place| self.marks >> place & 1 == 1)
    }

    /// Whether the candidate is what was tested, but for a raise that is noted.
    fn is_as_tested(&self) -> bool {
        let raised =
            self.noted == Noted::Rightly && (self.generation, self.wanted) == (2, TESTED + 1);
        self.same && (self.generation == 1 || raised)
    }

    fn raise(&self) -> Option<Raise> {
        let raise = Raise {
            app: AppName::parse("hello-a").unwrap(),
            color: Color::Green,
            deployment: "hello-a-green".to_owned(),
            uid: "hello-a-tested".to_owned(),
            generation: 1,
            replicas: TESTED + 1,
        };
        match self.noted {
            Noted::Nothing => None,
            Noted::Rightly => Some(raise),
            Noted::OfAnother => Some(Raise {
                generation: 7,
                ..raise
            }),
            Noted::ToAnother => Some(Raise {
                replicas: 4,
                ..raise
            }),
            Noted::Elsewhere => Some(Raise {
                uid: "another".to_owned(),
                ..raise
            }),
        }
    }

    fn promotion(&self) -> Promotion {
        let new = &PLANS.1;
        let actor = Actor {
            name: "ann".to_owned(),
            trigger: Trigger::Cli,
        };
        let mut promotion = Promotion::new(PromotionId::new(start(), 0), new, actor, start());
        promotion.phase = self.phase;
        promotion.marks = MARKS.into_iter().filter(|m| self.is_marked(*m)).collect();
        promotion.marks.insert(Mark::Prepared);
        let tested = new.apps.iter().map(|app| {
            let tested = Tested {
                uid: format!("{}-tested", app.name),
                generation: 1,
                ready: TESTED,
            };
            (app.name.clone(), tested)
        });
        promotion.tested = tested.collect();
        promotion.raising = self.raise().into_iter().collect();
        if self.passed {
            let check = &new.checks[0].name;
            promotion.attempts.insert(check.clone(), 1);
            promotion.results.push(CheckResult {
                check: check.clone(),
                promotion: promotion.id.to_string(),
                plan: promotion.plan.as_ref().to_owned(),
                verdict: Verdict::Passed,
                reason: "exit 0".to_owned(),
                exit_code: Some(0),
                attempt: 1,
                duration: None,
                cases: Vec::new(),
                left_out: std::collections::BTreeMap::new(),
                tail: Vec::new(),
            });
        }
        promotion
    }

    fn observed(&self, promotion: &Promotion) -> Observed {
        let (old, new) = &*PLANS;
        let mut observed = Observed::default();
        for (n, (old, new)) in old.apps.iter().zip(&new.apps).enumerate() {
            let scaled = n == 0;
            let mut candidate = deployment(new, Color::Green, promotion.id.as_ref());
            let mut serving = DeploymentState {
                uid: format!("{}-old", old.name),
                ..deployment(old, Color::Blue, "earlier0")
            };
            if scaled {
                candidate.generation = self.generation;
                candidate.observed_generation = self.generation;
                candidate.wanted = self.wanted;
                candidate.ready = self.wanted - self.unready;
                if !self.same {
                    "somebody-made-it-again".clone_into(&mut candidate.uid);
                }
                (serving.wanted, serving.ready) = (self.serving, self.serving);
            }
            for (found, plan, made_by) in [
                (&candidate, new, promotion.id.as_ref()),
                (&serving, old, "earlier0"),
            ] {
                for n in 0..found.wanted {
                    let mut pod = pod(plan, found.color, made_by, n);
                    pod.ready = n < found.ready;
                    let endpoint = Endpoint {
                        pod: pod.name.clone(),
                        ready: pod.ready,
                        since: start(),
                    };
                    let active = (found.color == Color::Green) == self.at_new;
                    let service = &plan.services[0];
                    let behind = [
                        Some(service.colored.name()),
                        active.then(|| service.active.name()),
                    ];
                    for service in behind.into_iter().flatten() {
                        let behind = observed.endpoints.entry(service.to_owned());
                        behind.or_default().push(endpoint.clone());
                    }
                    observed.pods.push(pod);
                }
            }
            let selector = if self.at_new {
                &new.services[0].selector
            } else {
                &old.services[0].selector
            };
            observed.add_service(slim(&new.services[0].active, &json!(selector)));
            observed.add_service(new.services[0].colored.clone());
            observed.add_service(old.services[0].colored.clone());
            observed.deployments.extend([candidate, serving]);
        }
        observed
    }

    fn decide(&self) -> Next {
        let (old, new) = &*PLANS;
        let promotion = self.promotion();
        let limit = self.phase.time_limit(new, Some(old)).unwrap();
        let age = if self.overdue {
            limit
        } else {
            Duration::from_secs(15)
        };
        next(Situation {
            plan: new,
            replaced: Some(old),
            promotion: &promotion,
            observed: &self.observed(&promotion),
            now: start() + age,
        })
    }
}

/// What a decision may not be, said once more and in another way.
fn is_right(found: &Found, decided: &Next) -> bool {
    // Before the switch an autoscaler rules nothing.
    let excused = found.is_marked(Mark::Autoscaled);
    match decided {
        Next::Enter { phase, .. } if *phase == Phase::Promoting => {
            found.passed && (found.is_as_tested() || (found.same && excused))
        }
        Next::Enter { phase, .. } if *phase == Phase::Settling => {
            found.passed && found.at_new && found.same && (excused || found.is_as_tested())
        }
        Next::Do(Step::Switch) => {
            let level = found.wanted >= found.serving.min(MOST);
            // What is noted is confirmed, and struck out, before anything follows from it.
            let plain = found.same && found.generation == 1 && found.noted == Noted::Nothing;
            found.passed && plain && level && found.unready == 0 && !found.overdue && !excused
        }
        Next::Do(Step::Raise(raises)) => {
            let [raise] = raises.as_slice() else {
                return false;
            };
            let right = match found.raise() {
                Some(noted) => *raise == noted && (found.is_as_tested() || excused),
                None => {
                    raise.generation == 1
                        && found.generation == 1
                        && raise.replicas == found.serving.min(MOST)
                        && raise.replicas > found.wanted
                }
            };
            right && found.passed && found.same && found.phase == Phase::Promoting
        }
        Next::Do(Step::ApplyServices) => found.at_new && found.passed,
        _ => true,
    }
}

#[test]
fn a_raise_is_the_only_change_that_passes() {
    let (mut switched, mut raised, mut let_through, mut aborted) = (0, 0, 0, 0);
    let all = all();
    for found in &all {
        let decided = found.decide();
        assert!(is_right(found, &decided), "{decided:?} in {found:#?}");
        match &decided {
            Next::Do(Step::Switch) => switched += 1,
            Next::Do(Step::Raise(_)) => raised += 1,
            Next::Enter { phase, .. } if *phase == Phase::Promoting => let_through += 1,
            Next::Enter { phase, .. } if *phase == Phase::Aborting => aborted += 1,
            _ => {}
        }
        // What was changed by anybody else goes no further while there is a way back.
        let foreign = !found.same || (!found.is_as_tested() && !found.is_marked(Mark::Autoscaled));
        let aborts = matches!(&decided, Next::Enter { phase, .. } if *phase == Phase::Aborting);
        assert!(aborts || !foreign, "{decided:?} in {found:#?}");
    }
    let number = all.len();
    println!(
        "{number} situations of an autoscaled app: {let_through} let through, {raised} raised, {switched} switched, {aborted} aborted"
    );
    assert!(switched > 0 && raised > 0 && let_through > 0 && aborted > 0);
}
