//! Numbers with their nouns.

/// `1 check`, `2 checks`.
pub(in crate::cli) fn count(n: usize, noun: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {noun}{s}")
}

/// The form of a verb that goes with that many.
pub(in crate::cli) fn verb(n: usize, one: &'static str, many: &'static str) -> &'static str {
    if n == 1 { one } else { many }
}
