//! The shared state of one test: a namespace, its controllers' doings, the
//! ledger, and what a test scripted to go wrong.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::Timestamp;
use promoter::plan::Plan;
use promoter::plan::color::Color;
use promoter::plan::config::ConfigKey;
use promoter::plan::fingerprint::PlanId;
use promoter::plan::object::{Object, ObjectRef};
use promoter::plan::survey::{Node, Quota, Resources};
use promoter::port::{Clock, ClusterError};
use promoter::promotion::observed::{CronRun, JobState, PodState};
use promoter::promotion::record::GroupRecord;
use promoter::promotion::request::Request;
use promoter::promotion::restraint::Restraints;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::clock::FakeClock;
use super::journal::Journal;
use super::promises::Promises;
use super::registry::platform;
use super::simulate::{AppFate, Run};

/// What all promoters of a test share.
pub(crate) struct World {
    state: Mutex<State>,
    pub(crate) version: watch::Sender<u64>,
    pub(crate) clock: FakeClock,
}

/// Done once, when its time or its call comes.
pub(crate) type Deed = Box<dyn FnOnce(&mut State) + Send>;

/// Everything there is.
pub(crate) struct State {
    pub(crate) now: Timestamp,
    pub(crate) group: String,
    pub(crate) objects: BTreeMap<ObjectRef, Object>,
    /// What somebody else put there, as they did: promoter owns none of its fields.
    pub(crate) others: BTreeMap<ObjectRef, Object>,
    pub(crate) pods: Vec<Pod>,
    pub(crate) jobs: Vec<JobState>,
    pub(crate) cron_runs: Vec<CronRun>,
    pub(crate) namespace: Option<BTreeMap<String, String>>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) quotas: Vec<Quota>,
    pub(crate) record: GroupRecord,
    /// Every record that was written, in order.
    pub(crate) history: Vec<GroupRecord>,
    pub(crate) request: Option<Request>,
    pub(crate) restraints: Restraints,
    /// What serves of other groups.
    pub(crate) required: BTreeMap<String, Plan>,
    /// How often the API server was away.
    pub(crate) outages: u32,
    pub(crate) plans: BTreeMap<PlanId, Plan>,
    pub(crate) key: Option<ConfigKey>,
    pub(crate) epoch: u64,
    pub(crate) lease: Option<Lease>,
    pub(crate) journal: Journal,
    pub(crate) promises: Promises,
    pub(crate) script: Script,
    pub(crate) agenda: Vec<(Timestamp, Deed)>,
    names: u64,
}

/// A pod with what only a kubelet knows.
#[derive(Debug, Clone)]
pub(crate) struct Pod {
    pub(crate) state: PodState,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) spec: Value,
    pub(crate) log: Vec<String>,
    /// What its container `report` wrote.
    pub(crate) report: Vec<String>,
}

/// Who holds the group's lock.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) holder: String,
    pub(crate) since: Timestamp,
    /// `None` while its holder lives and renews it.
    pub(crate) until: Option<Timestamp>,
}

impl Lease {
    pub(crate) fn is_held(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| until > now)
    }
}

/// What a test wants to happen.
#[derive(Default)]
pub(crate) struct Script {
    /// What becomes of pods of Deployments made from now on, by app.
    pub(crate) apps: BTreeMap<String, AppFate>,
    /// How long pods take to end, by app; `None`: for ever.
    pub(crate) drains: BTreeMap<String, Option<Duration>>,
    /// Runs of checks to come; when there are none left, they pass.
    pub(crate) checks: BTreeMap<String, VecDeque<Run>>,
    /// Other field managers, by object.
    pub(crate) conflicts: BTreeMap<ObjectRef, String>,
    /// Fields of its spec that somebody added to an object.
    pub(crate) added: BTreeMap<ObjectRef, Value>,
    /// Objects the server does not take.
    pub(crate) refused: BTreeMap<ObjectRef, String>,
    /// Services whose endpoints do not follow their selector any more.
    pub(crate) frozen: BTreeMap<String, Vec<String>>,
    /// Whether Deployments do not say yet that pods of theirs are ready.
    pub(crate) late_status: bool,
    /// Until when nothing is answered.
    pub(crate) outage: Option<Timestamp>,
    /// Whose calls do not arrive before then.
    pub(crate) cut_off: Option<(String, Timestamp)>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) hooks: Vec<(String, Option<Deed>)>,
    /// What happens before the call that has so many before it.
    pub(crate) nth: Option<(usize, Deed)>,
}

/// An answer of the cluster that was scripted.
pub(crate) struct Fault {
    pub(crate) start: String,
    pub(crate) error: ClusterError,
    pub(crate) times: usize,
    /// Whether it was done nevertheless, and only the answer was lost.
    pub(crate) done: bool,
}

impl World {
    pub(crate) fn new(group: &str, clock: FakeClock) -> Arc<Self> {
        let node = Node {
            name: "node-1".to_owned(),
            platform: platform("linux", "amd64"),
            allocatable: Resources {
                pods: 110,
                cpu_millis: 8000,
                memory: 16 << 30,
            },
            requested: Resources::default(),
        };
        let state = State {
            now: clock.now(),
            group: group.to_owned(),
            objects: BTreeMap::new(),
            others: BTreeMap::new(),
            pods: Vec::new(),
            jobs: Vec::new(),
            cron_runs: Vec::new(),
            namespace: Some(BTreeMap::new()),
            nodes: vec![node],
            quotas: Vec::new(),
            record: GroupRecord::default(),
            history: Vec::new(),
            request: None,
            restraints: Restraints::default(),
            required: BTreeMap::new(),
            outages: 0,
            plans: BTreeMap::new(),
            key: None,
            epoch: 0,
            lease: None,
            journal: Journal::default(),
            promises: Promises::default(),
            script: Script::default(),
            agenda: Vec::new(),
            names: 0,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            version: watch::Sender::new(1),
            clock,
        })
    }

    /// Another world that is as this one was when it was last looked at,
    /// nothing being about to happen.
    pub(crate) fn twin(&self) -> Arc<Self> {
        let state = self.state.lock().unwrap();
        assert!(state.agenda.is_empty() && state.lease.is_none());
        let twin = State {
            now: state.now,
            group: state.group.clone(),
            objects: state.objects.clone(),
            others: state.others.clone(),
            pods: state.pods.clone(),
            jobs: state.jobs.clone(),
            cron_runs: state.cron_runs.clone(),
            namespace: state.namespace.clone(),
            nodes: state.nodes.clone(),
            quotas: state.quotas.clone(),
            record: state.record.clone(),
            history: Vec::new(),
            request: state.request.clone(),
            restraints: state.restraints.clone(),
            required: state.required.clone(),
            outages: 0,
            plans: state.plans.clone(),
            key: state.key.clone(),
            epoch: state.epoch,
            lease: None,
            journal: Journal::default(),
            promises: state.promises.of_rest(),
            script: Script::default(),
            agenda: Vec::new(),
            names: state.names,
        };
        Arc::new(Self {
            clock: FakeClock::from(twin.now),
            state: Mutex::new(twin),
            version: watch::Sender::new(1),
        })
    }

    /// The state as it is now, everything that was due having happened.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap();
        if state.settle(self.clock.now()) {
            self.version.send_modify(|version| *version += 1);
        }
        state
    }

    /// Changes the world as a person with kubectl would.
    pub(crate) fn meddle<T>(&self, deed: impl FnOnce(&mut State) -> T) -> T {
        let result = deed(&mut self.state());
        self.version.send_modify(|version| *version += 1);
        result
    }

    /// What becomes of an app's pods from now on.
    pub(crate) fn fate(&self, app: &str, fate: AppFate) {
        self.state().script.apps.insert(app.to_owned(), fate);
    }

    /// The next run of a check, after those scripted before.
    pub(crate) fn run(&self, check: &str, run: Run) {
        let mut state = self.state();
        let runs = state.script.checks.entry(check.to_owned()).or_default();
        runs.push_back(run);
    }

    /// The next calls that begin with these words fail without being done.
    pub(crate) fn fail(&self, start: &str, times: usize, error: ClusterError) {
        self.state().script.faults.push(Fault {
            start: start.to_owned(),
            error,
            times,
            done: false,
        });
    }

    /// Before the call that has so many before it, this happens.
    pub(crate) fn before_nth(&self, n: usize, deed: impl FnOnce(&mut State) + Send + 'static) {
        self.state().script.nth = Some((n, Box::new(deed)));
    }

    /// Before the next call that begins with these words, this happens.
    pub(crate) fn when(&self, start: &str, deed: impl FnOnce(&mut State) + Send + 'static) {
        let hook = (start.to_owned(), Some(Box::new(deed) as Deed));
        self.state().script.hooks.push(hook);
    }
}

impl Script {
    /// What is to happen before the call that comes now.
    pub(crate) fn due_before(&mut self, call: &str, calls_before: usize) -> Vec<Deed> {
        let nth = self.nth.take_if(|(n, _)| *n == calls_before);
        let mut due: Vec<_> = nth.into_iter().map(|(_, deed)| deed).collect();
        let hooks = self.hooks.iter_mut();
        let of_call = hooks.filter(|(start, _)| call.starts_with(start.as_str()));
        due.extend(of_call.filter_map(|(_, deed)| deed.take()));
        due
    }
}

impl State {
    /// Does what is due; says whether anything was.
    pub(crate) fn settle(&mut self, now: Timestamp) -> bool {
        let mut any = false;
        while let Some(due) = self.next_due().filter(|due| *due <= now) {
            let place = self.agenda.iter().position(|(at, _)| *at == due).unwrap();
            let (at, deed) = self.agenda.remove(place);
            self.now = at;
            deed(self);
            self.check_promises("the cluster's own doing");
            any = true;
        }
        self.now = now;
        any
    }

    /// When something happens next.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.agenda.iter().map(|(at, _)| *at).min()
    }

    /// Lets something happen after a while.
    pub(crate) fn later(&mut self, after: Duration, deed: impl FnOnce(&mut Self) + Send + 'static) {
        self.agenda.push((self.now + after, Box::new(deed)));
    }

    /// A number nothing else has.
    pub(crate) fn unique(&mut self) -> u64 {
        self.names += 1;
        self.names
    }

    /// An address that no other pod has.
    pub(crate) fn address(&mut self) -> IpAddr {
        let [_, _, a, b] = u32::try_from(self.unique()).unwrap().to_be_bytes();
        IpAddr::from([10, 244, a, b])
    }

    /// Puts an object there as somebody else would.
    pub(crate) fn put(&mut self, object: Value) {
        let mut object = Object(object);
        if object.uid().is_none() {
            let uid = format!("uid-{}", self.unique());
            object.0["metadata"]["uid"] = uid.into();
        }
        self.others.insert(object.reference(), object.clone());
        self.objects.insert(object.reference(), object);
    }

    pub(crate) fn get(&self, kind: &str, name: &str) -> Option<&Object> {
        let same = |object: &&Object| object.kind() == kind && object.name() == name;
        self.objects.values().find(same)
    }

    /// Names of the objects of a kind, in order.
    pub(crate) fn names(&self, kind: &str) -> Vec<&str> {
        let of_kind = self.objects.values().filter(|o| o.kind() == kind);
        of_kind.map(Object::name).collect()
    }

    /// Changes an object's spec as `kubectl edit` does.
    pub(crate) fn edit(&mut self, kind: &str, name: &str, deed: impl FnOnce(&mut Value)) {
        let same = |object: &&mut Object| object.kind() == kind && object.name() == name;
        let object = self.objects.values_mut().find(same).unwrap();
        deed(&mut object.0);
        let generation = object.at("/metadata/generation").and_then(Value::as_i64);
        object.0["metadata"]["generation"] = json!(generation.unwrap_or(1) + 1);
    }

    /// Whether an app's pods of a colour take requests from now on.
    pub(crate) fn set_ready(&mut self, color: Color, app: &str, ready: bool) {
        let pods = self.pods.iter_mut().map(|pod| &mut pod.state);
        let of_app = |pod: &&mut PodState| {
            pod.color == color && pod.app.as_ref().is_some_and(|name| name.as_ref() == app)
        };
        pods.filter(of_app).for_each(|pod| pod.ready = ready);
    }

    /// The selector of a Service.
    pub(crate) fn selector(&self, service: &str) -> BTreeMap<String, String> {
        let service = self.get("Service", service);
        service.map_or_else(BTreeMap::new, |s| s.texts_at("/spec/selector"))
    }

    /// Every object that carries the group's mark, as `Kind name`.
    pub(crate) fn owned(&self) -> BTreeSet<String> {
        let ours = self.objects.values().filter(|o| o.is_owned_by(&self.group));
        ours.map(|object| object.reference().to_string()).collect()
    }
}
