//! Numbers with their nouns.

/// `1 check`, `2 checks`.
pub(in crate::cli) fn count(n: usize, noun: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {noun}{s}")
}
