//! What tests that run at the same time share: the machine and the ports of its node.

use std::sync::{Condvar, Mutex};

use super::testbed::Testbed;

/// Tests that use the cluster at the same time, so that none starves another.
const AT_A_TIME: usize = 3;

/// A node port that no Service has and no other test was given. Drawn at
/// random, as other runs draw too.
pub(super) fn free_node_port() -> u16 {
    static DRAWN: Mutex<Vec<u16>> = Mutex::new(Vec::new());
    let services = Testbed::get().cluster.list("", "Service", "");
    let ports = services
        .iter()
        .filter_map(|service| service["spec"]["ports"].as_array());
    let taken: Vec<_> = ports
        .flatten()
        .filter_map(|port| port["nodePort"].as_u64())
        .collect();
    let mut before = DRAWN.lock().unwrap();
    loop {
        let drawn = rand::random_range(30_100..32_700_u16);
        if !taken.contains(&drawn.into()) && !before.contains(&drawn) {
            before.push(drawn);
            return drawn;
        }
    }
}

/// Places among the tests that may run.
pub(super) struct Slot {
    places: usize,
}

static TAKEN: Mutex<usize> = Mutex::new(0);
static FREED: Condvar = Condvar::new();

impl Slot {
    /// Waits for a place.
    pub(super) fn take() -> Self {
        Self::of(1)
    }

    /// Waits until no other test runs, and lets none begin: for what disturbs
    /// the whole cluster.
    pub(super) fn take_all() -> Self {
        Self::of(AT_A_TIME)
    }

    fn of(places: usize) -> Self {
        let mut taken = FREED
            .wait_while(TAKEN.lock().unwrap(), |taken| *taken + places > AT_A_TIME)
            .unwrap();
        *taken += places;
        Self { places }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        *TAKEN.lock().unwrap() -= self.places;
        FREED.notify_all();
    }
}
