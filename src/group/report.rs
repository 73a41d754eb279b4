//! How single test cases of a check are known, and in which files they are written.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// Longest path of a report.
const PATH_LIMIT: usize = 250;

/// Folders that the runtime fills; a report's own folder would hide them.
const TAKEN: [&str; 3] = ["/dev", "/proc", "/sys"];

/// The ways in which a check may report, as they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportKind {
    /// See [`Report::None`].
    None,
    /// See [`Report::Tap`].
    Tap,
    /// See [`Report::Junit`].
    Junit,
}

/// What a check says beside its exit code.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Report {
    /// Only the exit code counts.
    #[default]
    None,
    /// Test Anything Protocol on standard output.
    Tap,
    /// `JUnit` XML in files of its container.
    Junit(ReportFile),
}

impl Report {
    /// In which way that is.
    pub fn kind(&self) -> ReportKind {
        match self {
            Self::None => ReportKind::None,
            Self::Tap => ReportKind::Tap,
            Self::Junit(_) => ReportKind::Junit,
        }
    }

    /// The files it is in, where it is in files.
    pub fn file(&self) -> Option<&ReportFile> {
        match self {
            Self::None | Self::Tap => None,
            Self::Junit(file) => Some(file),
        }
    }
}

/// The path of a report in a check's container, or a pattern of the names of
/// several in one folder (`*` and `?`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReportFile(String);

impl ReportFile {
    /// Takes a path as it is written. What a shell would take for something else
    /// is refused, as one reads it.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let Some((folder, name)) = text.rsplit_once('/').filter(|_| text.starts_with('/')) else {
            return Err(format!(
                "`{text}` is not an absolute path, write one like /reports/junit.xml"
            ));
        };
        if folder.is_empty() {
            return Err(format!(
                "`{text}` lies in no folder of its own, write one like /reports/junit.xml"
            ));
        }
        if text.len() > PATH_LIMIT {
            return Err(format!(
                "the path has {} characters, at most {PATH_LIMIT} are possible",
                text.len()
            ));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || "._+@-".contains(c);
        let is_segment = |part: &str| !["", ".", ".."].contains(&part) && part.chars().all(plain);
        let is_pattern = |c: char| plain(c) || "*?".contains(c);
        let has_name = !["", ".", ".."].contains(&name) && name.chars().all(is_pattern);
        if !has_name || !folder.split('/').skip(1).all(is_segment) {
            return Err(format!(
                "`{text}` is not a path of letters, digits and `._+@-`, with `*` and `?` in the file's name only"
            ));
        }
        if TAKEN
            .iter()
            .any(|taken| Path::new(folder).starts_with(taken))
        {
            return Err(format!(
                "`{folder}` is the runtime's own, use a folder such as /reports"
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The path as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folder that the files lie in.
    pub fn folder(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// Whether it may name several files.
    pub fn is_pattern(&self) -> bool {
        self.0.contains(['*', '?'])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (good, folder, many) in [
            ("/reports/junit.xml", "/reports", false),
            (
                "/app/target/surefire-reports/TEST-*.xml",
                "/app/target/surefire-reports",
                true,
            ),
            ("/r/a?.xml", "/r", true),
            ("/home/node+@1/.out/x", "/home/node+@1/.out", false),
            ("/devices/x.xml", "/devices", false),
        ] {
            let file = ReportFile::parse(good).unwrap();
            assert_eq!((file.folder(), file.is_pattern()), (folder, many), "{good}");
        }
        for bad in [
            "",
            "/",
            "junit.xml",
            "reports/junit.xml",
            "/junit.xml",
            "/reports/",
            "/reports/..",
            "/reports/../junit.xml",
            "/reports/./junit.xml",
            "/reports//junit.xml",
            "/*/junit.xml",
            "/reports/[ab].xml",
            "/reports/a b.xml",
            "/reports/$(id).xml",
            "/reports/`id`.xml",
            "/reports/a;b.xml",
            "/reports/a'b.xml",
            "/reports/ä.xml",
            "/re:ports/a.xml",
            "/reports/a\n.xml",
            "/proc/1/junit.xml",
            "/dev/junit.xml",
            &format!("/reports/{}", "a".repeat(300)),
        ] {
            assert!(ReportFile::parse(bad).is_err(), "{bad}");
        }
    }
}
