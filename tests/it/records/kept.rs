//! What is kept comes back, whoever tells it how often.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use promoter::plan::color::Color;
use promoter::plan::summary::{Difference, Summarized, Summary};
use promoter::plan::{Plan, planner};
use promoter::port::{Records, RecordsError};
use promoter::promotion::check::{CaseOutcome, CheckResult, TestCase, Verdict};
use promoter::promotion::phase::Phase;

use super::*;
use crate::support::given::{self, tap};
use crate::support::scenario::Scenario;
use crate::support::simulate::Run;

const REPORT: &str = "TAP version 13\nok 1 - greets\nnot ok 2 - in French\n1..2";

/// All that is told of a promotion that fails.
pub(super) fn failed() -> Vec<Event> {
    in_virtual_time(async {
        let mut group = given::hello();
        group.checks = vec![tap("greets")];
        let scenario = Scenario::new(group);
        scenario.world.run("greets", Run::exits(1).writes(REPORT));
        scenario.abort().await;
        scenario.events.events()
    })
}

fn result(events: &[Event]) -> CheckResult {
    let mut results = events.iter().filter_map(|event| match &event.fact {
        Fact::CheckEnded { result } => Some(result.clone()),
        _ => None,
    });
    results.next().unwrap()
}

#[test]
fn a_promotion_is_found_again_with_all_that_happened() {
    let events = failed();
    on_each(async |on| {
        let file = on.fresh().await;
        file.keep(&events).await;
        let entry = file.only().await;
        let outcome = entry.outcome.clone().unwrap();
        assert_eq!(entry.phase, Phase::Aborted);
        assert_eq!(entry.actor.name, "ann@laptop");
        assert_eq!(
            Some(&entry.promotion),
            events.last().unwrap().promotion.as_ref()
        );
        assert_eq!(outcome.promotion, entry.promotion);

        let results = file.again().results(&entry).await.unwrap();
        assert_eq!(results, [result(&events)]);
        assert_eq!(results[0].verdict, Verdict::Failed);
        let cases: Vec<_> = results[0].cases.iter().map(|case| case.outcome).collect();
        assert_eq!(cases, [CaseOutcome::Passed, CaseOutcome::Failed]);

        let kept = file.again().events(&entry).await.unwrap();
        let of_promotion = |event: &&Event| event.promotion.as_ref() == Some(&entry.promotion);
        let told: Vec<_> = events.iter().filter(of_promotion).collect();
        assert_eq!(kept.len(), told.len());
        for (kept, told) in kept.iter().zip(told) {
            assert_eq!(
                std::mem::discriminant(&kept.fact),
                std::mem::discriminant(&told.fact)
            );
            assert_eq!(kept.at, told.at);
        }
    });
}

#[test]
fn what_is_told_once_more_is_kept_once_and_as_it_was() {
    let events = failed();
    on_each(async |on| {
        let file = on.fresh().await;
        file.keep(&events).await;
        let entry = file.only().await;
        let before = file.store.events(&entry).await.unwrap();
        // Who takes over knows less of a result than who heard it.
        let mut short = result(&events);
        short.keep_failed(0);
        let again = events.iter().filter(|event| event.fact.once().is_some());
        let again: Vec<_> = again
            .cloned()
            .map(|mut event| {
                if let Fact::CheckEnded { result } = &mut event.fact {
                    result.clone_from(&short);
                }
                event
            })
            .collect();
        assert!(again.len() >= 3, "{again:?}");
        file.keep(&again).await;
        assert_eq!(file.store.events(&entry).await.unwrap(), before);
        let results = file.store.results(&entry).await.unwrap();
        assert_eq!(results, [result(&events)]);
        assert_eq!(file.only().await, entry);
    });
}

#[test]
fn of_many_test_cases_each_comes_back_whatever_it_is_called() {
    let mut events = failed();
    for event in &mut events {
        if let Fact::CheckEnded { result } = &mut event.fact {
            let case = result.cases[0].clone();
            result.cases = (0..120)
                .map(|number| TestCase {
                    name: format!("{number} \0"),
                    diagnostic: Some("a zero\0byte".to_owned()),
                    ..case.clone()
                })
                .collect();
        }
    }
    on_each(async |on| {
        let file = on.fresh().await;
        file.keep(&events).await;
        let entry = file.only().await;
        let results = file.store.results(&entry).await.unwrap();
        let cases = &results[0].cases;
        assert_eq!(cases.len(), 120);
        for (number, case) in cases.iter().enumerate() {
            assert_eq!(case.name, format!("{number} \u{FFFD}"));
            let diagnostic = case.diagnostic.as_deref();
            assert_eq!(diagnostic, Some("a zero\u{FFFD}byte"));
        }
    });
}

#[test]
fn an_end_alone_is_a_promotion() {
    let events = failed();
    on_each(async |on| {
        let file = on.fresh().await;
        file.keep(&events[events.len() - 1..]).await;
        let entry = file.only().await;
        assert_eq!(entry.outcome.unwrap().promotion, entry.promotion);
    });
}

#[test]
fn an_end_that_is_heard_of_first_changes_nothing() {
    let events = failed();
    let (end, before) = events.split_last().unwrap();
    on_each(async |on| {
        let in_order = on.fresh().await;
        in_order.keep(&events).await;
        let entry = in_order.only().await;
        // The cluster tells when it ended, which is no later than what came before.
        let mut end = end.clone();
        end.at = entry.started_at;
        let file = on.fresh().await;
        file.keep(&[end.clone()]).await;
        file.keep(before).await;
        assert_eq!(file.only().await, entry);
        let mut expected = in_order.store.events(&entry).await.unwrap();
        *expected.last_mut().unwrap() = end;
        assert_eq!(file.store.events(&entry).await.unwrap(), expected);
        let results = file.store.results(&entry).await.unwrap();
        assert_eq!(results, [result(&events)]);
    });
}

#[test]
fn what_two_processes_tell_at_once_is_put_in_its_order() {
    let events = failed();
    let (one, other): (Vec<_>, Vec<_>) = {
        let numbered = events.iter().cloned().enumerate();
        let (one, other): (Vec<_>, Vec<_>) = numbered.partition(|(n, _)| n % 2 == 0);
        let bare = |events: Vec<(_, Event)>| events.into_iter().map(|(_, event)| event).collect();
        (bare(one), bare(other))
    };
    on_each(async |on| {
        let file = on.fresh().await;
        file.keep(&other).await;
        file.keep(&one).await;
        let entry = file.only().await;
        let kept = file.store.events(&entry).await.unwrap();
        assert!(kept.is_sorted_by_key(|event| event.at), "{kept:#?}");
        assert!(matches!(kept[0].fact, Fact::Started { .. }), "{kept:#?}");
        let last = &kept.last().unwrap().fact;
        assert!(matches!(last, Fact::Finished { .. }), "{kept:#?}");
    });
}

#[test]
fn logs_come_back_run_by_run_and_the_longer_one_stays() {
    let events = failed();
    on_each(async |on| {
        let file = on.fresh().await;
        file.keep(&events).await;
        let entry = file.only().await;
        let note = |attempt, text: &str| {
            let check = result(&events).check;
            Note::Log {
                group: entry.group.clone(),
                promotion: entry.promotion.clone(),
                run: LoggedRun { check, attempt },
                at: entry.started_at,
                text: Packed::text(text).unwrap(),
            }
        };
        let long = (0..100).fold(String::new(), |log, n| log + &format!("line {n}\n"));
        let notes = [note(1, "lost\n"), note(2, &long), note(2, "line 0\n")];
        file.store.keep(&here(), &notes).await.unwrap();
        let runs = file.store.logged(&entry, None).await.unwrap();
        let attempts: Vec<_> = runs.iter().map(|run| run.attempt).collect();
        assert_eq!(attempts, [1, 2]);
        for (run, text) in runs.iter().zip(["lost\n", &long]) {
            let kept = file.store.log(&entry, run).await.unwrap();
            assert_eq!(kept.as_deref(), Some(text));
        }
        let other = "other".parse().unwrap();
        let runs = file.store.logged(&entry, Some(&other)).await.unwrap();
        assert_eq!(runs, []);
        let never = LoggedRun {
            check: other,
            attempt: 1,
        };
        assert_eq!(file.store.log(&entry, &never).await, Ok(None));
    });
}

#[test]
fn only_their_owner_may_read_them() {
    in_real_time(async {
        let file = On::Sqlite.fresh().await;
        file.keep(&[]).await;
        let mode =
            |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let path = file.store.location().file().unwrap();
        assert_eq!(mode(path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    });
}

#[test]
fn what_is_no_database_is_said_and_left_as_it_is() {
    in_real_time(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        let text = "what a person wrote, longer than a header of a database is. ".repeat(4);
        fs::write(&path, &text).unwrap();
        let error = store(&path).last(&all(), 1).await.unwrap_err();
        assert!(
            matches!(error, RecordsError::Failed { action: "open", .. }),
            "{error:?}"
        );
        assert!(
            error.to_string().contains("file is not a database"),
            "{error}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    });
}

#[test]
fn a_file_may_have_any_name() {
    in_real_time(async {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "a b.db",
            "100%41?mode=ro#x.db",
            ":memory:",
            "ä.db",
            "a/../b/./c.db",
        ] {
            let path = folder.path().join(name);
            store(&path).keep(&here(), &[]).await.unwrap();
            assert!(path.is_file(), "{name}");
        }
    });
}

#[test]
fn two_processes_may_open_new_records_at_once() {
    on_each(async |on| {
        for _ in 0..10 {
            let file = on.fresh().await;
            let (one, other) = (file.again(), file.again());
            let all = all();
            let opened = tokio::join!(one.last(&all, 1), other.last(&all, 1));
            assert_eq!(opened, (Ok(Vec::new()), Ok(Vec::new())));
        }
    });
}

/// What is remembered of a plan.
fn summary(plan: &Plan) -> Summary {
    let json = serde_json::to_string(&Summarized::from(plan)).unwrap();
    serde_json::from_str(&json).unwrap()
}

#[test]
fn of_a_plan_every_object_is_remembered_and_its_colour_is_not() {
    let group = given::rich();
    let of = |color| summary(&given::plan(&group, color));
    let (blue, green) = (of(Color::Blue), of(Color::Green));
    assert_eq!(blue.objects, green.objects);
    assert_eq!(blue.checks, green.checks);
    let plan = given::plan(&group, Color::Blue);
    let made_of_services = plan.services().count();
    let all: usize = plan
        .apps
        .iter()
        .map(|app| planner::objects(app).count())
        .sum();
    assert_eq!(blue.objects.len(), all - made_of_services);
    let service = &blue.objects["v1 Service hello-a"];
    assert!(service.contains("promoter.dev/role: active"), "{service}");
    assert!(Difference::between(&blue, &green).is_none());
}

#[test]
fn no_secret_is_remembered() {
    let secret = "aHVudGVyMg==";
    let manifest = format!(
        "kind: Secret\nmetadata:\n  name: login\n  annotations:\n    \
         kubectl.kubernetes.io/last-applied-configuration: '{{\"data\":\"{secret}\"}}'\n\
         apiVersion: v1\ndata: {{password: {secret}}}\n"
    );
    let group = given::web(&given::manifest("web", &manifest));
    let plan = given::plan(&group, Color::Blue);
    let kept = serde_json::to_string(&Summarized::from(&plan)).unwrap();
    assert!(kept.contains("login"), "{kept}");
    assert!(!kept.contains(secret), "{kept}");
}
