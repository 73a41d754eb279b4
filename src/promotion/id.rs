//! The identity of a promotion.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Digits of the identity, in order of value, none easily taken for another.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Start of the count of seconds: 2026-01-01T00:00:00Z.
const EPOCH: i64 = 1_767_225_600;

/// Eight characters that fit into names and labels and sort by time: six of
/// the second it began, two of chance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PromotionId(String);

impl PromotionId {
    /// The identity of a promotion begun `now`; `chance` tells apart those of one second.
    pub fn new(now: Timestamp, chance: u16) -> Self {
        let seconds = u64::try_from(now.as_second() - EPOCH).unwrap_or(0);
        let mut number = (seconds << 10) | u64::from(chance & 0x3ff);
        let mut digits = [b'0'; 8];
        for digit in digits.iter_mut().rev() {
            *digit = DIGITS[usize::try_from(number & 31).unwrap_or(0)];
            number >>= 5;
        }
        Self(digits.iter().map(|&digit| char::from(digit)).collect())
    }
}

impl PromotionId {
    /// An identity as it was written into a label; `None`: that is none.
    pub fn parse(text: &str) -> Option<Self> {
        let is_id = text.len() == 8 && text.bytes().all(|byte| DIGITS.contains(&byte));
        is_id.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for PromotionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for PromotionId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_by_time() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let earlier = PromotionId::new(at("2026-11-21T09:00:00Z"), 1023);
        let later = PromotionId::new(at("2026-11-21T09:00:01Z"), 0);
        assert!(earlier < later);
        assert_eq!(earlier.as_ref().len(), 8);
    }
}
