//! A night of promotions, and records that are locked or refuse to be written meanwhile.

use promoter::engine::undo::Undone;
use promoter::port::{Records, RecordsError};
use promoter::promotion::ReasonKind;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::support::given;
use crate::support::scenario::Scenario;
use crate::support::simulate::{End, Run};

/// Five promotions: one passes, one fails, one gives no verdict, one is stopped,
/// one is rolled back.
pub(super) fn night() -> Vec<Event> {
    in_virtual_time(async {
        let scenario = Scenario::new(given::hello_with_window());
        scenario.promote().await;
        scenario.push_all();
        scenario.world.run("greets", Run::exits(1));
        scenario.abort().await;
        scenario.push_all();
        for _ in 0..3 {
            scenario.world.run("greets", Run::new(End::Evicted));
        }
        scenario.abort().await;
        let stop = CancellationToken::new();
        let pressed = stop.clone();
        scenario.world.when("create Job", move |_| pressed.cancel());
        let stopped = scenario.deploy_with(scenario.options(), stop).await;
        stopped.unwrap();
        scenario.detach().await;
        let engine = scenario.engine(&scenario.process(None));
        let rolled_back = engine
            .undo(given::rollback("bob@desk"), CancellationToken::new())
            .await;
        assert!(
            matches!(rolled_back, Ok(Undone::Ended(_))),
            "{rolled_back:?}"
        );
        scenario.events.events()
    })
}

#[test]
fn each_promotion_says_why_it_ended_so() {
    let events = night();
    on_each(async |on| {
        let file = on.fresh().await;
        file.keep(&events).await;
        let entries = file.store.last(&all(), 10).await.unwrap();
        let kinds: Vec<_> = entries
            .iter()
            .map(|entry| {
                let outcome = entry.outcome.as_ref().unwrap();
                outcome.reasons.first().map(|reason| reason.kind)
            })
            .collect();
        assert_eq!(
            kinds,
            [
                Some(ReasonKind::RolledBack),
                Some(ReasonKind::Interrupted),
                Some(ReasonKind::CheckErrored),
                Some(ReasonKind::Check),
                None,
            ]
        );
        let of_group = |group| Which {
            group: Some(group),
            place: None,
        };
        let same = of_group(entries[0].group.clone());
        assert_eq!(file.store.last(&same, 2).await.unwrap(), entries[..2]);
        let other = of_group("other".parse().unwrap());
        assert_eq!(file.store.last(&other, 2).await.unwrap(), []);
        assert_eq!(
            file.store.of(&entries[3].promotion).await.unwrap(),
            entries[3..4]
        );
    });
}

#[test]
fn locked_by_another_process_they_are_written_once_that_is_done() {
    let events = night();
    on_each(async |on| {
        let file = on.fresh().await;
        file.keep(&[]).await;
        let mut other = file.connected().await;
        let mut lock = other.begin().await.unwrap();
        let (sql, said) = match &file.database {
            Place::Folder(_) => (
                "INSERT INTO plan VALUES ('', '', '', '')",
                "database is locked",
            ),
            Place::Server(database) => {
                let name = &database.name;
                let wait = format!("ALTER DATABASE {name} SET lock_timeout = '50ms'");
                database.run(&wait).await;
                let said = "canceling statement due to lock timeout";
                ("LOCK TABLE event IN EXCLUSIVE MODE", said)
            }
        };
        sqlx::query(sql).execute(&mut *lock).await.unwrap();
        let error = file.again().keep(&here(), &notes(&events)).await;
        let Err(RecordsError::Failed {
            action: "write",
            reason,
            ..
        }) = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!(reason, said);
        lock.rollback().await.unwrap();
        file.keep(&events).await;
        assert_eq!(file.store.last(&all(), 10).await.unwrap().len(), 5);
    });
}

#[test]
fn refused_in_the_middle_nothing_is_kept_by_halves() {
    let events = night();
    on_each(async |on| {
        let file = on.fresh().await;
        file.keep(&[]).await;
        let mut other = file.connected().await;
        let (full, room) = match on {
            On::Sqlite => (
                "CREATE TRIGGER full_disk BEFORE INSERT ON check_result \
                 BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END",
                "DROP TRIGGER full_disk",
            ),
            On::Postgres => (
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \
                 $$ BEGIN RAISE 'database or disk is full'; END $$; \
                 CREATE TRIGGER full_disk BEFORE INSERT ON check_result \
                 EXECUTE FUNCTION refuse()",
                "DROP TRIGGER full_disk ON check_result",
            ),
        };
        sqlx::raw_sql(full).execute(&mut other).await.unwrap();
        let error = file.store.keep(&here(), &notes(&events)).await.unwrap_err();
        assert!(
            error.to_string().ends_with("database or disk is full"),
            "{error}"
        );
        assert_eq!(file.store.last(&all(), 10).await.unwrap(), []);
        sqlx::raw_sql(room).execute(&mut other).await.unwrap();
        file.keep(&events).await;
        assert_eq!(file.store.last(&all(), 10).await.unwrap().len(), 5);
    });
}
