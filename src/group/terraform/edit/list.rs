//! Changes a list of texts, and nothing else that is written between its brackets.
//!
//! What stands behind a value on its line is about that value, and goes with it.
//! Lines of comments alone stay, as they may be about all that follows.

use std::mem::take;

use toml_edit::{Array, Decor, RawString, Value};

/// What begins a line where no other one tells.
const INDENT: &str = "  ";

/// Columns that a list may take on one line.
const WIDEST: usize = 80;

/// A list of texts, each on a line of its own if they are too many for one.
pub(super) fn of(texts: &[String]) -> Array {
    let mut list: Array = texts.iter().collect();
    if list.to_string().len() > WIDEST {
        for text in list.iter_mut() {
            text.decor_mut().set_prefix(format!("\n{INDENT}"));
        }
        list.set_trailing("\n");
        list.set_trailing_comma(true);
    }
    list
}

/// Lets an array say these texts, in any order.
pub(super) fn set(array: &mut Array, texts: &[String]) {
    let is_wanted = |value: &Value| texts.iter().any(|text| value.as_str() == Some(text));
    let is_new = |text: &&String| !array.iter().any(|value| value.as_str() == Some(text));
    let new: Vec<_> = texts.iter().filter(is_new).map(Value::from).collect();
    if new.is_empty() && array.iter().all(is_wanted) {
        return;
    }
    let gaps = gaps(array);
    let mut changed = if gaps.iter().any(|gap| gap.contains('\n')) {
        over_lines(array, &gaps, is_wanted, new)
    } else {
        let kept = array.iter().filter(|value| is_wanted(value)).cloned();
        let bare = kept.map(|value| value.decorated("", ""));
        bare.chain(new).collect()
    };
    *changed.decor_mut() = array.decor().clone();
    *array = changed;
}

fn over_lines(
    array: &Array,
    gaps: &[String],
    is_wanted: impl Fn(&Value) -> bool,
    new: Vec<Value>,
) -> Array {
    // The last one ends before the bracket, which is further out.
    let before_values = gaps.iter().rev().skip(1);
    let mut indents = before_values.filter_map(|gap| Some(gap.rsplit_once('\n')?.1));
    let line = format!("\n{}", indents.next().unwrap_or(INDENT));

    let mut changed = Array::new();
    let mut put = |mut before: String, mut value: Value| {
        // No comment swallows what comes after it.
        if before
            .rsplit('\n')
            .next()
            .is_some_and(|last| last.contains('#'))
        {
            before.truncate(before.trim_end().len());
            before += &line;
        }
        *value.decor_mut() = Decor::new(before, "");
        changed.push_formatted(value);
    };
    let mut parts = gaps.iter().map(|gap| parts(gap));
    let (mut before, mut above) = parts.next().map_or((String::new(), ""), |(behind, above)| {
        (behind.to_owned(), above)
    });
    for (value, (behind, next)) in array.iter().zip(parts) {
        if is_wanted(value) {
            before += above;
            put(take(&mut before), value.clone());
            before += behind;
        } else if above.contains('#') {
            before += above.trim_end();
        }
        above = next;
    }
    for value in new {
        before += &line;
        put(take(&mut before), value);
    }
    before += if above.contains('\n') { above } else { "\n" };
    changed.set_trailing(before);
    changed.set_trailing_comma(true);
    changed
}

/// What stands before each value and after the last one, but for the commas.
fn gaps(array: &Array) -> Vec<String> {
    let text = |raw: Option<&RawString>| {
        raw.and_then(RawString::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mut gaps = Vec::new();
    let mut gap = String::new();
    for value in array {
        gap += &text(value.decor().prefix());
        gaps.push(take(&mut gap));
        gap += &text(value.decor().suffix());
    }
    gap += &text(Some(array.trailing()));
    gaps.push(gap);
    gaps
}

/// What is still of the line above, and what is of those below.
fn parts(gap: &str) -> (&str, &str) {
    gap.split_at(gap.find('\n').unwrap_or_default())
}
