//! A machine that builds images, with stand-ins for all that the script runs, and the checkout of
//! an app.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::COMMIT;

pub(super) const PASSWORD: &str = "password-of-the-registry";
pub(super) const REGISTRY: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/// What the script needs of a system.
const PROGRAMS: [&str; 9] = [
    "sh",
    "cat",
    "cut",
    "grep",
    "mktemp",
    "rm",
    "sha256sum",
    "tr",
    "env",
];

/// A container tool. It notes what it is asked, and tells an image's label as it is set.
const TOOL: &str = r#"#!/bin/sh
if [ "$1" = login ]; then
  cat >"$NOTES/password"
  echo "$DOCKER_CONFIG" "$REGISTRY_AUTH_FILE" >"$NOTES/logins"
  : >"$REGISTRY_AUTH_FILE"
fi
{ printf %s "${0##*/}"; printf ' %s' "$@"; echo; } >>"$NOTES/calls"
case $* in
  *"--target test"*) exit "${TESTS:-0}" ;;
  push*"$PUSH_FAILS"*) exit 1 ;;
  push*) [ -e "$REGISTRY_AUTH_FILE" ] && [ -n "$DOCKER_CONFIG" ] ;;
  context*) [ -z "${CONTEXT:-}" ] || exit 125; echo unix:///run/rootless/docker.sock ;;
  inspect*) echo "$LABEL" ;;
esac
"#;

/// The AWS command line: which build the branch is at, and what the build's own tag leads to.
const AWS: &str = r#"#!/bin/sh
{ printf aws; printf ' %s' "$@"; echo; } >>"$NOTES/calls"
none() { echo "An error occurred (ImageNotFoundException)" >&2; exit 254; }
case $* in
  *get-login-password*) echo "$PASSWORD" ;;
  *"$AWS_FAILS"*) echo "AccessDeniedException" >&2; exit 254 ;;
  *imageTag=branch.*) [ -n "${AT:-}" ] && printf 'branch.x\t%s\tother-99-0123456\n' "$AT" || none ;;
  *) [ -n "${LABEL:-}" ] && echo sha256:d || none ;;
esac
"#;

/// A machine with the stand-ins on it, and the checkout of an app.
pub(super) struct Machine {
    pub(super) files: TempDir,
    variables: BTreeMap<&'static str, String>,
}

pub(super) struct Run {
    pub(super) code: i32,
    /// What the script said.
    pub(super) log: String,
    /// What was asked of other programs, one in a line.
    pub(super) calls: String,
}

pub(super) fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/ci/push-image")
}

/// A build of GitHub's.
pub(super) const GITHUB: &[(&str, &str)] = &[
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_EVENT_NAME", "push"),
    ("GITHUB_REF", "refs/heads/feature/a"),
    ("GITHUB_REF_NAME", "feature/a"),
    ("GITHUB_REF_TYPE", "branch"),
    ("GITHUB_REPOSITORY", "acme/hello-a"),
    ("GITHUB_RUN_NUMBER", "12"),
    ("GITHUB_SERVER_URL", "https://github.example.com"),
    ("GITHUB_SHA", COMMIT),
];

/// The same of Travis.
pub(super) const TRAVIS: &[(&str, &str)] = &[
    ("TRAVIS", "true"),
    ("TRAVIS_BRANCH", "feature/a"),
    ("TRAVIS_BUILD_NUMBER", "12"),
    ("TRAVIS_COMMIT", COMMIT),
    ("TRAVIS_PULL_REQUEST", "false"),
    ("TRAVIS_REPO_SLUG", "acme/hello-a"),
    ("TRAVIS_TAG", ""),
];

impl Machine {
    pub(super) fn new(variables: &[(&'static str, &str)]) -> Self {
        let files = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = files.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        };
        write("bin/buildah", TOOL);
        write("bin/aws", AWS);
        write(
            "code/Dockerfile",
            "FROM a AS app\n\nfrom app as test\nRUN npm test\nFROM app\n",
        );
        let search = std::env::var_os("PATH").unwrap();
        for program in PROGRAMS {
            let folders = std::env::split_paths(&search);
            let mut found = folders.map(|folder| folder.join(program));
            let found = found.find(|path| path.exists()).unwrap();
            symlink(found, files.path().join("bin").join(program)).unwrap();
        }
        let mut machine = Self {
            files,
            variables: BTreeMap::new(),
        };
        machine.set("ECR_REGISTRY", REGISTRY);
        machine.set("AWS_FAILS", "nothing");
        machine.set("PUSH_FAILS", "nothing");
        for (name, value) in variables {
            machine.set(name, value);
        }
        machine
    }

    pub(super) fn set(&mut self, name: &'static str, value: &str) {
        self.variables.insert(name, value.to_owned());
    }

    /// Puts the same tool there by another name.
    pub(super) fn rename(&self, name: &str) {
        let bin = self.files.path().join("bin");
        fs::rename(bin.join("buildah"), bin.join(name)).unwrap();
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Run {
        let path = |name: &str| self.files.path().join(name);
        let mut sh = Command::new(path("bin/sh"));
        // As somebody does who looks for a mistake, and would show any secret.
        sh.arg("-x").arg(script()).args(arguments);
        sh.current_dir(path("code")).env_clear();
        sh.env("PATH", path("bin"))
            .env("NOTES", self.files.path())
            .env("PASSWORD", PASSWORD)
            .envs(&self.variables);
        let output = sh.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let calls = fs::read_to_string(path("calls")).unwrap_or_default();
        let log = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(!format!("{log}{calls}").contains(PASSWORD), "{log}{calls}");
        let said = log.lines().filter(|line| line.starts_with("push-image: "));
        Run {
            code: output.status.code().unwrap_or(-1),
            log: said.collect::<Vec<_>>().join("\n"),
            calls,
        }
    }
}

impl Run {
    /// Nothing but tests and builds was asked for.
    pub(super) fn pushed_nothing(&self) -> bool {
        self.calls
            .lines()
            .all(|call| call.starts_with("buildah build "))
    }
}
