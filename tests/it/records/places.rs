//! Groups of one name in several places: what happened in one is not told of another.

use super::*;

fn of_place(place: PlaceName) -> Which {
    Which {
        group: None,
        place: Some(place),
    }
}

#[test]
fn one_group_in_two_places_is_two() {
    let events = super::night::night();
    on_each(async |on| {
        let file = on.fresh().await;
        file.keep(&events).await;
        let only_here = file.store.last(&all(), 20).await.unwrap();
        let place = there("production");
        file.store.keep(&place, &notes(&events)).await.unwrap();
        assert_eq!(file.store.last(&all(), 20).await.unwrap().len(), 10);
        let of_here = file.store.last(&of_place(here()), 20).await.unwrap();
        assert_eq!(of_here, only_here);
        let moved = file.store.last(&of_place(place.clone()), 20).await.unwrap();
        assert_eq!(moved.len(), 5);
        for (entry, same) in moved.iter().zip(&of_here) {
            let expected = Entry {
                place: place.clone(),
                ..same.clone()
            };
            assert_eq!(*entry, expected);
            let found = file.store.of(&entry.promotion).await.unwrap();
            assert_eq!(found.len(), 2);
            assert!(found.contains(entry) && found.contains(same));
            let told = file.store.events(entry).await.unwrap();
            assert_eq!(told, file.store.events(same).await.unwrap());
        }
    });
}

#[test]
fn what_passed_elsewhere_did_not_pass_here() {
    let events = super::night::night();
    on_each(async |on| {
        let file = on.fresh().await;
        file.keep(&events).await;
        let entries = file.store.last(&all(), 20).await.unwrap();
        let (passed, later) = entries.split_last().unwrap();
        // There, nothing has passed yet.
        let place = there("production");
        let since = events.iter().filter(|event| {
            let promotion = event.promotion.as_ref();
            promotion.is_some_and(|promotion| *promotion != passed.promotion)
        });
        let since: Vec<_> = since.cloned().collect();
        file.store.keep(&place, &notes(&since)).await.unwrap();
        for entry in later {
            let before = file.store.passed_before(entry).await.unwrap();
            assert_eq!(before.as_ref(), Some(passed));
            let there = Entry {
                place: place.clone(),
                ..entry.clone()
            };
            assert_eq!(file.store.passed_before(&there).await, Ok(None));
        }
    });
}
