//! How much a plan may be.
//!
//! Whoever may write Secrets and records in one namespace says what is read there, and
//! must not be able to fill the memory of a daemon that promotes elsewhere, too. What is
//! too much is refused before it is written, and before it is taken apart.

/// Most bytes of a plan as text: so much has room for a group of hundreds of apps.
pub(super) const LARGEST: u64 = 16 * 1024 * 1024;
/// Most values in it, as each takes much more memory than its text.
const MOST_VALUES: usize = 500_000;

/// Says what is too much about a plan in JSON.
pub(super) fn check(json: &str) -> Result<(), String> {
    if json.len() as u64 > LARGEST {
        return Err("it is larger than 16 MiB: make several groups of it".to_owned());
    }
    if values(json) > MOST_VALUES {
        return Err(format!(
            "it has more than {MOST_VALUES} values: make several groups of it"
        ));
    }
    Ok(())
}

/// About how many values a text in JSON has.
fn values(json: &str) -> usize {
    let (mut values, mut is_text, mut is_escaped) = (1, false, false);
    for byte in json.bytes() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_text,
            b'"' => is_text = !is_text,
            b',' | b'[' | b'{' if !is_text => values += 1,
            _ => {}
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_count_once_whatever_is_in_them() {
        assert_eq!(values(r#"{"a":[0,0],"b":"x,[{\",","c":"\\","d":1}"#), 7);
    }

    #[test]
    fn what_is_too_much_is_told() {
        let zeros = |number| format!("[{}0]", "0,".repeat(number));
        assert_eq!(check(&zeros(1000)), Ok(()));
        let many = check(&zeros(MOST_VALUES)).unwrap_err();
        assert!(many.contains("500000 values"), "{many}");
        let text = "x".repeat(usize::try_from(LARGEST).unwrap());
        let large = check(&format!("\"{text}\"")).unwrap_err();
        assert!(large.contains("16 MiB"), "{large}");
    }
}
