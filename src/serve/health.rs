//! Whether the daemon still gets on: every role goes by a clock that notes when it was
//! asked last, and until when somebody sleeps by it. So does every engine, for as long as
//! its call lasts.
//!
//! Whoever neither asks the time nor sleeps is stuck, be it in a request that is never
//! answered or in a loop. A process whose only thread is stuck answers nobody at all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::port::Clock;
use crate::promotion::later;

/// How long a role may be silent beyond what it said it would. Every single request is
/// given up sooner: to AWS after 90 s with all its attempts, to the cluster after seconds.
const SILENCE: Duration = Duration::from_mins(5);

/// When each role was seen last.
pub struct Pulse {
    clock: Arc<dyn Clock>,
    roles: Mutex<BTreeMap<String, Seen>>,
}

/// What is known of a role.
struct Seen {
    last: Timestamp,
    /// Until when it sleeps; more than one where it waits for several things at once.
    asleep: Vec<Timestamp>,
}

impl Pulse {
    /// By that clock, which must not jump: time that nobody could use is no silence.
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            clock,
            roles: Mutex::default(),
        })
    }

    /// Watches a role from now on, until what is returned is dropped.
    pub fn watch(self: &Arc<Self>, role: impl Into<String>) -> Watch {
        let role = role.into();
        let seen = Seen {
            last: self.clock.now(),
            asleep: Vec::new(),
        };
        self.roles().insert(role.clone(), seen);
        Watch {
            role,
            pulse: self.clone(),
        }
    }

    /// Who is stuck.
    pub fn stuck(&self) -> Vec<String> {
        let now = self.clock.now();
        let is_stuck = |seen: &Seen| {
            let asleep = seen.asleep.iter().copied();
            later(asleep.fold(seen.last, Timestamp::max), SILENCE) < now
        };
        let roles = self.roles();
        let stuck = roles.iter().filter(|(_, seen)| is_stuck(seen));
        stuck.map(|(role, _)| role.clone()).collect()
    }

    fn roles(&self) -> MutexGuard<'_, BTreeMap<String, Seen>> {
        self.roles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A role that is watched.
pub struct Watch {
    role: String,
    pulse: Arc<Pulse>,
}

impl Watch {
    /// The clock for the role to go by: that one, whose time may be another than the
    /// pulse's.
    pub fn over(&self, clock: Arc<dyn Clock>) -> Arc<dyn Clock> {
        Arc::new(Watched {
            clock,
            role: self.role.clone(),
            pulse: self.pulse.clone(),
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.pulse.roles().remove(&self.role);
    }
}

struct Watched {
    clock: Arc<dyn Clock>,
    role: String,
    pulse: Arc<Pulse>,
}

impl Watched {
    /// A sign of life. Whatever goes on after its role has come to its end does not bring
    /// that back.
    fn note(&self, also: impl FnOnce(&mut Seen)) {
        let now = self.pulse.clock.now();
        if let Some(seen) = self.pulse.roles().get_mut(&self.role) {
            seen.last = now;
            also(seen);
        }
    }
}

#[async_trait]
impl Clock for Watched {
    fn now(&self) -> Timestamp {
        self.note(|_| ());
        self.clock.now()
    }

    async fn sleep_until(&self, when: Timestamp) {
        let left = when.duration_since(self.clock.now());
        let left = Duration::try_from(left).unwrap_or_default();
        let until = later(self.pulse.clock.now(), left);
        self.note(|seen| seen.asleep.push(until));
        let _asleep = Asleep(self, until);
        self.clock.sleep_until(when).await;
    }
}

/// Somebody who sleeps until then. Dropped, they are awake, be it before.
struct Asleep<'a>(&'a Watched, Timestamp);

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        let Self(sleeper, until) = self;
        sleeper.note(|seen| {
            if let Some(place) = seen.asleep.iter().position(|other| other == until) {
                seen.asleep.swap_remove(place);
            }
        });
    }
}
