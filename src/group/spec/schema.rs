//! The keys as JSON schema, for editors.
//!
//! Input: the keys of a file. Output: a schema that takes every valid file. It
//! says what can be said key by key; what names mean to each other is for
//! `promoter validate`. Only words of draft 7 are used, which is what the
//! language servers for TOML know.

use serde_json::{Map, Value, json};

use super::keys::{Key, Keys, Kind};

/// A whole file.
pub(super) fn file(title: &str, keys: &Keys) -> Value {
    let mut schema = table(keys);
    schema["$schema"] = json!("http://json-schema.org/draft-07/schema#");
    schema["title"] = json!(title);
    schema
}

fn table(keys: &Keys) -> Value {
    let properties: Map<_, _> = keys
        .all()
        .map(|key| (key.name.to_owned(), property(key)))
        .collect();
    let required = keys.all().filter(|key| key.required);
    let required: Vec<_> = required.map(|key| key.name).collect();
    let mut schema = json!({
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn property(key: &Key) -> Value {
    let mut schema = match &key.kind {
        Kind::Text => json!({ "type": "string" }),
        // Each unit once, the larger ones first.
        Kind::Duration => json!({
            "type": "string",
            "minLength": 2,
            "pattern": "^([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$",
        }),
        Kind::Word(words) => json!({ "type": "string", "enum": words() }),
        Kind::Number(bounds) => json!({
            "type": "integer",
            "minimum": bounds.start(),
            "maximum": bounds.end(),
        }),
        Kind::TextOrAmount => json!({ "type": ["string", "number"], "exclusiveMinimum": 0 }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::Entries => json!({
            "type": "object",
            "additionalProperties": { "type": "string" },
        }),
        Kind::Free => json!({ "type": "object" }),
        Kind::Table(keys) => table(keys),
        Kind::Tables(keys) => json!({ "type": "array", "items": table(keys) }),
    };
    schema["description"] = json!(key.help);
    schema
}
