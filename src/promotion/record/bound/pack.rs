//! The parts of a checkpoint that nobody reads: of every app its name and the
//! uid of its Deployment, of every check its run and the uid of its Job, which are
//! compressed, and of every result which promotion and plan it is of, which are
//! left out where that is this one. For a hundred apps it is more than a record
//! may have.

use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Map, Value};
use thiserror::Error;

/// What is packed.
const PARTS: [&str; 5] = ["tested", "raising", "attempts", "runs", "early"];

/// What is left out of a result that is of the checkpoint's own, and where the
/// checkpoint has it.
const OWN: [(&str, &str); 2] = [("promotion", "id"), ("plan", "plan")];

/// Where it is then.
const PACKED: &str = "packed";

/// Why a stored record says nothing.
#[derive(Debug, Error)]
pub enum Unreadable {
    /// It is not what any promoter wrote.
    #[error(transparent)]
    Shape(#[from] serde_json::Error),
    /// Its packed part is damaged.
    #[error("failed to unpack its checkpoint")]
    Packed(#[source] std::io::Error),
}

/// Packs a checkpoint's parts.
pub(super) fn pack(checkpoint: &mut Value) -> serde_json::Result<()> {
    let Some(fields) = checkpoint.as_object_mut() else {
        return Ok(());
    };
    for (of_result, own) in OWN {
        let own = fields.get(own).cloned();
        for result in results(fields) {
            if result.get(of_result) == own.as_ref() {
                result.remove(of_result);
            }
        }
    }
    let parts = PARTS.into_iter();
    let parts = parts.filter_map(|part| Some((part.to_owned(), fields.remove(part)?)));
    let parts: Map<_, _> = parts.collect();
    if !parts.is_empty() {
        let text = serde_json::to_vec(&parts)?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let written = encoder.write_all(&text).and_then(|()| encoder.finish());
        let packed = written.map_err(serde_json::Error::io)?;
        fields.insert(PACKED.to_owned(), STANDARD.encode(packed).into());
    }
    Ok(())
}

/// Puts the parts back.
pub(super) fn unpack(checkpoint: &mut Value) -> Result<(), Unreadable> {
    let Some(fields) = checkpoint.as_object_mut() else {
        return Ok(());
    };
    for (of_result, own) in OWN {
        let own = fields.get(own).cloned().unwrap_or_default();
        for result in results(fields) {
            result.entry(of_result).or_insert_with(|| own.clone());
        }
    }
    let Some(packed) = fields.remove(PACKED) else {
        return Ok(());
    };
    let bytes = STANDARD.decode(packed.as_str().unwrap_or_default());
    let bytes = bytes.map_err(|error| Unreadable::Packed(std::io::Error::other(error)))?;
    let mut text = Vec::new();
    let read = GzDecoder::new(bytes.as_slice()).read_to_end(&mut text);
    read.map_err(Unreadable::Packed)?;
    fields.extend(serde_json::from_slice::<Map<String, Value>>(&text)?);
    Ok(())
}

fn results(fields: &mut Map<String, Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    let results = fields.get_mut("results").and_then(Value::as_array_mut);
    results
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
}
