//! What in an object looks like a secret that everybody could read.
//!
//! Input: an object. Output: the fields, as `env DB_PASS` or `args --token`, never what
//! is in them. It goes by names, and by values that look like a login. It would rather
//! name one too many: a secret that is committed is one no more.

use serde_json::{Map, Value};

use crate::plan::object::Object;

/// Words of a name that holds a secret.
const WORDS: [&str; 16] = [
    "auth",
    "authorization",
    "cookie",
    "cred",
    "creds",
    "dsn",
    "jwt",
    "key",
    "keys",
    "passcode",
    "passphrase",
    "private",
    "pw",
    "salt",
    "sas",
    "signature",
];

/// Parts of such words, as people write several as one.
const PARTS: [&str; 6] = [
    "apikey",
    "credential",
    "passw",
    "secret",
    "token",
    "accesskey",
];

/// How such words end otherwise.
const ENDS: [&str; 2] = ["pass", "pwd"];

/// Last words of names whose values only say where something is.
const PLACES: [&str; 5] = ["dir", "directory", "file", "folder", "path"];

/// Maps whose keys are names that somebody chose for a value.
const NAMED: [&str; 2] = ["annotations", "volumeAttributes"];

/// The fields that look like secrets, each once.
pub(super) fn fields(object: &Object) -> Vec<String> {
    let mut found = Vec::new();
    walk("", &object.0, &mut found);
    let mut once: Vec<String> = Vec::new();
    for field in found {
        if !once.contains(&field) {
            once.push(field);
        }
    }
    once
}

/// Looks at what is in the field `key`.
fn walk(key: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            if let Some((name, value)) = variable(map) {
                pair(key, name, value, found);
                return;
            }
            for (name, value) in map {
                match value {
                    Value::String(text) if NAMED.contains(&key) => pair(key, name, text, found),
                    value => walk(name, value, found),
                }
            }
        }
        Value::Array(list) => {
            let texts = list.iter().filter_map(Value::as_str);
            words(key, &texts.collect::<Vec<_>>().join(" "), found);
            for item in list.iter().filter(|item| !item.is_string()) {
                walk(key, item, found);
            }
        }
        Value::String(text) if has_login(text) => found.push(key.to_owned()),
        _ => {}
    }
}

/// A name with a value of its own, as of a variable or a header.
fn variable(map: &Map<String, Value>) -> Option<(&str, &str)> {
    Some((map.get("name")?.as_str()?, map.get("value")?.as_str()?))
}

fn pair(key: &str, name: &str, value: &str, found: &mut Vec<String>) {
    let named = is_telling(name) && is_secret(value);
    let assigned = value
        .split(SEPARATORS)
        .filter_map(|word| word.split_once('='));
    let assigned =
        assigned.filter(|(name, value)| is_telling(name_at_end(name)) && is_secret(value));
    if named || has_login(value) || assigned.count() > 0 {
        found.push(format!("{key} {name}"));
    }
}

/// What parts the settings in a text, as of a connection.
const SEPARATORS: [char; 6] = [' ', '\n', '\t', ';', '&', ','];

/// Arguments: `--password=…`, `--password …`, `PASSWORD=…` of a script.
fn words(key: &str, text: &str, found: &mut Vec<String>) {
    if has_login(text) {
        found.push(key.to_owned());
    }
    let mut words = text
        .split(SEPARATORS)
        .filter(|word| !word.is_empty())
        .peekable();
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None if word.starts_with('-') => (
                word,
                words.peek().copied().filter(|next| !next.starts_with('-')),
            ),
            None => continue,
        };
        let name = name_at_end(name);
        if is_telling(name) && value.is_some_and(is_secret) {
            found.push(format!("{key} {name}"));
        }
    }
}

/// `password` of `postgres://db?password`: what is before it may be a secret itself.
fn name_at_end(text: &str) -> &str {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let rest = text.trim_end_matches(is_part);
    &text[rest.len()..]
}

/// Whether a name is one of a secret.
fn is_telling(name: &str) -> bool {
    let words = words_of(name);
    if words
        .last()
        .is_some_and(|last| PLACES.contains(&last.as_str()))
    {
        return false;
    }
    words.iter().any(|word| {
        WORDS.contains(&word.as_str())
            || PARTS.iter().any(|part| word.contains(part))
            || ENDS.iter().any(|end| word.ends_with(end))
    })
}

/// `api`, `key` of `API_KEY`, `api-key` and `apiKey`, in small letters.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_small = false;
    for c in name.chars() {
        let begins = !c.is_ascii_alphanumeric() || (was_small && c.is_ascii_uppercase());
        if begins {
            words.push(String::new());
        }
        was_small = c.is_ascii_lowercase();
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether it is a value, not a reference to one (`$(TOKEN)`) or a switch.
fn is_secret(value: &str) -> bool {
    let value = value.trim_matches(['"', '\'', '=']);
    !value.is_empty() && !value.starts_with('$') && !matches!(value, "true" | "false")
}

/// Whether a text has a private key, or a password before an `@`.
fn has_login(text: &str) -> bool {
    let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'');
    let has_password = |text: &str| {
        let authority = text.split(ends).next().unwrap_or_default();
        let login = authority.rsplit_once('@');
        let login = login.filter(|(_, host)| !host.starts_with("sha256:"));
        let password = login.and_then(|(login, _)| login.split_once(':'));
        password.is_some_and(|(_, password)| is_secret(password))
    };
    let mut urls = text.split("://").skip(1);
    text.contains("PRIVATE KEY-----")
        || urls.any(has_password)
        || text.split_whitespace().any(has_password)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(container: &Value) -> Vec<String> {
        let spec = json!({ "template": { "spec": { "containers": [container] } } });
        fields(&Object(json!({ "kind": "Deployment", "spec": spec })))
    }

    fn variable(name: &str, value: &str) -> Vec<String> {
        of(&json!({ "env": [{ "name": name, "value": value }] }))
    }

    #[test]
    fn variables_by_name_and_by_value() {
        let names = [
            "DB_PASS",
            "API_KEY",
            "MYSQL_PWD",
            "AWS_ACCESS_KEY_ID",
            "PGPASSWORD",
            "apiToken",
            "SMTPPASS",
            "CLIENT_SECRET",
            "GOOGLE_CREDENTIALS",
            "SENTRY_DSN",
        ];
        for name in names {
            assert_eq!(variable(name, "hunter2"), [format!("env {name}")]);
            assert!(variable(name, "").is_empty());
            assert!(variable(name, "$(ELSEWHERE)").is_empty());
        }
        let values = [
            "postgres://shop:hunter2@db/shop",
            "redis://:hunter2@cache:6379",
            "shop:hunter2@tcp(db)/shop",
            "Server=db;Pwd=hunter2",
            "http://db/?password=hunter2",
            "-----BEGIN PRIVATE KEY-----",
        ];
        for value in values {
            assert_eq!(
                variable("DATABASE_URL", value),
                ["env DATABASE_URL"],
                "{value}"
            );
        }
        let harmless = [
            ("DATABASE_URL", "postgres://db:5432/shop"),
            ("MONKEY", "x"),
            ("AUTHOR", "ada"),
            ("TOKEN_FILE", "/run/token"),
            ("IMAGE", "web:1@sha256:00"),
            ("MAIL", "ada@example.org"),
            ("URL", "http://u:$(PASSWORD)@db"),
        ];
        for (name, value) in harmless {
            assert!(variable(name, value).is_empty(), "{name}={value}");
        }
    }

    #[test]
    fn arguments_annotations_and_all_else() {
        let args = |args: &[&str]| of(&json!({ "args": args }));
        assert_eq!(
            args(&["--port=80", "--db-password=hunter2"]),
            ["args --db-password"]
        );
        assert_eq!(
            args(&["--token", "hunter2", "--token", "again"]),
            ["args --token"]
        );
        assert_eq!(
            args(&["http://a:hunter2@b/?token=hunter3"]),
            ["args", "args token"]
        );
        assert!(args(&["--token", "--verbose", "--key-file", "/k"]).is_empty());
        let script = json!({ "command": ["sh", "-c", "PGPASSWORD='hunter2' exec web"] });
        assert_eq!(of(&script), ["command PGPASSWORD"]);
        let header = json!({ "name": "Authorization", "value": "Bearer hunter2" });
        let probe = json!({ "readinessProbe": { "httpGet": { "httpHeaders": [header] } } });
        assert_eq!(of(&probe), ["httpHeaders Authorization"]);
        let annotations = json!({ "prometheus.io/port": "80", "example.org/api-key": "hunter2" });
        let object = Object(json!({ "metadata": { "annotations": annotations } }));
        assert_eq!(fields(&object), ["annotations example.org/api-key"]);
        let reference = json!({ "name": "TOKEN", "valueFrom": { "secretKeyRef": { "name": "api", "key": "token" } } });
        assert!(of(&json!({ "env": [reference] })).is_empty());
    }
}
