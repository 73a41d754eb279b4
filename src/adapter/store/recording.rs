//! Events on their way into the records.
//!
//! They are taken at once and kept by a task of its own, in their order. Where
//! the records cannot be written, it is tried again and again and said once; a
//! promotion never waits for it but for a moment at its end.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::log::Gathering;
use crate::group::name::{CheckName, GroupName};
use crate::plan::Plan;
use crate::plan::summary::Summarized;
use crate::port::records::{Note, PlaceName, Run};
use crate::port::{Clock, Packed, Recorder, Records};
use crate::promotion::event::{Event, Fact};
use crate::promotion::id::PromotionId;
use crate::promotion::pauses::Pauses;

/// Pause before the records are tried again, at first.
const RETRY: Duration = Duration::from_millis(250);
/// The longest of these pauses: of a daemon, many groups may wait for the same records.
const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// How long the end of a promotion waits for what happened to be kept.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most notes kept at one go.
const BATCH: usize = 500;
/// Most notes that wait; beyond it only those are taken that hold once.
const MOST_WAITING: usize = 20_000;

/// Takes events and keeps them in the records.
pub struct Recording {
    queue: Arc<Queue>,
    logs: Mutex<BTreeMap<(PromotionId, CheckName), Gathering>>,
    writer: JoinHandle<()>,
}

/// What waits to be kept, and how to say that it has to.
struct Queue {
    place: PlaceName,
    group: GroupName,
    clock: Arc<dyn Clock>,
    said_by: Arc<dyn Recorder>,
    notes: Mutex<VecDeque<Note>>,
    waiting: watch::Sender<usize>,
    /// What waits of all groups of this process, where somebody counts that.
    of_all: Arc<AtomicUsize>,
    /// Whether the records could not be written last.
    behind: AtomicBool,
    /// Whether the end of a promotion has waited for it in vain.
    given_up: AtomicBool,
}

impl Recording {
    /// Keeps what happens to a group, which runs in that place, in `records`. What
    /// is wrong with them is said by `said_by`.
    pub fn new(
        place: PlaceName,
        group: GroupName,
        records: Arc<dyn Records>,
        clock: Arc<dyn Clock>,
        said_by: Arc<dyn Recorder>,
    ) -> Self {
        Self::counted(place, group, records, clock, said_by, Arc::default())
    }

    /// The same; what waits to be kept is counted in `of_all`, which groups share.
    pub(super) fn counted(
        place: PlaceName,
        group: GroupName,
        records: Arc<dyn Records>,
        clock: Arc<dyn Clock>,
        said_by: Arc<dyn Recorder>,
        of_all: Arc<AtomicUsize>,
    ) -> Self {
        let queue = Arc::new(Queue {
            place,
            group,
            clock,
            said_by,
            notes: Mutex::default(),
            waiting: watch::Sender::new(0),
            of_all,
            behind: AtomicBool::new(false),
            given_up: AtomicBool::new(false),
        });
        Self {
            writer: tokio::spawn(Arc::clone(&queue).keep_in(records)),
            queue,
            logs: Mutex::default(),
        }
    }

    /// A run's log is whole once there is a verdict, or another run writes: once
    /// `event` is heard.
    fn end_log(&self, promotion: &PromotionId, check: &CheckName, event: &Event) {
        let ended = self.logs().remove(&(promotion.clone(), check.clone()));
        let Some(gathering) = ended else { return };
        let attempt = gathering.attempt();
        if let Some(text) = gathering.finish() {
            self.queue.add(Note::Log {
                group: event.group.clone(),
                promotion: promotion.clone(),
                run: Run {
                    check: check.clone(),
                    attempt,
                },
                at: event.at,
                text: Packed::text(&text).expect("memory takes it"),
            });
        }
    }

    /// Whether something waits to be kept.
    pub(super) fn is_behind(&self) -> bool {
        *self.queue.waiting.borrow() > 0
    }

    fn logs(&self) -> MutexGuard<'_, BTreeMap<(PromotionId, CheckName), Gathering>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether that was a line of a log.
    fn gather(&self, event: &Event) -> bool {
        let Some(promotion) = &event.promotion else {
            return false;
        };
        match &event.fact {
            Fact::CheckOutput {
                check,
                attempt,
                line,
            } => {
                let key = (promotion.clone(), check.clone());
                if self
                    .logs()
                    .get(&key)
                    .is_some_and(|log| log.attempt() != *attempt)
                {
                    self.end_log(promotion, check, event);
                }
                let mut logs = self.logs();
                let log = logs
                    .entry(key)
                    .or_insert_with(|| Gathering::of_run(*attempt));
                log.line(line);
                return true;
            }
            Fact::CheckEnded { result } => {
                self.end_log(promotion, &result.check, event);
            }
            Fact::Finished { .. } => {
                let of = self.logs();
                let left: Vec<_> = of
                    .keys()
                    .filter(|(of, _)| of == promotion)
                    .cloned()
                    .collect();
                drop(of);
                for (_, check) in left {
                    self.end_log(promotion, &check, event);
                }
            }
            _ => {}
        }
        false
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.writer.abort();
        // What nobody keeps any more does not wait.
        let left = *self.queue.waiting.borrow();
        self.queue.of_all.fetch_sub(left, Ordering::AcqRel);
    }
}

#[async_trait]
impl Recorder for Recording {
    fn record(&self, event: Event) {
        if !self.gather(&event) {
            self.queue.add(Note::Event(event));
        }
    }

    fn note_plan(&self, promotion: &PromotionId, plan: &Plan) {
        let summary = Packed::json(&Summarized::from(plan));
        self.queue.add(Note::Plan {
            group: plan.group.clone(),
            promotion: promotion.clone(),
            summary: summary.expect("it is made of texts, and memory takes it"),
        });
    }

    fn note_log(&self, promotion: &PromotionId, check: &CheckName, attempt: u32, log: &str) {
        // What was read along may have broken off.
        let mut whole = Gathering::of_run(attempt);
        log.lines().for_each(|line| whole.line(line));
        let key = (promotion.clone(), check.clone());
        self.logs().insert(key, whole);
    }

    async fn flush(&self) {
        if self.queue.given_up.load(Ordering::Acquire) && self.queue.is_behind() {
            return;
        }
        let mut waiting = self.queue.waiting.subscribe();
        let deadline = self.queue.in_the_future(PATIENCE);
        let left = tokio::select! {
            biased;
            _ = waiting.wait_for(|waiting| *waiting == 0) => return,
            () = self.queue.clock.sleep_until(deadline) => *self.queue.waiting.borrow(),
        };
        if !self.queue.given_up.swap(true, Ordering::AcqRel) {
            self.queue.say(format!(
                "{left} facts are not in the records; `promoter history` fills in from the cluster how promotions ended"
            ));
        }
    }
}

impl Queue {
    fn add(&self, note: Note) {
        let mut notes = self.notes();
        let may_go = !matches!(&note, Note::Event(event) if event.fact.once().is_some());
        if notes.len() >= MOST_WAITING && may_go {
            return;
        }
        notes.push_back(note);
        self.waiting.send_modify(|waiting| *waiting += 1);
        self.of_all.fetch_add(1, Ordering::AcqRel);
    }

    /// Keeps what is there, for as long as the process lives.
    async fn keep_in(self: Arc<Self>, records: Arc<dyn Records>) {
        let mut waiting = self.waiting.subscribe();
        while waiting.wait_for(|waiting| *waiting > 0).await.is_ok() {
            let batch = self.batch();
            self.keep(&*records, &batch).await;
            self.waiting.send_modify(|waiting| *waiting -= batch.len());
            self.of_all.fetch_sub(batch.len(), Ordering::AcqRel);
            if batch.iter().any(begins) {
                self.prune(&*records).await;
            }
        }
    }

    /// The next notes. They are taken out: there is no room for them twice.
    fn batch(&self) -> Vec<Note> {
        let mut notes = self.notes();
        let most = notes.len().min(BATCH);
        notes.drain(..most).collect()
    }

    async fn keep(&self, records: &dyn Records, batch: &[Note]) {
        let mut pauses = Pauses::new(RETRY, LONGEST_RETRY);
        while let Err(error) = records.keep(&self.place, batch).await {
            if !self.behind.swap(true, Ordering::AcqRel) {
                self.say(format!(
                    "{error}; the promotion goes on, what happens is kept as soon as that works"
                ));
            }
            let again_at = self.in_the_future(pauses.failed());
            self.clock.sleep_until(again_at).await;
        }
        if self.behind.swap(false, Ordering::AcqRel) {
            self.given_up.store(false, Ordering::Release);
            self.say(
                "the records can be written again; what happened meanwhile is in them".to_owned(),
            );
        }
    }

    /// While a promotion begins there is time for it. What is not done is done with
    /// the next one.
    async fn prune(&self, records: &dyn Records) {
        if let Err(error) = records.prune(self.clock.now()).await {
            tracing::warn!(%error, "old records stay for now");
        }
    }

    fn notes(&self) -> MutexGuard<'_, VecDeque<Note>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_behind(&self) -> bool {
        self.behind.load(Ordering::Acquire)
    }

    fn in_the_future(&self, duration: Duration) -> jiff::Timestamp {
        let now = self.clock.now();
        now.saturating_add(duration).unwrap_or(jiff::Timestamp::MAX)
    }

    fn say(&self, message: String) {
        self.said_by.record(Event {
            at: self.clock.now(),
            group: self.group.clone(),
            promotion: None,
            fact: Fact::Warning { message },
        });
    }
}

/// Whether with it a promotion begins.
fn begins(note: &Note) -> bool {
    matches!(note, Note::Event(event) if matches!(event.fact, Fact::Started { .. }))
}
