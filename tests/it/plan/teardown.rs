//! Callers go before callees, whatever the picture.

use std::collections::BTreeSet;
use std::time::Duration;

use promoter::group::name::AppName;
use promoter::plan::Plan;
use promoter::plan::color::Color;
use proptest::prelude::*;

use crate::support::given::{self, app, check, manifest, templated};

fn name(n: usize) -> String {
    format!("app-{n}")
}

/// Apps 0.., of which each needs those listed for it.
fn plan(needs: &[Vec<usize>]) -> Plan {
    let apps = needs.iter().enumerate().map(|(n, needs)| {
        let mut app = app(&name(n));
        app.needs = needs
            .iter()
            .map(|m| AppName::parse(&name(*m)).unwrap())
            .collect();
        app
    });
    given::plan(
        &given::group(apps.collect(), vec![check("greets")]),
        Color::Blue,
    )
}

fn order(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let number = |app: &AppName| app.as_str()["app-".len()..].parse().unwrap();
    let levels = plan(needs).teardown_order();
    levels
        .iter()
        .map(|level| level.iter().map(number).collect())
        .collect()
}

/// What each app needs, and the levels that come of it.
type Picture<'a> = (&'a [Vec<usize>], &'a [&'a [usize]]);

#[test]
fn pictures() {
    let table: [Picture<'_>; 5] = [
        (&[vec![]], &[&[0]]),
        (&[vec![1], vec![2], vec![]], &[&[0], &[1], &[2]]),
        (&[vec![], vec![0], vec![0]], &[&[1, 2], &[0]]),
        // A diamond, with one that nobody knows.
        (
            &[vec![1, 2], vec![3], vec![3], vec![], vec![]],
            &[&[0, 4], &[1, 2], &[3]],
        ),
        // Validation refuses it; were it read from elsewhere, it would end.
        (&[vec![1], vec![0], vec![1]], &[&[2], &[0, 1]]),
    ];
    for (needs, expected) in table {
        assert_eq!(order(needs), expected, "{needs:?}");
    }
}

#[test]
fn without_needs_those_with_an_entrance_go_first() {
    let text = manifest("outside", "").replace(
        "  selector: {app: outside}\n  ports",
        "  type: NodePort\n  selector: {app: outside}\n  ports",
    );
    let apps = vec![app("inside"), templated("outside", &text)];
    let plan = given::plan(&given::group(apps, vec![check("greets")]), Color::Blue);
    let order = plan.teardown_order();
    let order: Vec<Vec<&str>> = order
        .iter()
        .map(|level| level.iter().map(AppName::as_str).collect())
        .collect();
    assert_eq!(order, [["outside"], ["inside"]]);
}

#[test]
fn pods_have_their_grace_one_level_after_the_other() {
    let text = manifest("slow", "").replace(
        "    spec:\n",
        "    spec:\n      terminationGracePeriodSeconds: 120\n",
    );
    let mut slow = templated("slow", &text);
    slow.needs = vec![AppName::parse("callee").unwrap()];
    let apps = vec![slow, app("beside"), app("callee")];
    let plan = given::plan(&given::group(apps, vec![check("greets")]), Color::Blue);
    assert_eq!(plan.teardown_time(), Duration::from_secs(120 + 30));
}

proptest! {
    #![proptest_config(given::cases(100))]

    /// Each app once, and every caller on an earlier level than what it calls.
    #[test]
    fn callers_first(edges in prop::collection::btree_set((0..7_usize, 0..7_usize), 0..15)) {
        let mut needs = vec![Vec::new(); 7];
        for (caller, callee) in edges {
            if caller < callee {
                needs[caller].push(callee);
            }
        }
        let order = order(&needs);
        let all: Vec<usize> = order.iter().flatten().copied().collect();
        prop_assert_eq!(all.len(), 7);
        prop_assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 7);
        let level = |app: usize| order.iter().position(|level| level.contains(&app)).unwrap();
        for (caller, callees) in needs.iter().enumerate() {
            for callee in callees {
                prop_assert!(level(caller) < level(*callee), "{caller} calls {callee}: {order:?}");
            }
        }
    }
}
