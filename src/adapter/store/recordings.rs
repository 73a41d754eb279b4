//! The ways into the records of a process that sees many promotions through: one for
//! each group, which lives for as long as an engine has it or something waits to be
//! kept. So what happened while the records were away gets into them, however long ago
//! its promotion ended.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::Recording;
use crate::group::name::GroupName;
use crate::port::records::PlaceName;
use crate::port::{Clock, Recorder, Records};

/// Ways into the same records.
pub struct Recordings {
    records: Arc<dyn Records>,
    clock: Arc<dyn Clock>,
    /// What waits to be kept, of all groups.
    waiting: Arc<AtomicUsize>,
    of_groups: Mutex<BTreeMap<(PlaceName, GroupName), Arc<Recording>>>,
}

impl Recordings {
    /// Into these.
    pub fn new(records: Arc<dyn Records>, clock: Arc<dyn Clock>) -> Self {
        Self {
            records,
            clock,
            waiting: Arc::default(),
            of_groups: Mutex::default(),
        }
    }

    /// That of a group, which runs in that place. What is wrong with the records is
    /// said by `said_by`, or by whoever asked before and has not been through.
    pub fn of(
        &self,
        place: PlaceName,
        group: &GroupName,
        said_by: Arc<dyn Recorder>,
    ) -> Arc<Recording> {
        let of_groups = self.of_groups.lock();
        let mut of_groups = of_groups.unwrap_or_else(PoisonError::into_inner);
        of_groups.retain(|_, one| Arc::strong_count(one) > 1 || one.is_behind());
        let key = (place.clone(), group.clone());
        let made = || {
            Arc::new(Recording::counted(
                place,
                group.clone(),
                self.records.clone(),
                self.clock.clone(),
                said_by,
                self.waiting.clone(),
            ))
        };
        of_groups.entry(key).or_insert_with(made).clone()
    }

    /// How much waits to be kept.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }
}
