//! Texts of others, cut to what there is room for.

/// Stands where the rest of a text was cut off.
pub const CUT: &str = "…";

/// The text itself, or as much of its start as fits into `most` bytes with a
/// mark that it was cut.
pub fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most.saturating_sub(CUT.len()));
    format!("{}{CUT}", &text[..end])
}

/// The text on one line without control characters, cut like [`cut`].
pub fn one_line(text: &str, most: usize) -> String {
    // What is far behind the cut need not be looked at; runs of blanks shrink.
    let start = &text[..text.floor_char_boundary(most.saturating_mul(4))];
    let mut line = String::with_capacity(start.len().min(most));
    for word in start.split(|c: char| c.is_whitespace() || c.is_control()) {
        if !word.is_empty() && !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if start.len() < text.len() && line.len() <= most {
        line.push_str(CUT);
    }
    cut(&line, most)
}

/// The key of a Secret's value, if a Secret may have it. `{token:secret}`, without
/// the space, is one key and no value to YAML.
pub fn shown_key(key: &str) -> &str {
    let may_be = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if key.chars().all(may_be) { key } else { "***" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_key_is_not_shown() {
        assert_eq!(shown_key("tls.crt_2-a"), "tls.crt_2-a");
        for written in ["token:hunter2", "token hunter2", "token=hunter2", "tökén"] {
            assert_eq!(shown_key(written), "***");
        }
    }

    #[test]
    fn texts_are_cut_between_characters() {
        assert_eq!(cut("äöü", 6), "äöü");
        assert_eq!(cut("äöüä", 6), "ä…");
        assert_eq!(cut("äöü", 0), "…");
        assert_eq!(one_line(" a\r\n\tb \u{7}c\n", 20), "a b c");
        assert_eq!(one_line(&"x\n".repeat(100), 9), "x x x …");
        assert_eq!(one_line(&" ".repeat(100), 9), "…");
    }
}
