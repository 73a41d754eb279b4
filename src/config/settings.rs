//! The settings of the process, each with where it came from.
//!
//! Input: environment variables, and what the command line says. Nothing secret
//! is shown, and nobody outside is asked.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use anstream::ColorChoice;

use super::env;
use crate::adapter::github::Token;
use crate::adapter::store::{DAYS, Location};
use crate::group::github::GithubApi;
use crate::group::settings::{Origin, Setting, Shown};

/// What a variable says, unless it is empty.
pub(super) fn set(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

fn text(name: &str) -> Option<String> {
    set(name).map(|value| value.to_string_lossy().into_owned())
}

/// The first of these variables that is set.
fn first(names: &[&'static str]) -> Option<(String, Origin)> {
    let found = names.iter().find_map(|name| Some((text(name)?, *name)));
    found.map(|(value, name)| (value, Origin::Variable(name)))
}

/// Who asks.
pub(super) fn actor() -> (String, Origin) {
    let given = text(env::ACTOR).filter(|name| !name.trim().is_empty());
    if let Some(name) = given {
        return (name, Origin::Variable(env::ACTOR));
    }
    let user = whoami::username().unwrap_or_else(|_| "unknown".to_owned());
    let host = whoami::hostname().unwrap_or_else(|_| "localhost".to_owned());
    (format!("{user}@{host}"), Origin::Machine("user and host"))
}

/// Where the records are, as it is written; `None`: they are turned off, or nothing
/// says where they are to be. There may be a password in it.
pub(super) fn records() -> (Option<OsString>, Option<Origin>) {
    if let Some(written) = set(env::RECORDS) {
        let written = (written != "off").then_some(written);
        return (written, Some(Origin::Variable(env::RECORDS)));
    }
    let state = set("XDG_STATE_HOME").map(PathBuf::from);
    // What is not absolute is to be ignored, says the XDG specification.
    let state = state.filter(|folder| folder.is_absolute());
    let home = || Some(PathBuf::from(set("HOME")?).join(".local/state"));
    let (state, from) = match state {
        Some(state) => (Some(state), "XDG_STATE_HOME"),
        None => (home(), "HOME"),
    };
    let file = |state: PathBuf| {
        let file = state.join("promoter/records.db");
        (file.into_os_string(), Origin::Variable(from))
    };
    state.map(file).unzip()
}

/// Where they are, without what nobody is to see.
fn shown(records: &OsStr) -> Shown {
    match Location::parse(records) {
        Ok(Location::File(path)) => path.as_path().into(),
        Ok(Location::Server(address)) => address.to_string().into(),
        Err(_) => Shown::Hidden(vec!["set".to_owned()]),
    }
}

/// For how many days promotions are kept in the records, as it is written.
pub(super) fn records_days() -> Option<String> {
    text(env::RECORDS_DAYS)
}

/// All of them; `dir` and `color` are those of the command line.
pub fn process(dir: Option<&Path>, color: ColorChoice) -> Vec<Setting> {
    let by_variable = |dir: &Path| set(env::DIR).is_some_and(|set| set == dir.as_os_str());
    let dir_from = dir.map(|dir| {
        if by_variable(dir) {
            Origin::Variable(env::DIR)
        } else {
            Origin::CommandLine
        }
    });
    let dir = dir.unwrap_or(Path::new("."));
    let (actor, actor_from) = actor();
    let (records, records_from) = records();
    let kept = records.as_deref().map_or_else(|| "off".into(), shown);
    vec![
        Setting::new("process.directory", dir, dir_from),
        painted(color),
        variable("process.log", &[env::LOG], "off"),
        Setting::new("process.actor", actor, Some(actor_from)),
        Setting::new("process.records", kept, records_from),
        variable(
            "process.records_days",
            &[env::RECORDS_DAYS],
            &DAYS.to_string(),
        ),
        variable("aws.profile", &["AWS_PROFILE"], "default"),
        variable(
            "aws.region",
            &["AWS_REGION", "AWS_DEFAULT_REGION"],
            "that of the profile",
        ),
        variable("kubeconfig", &["KUBECONFIG"], "~/.kube/config"),
    ]
}

fn variable(name: &str, variables: &[&'static str], otherwise: &str) -> Setting {
    let (value, from) = first(variables).unzip();
    Setting::new(name, value.unwrap_or_else(|| otherwise.to_owned()), from)
}

/// `--color`, or what variables say where it leaves that open.
fn painted(color: ColorChoice) -> Setting {
    let (word, from) = match color {
        ColorChoice::Never => ("never", Some(Origin::CommandLine)),
        ColorChoice::Always | ColorChoice::AlwaysAnsi => ("always", Some(Origin::CommandLine)),
        ColorChoice::Auto if set("NO_COLOR").is_some() => {
            ("never", Some(Origin::Variable("NO_COLOR")))
        }
        ColorChoice::Auto => ("auto", None),
    };
    Setting::new("process.color", word, from)
}

/// Whether there is a token for an API, and in which variable; never the token.
pub fn github_token(api: &GithubApi) -> Setting {
    let token = Token::find(api, |name| std::env::var(name).ok());
    let value = token
        .as_ref()
        .map_or(Shown::Nothing, |_| Shown::Hidden(vec!["set".to_owned()]));
    let from = token.map(|token| Origin::Variable(token.variable()));
    Setting::new("github.token", value, from)
}
