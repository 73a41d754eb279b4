//! Makes buildah's layer cache heed the values of build arguments.
//!
//! buildah 1.28, as Debian ships it, takes a cached layer for the right one
//! whatever the arguments were: a second build then carries the first one's
//! version. It does tell layers apart by the names of arguments. So an argument
//! that is named by a hash of all values is declared before each of the file's
//! own: what comes before the first of them stays cached, the rest only for the
//! same values. The image itself is none the different.

use crate::registry::digest;

/// As much of the hash as keeps two sets of values apart.
const LENGTH: usize = 16;

/// The Dockerfile with such an argument.
pub(crate) fn with_argument_values(dockerfile: &str, arguments: &[String]) -> String {
    let hash = digest(arguments.join("\n").as_bytes());
    let hash = hash
        .trim_start_matches("sha256:")
        .get(..LENGTH)
        .unwrap_or_default();
    let mut text = String::new();
    let mut continued = false;
    for line in dockerfile.lines() {
        let word = line.split_whitespace().next().unwrap_or_default();
        if !continued && word.eq_ignore_ascii_case("arg") {
            text.push_str("ARG argument_values_");
            text.push_str(hash);
            // Only arguments that have a value are told apart.
            text.push_str("=1\n");
        }
        // A comment between the lines of an instruction does not end it.
        continued = line.trim_end().ends_with('\\') || (continued && word.starts_with('#'));
        text.push_str(line);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_argument_is_preceded_by_one_that_is_named_by_the_values() {
        let file = "FROM a\nCOPY . .\narg V=1\nRUN x \\\n  # why\n  ARG y\n";
        let one = with_argument_values(file, &["V=1".to_owned()]);
        let lines: Vec<_> = one.lines().collect();
        assert!(lines[2].starts_with("ARG argument_values_"), "{one}");
        assert_eq!(lines[2].len(), "ARG argument_values_=1".len() + LENGTH);
        assert_eq!(
            lines.len(),
            7,
            "nothing is put inside an instruction: {one}"
        );
        assert_ne!(one, with_argument_values(file, &["V=2".to_owned()]));
    }

    #[test]
    fn a_file_without_arguments_stays_as_it_is() {
        assert_eq!(
            with_argument_values("FROM a\nCMD b", &["V=1".to_owned()]),
            "FROM a\nCMD b\n"
        );
    }
}
