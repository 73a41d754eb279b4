//! Putting on record where a promotion stands, and telling it then: nothing may
//! follow from what is not on record, and nobody hears of it before.

use std::time::Duration;

use jiff::Timestamp;

use super::Drive;
use crate::port::{ClusterError, Epoch};
use crate::promotion::event::Fact;
use crate::promotion::phase::Phase;
use crate::promotion::record::GroupRecord;

/// How long results of checks gather before they are recorded together.
const GATHERING: Duration = Duration::from_secs(1);

impl Drive {
    /// Notes a fact that is told once it is on record.
    pub(in crate::engine) fn tell_once_recorded(&mut self, fact: Fact) {
        self.untold.push(fact);
    }

    /// Writes where the promotion stands, unless that is on record already.
    pub(in crate::engine) async fn put_on_record(&mut self) -> Result<(), ClusterError> {
        if self.promotion == self.recorded {
            return Ok(());
        }
        self.checkpoint().await
    }

    /// Until when results may gather before they are recorded together, while
    /// other checks run: of a large group some end all the time. `None`: there is
    /// something else to record, or it is time.
    pub(super) fn may_record_later(&self) -> Option<Timestamp> {
        let later = self.recorded_at.saturating_add(GATHERING).ok()?;
        if self.engine.clock.now() >= later || self.promotion == self.recorded {
            return None;
        }
        let mut recorded = self.recorded.clone();
        recorded.results.clone_from(&self.promotion.results);
        (self.promotion == recorded).then_some(later)
    }

    /// Hands the plan to whoever remembers it.
    pub(in crate::engine) fn note_plan(&self) {
        let recorder = &self.engine.recorder;
        recorder.note_plan(&self.promotion.id, &self.plan);
    }

    /// Writes where the promotion stands. What cannot be recorded is taken
    /// back: nothing may follow from what is not on record.
    pub(in crate::engine) async fn checkpoint(&mut self) -> Result<(), ClusterError> {
        let written = self.write_record().await;
        if written.is_ok() {
            self.recorded.clone_from(&self.promotion);
            self.recorded_at = self.engine.clock.now();
            let untold = std::mem::take(&mut self.untold);
            for fact in untold {
                if matches!(fact, Fact::Started { .. }) {
                    self.note_plan();
                }
                self.emit(fact);
            }
        } else {
            self.promotion.clone_from(&self.recorded);
            // That it began holds whatever becomes of it.
            self.untold
                .retain(|fact| matches!(fact, Fact::Started { .. } | Fact::Overridden { .. }));
        }
        written
    }

    /// Writes a record that was lost once more, under the epoch by which the lock
    /// was taken back. What came before the promotion, but for what served, is not
    /// known. `None`: this promotion never was on record.
    pub(in crate::engine) async fn record_again(
        &mut self,
        epoch: Epoch,
    ) -> Result<Option<GroupRecord>, ClusterError> {
        if self.recorded.phase == Phase::Planned {
            return Ok(None);
        }
        let mut record = GroupRecord {
            serving: self.recorded.replaces.clone(),
            ..GroupRecord::default()
        };
        record.take(&self.recorded, &self.plan, self.engine.clock.now());
        self.engine.ledger.write(epoch, &record).await?;
        self.emit(Fact::rebuilt(&record));
        Ok(Some(record))
    }

    async fn write_record(&mut self) -> Result<(), ClusterError> {
        let mut record: GroupRecord = self.engine.ledger.read().await?;
        record.take(&self.promotion, &self.plan, self.engine.clock.now());
        record.astray.clone_from(&self.reported.astray);
        if let Some(met) = &self.meets {
            record.met = Some(met.clone());
        }
        self.engine.ledger.write(self.epoch, &record).await?;
        self.recorded_astray = record.astray;
        Ok(())
    }
}
