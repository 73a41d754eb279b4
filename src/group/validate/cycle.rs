//! Circles in `needs` and `requires`.
//!
//! Input: who names whom, and where. Output: each circle once, as the names
//! along it, with the place of the name that closes it.

use std::collections::BTreeMap;
use std::ops::Range;

/// Circles that are told of one file; each takes the length of a path.
const MOST: usize = 100;

/// Names of a circle that are shown.
const SHOWN: usize = 12;

/// Who names whom, and where.
pub(super) type Edges<'a> = BTreeMap<&'a str, Vec<(&'a str, Range<usize>)>>;

/// Walks depth first, without recursion; every edge back onto the path walked
/// closes a circle. There may be circles it does not tell, but none is left
/// when those it tells have been cut, unless it tells [`MOST`].
pub(super) fn cycles<'a>(edges: &Edges<'a>) -> Vec<(Vec<&'a str>, Range<usize>)> {
    let mut found = Vec::new();
    let mut done = BTreeMap::new();
    for start in edges.keys() {
        if done.contains_key(start) {
            continue;
        }
        // The path from `start`, with how many edges of each were followed.
        let mut path = vec![(*start, 0)];
        done.insert(*start, false);
        while let Some((name, followed)) = path.last_mut() {
            let next = edges.get(name).and_then(|next| next.get(*followed));
            *followed += 1;
            let Some((next, place)) = next else {
                done.insert(*name, true);
                path.pop();
                continue;
            };
            match done.get(next) {
                None => {
                    done.insert(*next, false);
                    path.push((*next, 0));
                }
                Some(false) if found.len() >= MOST => return found,
                Some(false) => {
                    let names = path.iter().map(|(name, _)| *name);
                    let circle = names.skip_while(|name| name != next).chain([*next]);
                    found.push((circle.collect(), place.clone()));
                }
                Some(true) => {}
            }
        }
    }
    found
}

/// `a -> b -> a`, with the middle of a long circle left out.
pub(super) fn along(circle: &[&str]) -> String {
    if circle.len() <= SHOWN {
        return circle.join(" -> ");
    }
    let (first, rest) = circle.split_at(SHOWN / 2);
    let (left_out, last) = rest.split_at(rest.len() - SHOWN / 2);
    format!(
        "{} -> ({} more) -> {}",
        first.join(" -> "),
        left_out.len(),
        last.join(" -> ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(edges: &[(&str, &str)], expected: &[&str]) {
        let mut map: Edges<'_> = BTreeMap::new();
        for (index, (from, to)) in edges.iter().enumerate() {
            map.entry(from).or_default().push((to, index..index));
        }
        let found: Vec<_> = cycles(&map)
            .into_iter()
            .map(|(names, place)| format!("{} @{}", names.join(" "), place.start))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn circles() {
        check(&[], &[]);
        check(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")], &[]);
        check(&[("a", "a")], &["a a @0"]);
        check(&[("a", "b"), ("b", "a")], &["a b a @1"]);
        check(
            &[("x", "b"), ("b", "c"), ("c", "b"), ("b", "nowhere")],
            &["b c b @2"],
        );
        check(
            &[("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")],
            &["a b a @1", "c d c @3"],
        );
    }

    #[test]
    fn long_circles_are_cut_short() {
        let names: Vec<String> = (0..20).map(|number| number.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(along(&names[..3]), "0 -> 1 -> 2");
        let expected = "0 -> 1 -> 2 -> 3 -> 4 -> 5 -> (8 more) -> 14 -> 15 -> 16 -> 17 -> 18 -> 19";
        assert_eq!(along(&names), expected);
    }

    #[test]
    fn many_circles_are_told_in_part() {
        let back = vec![("a", 0..0); 1000];
        assert_eq!(cycles(&[("a", back)].into()).len(), MOST);
    }

    #[test]
    fn long_paths_do_not_overflow() {
        let names: Vec<String> = (0..100_000).map(|number| number.to_string()).collect();
        let edges = names
            .windows(2)
            .map(|pair| (pair[0].as_str(), vec![(pair[1].as_str(), 0..0)]))
            .collect();
        assert!(cycles(&edges).is_empty());
    }
}
