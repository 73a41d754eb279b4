//! The schemas that editors are given: those of the reader, and true of files.
//!
//! `promoter schema group > schema/group.json` (and `environment`) writes them
//! anew once a key was added.

use std::path::Path;

use promoter::group::spec::{EnvironmentSpec, GroupSpec};
use regex_lite::Regex;
use serde_json::Value;

/// What a schema has against a value, of the words that promoter's schemas use.
fn faults(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let schema = schema.as_object().unwrap();
    let mut fault = |what: String| found.push(format!("{at}: {what}"));
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        other => panic!("no type {other}"),
    };
    let text = value.as_str().unwrap_or_default();
    for (word, says) in schema {
        match word.as_str() {
            "$schema" | "title" | "description" => assert!(says.is_string()),
            "type" if says.as_str().is_some_and(is) => {}
            "type"
                if says
                    .as_array()
                    .into_iter()
                    .flatten()
                    .any(|one| is(one.as_str().unwrap())) => {}
            "type" => return fault(format!("is no {says}")),
            "enum" if says.as_array().unwrap().contains(value) => {}
            "enum" => fault(format!("is none of {says}")),
            "minimum" if value.as_i64() >= says.as_i64() => {}
            "maximum" if value.as_i64() <= says.as_i64() => {}
            "exclusiveMinimum" if value.as_f64().is_none_or(|n| n > says.as_f64().unwrap()) => {}
            "minLength" if text.len() as u64 >= says.as_u64().unwrap() => {}
            "pattern" if Regex::new(says.as_str().unwrap()).unwrap().is_match(text) => {}
            "minimum" | "exclusiveMinimum" | "maximum" | "minLength" | "pattern" => {
                fault(format!("{word} is {says}"));
            }
            "required" => {
                let keys = says.as_array().unwrap().iter();
                let missing = keys.filter(|key| value.get(key.as_str().unwrap()).is_none());
                missing.for_each(|key| fault(format!("{key} is missing")));
            }
            "items" | "properties" | "additionalProperties" => {}
            other => panic!("this check does not know the word {other}"),
        }
    }
    for (n, item) in value.as_array().into_iter().flatten().enumerate() {
        faults(&schema["items"], item, &format!("{at}[{n}]"), found);
    }
    let known = schema.get("properties");
    for (key, value) in value.as_object().into_iter().flatten() {
        let at = format!("{at}.{key}");
        let own = known.and_then(|known| known.get(key));
        match own.or_else(|| schema.get("additionalProperties")) {
            Some(Value::Bool(false)) => found.push(format!("{at}: is not known")),
            Some(schema) => faults(schema, value, &at, found),
            None => {}
        }
    }
}

/// What a schema has against a file.
pub(crate) fn against(schema: &Value, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let value = toml::from_str(text).unwrap();
    faults(schema, &value, "", &mut found);
    found
}

/// All TOML files of a folder, with their texts.
fn files(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.extension().is_some_and(|end| end == "toml"));
    files
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}

#[test]
fn the_schemas_are_those_of_the_reader() {
    for (name, schema) in [
        ("group", GroupSpec::schema()),
        ("environment", EnvironmentSpec::schema()),
    ] {
        let path = format!("schema/{name}.json");
        let committed = std::fs::read_to_string(&path).unwrap();
        assert!(
            committed == format!("{schema:#}\n"),
            "{path} is out of date: promoter schema {name} > {path}"
        );
    }
}

#[test]
fn valid_files_are_taken() {
    for (folder, schema) in [
        ("groups", GroupSpec::schema()),
        ("environments", EnvironmentSpec::schema()),
    ] {
        let samples = format!("tests/it/fixtures/groups/valid/{folder}");
        let texts = [files(folder), files(&samples)].concat();
        assert!(texts.len() >= 4, "{folder}");
        for text in texts {
            assert!(against(&schema, &text).is_empty(), "{text}");
        }
    }
}

#[test]
fn examples_name_their_schema() {
    for (folder, name) in [("groups", "group"), ("environments", "environment")] {
        for text in files(folder) {
            let line = text.lines().next().unwrap();
            let path = line.strip_prefix("#:schema ").unwrap();
            assert_eq!(path, format!("../schema/{name}.json"));
            assert!(Path::new(folder).join(path).exists());
        }
    }
}

#[test]
fn slips_are_told() {
    let group = |text: &str| against(&GroupSpec::schema(), text).join("; ");
    let environment = |text: &str| against(&EnvironmentSpec::schema(), text).join("; ");
    let head = "[group]\nname = 'g'\nenvironment = 'v2'\n";
    assert_eq!(group(head), "");
    assert_eq!(
        group("[group]\nname = 'g'"),
        r#".group: "environment" is missing"#
    );
    assert_eq!(
        group(&format!("{head}brnach = 'm'")),
        ".group.brnach: is not known"
    );
    assert_eq!(
        group(&format!(
            "{head}newest = 'last'\n[strategy]\nkeep_old = '1.5h'"
        )),
        r#".group.newest: is none of ["pushed","build","moving-tag"]; .strategy.keep_old: pattern is "^([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$""#
    );
    assert_eq!(
        group(&format!("{head}[[app]]\nport = 70000\nenv = {{ A = 1 }}")),
        r#".app[0]: "name" is missing; .app[0].env.A: is no "string"; .app[0].port: maximum is 65535"#
    );
    assert_eq!(
        group(&format!(
            "{head}[[hook]]\nname = 'm'\nwhen = 'before-switch'\nreports = 'tap'"
        )),
        ".hook[0].reports: is not known"
    );
    assert_eq!(
        environment(
            "[environment]\nname = 'v2'\nnamespace = 'v2'\n[environment.cluster]\nin-cluster = 1"
        ),
        r#".environment.cluster.in-cluster: is no "boolean""#
    );
}
