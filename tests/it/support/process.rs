//! One promoter's connection to the world: it can be cut, fenced and killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, stream};
use promoter::plan::Plan;
use promoter::plan::config::ConfigKey;
use promoter::plan::fingerprint::PlanId;
use promoter::plan::object::{Object, ObjectRef};
use promoter::plan::survey::{Survey, Trials};
use promoter::port::cluster::{LogSource, Pointing};
use promoter::port::{Clock, Cluster, ClusterError, Epoch, Ledger, LockError};
use promoter::promotion::observed::Observed;
use promoter::promotion::record::GroupRecord;
use tokio::sync::Notify;

use super::journal::Entry;
use super::world::{State, World};

/// Most calls of one promoter; more of them are a loop without an end.
const MOST_CALLS: usize = 20_000;
/// How long a dead promoter's lock goes on.
const LEASE_SECONDS: i64 = 15;

/// When a promoter is killed: at its n-th call that changes anything, counted
/// from one. Dying while it only looks is dying after the change before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kill {
    /// Before the call does anything.
    Before(usize),
    /// After it did everything, but before its answer arrives.
    After(usize),
}

/// One promoter.
pub(crate) struct Process {
    world: Arc<World>,
    name: String,
    kill: Option<Kill>,
    calls: AtomicUsize,
    changes: AtomicUsize,
    seen: AtomicU64,
    is_dead: AtomicBool,
    died: Notify,
}

impl Process {
    pub(crate) fn new(world: &Arc<World>, name: &str, kill: Option<Kill>) -> Arc<Self> {
        Arc::new(Self {
            world: Arc::clone(world),
            name: name.to_owned(),
            kill,
            calls: AtomicUsize::new(0),
            changes: AtomicUsize::new(0),
            seen: AtomicU64::new(0),
            is_dead: AtomicBool::new(false),
            died: Notify::new(),
        })
    }

    /// Returns once it was killed.
    pub(crate) async fn dead(&self) {
        self.died.notified().await;
    }

    /// Nothing of it happens any more; its lock runs out by and by.
    async fn die(&self) -> ! {
        if !self.is_dead.swap(true, Ordering::SeqCst) {
            let mut state = self.world.state();
            let until = state.now + jiff::SignedDuration::from_secs(LEASE_SECONDS);
            let mine = state.lease.as_mut().filter(|l| l.holder == self.name);
            if let Some(lease) = mine {
                lease.until = Some(until);
            }
        }
        self.died.notify_one();
        std::future::pending::<()>().await;
        unreachable!("a dead promoter does nothing")
    }

    /// Does one call: faults, fence and journal are here and nowhere else.
    async fn call<T>(
        &self,
        call: String,
        epoch: Option<Epoch>,
        act: impl FnOnce(&mut State) -> Result<T, ClusterError>,
    ) -> Result<T, ClusterError> {
        // Calls under way together interleave.
        tokio::task::yield_now().await;
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let changes = epoch.is_some() || call == "acquire" || call == "release";
        let change = self
            .changes
            .fetch_add(usize::from(changes), Ordering::SeqCst)
            + 1;
        let killed = |kill| changes && self.kill == Some(kill);
        if self.is_dead.load(Ordering::SeqCst) || killed(Kill::Before(change)) {
            self.die().await;
        }
        let result = self.act(&call, epoch, act, number);
        if epoch.is_some() {
            self.world.version.send_modify(|version| *version += 1);
        }
        if killed(Kill::After(change)) {
            self.die().await;
        }
        result
    }

    fn act<T>(
        &self,
        call: &str,
        epoch: Option<Epoch>,
        act: impl FnOnce(&mut State) -> Result<T, ClusterError>,
        number: usize,
    ) -> Result<T, ClusterError> {
        let mut state = self.world.state();
        let state = &mut *state;
        assert!(number < MOST_CALLS, "no end:\n{}", tail(state));
        for place in 0..state.script.hooks.len() {
            let (start, deed) = &mut state.script.hooks[place];
            if call.starts_with(start.as_str())
                && let Some(deed) = deed.take()
            {
                deed(state);
            }
        }
        let result = match state.fault(call) {
            Some((error, false)) => Err(error),
            Some((error, true)) => state.fenced(epoch, act).and(Err(error)),
            None => state.fenced(epoch, act),
        };
        state.journal.0.push(Entry {
            process: self.name.clone(),
            call: call.to_owned(),
            epoch: epoch.map(|epoch| epoch.0),
            error: result.as_ref().err().map(ToString::to_string),
        });
        state.check_promises(call);
        result
    }
}

fn tail(state: &State) -> String {
    let calls = state.journal.0.iter().rev().take(30).rev();
    calls
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

impl State {
    /// The scripted answer to a call, and whether the call is done nevertheless.
    fn fault(&mut self, call: &str) -> Option<(ClusterError, bool)> {
        if self.script.outage.is_some_and(|until| self.now < until) {
            let error = ClusterError::Unreachable {
                cluster: "test".to_owned(),
                reason: "connection refused".to_owned(),
            };
            return Some((error, false));
        }
        let fits = |f: &&mut super::world::Fault| f.times > 0 && call.starts_with(&f.start);
        let fault = self.script.faults.iter_mut().find(fits)?;
        fault.times -= 1;
        Some((fault.error.clone(), fault.done))
    }

    fn fenced<T>(
        &mut self,
        epoch: Option<Epoch>,
        act: impl FnOnce(&mut Self) -> Result<T, ClusterError>,
    ) -> Result<T, ClusterError> {
        let over = |lease: &super::world::Lease| lease.until.is_some_and(|u| u <= self.now);
        let held = self.lease.as_ref().is_some_and(|lease| !over(lease));
        match epoch {
            Some(epoch) if epoch.0 != self.epoch || !held => Err(ClusterError::Fenced),
            _ => act(self),
        }
    }
}

#[async_trait]
impl Cluster for Process {
    async fn survey(&self) -> Result<Survey, ClusterError> {
        let act = |state: &mut State| Ok(state.survey());
        self.call("survey".to_owned(), None, act).await
    }

    async fn try_out(&self, objects: &[Object]) -> Result<Trials, ClusterError> {
        let act = |state: &mut State| Ok(state.try_out(objects));
        self.call("try out".to_owned(), None, act).await
    }

    async fn observe(&self) -> Result<Observed, ClusterError> {
        let version = *self.world.version.borrow();
        let act = |state: &mut State| Ok(state.observed());
        let observed = self.call("observe".to_owned(), None, act).await?;
        self.seen.store(version, Ordering::SeqCst);
        Ok(observed)
    }

    async fn changed(&self) {
        let mut version = self.world.version.subscribe();
        loop {
            let due = self.world.state().next_due();
            if *version.borrow_and_update() > self.seen.load(Ordering::SeqCst) {
                return;
            }
            let due = async {
                match due {
                    Some(due) => self.world.clock.sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = version.changed() => {}
                () = due => {}
            }
        }
    }

    async fn create(&self, epoch: Epoch, object: &Object) -> Result<Object, ClusterError> {
        let act = |state: &mut State| state.create(object);
        let call = format!("create {}", object.reference());
        self.call(call, Some(epoch), act).await
    }

    async fn apply(&self, epoch: Epoch, object: &Object) -> Result<Object, ClusterError> {
        let act = |state: &mut State| state.apply(object, epoch);
        let call = format!("apply {}", object.reference());
        self.call(call, Some(epoch), act).await
    }

    async fn delete(
        &self,
        epoch: Epoch,
        object: &ObjectRef,
        uid: &str,
    ) -> Result<(), ClusterError> {
        let act = |state: &mut State| {
            state.delete(object, uid);
            Ok(())
        };
        let call = format!("delete {object}");
        self.call(call, Some(epoch), act).await
    }

    async fn point(&self, epoch: Epoch, change: &Pointing) -> Result<(), ClusterError> {
        let act = |state: &mut State| state.point(change, epoch);
        let to = change.to.as_ref();
        let color = to.and_then(|to| to.get(promoter::plan::label::COLOR));
        let color = color.map_or("nothing", String::as_str);
        let call = format!("point {} to {color}", change.service);
        self.call(call, Some(epoch), act).await
    }

    async fn owned(&self, kinds: &[(String, String)]) -> Result<Vec<Object>, ClusterError> {
        let act = |state: &mut State| Ok(state.of_kinds(kinds));
        self.call("owned".to_owned(), None, act).await
    }

    async fn lines(&self, source: &LogSource) -> Result<BoxStream<'static, String>, ClusterError> {
        let call = format!("lines {}", source.pod);
        let read = |state: &mut State, name: &str| {
            let pod = state.pod(name)?;
            let going_on = pod.state.containers[0].ended.is_none();
            Some((pod.log.clone(), going_on))
        };
        let pod = source.pod.clone();
        let act = |state: &mut State| {
            read(state, &pod).ok_or_else(|| ClusterError::Refused {
                action: format!("read the log of {pod}"),
                reason: "not found".to_owned(),
            })
        };
        let (log, going_on) = self.call(call, None, act).await?;
        if !source.follow || !going_on {
            return Ok(stream::iter(log).boxed());
        }
        let (world, pod) = (Arc::clone(&self.world), source.pod.clone());
        let mut version = world.version.subscribe();
        let wait = async move {
            loop {
                let found = read(&mut world.state(), &pod);
                match found {
                    None => return Vec::new(),
                    Some((log, false)) => return log,
                    Some(_) => {}
                }
                if version.changed().await.is_err() {
                    return Vec::new();
                }
            }
        };
        Ok(wait.into_stream().flat_map(stream::iter).boxed())
    }
}

#[async_trait]
impl Ledger for Process {
    async fn read(&self) -> Result<GroupRecord, ClusterError> {
        let act = |state: &mut State| Ok(state.record.clone());
        self.call("read".to_owned(), None, act).await
    }

    async fn acquire(&self, holder: &str) -> Result<Epoch, LockError> {
        let _ = holder;
        let act = |state: &mut State| Ok(state.acquire(&self.name));
        let taken = self.call("acquire".to_owned(), None, act).await;
        let taken = taken.map_err(LockError::Cluster)?;
        taken.map_err(|lease| LockError::Held {
            holder: lease.holder,
            since: lease.since,
            until: lease.until.unwrap_or(lease.since),
        })
    }

    async fn release(&self, epoch: Epoch) -> Result<(), ClusterError> {
        let act = |state: &mut State| {
            if state.epoch == epoch.0 {
                state.lease = None;
            }
            Ok(())
        };
        self.call("release".to_owned(), None, act).await
    }

    async fn write(&self, epoch: Epoch, record: &GroupRecord) -> Result<(), ClusterError> {
        let phase = record.in_flight.as_ref().map(|promotion| promotion.phase);
        let phase = phase.or_else(|| record.outcomes.first().map(|outcome| outcome.phase));
        let call = format!(
            "write {}",
            phase.map_or_else(String::new, |p| p.to_string())
        );
        let act = |state: &mut State| {
            // What was written is what JSON keeps of it.
            let json = serde_json::to_value(record).unwrap();
            assert!(
                json.to_string().len() < 64 * 1024,
                "the record outgrows etcd"
            );
            state.record = serde_json::from_value(json).unwrap();
            Ok(())
        };
        self.call(call, Some(epoch), act).await
    }

    async fn store_plan(&self, epoch: Epoch, plan: &Plan) -> Result<(), ClusterError> {
        let act = |state: &mut State| {
            let json = serde_json::to_vec(plan).unwrap();
            let kept: Plan = serde_json::from_slice(&json).unwrap();
            assert_eq!(kept.id(), plan.id(), "a plan changes by being kept");
            state.plans.insert(plan.id(), kept);
            Ok(())
        };
        self.call("store plan".to_owned(), Some(epoch), act).await
    }

    async fn plan(&self, id: &PlanId) -> Result<Option<Plan>, ClusterError> {
        let act = |state: &mut State| Ok(state.plans.get(id).cloned());
        self.call("plan".to_owned(), None, act).await
    }

    async fn forget_plans(&self, epoch: Epoch, except: &[PlanId]) -> Result<(), ClusterError> {
        let act = |state: &mut State| {
            state.plans.retain(|id, _| except.contains(id));
            Ok(())
        };
        self.call("forget plans".to_owned(), Some(epoch), act).await
    }

    async fn config_key(&self, epoch: Epoch) -> Result<ConfigKey, ClusterError> {
        let act = |state: &mut State| Ok(state.key.get_or_insert(ConfigKey([7; 32])).clone());
        self.call("config key".to_owned(), Some(epoch), act).await
    }
}
