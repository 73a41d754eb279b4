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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::view::sample::{fits, plain};

    fn sample() -> Vec<Setting> {
        let file = |path: &str, line| Origin::File {
            path: path.to_owned(),
            line,
        };
        let hidden = Shown::Hidden(vec!["LOG".to_owned(), "TOKEN".to_owned()]);
        vec![
            Setting::new(
                "strategy.keep_old",
                "10s",
                Some(file("environments/v2.toml", 24)),
            ),
            Setting::new("app.hello-a.branch", "typed", Some(Origin::CommandLine)),
            Setting::new(
                "app.hello-a.env",
                hidden,
                Some(file("groups/master.toml", 9)),
            ),
            Setting::new("app.hello-a.port", Shown::Nothing, None),
            Setting::new("strategy.parallel_checks", Shown::Is(16.into()), None),
            Setting::new(
                "process.actor",
                "ada",
                Some(Origin::Variable("PROMOTER_ACTOR")),
            ),
        ]
    }

    #[test]
    fn each_in_a_row() {
        insta::assert_snapshot!(plain(&rendered(&sample(), 100)), @r#"
    SETTING                   VALUE                   FROM
    strategy.keep_old         10s                     environments/v2.toml:24
    app.hello-a.branch        typed                   command line
    app.hello-a.env           LOG, TOKEN (not shown)  groups/master.toml:9
    app.hello-a.port          -                       not set
    strategy.parallel_checks  16                      built-in
    process.actor             ada                     PROMOTER_ACTOR
    "#);
    }

    #[test]
    fn a_narrow_terminal() {
        fits(|columns| rendered(&sample(), columns));
        insta::assert_snapshot!(plain(&rendered(&sample()[..3], 40)), @r#"
    SETTING  strategy.keep_old
    VALUE    10s
    FROM     environments/v2.toml:24

    SETTING  app.hello-a.branch
    VALUE    typed
    FROM     command line

    SETTING  app.hello-a.env
    VALUE    LOG, TOKEN (not shown)
    FROM     groups/master.toml:9
    "#);
    }

    #[test]
    fn for_programs() {
        insta::assert_snapshot!(settings_json(&sample()), @r#"[{"from":{"kind":"file","line":24,"path":"environments/v2.toml"},"name":"strategy.keep_old","value":"10s"},{"from":{"kind":"command-line"},"name":"app.hello-a.branch","value":"typed"},{"from":{"kind":"file","line":9,"path":"groups/master.toml"},"hidden":["LOG","TOKEN"],"name":"app.hello-a.env"},{"from":{"kind":"unset"},"name":"app.hello-a.port","value":null},{"from":{"kind":"built-in"},"name":"strategy.parallel_checks","value":16},{"from":{"kind":"variable","name":"PROMOTER_ACTOR"},"name":"process.actor","value":"ada"}]"#);
    }
}
