//! Real records under a promotion in virtual time: that stands still while they are asked.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use promoter::adapter::store::Store;
use promoter::group::name::CheckName;
use promoter::plan::summary::Summary;
use promoter::port::records::{Entry, Note, PlaceName, Refusal, Run, Which};
use promoter::port::{Records, RecordsError};
use promoter::promotion::check::CheckResult;
use promoter::promotion::event::Event;
use promoter::promotion::id::PromotionId;
use tokio::runtime::Handle;

/// Records that virtual time waits for.
pub(crate) struct Awaited {
    store: Arc<Store>,
    real: Handle,
}

impl Awaited {
    /// `real` is where time is real.
    pub(crate) fn new(store: Store, real: &Handle) -> Arc<Self> {
        let (store, real) = (Arc::new(store), real.clone());
        Arc::new(Self { store, real })
    }
}

/// Does something in real time. Virtual time does not go on while a thread is at work.
pub(crate) async fn beside<T: Send + 'static>(
    real: &Handle,
    work: impl Future<Output = T> + Send + 'static,
) -> T {
    let real = real.clone();
    let done = tokio::task::spawn_blocking(move || real.block_on(work));
    done.await.unwrap()
}

#[async_trait]
impl Records for Awaited {
    async fn keep(&self, place: &PlaceName, notes: &[Note]) -> Result<(), RecordsError> {
        let (store, place, notes) = (self.store.clone(), place.clone(), notes.to_vec());
        beside(&self.real, async move { store.keep(&place, &notes).await }).await
    }

    async fn prune(&self, now: Timestamp) -> Result<(), RecordsError> {
        let store = self.store.clone();
        beside(&self.real, async move { store.prune(now).await }).await
    }

    async fn last(&self, of: &Which, most: u32) -> Result<Vec<Entry>, RecordsError> {
        let (store, of) = (self.store.clone(), of.clone());
        beside(&self.real, async move { store.last(&of, most).await }).await
    }

    async fn refused(&self, _: &Which, _: u32) -> Result<Vec<Refusal>, RecordsError> {
        unreachable!("no daemon asks that")
    }

    async fn of(&self, _: &PromotionId) -> Result<Vec<Entry>, RecordsError> {
        unreachable!("no daemon asks that")
    }

    async fn events(&self, _: &Entry) -> Result<Vec<Event>, RecordsError> {
        unreachable!("no daemon asks that")
    }

    async fn results(&self, _: &Entry) -> Result<Vec<CheckResult>, RecordsError> {
        unreachable!("no daemon asks that")
    }

    async fn plan(&self, _: &Entry) -> Result<Option<Summary>, RecordsError> {
        unreachable!("no daemon asks that")
    }

    async fn passed_before(&self, _: &Entry) -> Result<Option<Entry>, RecordsError> {
        unreachable!("no daemon asks that")
    }

    async fn logged(&self, _: &Entry, _: Option<&CheckName>) -> Result<Vec<Run>, RecordsError> {
        unreachable!("no daemon asks that")
    }

    async fn log(&self, _: &Entry, _: &Run) -> Result<Option<String>, RecordsError> {
        unreachable!("no daemon asks that")
    }
}
