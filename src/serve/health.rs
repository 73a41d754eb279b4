//! Whether the daemon still gets on: every role goes by a clock that notes when it was
//! asked last, and until when somebody sleeps by it.
//!
//! Whoever neither asks the time nor sleeps is stuck, be it in a request that is never
//! answered or in a loop. A process whose only thread is stuck answers nobody at all.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::port::Clock;
use crate::promotion::later;

/// How long a role may be silent beyond what it said it would.
const SILENCE: Duration = Duration::from_mins(5);

/// When each role was seen last.
pub struct Pulse {
    clock: Arc<dyn Clock>,
    roles: Mutex<BTreeMap<String, Timestamp>>,
}

impl Pulse {
    /// By that clock.
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            clock,
            roles: Mutex::default(),
        })
    }

    /// The clock of a role, which is watched from now on until it is dropped.
    pub fn clock(self: &Arc<Self>, role: impl Into<String>) -> Arc<dyn Clock> {
        let clock = Watched {
            role: role.into(),
            pulse: self.clone(),
        };
        clock.now();
        Arc::new(clock)
    }

    /// Who is stuck.
    pub fn stuck(&self) -> Vec<String> {
        let now = self.clock.now();
        let roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        let stuck = roles
            .iter()
            .filter(|(_, until)| later(**until, SILENCE) < now);
        stuck.map(|(role, _)| role.clone()).collect()
    }
}

struct Watched {
    role: String,
    pulse: Arc<Pulse>,
}

impl Watched {
    fn is_alive_until(&self, until: Timestamp) {
        let mut roles = self
            .pulse
            .roles
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        roles.insert(self.role.clone(), until);
    }
}

impl Watched {
    fn known_until(&self) -> Timestamp {
        let roles = self
            .pulse
            .roles
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        roles.get(&self.role).copied().unwrap_or(Timestamp::MIN)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let mut roles = self
            .pulse
            .roles
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        roles.remove(&self.role);
    }
}

#[async_trait]
impl Clock for Watched {
    fn now(&self) -> Timestamp {
        let now = self.pulse.clock.now();
        self.is_alive_until(now);
        now
    }

    async fn sleep_until(&self, when: Timestamp) {
        // Who waits for several things at once waits for the last of them.
        self.is_alive_until(when.max(self.known_until()));
        self.pulse.clock.sleep_until(when).await;
    }
}
