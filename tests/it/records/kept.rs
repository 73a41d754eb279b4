//! What is kept comes back, whoever tells it how often.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use promoter::plan::color::Color;
use promoter::plan::planner;
use promoter::plan::summary::{Difference, Summary};
use promoter::port::{Records, RecordsError};
use promoter::promotion::check::{CaseOutcome, CheckResult, Verdict};
use promoter::promotion::phase::Phase;

use super::*;
use crate::support::given::{self, tap};
use crate::support::scenario::Scenario;
use crate::support::simulate::Run;

const REPORT: &str = "TAP version 13\nok 1 - greets\nnot ok 2 - in French\n1..2";

/// All that is told of a promotion that fails.
fn failed() -> Vec<Event> {
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
    in_real_time(async {
        let place = Place::new();
        place.keep(&events).await;
        let entry = place.only().await;
        let outcome = entry.outcome.clone().unwrap();
        assert_eq!(entry.phase, Phase::Aborted);
        assert_eq!(entry.actor.name, "ann@laptop");
        assert_eq!(
            Some(&entry.promotion),
            events.last().unwrap().promotion.as_ref()
        );
        assert_eq!(outcome.promotion, entry.promotion);

        let results = place.again().results(&entry).await.unwrap();
        assert_eq!(results, [result(&events)]);
        assert_eq!(results[0].verdict, Verdict::Failed);
        let cases: Vec<_> = results[0].cases.iter().map(|case| case.outcome).collect();
        assert_eq!(cases, [CaseOutcome::Passed, CaseOutcome::Failed]);

        let kept = place.again().events(&entry).await.unwrap();
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
    in_real_time(async {
        let place = Place::new();
        place.keep(&events).await;
        let entry = place.only().await;
        let before = place.store.events(&entry).await.unwrap();
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
        place.keep(&again).await;
        assert_eq!(place.store.events(&entry).await.unwrap(), before);
        let results = place.store.results(&entry).await.unwrap();
        assert_eq!(results, [result(&events)]);
        assert_eq!(place.only().await, entry);
    });
}

#[test]
fn an_end_alone_is_a_promotion() {
    let events = failed();
    in_real_time(async {
        let place = Place::new();
        place.keep(&events[events.len() - 1..]).await;
        let entry = place.only().await;
        assert_eq!(entry.outcome.unwrap().promotion, entry.promotion);
    });
}

#[test]
fn logs_come_back_run_by_run_and_the_longer_one_stays() {
    let events = failed();
    in_real_time(async {
        let place = Place::new();
        place.keep(&events).await;
        let entry = place.only().await;
        let note = |attempt, text: &str| Note::Log {
            group: entry.group.clone(),
            promotion: entry.promotion.clone(),
            log: CheckLog {
                check: result(&events).check,
                attempt,
                text: text.to_owned(),
            },
        };
        let long = (0..100).fold(String::new(), |log, n| log + &format!("line {n}\n"));
        let notes = [note(1, "lost\n"), note(2, &long), note(2, "line 0\n")];
        place.store.keep(&notes).await.unwrap();
        let logs = place.store.logs(&entry, None).await.unwrap();
        let texts: Vec<_> = logs
            .iter()
            .map(|log| (log.attempt, log.text.as_str()))
            .collect();
        assert_eq!(texts, [(1, "lost\n"), (2, long.as_str())]);
        let other = "other".parse().unwrap();
        let logs = place.store.logs(&entry, Some(&other)).await.unwrap();
        assert_eq!(logs, []);
    });
}

#[test]
fn only_their_owner_may_read_them() {
    in_real_time(async {
        let place = Place::new();
        place.keep(&[]).await;
        let mode =
            |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(place.store.path()), 0o600);
        assert_eq!(mode(place.store.path().parent().unwrap()), 0o700);
    });
}

#[test]
fn what_is_no_database_is_said_and_left_as_it_is() {
    in_real_time(async {
        let place = Place::new();
        let path = place.folder.path().join("notes.txt");
        let text = "what a person wrote, longer than a header of a database is. ".repeat(4);
        fs::write(&path, &text).unwrap();
        let error = Store::new(path.clone()).last(None, 1).await.unwrap_err();
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
fn two_processes_may_open_a_new_file_at_once() {
    in_real_time(async {
        for _ in 0..20 {
            let place = Place::new();
            let (one, other) = (place.again(), place.again());
            let opened = tokio::join!(one.last(None, 1), other.last(None, 1));
            assert_eq!(opened, (Ok(Vec::new()), Ok(Vec::new())));
        }
    });
}

#[test]
fn of_a_plan_every_object_is_remembered_and_its_colour_is_not() {
    let group = given::rich();
    let of = |color| Summary::of(&given::plan(&group, color));
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
    let summary = Summary::of(&given::plan(&group, Color::Blue));
    let kept = serde_json::to_string(&summary).unwrap();
    assert!(kept.contains("login"), "{kept}");
    assert!(!kept.contains(secret), "{kept}");
}
