//! Texts that wait to be kept, and are kept, in little memory and little room.

use std::fmt;
use std::io::{self, BufWriter, IntoInnerError, Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::Serialize;

/// A text, compressed with gzip.
#[derive(Clone, PartialEq, Eq)]
pub struct Packed(Vec<u8>);

impl Packed {
    /// Packs a text.
    ///
    /// # Errors
    /// None that is known: memory takes what is written to it.
    pub fn text(text: &str) -> io::Result<Self> {
        Self::written(|out| out.write_all(text.as_bytes()))
    }

    /// Packs a structure as JSON, which is never there as a whole.
    ///
    /// # Errors
    /// It cannot be JSON.
    pub fn json<T: Serialize>(value: &T) -> io::Result<Self> {
        Self::written(|out| Ok(serde_json::to_writer(out, value)?))
    }

    /// What was packed before.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// As it is stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text, or the JSON.
    ///
    /// # Errors
    /// The bytes are damaged.
    pub fn unpack(&self) -> io::Result<String> {
        let mut text = String::new();
        GzDecoder::new(self.as_bytes()).read_to_string(&mut text)?;
        Ok(text)
    }

    /// JSON comes in the smallest pieces, which are gathered.
    fn written(
        write: impl FnOnce(&mut BufWriter<GzEncoder<Vec<u8>>>) -> io::Result<()>,
    ) -> io::Result<Self> {
        let encoder = GzEncoder::new(Vec::new(), Compression::default());
        let mut out = BufWriter::new(encoder);
        write(&mut out)?;
        let encoder = out.into_inner().map_err(IntoInnerError::into_error)?;
        encoder.finish().map(Self)
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        let text = "ok 1 - greets\n".repeat(1000);
        let packed = Packed::text(&text).unwrap();
        assert!(packed.as_bytes().len() < text.len() / 20);
        assert_eq!(packed.unpack().unwrap(), text);
        let half = packed.as_bytes()[..packed.as_bytes().len() / 2].to_vec();
        assert!(Packed::from_bytes(half).unpack().is_err());
        let json = serde_json::to_string(&text).unwrap();
        assert_eq!(Packed::json(&text).unwrap().unpack().unwrap(), json);
    }
}
