//! What a person finds in the log of promotions that were not begun: once for each moment
//! of a schedule and for each push, however often it is tried.

use std::io;
use std::sync::{Arc, Mutex};

use promoter::group::cloudwatch::BudgetGuard;
use promoter::promotion::phase::Phase;
use promoter::promotion::restraint::Statement;
use tracing::subscriber::DefaultGuard;

use super::{hourly, locally, on_push, pass, phases, serve};
use crate::support::simulate::Run;
use crate::support::yard::Town;

/// All that is logged while it is there.
pub(super) struct Log {
    text: Written,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub(super) fn begin() -> Self {
        let text = Written::default();
        let writer = text.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .without_time()
            .with_writer(move || writer.clone())
            .finish();
        Self {
            text,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    /// The lines about what was not begun.
    fn not_promoted(&self) -> Vec<String> {
        self.with("not promoted")
    }

    /// The lines that have this in them.
    pub(super) fn with(&self, part: &str) -> Vec<String> {
        let text = String::from_utf8(self.text.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().filter(|line| line.contains(part));
        lines.map(str::to_owned).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_found_bad_before_is_said_at_each_moment_once() {
    locally(async {
        let log = Log::begin();
        let town = Town::of([hourly()]);
        town.of_group("master").world.run("greets", Run::exits(1));
        let daemon = serve(&town, "daemon");
        pass(65).await;
        assert_eq!(phases(&town, "master"), [Phase::Aborted]);
        assert_eq!(log.not_promoted(), Vec::<String>::new());
        pass(180).await;
        let promotion = &town.outcomes("master")[0].promotion;
        let line = format!(
            " INFO promoter::serve::scheduler: not promoted: these very inputs were found bad \
             by promotion {promotion}: check greets failed: exit 1 \
             environment=v2 group=master trigger=cron"
        );
        assert_eq!(log.not_promoted(), [line.clone(), line.clone(), line]);
        daemon.stop().await;
    })
    .await;
}

/// A budget is looked at every ten minutes.
#[tokio::test(start_paused = true)]
async fn what_is_waited_for_is_said_at_each_moment_once() {
    locally(async {
        let log = Log::begin();
        let mut group = hourly();
        group.environment.budget_guard = Some(BudgetGuard::Above(10.0));
        let town = Town::of([group]);
        town.of_group("master").spending.charges(11.0);
        let daemon = serve(&town, "daemon");
        pass(175).await;
        let said = log.not_promoted();
        assert_eq!(said.len(), 2, "{said:#?}");
        assert!(
            said[0].contains("not promoted: budget guard: "),
            "{said:#?}"
        );
        daemon.stop().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_hold_is_said_at_each_push_once() {
    locally(async {
        let log = Log::begin();
        let town = Town::of([on_push()]);
        let scenario = town.of_group("master");
        scenario.world.meddle(|state| {
            state.restraints.hold = Some(Statement {
                actor: "bob@desk".to_owned(),
                reason: "the database moves".to_owned(),
                at: state.now,
            });
        });
        let daemon = serve(&town, "daemon");
        pass(60).await;
        let held = "not promoted: held by bob@desk: the database moves";
        let said = log.not_promoted();
        assert!(said[0].contains(held) && said.len() == 1, "{said:#?}");
        scenario.push_all();
        pass(60).await;
        let said = log.not_promoted();
        assert!(said[1].contains(held) && said.len() == 2, "{said:#?}");
        daemon.stop().await;
    })
    .await;
}
