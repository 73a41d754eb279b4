//! One story told over and over, each time with another call going wrong.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use promoter::engine::EngineError;
use promoter::engine::resume::Resumed;
use promoter::plan::Serving;
use promoter::plan::color::Color;
use promoter::promotion::phase::Phase;
use tokio_util::sync::CancellationToken;

use super::whole;
use crate::support::journal::Entry;
use crate::support::process::{Blow, Process, Strike};
use crate::support::scenario::Scenario;
use crate::support::world::{Script, State};

/// A promoter that comes after the lock of a dead one has run out.
const SOON: Duration = Duration::from_secs(16);

/// What is told.
pub(super) struct Story<Setting, Act, After> {
    /// In a few words.
    pub(super) name: &'static str,
    /// The colour that serves in the end, however often it was interrupted; `None`:
    /// what stood before promoter came.
    pub(super) ends_at: Option<Color>,
    /// Calls go wrong only after the first one that begins with these words:
    /// those before are another story's.
    pub(super) after_call: Option<&'static str>,
    /// After how long another promoter comes if the first one was killed
    /// before a call, and after one.
    pub(super) pauses: [Duration; 2],
    /// The world before.
    pub(super) setting: Setting,
    /// What the promoter does that is disturbed. `None`: it was killed.
    pub(super) act: Act,
    /// What the one does that comes after it, on another machine. All that it
    /// knows is in the world.
    pub(super) after: After,
}

/// Soon, or long after every deadline.
pub(super) const SOON_OR_LATE: [Duration; 2] = [SOON, Duration::from_hours(2)];
/// While the old colour still stands.
pub(super) const SOON_ONLY: [Duration; 2] = [SOON; 2];

/// How an act ended that was not cut off.
pub(super) type Done = Option<Result<(), EngineError>>;

impl<Setting, Act, After> Story<Setting, Act, After>
where
    Setting: AsyncFn() -> Scenario,
    Act: AsyncFn(&Scenario, &std::sync::Arc<Process>) -> Done,
    After: AsyncFn(&Scenario),
{
    /// Tells it once undisturbed, and then once for every call and every way
    /// in which it can go wrong.
    pub(super) async fn tell(self) {
        let (calls, ended) = self.undisturbed().await;
        let first = self.after_call.map_or(0, |start| {
            let found = calls.iter().position(|e| e.call.starts_with(start));
            found.unwrap_or_else(|| panic!("{}: no `{start}`", self.name)) + 1
        });
        let (mut told, mut broken) = (BTreeMap::new(), Vec::new());
        for (n, entry) in calls.iter().enumerate().skip(first) {
            for blow in blows(entry) {
                let strike = Strike { call: n + 1, blow };
                let told_to_its_end =
                    AssertUnwindSafe(self.disturbed(strike, entry, ended.as_ref())).catch_unwind();
                if told_to_its_end.await.is_err() {
                    broken.push(format!(
                        "{} {blow:?} at {}: `{}`",
                        self.name,
                        n + 1,
                        entry.call
                    ));
                }
                *told.entry(format!("{blow:?}")).or_insert(0) += 1;
            }
        }
        let writes = calls.iter().skip(first).filter(|e| is_change(e)).count();
        println!(
            "{}: {} calls, {writes} of them change something; {told:?}",
            self.name,
            calls.len() - first
        );
        assert!(broken.is_empty(), "{} broken: {broken:#?}", broken.len());
        assert!(calls.len() - first >= 5, "{}: hardly any call", self.name);
    }

    async fn undisturbed(&self) -> (Vec<Entry>, Option<Serving>) {
        let scenario = (self.setting)().await;
        let process = scenario.process(None);
        let done = (self.act)(&scenario, &process).await;
        done.expect("nobody kills it").unwrap();
        self.ended(&scenario);
        let serving = scenario.world.state().record.serving.clone();
        (process.calls(), serving)
    }

    async fn disturbed(&self, strike: Strike, entry: &Entry, ended: Option<&Serving>) {
        let scenario = (self.setting)().await;
        let process = scenario.process(Some(strike));
        let done = (self.act)(&scenario, &process).await;
        let did = process.calls();
        let struck = did.get(strike.call - 1).map(|struck| &struck.call);
        let is_silent = strike.blow == Blow::KilledBefore;
        assert_eq!(struck, (!is_silent).then_some(&entry.call), "another call");
        let pause = match strike.blow {
            Blow::KilledAfter => self.pauses[1],
            _ => self.pauses[0],
        };
        if strike.blow == Blow::Refused {
            tokio::time::sleep(pause).await;
            return recovers(&scenario).await;
        }
        assert_eq!(done.is_none(), is_killed(strike.blow));
        if !matches!(done, Some(Ok(()))) {
            tokio::time::sleep(pause).await;
            (self.after)(&scenario).await;
        }
        tokio::time::sleep(SOON).await;
        scenario.world.meddle(State::drop_lock_that_ran_out);
        self.ended(&scenario);
        let serving = scenario.world.state().record.serving.clone();
        let release = |serving: &Serving| serving.release.clone();
        let serves = serving.as_ref().map(release);
        assert_eq!(serves, ended.map(release), "another release serves");
    }

    fn ended(&self, scenario: &Scenario) {
        scenario.rests_at(self.ends_at);
        whole::nothing_is_lost(scenario);
    }
}

fn is_killed(blow: Blow) -> bool {
    matches!(blow, Blow::KilledBefore | Blow::KilledAfter)
}

fn is_change(entry: &Entry) -> bool {
    let of_lock = ["acquire", "release", "request", "withdraw"].contains(&entry.call.as_str());
    entry.epoch.is_some() || of_lock
}

/// A question that was asked in vain, or of which the answer was not heard any
/// more, is a question that was not asked.
fn blows(entry: &Entry) -> impl Iterator<Item = Blow> {
    let blows = [
        Blow::Unreachable,
        Blow::AnswerLost,
        Blow::AnswerTooLate,
        Blow::Refused,
        Blow::KilledBefore,
        Blow::KilledAfter,
    ];
    let changes = is_change(entry);
    let of_changes = [Blow::AnswerLost, Blow::AnswerTooLate, Blow::KilledAfter];
    // Only what is written under a lock depends on it.
    let locked = entry.epoch.is_some();
    blows.into_iter().filter(move |blow| {
        (changes || !of_changes.contains(blow)) && (locked || *blow != Blow::AnswerTooLate)
    })
}

/// What a cluster refuses for good may end anyhow, but whole. Once nothing is
/// refused any more, one deploy is enough to be in order again.
async fn recovers(scenario: &Scenario) {
    scenario.world.meddle(|state| {
        state.script = Script::default();
        state.pods.iter_mut().for_each(|pod| {
            pod.state.ready |= pod.state.phase == "Running" && !pod.state.deleting;
        });
    });
    let process = scenario.process(None);
    let engine = scenario.engine(&process);
    let resumed = engine.resume("ann@home", CancellationToken::new());
    let resumed = scenario.until_dead(&process, Box::pin(resumed)).await;
    let resumed = resumed.expect("nobody kills it").unwrap();
    assert!(matches!(resumed, Resumed::Nothing(_) | Resumed::Driven(_)));
    scenario.points_where_the_record_says();
    if !scenario.is_tidy() {
        scenario.push_all();
        let outcome = scenario.promote().await;
        assert_eq!(outcome.phase, Phase::Promoted);
    }
    let serving = scenario.world.state().record.serving.clone();
    scenario.rests_at(serving.map(|serving| serving.color));
    whole::nothing_is_lost(scenario);
}
