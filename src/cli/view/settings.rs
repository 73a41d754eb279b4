//! Settings with their values and who says them.

use serde_json::{Value, json};

use super::line::{BOLD, DIM, PLAIN};
use super::table::Table;
use super::terminal;
use crate::group::settings::{Origin, Setting, Shown};

/// A row each, in the order given.
pub fn settings(settings: &[Setting]) -> String {
    rendered(settings, terminal::width())
}

fn rendered(settings: &[Setting], columns: usize) -> String {
    let mut table = Table::new(&["SETTING", "VALUE", "FROM"]);
    for Setting { name, value, from } in settings {
        let (style, value) = match value {
            Shown::Nothing => (DIM, "-".to_owned()),
            Shown::Is(Value::String(text)) => (PLAIN, text.clone()),
            Shown::Is(value) => (PLAIN, value.to_string()),
            Shown::Hidden(names) => (PLAIN, format!("{} (not shown)", names.join(", "))),
        };
        let from_style = match from {
            Origin::Unset | Origin::BuiltIn => DIM,
            _ => PLAIN,
        };
        table.row(vec![
            (BOLD, name.clone()),
            (style, value),
            (from_style, from.to_string()),
        ]);
    }
    table.render(columns)
}

/// For programs: a list of `name`, `value` (null where there is none), `hidden`
/// (the names of values that may be secret, in place of `value`) and `from`:
/// `kind` (`file`, `built-in`, `command-line`, `variable`, `machine`, `unset`)
/// and what says more of it. Keys stay as they are; new ones may come.
pub fn settings_json(settings: &[Setting]) -> Value {
    let of = |Setting { name, value, from }: &Setting| {
        let mut setting = json!({ "name": name, "from": origin(from) });
        match value {
            Shown::Nothing => setting["value"] = Value::Null,
            Shown::Is(value) => setting["value"] = value.clone(),
            Shown::Hidden(names) => setting["hidden"] = json!(names),
        }
        setting
    };
    settings.iter().map(of).collect()
}

fn origin(from: &Origin) -> Value {
    match from {
        Origin::Unset => json!({ "kind": "unset" }),
        Origin::BuiltIn => json!({ "kind": "built-in" }),
        Origin::File { path, line } => json!({ "kind": "file", "path": path, "line": line }),
        Origin::CommandLine => json!({ "kind": "command-line" }),
        Origin::Variable(name) => json!({ "kind": "variable", "name": name }),
        Origin::Machine(what) => json!({ "kind": "machine", "what": what }),
    }
}
