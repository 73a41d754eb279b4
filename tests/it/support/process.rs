//! One promoter's connection to the world: it can be cut, fenced and killed.

mod ports;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use promoter::port::{Clock as _, ClusterError, Epoch};
use tokio::sync::Notify;

use super::journal::Entry;
use super::registry::FakeRegistry;
use super::world::{State, World};

/// Most calls of one promoter; more of them are a loop without an end.
const MOST_CALLS: usize = 20_000;
/// How long a dead promoter's lock goes on.
const LEASE_SECONDS: i64 = 15;

/// What happens to a promoter at one of its calls: the n-th, counted from one,
/// whatever it is. Reading counts as much as writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Strike {
    pub(crate) call: usize,
    pub(crate) blow: Blow,
}

/// How one call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blow {
    /// It is not done: nobody answers, this once.
    Unreachable,
    /// It is done, but its answer is lost.
    AnswerLost,
    /// It is done, but its answer comes when the lock is not good any more.
    AnswerTooLate,
    /// It is refused, and so is every further one like it.
    Refused,
    /// The promoter is killed before the call does anything.
    KilledBefore,
    /// The promoter is killed after the call did everything, before its answer arrives.
    KilledAfter,
}

/// One promoter.
pub(crate) struct Process {
    world: Arc<World>,
    registry: Arc<FakeRegistry>,
    name: String,
    strike: Option<Strike>,
    /// The call that is refused from now on.
    refused: Mutex<Option<String>>,
    calls: AtomicUsize,
    seen: AtomicU64,
    is_dead: AtomicBool,
    is_doomed: AtomicBool,
    died: Notify,
}

impl Process {
    pub(crate) fn new(
        world: &Arc<World>,
        registry: &Arc<FakeRegistry>,
        name: &str,
        strike: Option<Strike>,
    ) -> Arc<Self> {
        Arc::new(Self {
            world: Arc::clone(world),
            registry: Arc::clone(registry),
            name: name.to_owned(),
            strike,
            refused: Mutex::default(),
            calls: AtomicUsize::new(0),
            seen: AtomicU64::new(0),
            is_dead: AtomicBool::new(false),
            is_doomed: AtomicBool::new(false),
            died: Notify::new(),
        })
    }

    /// What it did so far, call by call.
    pub(crate) fn calls(&self) -> Vec<Entry> {
        let state = self.world.state();
        let mine = state.journal.0.iter().filter(|e| e.process == self.name);
        mine.cloned().collect()
    }

    /// It has ended, well or not: a lock that it could not give back runs out.
    pub(crate) fn exit(&self) {
        self.is_dead.store(true, Ordering::SeqCst);
        let mut state = self.world.state();
        let until = state.now + SignedDuration::from_secs(LEASE_SECONDS);
        let mine = state.lease.as_mut().filter(|l| l.holder == self.name);
        if let Some(lease) = mine {
            lease.until = Some(until);
        }
    }

    /// Returns once it was killed.
    pub(crate) async fn dead(&self) {
        self.died.notified().await;
    }

    /// It dies with its present call, whatever that is, before it is answered.
    pub(crate) fn doom(&self) {
        self.is_doomed.store(true, Ordering::SeqCst);
    }

    /// Nothing of it happens any more; its lock runs out by and by.
    async fn die(&self) -> ! {
        if !self.is_dead.load(Ordering::SeqCst) {
            self.exit();
        }
        self.died.notify_one();
        std::future::pending::<()>().await;
        unreachable!("a dead promoter does nothing")
    }

    /// What is to happen to a call of this number, in these words.
    fn blow(&self, number: usize, call: &str) -> Option<Blow> {
        let mut refused = self.refused.lock().unwrap();
        let strike = self.strike.filter(|strike| strike.call == number);
        if strike.is_some_and(|strike| strike.blow == Blow::Refused) {
            *refused = Some(call.to_owned());
        }
        if refused.as_deref() == Some(call) {
            return Some(Blow::Refused);
        }
        strike.map(|strike| strike.blow)
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
        let cut_off = self.world.state().cut_off(&self.name);
        if let Some(until) = cut_off {
            self.world.clock.sleep_until(until).await;
        }
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let blow = self.blow(number, &call);
        if self.is_dead.load(Ordering::SeqCst) || blow == Some(Blow::KilledBefore) {
            self.die().await;
        }
        let result = self.act(&call, epoch, act, number, blow);
        if epoch.is_some() {
            self.world.version.send_modify(|version| *version += 1);
        }
        if blow == Some(Blow::KilledAfter) || self.is_doomed.load(Ordering::SeqCst) {
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
        blow: Option<Blow>,
    ) -> Result<T, ClusterError> {
        let mut state = self.world.state();
        let state = &mut *state;
        assert!(number < MOST_CALLS, "no end:\n{}", tail(state));
        for deed in state.script.due_before(call, state.journal.0.len()) {
            deed(state);
        }
        let answer = || match state.fault(call) {
            Some((error, false)) => Err(error),
            Some((error, true)) => state.fenced(epoch, act).and(Err(error)),
            None => state.fenced(epoch, act),
        };
        let result = match blow.and_then(|blow| blow.fault(call)) {
            Some((error, false)) => Err(error),
            // Whatever the answer was, it does not arrive.
            Some((error, true)) => answer().and(Err(error)),
            None => answer(),
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

impl Blow {
    /// The error it makes of a call, and whether the call is done nevertheless.
    fn fault(self, call: &str) -> Option<(ClusterError, bool)> {
        let unreachable = || ClusterError::Unreachable {
            cluster: "test".to_owned(),
            reason: "connection reset".to_owned(),
        };
        match self {
            Self::Unreachable => Some((unreachable(), false)),
            Self::AnswerLost => Some((unreachable(), true)),
            Self::AnswerTooLate => Some((ClusterError::Fenced, true)),
            Self::Refused => {
                let action = call.to_owned();
                let reason = "no".to_owned();
                Some((ClusterError::Refused { action, reason }, false))
            }
            Self::KilledBefore | Self::KilledAfter => None,
        }
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
    /// Who has the lock is cut off for so long: their calls do not arrive before, and
    /// nobody renews their lock.
    pub(crate) fn cut_off_holder(&mut self, lasts: Duration) {
        let lease = self.lease.as_mut().expect("somebody has the lock");
        lease.until = Some(self.now + SignedDuration::from_secs(LEASE_SECONDS));
        self.script.cut_off = Some((lease.holder.clone(), self.now + lasts));
    }

    fn cut_off(&self, process: &str) -> Option<Timestamp> {
        let (of, until) = self.script.cut_off.as_ref()?;
        Some(*until).filter(|_| of == process)
    }

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
        let lease = self.lease.as_ref();
        let held = lease.is_some_and(|lease| lease.is_held(self.now));
        match epoch {
            Some(epoch) if epoch.0 != self.epoch || !held => Err(ClusterError::Fenced),
            _ => act(self),
        }
    }
}
