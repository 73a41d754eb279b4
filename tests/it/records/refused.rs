//! What was asked for and not begun: told once, and how often.

use std::time::Duration;

use promoter::promotion::restraint::{Restraint, Statement};
use promoter::promotion::{Actor, Trigger};

use super::*;

/// That somebody asked although a group is held for that reason.
pub(super) fn refused(like: &Event, actor: &str, why: &str) -> Event {
    let hold = Restraint::Held {
        by: Statement {
            actor: "bob@desk".to_owned(),
            reason: why.to_owned(),
            at: like.at,
        },
    };
    Event {
        promotion: None,
        fact: Fact::Refused {
            actor: Actor {
                name: actor.to_owned(),
                trigger: Trigger::Cli,
            },
            release: serde_json::from_value("bluerelease000000".into()).unwrap(),
            restraints: vec![hold],
        },
        ..like.clone()
    }
}

#[test]
fn the_same_refusal_is_counted() {
    let event = super::kept::failed().swap_remove(0);
    let nightly = |night: u32| {
        let mut event = refused(&event, "schedule", "the database moves");
        event.at += Duration::from_hours(24) * night;
        event
    };
    let mut events: Vec<_> = (0..5).map(nightly).collect();
    let (first, last) = (events[0].at, events[4].at);
    events.push(refused(&event, "ann@laptop", "the database moves"));
    events.push(refused(&event, "schedule", "it is Christmas"));
    on_each(async |on| {
        let file = on.fresh().await;
        file.keep(&events).await;
        file.store
            .keep(&there("production"), &notes(&events[..1]))
            .await
            .unwrap();
        let refusals = file.store.refused(&all(), 10).await.unwrap();
        assert_eq!(refusals.len(), 4, "{refusals:#?}");
        let same = &refusals[0];
        assert_eq!((same.times, same.first_at, same.last_at), (5, first, last));
        assert_eq!(
            (same.actor.name.as_str(), &same.place),
            ("schedule", &here())
        );
        assert!(refusals[1..].iter().all(|refusal| refusal.times == 1));
        let production = Which {
            group: Some(same.group.clone()),
            place: Some(there("production")),
        };
        let of_production = file.store.refused(&production, 10).await.unwrap();
        assert_eq!(of_production.len(), 1);
        assert_eq!(file.store.refused(&all(), 1).await.unwrap(), refusals[..1]);
        // It is no promotion.
        assert_eq!(file.store.last(&all(), 10).await.unwrap(), []);
    });
}
