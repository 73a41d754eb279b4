//! The names of groups, apps, checks, environments and namespaces.
//!
//! Input: text from a file, the command line or the cluster. Output: a newtype
//! that every object name made from it fits into. A name is never repaired or
//! cut here: what does not fit is refused, so that two names never become one.

use thiserror::Error;

/// Longest name that leaves room for a colour: `<name>-green` is a label of at most 63
/// characters.
pub const COLORED: usize = 63 - "-green".len();

/// Most characters that a group's and a check's name may have together: their
/// Job is called `<group>-<check>-<10 characters>`, within 63.
pub const GROUP_AND_CHECK: usize = 63 - 10 - 2;

/// Why a text cannot be a name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{}` cannot be {what}: {fault}", shorten(text))]
pub struct NameError {
    what: &'static str,
    text: String,
    fault: Fault,
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
enum Fault {
    #[error("it is empty")]
    Empty,
    #[error("it has {length} characters, at most {most} are possible")]
    TooLong { length: usize, most: usize },
    #[error("`{0}` is not a lower-case letter, a digit or `-`")]
    Character(char),
    #[error("it must start with a lower-case letter{or_digit}, not with `{first}`")]
    Start { first: char, or_digit: &'static str },
    #[error("it must end with a lower-case letter or a digit, not with `-`")]
    End,
}

/// What one kind of name allows.
struct Rule {
    what: &'static str,
    most: usize,
    /// Kubernetes Services must start with a letter (RFC 1035); other names
    /// may start with a digit as well (RFC 1123).
    digit_first: bool,
}

impl Rule {
    fn check(&self, text: &str) -> Result<(), NameError> {
        self.fault(text).map_or(Ok(()), |fault| {
            Err(NameError {
                what: self.what,
                text: text.to_owned(),
                fault,
            })
        })
    }

    fn fault(&self, text: &str) -> Option<Fault> {
        let Some(first) = text.chars().next() else {
            return Some(Fault::Empty);
        };
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if let Some(other) = text.chars().find(|c| !allowed(*c)) {
            return Some(Fault::Character(other));
        }
        if first == '-' || (first.is_ascii_digit() && !self.digit_first) {
            let or_digit = if self.digit_first { " or a digit" } else { "" };
            return Some(Fault::Start { first, or_digit });
        }
        if text.ends_with('-') {
            return Some(Fault::End);
        }
        (text.len() > self.most).then_some(Fault::TooLong {
            length: text.len(),
            most: self.most,
        })
    }
}

/// Keeps a message readable when a whole page was pasted as a name.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Declares a newtype over `String` that only `parse` can make.
///
/// `$check` is a `fn(&str) -> Result<(), $error>`; all of the type's values
/// have passed it, those read by serde as well.
macro_rules! text_newtype {
    ($(#[$meta:meta])* $name:ident, $error:ty, $check:expr) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is, or says why it cannot be taken.
            pub fn parse(text: &str) -> Result<Self, $error> {
                let check: fn(&str) -> Result<(), $error> = $check;
                check(text).map(|()| Self(text.to_owned()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $error;
            fn from_str(text: &str) -> Result<Self, $error> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = $error;
            fn try_from(text: String) -> Result<Self, $error> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}
pub(super) use text_newtype;

macro_rules! name {
    ($(#[$meta:meta])* $name:ident = $rule:expr) => {
        text_newtype! { $(#[$meta])* $name, NameError, |text| {
            const RULE: Rule = $rule;
            RULE.check(text)
        } }
    };
}

name! {
    /// A group's name: at most 40 characters, and at most
    /// [`GROUP_AND_CHECK`] together with each of its checks' names.
    GroupName = Rule { what: "a group's name", most: 40, digit_first: true }
}
name! {
    /// An app's name: starts with a letter, at most 57 characters.
    AppName = Rule { what: "an app's name", most: COLORED, digit_first: false }
}
name! {
    /// A check's name: at most 40 characters; see [`GroupName`].
    CheckName = Rule { what: "a check's name", most: 40, digit_first: true }
}
name! {
    /// An environment's name: at most 63 characters.
    EnvironmentName = Rule { what: "an environment's name", most: 63, digit_first: true }
}
name! {
    /// A Kubernetes namespace: at most 63 characters.
    Namespace = Rule { what: "a namespace", most: 63, digit_first: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_app(text: &str, expected: &str) {
        let found = match AppName::parse(text) {
            Ok(name) => format!("ok {name}"),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn app_names() {
        check_app("hello-a", "ok hello-a");
        check_app("", "`` cannot be an app's name: it is empty");
        check_app(
            "Hello",
            "`Hello` cannot be an app's name: `H` is not a lower-case letter, a digit or `-`",
        );
        check_app(
            "2hello",
            "`2hello` cannot be an app's name: it must start with a lower-case letter, not with `2`",
        );
        check_app(
            "-hello",
            "`-hello` cannot be an app's name: it must start with a lower-case letter, not with `-`",
        );
        check_app(
            "hello-",
            "`hello-` cannot be an app's name: it must end with a lower-case letter or a digit, not with `-`",
        );
        check_app(
            "héllo",
            "`héllo` cannot be an app's name: `é` is not a lower-case letter, a digit or `-`",
        );
    }

    #[test]
    fn longest_names() {
        let text = "a".repeat(64);
        assert!(AppName::parse(&text[..57]).is_ok());
        assert!(AppName::parse(&text[..58]).is_err());
        assert!(GroupName::parse(&text[..40]).is_ok());
        assert!(GroupName::parse(&text[..41]).is_err());
        assert!(CheckName::parse(&text[..40]).is_ok());
        assert!(CheckName::parse(&text[..41]).is_err());
        assert!(Namespace::parse(&text[..63]).is_ok());
        assert!(Namespace::parse(&text).is_err());
        assert!(EnvironmentName::parse("2").is_ok());
    }

    #[test]
    fn a_long_name_does_not_fill_the_message() {
        let error = AppName::parse(&"é".repeat(100_000))
            .unwrap_err()
            .to_string();
        assert!(error.len() < 400, "{error}");
    }

    #[test]
    fn serde_validates() {
        let name: AppName = serde_json::from_str("\"hello\"").unwrap();
        assert_eq!(serde_json::to_string(&name).unwrap(), "\"hello\"");
        assert!(serde_json::from_str::<AppName>("\"Hello\"").is_err());
    }
}
