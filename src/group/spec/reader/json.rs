//! Turns TOML values into JSON, for manifest templates and `resources`.
//!
//! Input: a value of the document. Output: the same in JSON, or what JSON
//! cannot say and where. Dates and times become text.

use std::ops::Range;

use serde_json::{Number, Value};
use toml::Spanned;
use toml::de::DeValue;

/// Converts a value and all within it.
pub(super) fn from_toml(value: &Spanned<DeValue<'_>>) -> Result<Value, (Range<usize>, String)> {
    let fault = |text: &str| (value.span(), text.to_owned());
    Ok(match value.get_ref() {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(written) => {
            let number = i64::from_str_radix(written.as_str(), written.radix());
            Value::from(number.map_err(|_| fault("the number is too large"))?)
        }
        DeValue::Float(written) => {
            let number = written.as_str().parse().ok().and_then(Number::from_f64);
            Value::Number(number.ok_or_else(|| fault("JSON has no such number"))?)
        }
        DeValue::Boolean(flag) => Value::from(*flag),
        DeValue::Datetime(datetime) => Value::from(datetime.to_string()),
        DeValue::Array(items) => items.iter().map(from_toml).collect::<Result<_, _>>()?,
        DeValue::Table(table) => {
            let entry = |(key, value): (&Spanned<std::borrow::Cow<'_, str>>, _)| {
                Ok((key.get_ref().clone().into_owned(), from_toml(value)?))
            };
            Value::Object(table.iter().map(entry).collect::<Result<_, _>>()?)
        }
    })
}
