//! What promoter was called by: its own name, or kubectl, as a plugin.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::LazyLock;

/// What people type, in usage lines and hints.
static NAME: LazyLock<&'static str> = LazyLock::new(|| by(std::env::args_os().next().as_deref()));

/// What people type.
pub(super) fn name() -> &'static str {
    *NAME
}

/// What people typed to start a program of this path. kubectl takes whatever is
/// called `kubectl-<name>` for a plugin.
fn by(program: Option<&OsStr>) -> &'static str {
    let stem = program.and_then(|program| Path::new(program).file_stem());
    if stem.is_some_and(|stem| stem == "kubectl-promoter") {
        "kubectl promoter"
    } else {
        "promoter"
    }
}

/// A text of ours, with the commands in it as people type them.
pub(super) fn said(text: &str) -> Cow<'_, str> {
    as_called(name(), text)
}

fn as_called<'a>(name: &str, text: &'a str) -> Cow<'a, str> {
    if name == "promoter" {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.replace("`promoter ", &format!("`{name} ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_of_the_plugin_s_name_is_the_plugin() {
        let by = |program: &str| by(Some(OsStr::new(program)));
        assert_eq!(by("/usr/local/bin/kubectl-promoter"), "kubectl promoter");
        assert_eq!(by("kubectl-promoter"), "kubectl promoter");
        assert_eq!(by("./target/debug/promoter"), "promoter");
        assert_eq!(by("kubectl-promoters"), "promoter");
        assert_eq!(super::by(None), "promoter");
    }

    #[test]
    fn hints_name_the_command_as_it_was_called() {
        let hint = "`promoter install` makes it; promoter needs it";
        assert_eq!(as_called("promoter", hint), hint);
        assert_eq!(
            as_called("kubectl promoter", hint),
            "`kubectl promoter install` makes it; promoter needs it"
        );
    }
}
