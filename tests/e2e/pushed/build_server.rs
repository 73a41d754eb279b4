//! A build server with nothing on it but buildah and the AWS command line.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::code::Code;
use crate::support::{Registry, Testbed};

/// What tells a build of a branch, by a build server's own variables.
#[derive(Clone)]
pub(super) struct Build {
    variables: Vec<(&'static str, String)>,
}

/// What the script did.
pub(super) struct Pushing {
    pub(super) code: i32,
    /// All that the build server shows.
    pub(super) log: String,
}

pub(super) struct BuildServer {
    /// Tells its repositories from those of other tests.
    test: &'static str,
    registry: Registry,
    files: TempDir,
}

impl Build {
    pub(super) fn github(branch: &str, number: u32, commit: &str) -> Self {
        let variables = vec![
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_EVENT_NAME", "push".to_owned()),
            ("GITHUB_REF", format!("refs/heads/{branch}")),
            ("GITHUB_REF_NAME", branch.to_owned()),
            ("GITHUB_REF_TYPE", "branch".to_owned()),
            ("GITHUB_RUN_NUMBER", number.to_string()),
            ("GITHUB_SERVER_URL", "https://github.com".to_owned()),
            ("GITHUB_SHA", commit.to_owned()),
        ];
        Self { variables }
    }

    pub(super) fn travis(branch: &str, number: u32, commit: &str) -> Self {
        let variables = vec![
            ("TRAVIS", "true".to_owned()),
            ("TRAVIS_BRANCH", branch.to_owned()),
            ("TRAVIS_BUILD_NUMBER", number.to_string()),
            ("TRAVIS_COMMIT", commit.to_owned()),
            ("TRAVIS_PULL_REQUEST", "false".to_owned()),
            ("TRAVIS_TAG", String::new()),
        ];
        Self { variables }
    }

    /// The same change, as GitHub builds it for a pull request.
    pub(super) fn of_pull_request(mut self) -> Self {
        // What is told last counts.
        self.variables.extend([
            ("GITHUB_EVENT_NAME", "pull_request".to_owned()),
            ("GITHUB_REF", "refs/pull/7/merge".to_owned()),
            ("GITHUB_REF_NAME", "7/merge".to_owned()),
        ]);
        self
    }
}

impl BuildServer {
    pub(super) fn start(test: &'static str) -> Self {
        let server = Self {
            test,
            registry: Registry::start(),
            files: tempfile::tempdir().unwrap(),
        };
        let storage = format!(
            "[storage]\ndriver = \"overlay\"\ngraphroot = \"{}\"\nrunroot = \"{}\"\n",
            server.path("storage").display(),
            server.path("run").display(),
        );
        fs::write(server.path("storage.conf"), storage).unwrap();
        // Base images come from the testbed; ECR is what it is anywhere.
        let registries = format!(
            "unqualified-search-registries = [\"docker.io\"]\nshort-name-mode = \"permissive\"\n\n\
             [[registry]]\nprefix = \"docker.io\"\nlocation = \"{}/docker.io\"\ninsecure = true\n",
            Testbed::get().registry,
        );
        fs::write(server.path("registries.conf"), registries).unwrap();
        server
    }

    fn path(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// Checks an app out.
    pub(super) fn checkout(&self, app: &str) -> Code {
        Code::check_out(app, self.test, self.files.path())
    }

    /// Does what the step of `.travis.yml` and of the workflow does.
    pub(super) fn run(&self, code: &Code, build: &Build) -> Pushing {
        let mut script = Command::new("./push-image");
        script.current_dir(&code.folder).env_clear();
        let ours = |name: &str| {
            ["PATH", "NO_PROXY", "no_proxy"].contains(&name) || name.starts_with("AWS_")
        };
        script.envs(std::env::vars().filter(|(name, _)| ours(name)));
        script
            .env("HOME", self.files.path())
            .env("TMPDIR", self.files.path())
            .env("CONTAINERS_STORAGE_CONF", self.path("storage.conf"))
            .env("CONTAINERS_REGISTRIES_CONF", self.path("registries.conf"))
            .env("BUILDAH_ISOLATION", "chroot")
            .env("CONTAINER_TOOL", "buildah")
            .env("https_proxy", self.registry.url())
            .env("SSL_CERT_FILE", self.registry.certificate())
            .env("ECR_REGISTRY", &Testbed::get().ecr)
            .env("ECR_REPOSITORY", code.repository())
            .env("GITHUB_REPOSITORY", code.home())
            .env("TRAVIS_REPO_SLUG", code.home())
            .envs(build.variables.iter().map(|(name, value)| (name, value)));
        let output = script.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let log = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(!log.contains(&Registry::password()), "{log}");
        Pushing {
            code: output.status.code().unwrap_or(-1),
            log,
        }
    }

    /// The same of a build that must pass.
    #[track_caller]
    pub(super) fn passes(&self, code: &Code, build: &Build) -> Pushing {
        let run = self.run(code, build);
        assert_eq!(run.code, 0, "{run}");
        run
    }
}

impl Drop for BuildServer {
    /// What buildah mounted there stays mounted, whoever removes the folder.
    fn drop(&mut self) {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let places = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        let ours = places.filter(|place| Path::new(place).starts_with(self.files.path()));
        // Those inside of others come last.
        for place in ours.collect::<Vec<_>>().into_iter().rev() {
            let _ = Command::new("umount").arg(place).status();
        }
    }
}

impl fmt::Display for Pushing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "push-image exited with {}\n{}---", self.code, self.log)
    }
}
