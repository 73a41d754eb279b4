//! A build server with nothing on it but buildah and the AWS command line.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Registry, Testbed, ecr, repository};

/// What tells a build of a branch, by a build server's own variables.
pub(super) struct Build {
    pub(super) variables: Vec<(&'static str, String)>,
}

/// A checkout of an app's code, with CI's files in it.
pub(super) struct Code {
    pub(super) folder: PathBuf,
    /// As the tests' support calls it.
    pub(super) app: String,
}

/// What the script did.
pub(super) struct Pushing {
    pub(super) code: i32,
    /// All that the build server shows.
    pub(super) log: String,
}

pub(super) struct BuildServer {
    /// Tells its repositories from those of other tests.
    name: &'static str,
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

    /// The same change, as what GitHub makes of a pull request.
    pub(super) fn of_pull_request(&self) -> Self {
        let mut variables = self.variables.clone();
        for (name, value) in [
            ("GITHUB_EVENT_NAME", "pull_request"),
            ("GITHUB_REF", "refs/pull/7/merge"),
            ("GITHUB_REF_NAME", "7/merge"),
        ] {
            variables.retain(|(known, _)| *known != name);
            variables.push((name, value.to_owned()));
        }
        Self { variables }
    }
}

impl Code {
    /// Changes some text of a file everywhere.
    pub(super) fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.folder.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// In ECR.
    pub(super) fn repository(&self) -> String {
        repository(&self.app)
    }

    /// Where it is at home.
    pub(super) fn source(&self) -> String {
        format!("https://github.com/{}", self.name())
    }

    fn name(&self) -> String {
        format!("acme/{}", self.app)
    }
}

impl BuildServer {
    pub(super) fn start(name: &'static str) -> Self {
        let server = Self {
            name,
            registry: Registry::start(),
            files: tempfile::tempdir().unwrap(),
        };
        let path = |name: &str| server.path(name).display().to_string();
        let storage = format!(
            "[storage]\ndriver = \"overlay\"\ngraphroot = {:?}\nrunroot = {:?}\n",
            path("storage"),
            path("run"),
        );
        fs::write(server.path("storage.conf"), storage).unwrap();
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

    /// Checks an app out, and makes its repository in ECR as Terraform does.
    pub(super) fn checkout(&self, app: &str) -> Code {
        let code = Code {
            folder: self.path(app),
            app: format!("{}/{app}", self.name),
        };
        let filters = "filterType=WILDCARD,filter=branch.*";
        let mutability = ["--image-tag-mutability", "IMMUTABLE_WITH_EXCLUSION"];
        let but = ["--image-tag-mutability-exclusion-filters", filters];
        ecr("create-repository", &code.app, &[mutability, but].concat());
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        fs::create_dir(&code.folder).unwrap();
        for file in fs::read_dir(examples.join(app)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), code.folder.join(file.file_name())).unwrap();
        }
        fs::copy(
            examples.join("ci/push-image"),
            code.folder.join("push-image"),
        )
        .unwrap();
        code
    }

    /// Does what the step of `.travis.yml` and of the workflow does.
    pub(super) fn run(&self, code: &Code, build: &Build) -> Pushing {
        let mut script = Command::new("./push-image");
        script.current_dir(&code.folder).env_clear();
        let ours = |name: &String| {
            name == "PATH" || name == "NO_PROXY" || name == "no_proxy" || name.starts_with("AWS_")
        };
        script.envs(std::env::vars().filter(|(name, _)| ours(name)));
        let path = |name: &str| self.path(name);
        script
            .env("HOME", self.files.path())
            .env("TMPDIR", self.files.path())
            .env("CONTAINERS_STORAGE_CONF", path("storage.conf"))
            .env("CONTAINERS_REGISTRIES_CONF", path("registries.conf"))
            .env("BUILDAH_ISOLATION", "chroot")
            .env("BUILDAH_LAYERS", "true")
            .env("CONTAINER_TOOL", "buildah")
            .env("https_proxy", self.registry.url())
            .env("SSL_CERT_FILE", self.registry.certificate())
            .env("ECR_REGISTRY", &Testbed::get().ecr)
            .env("ECR_REPOSITORY", code.repository())
            .env("GITHUB_REPOSITORY", code.name())
            .env("TRAVIS_REPO_SLUG", code.name())
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

    /// The same of what must be pushed.
    #[track_caller]
    pub(super) fn passes(&self, code: &Code, build: &Build) -> Pushing {
        let run = self.run(code, build);
        assert_eq!(run.code, 0, "{run}");
        run
    }

    /// All tags that the registry has.
    pub(super) fn tags(&self, code: &Code) -> String {
        self.fetch(&format!("{}/tags/list", code.repository()), &[])
    }

    /// The digest that the registry has for a tag.
    pub(super) fn digest(&self, code: &Code, tag: &str) -> String {
        let path = format!("{}/manifests/{tag}", code.repository());
        let headers = self.fetch(&path, &["--head"]);
        let headers = headers.lines().filter_map(|line| line.split_once(": "));
        let mut found =
            headers.filter(|(name, _)| name.eq_ignore_ascii_case("docker-content-digest"));
        found.next().unwrap().1.trim().to_owned()
    }

    /// How the image of a tag is run, and what it was made by.
    pub(super) fn configuration(&self, code: &Code, tag: &str) -> Value {
        let read = |path: &str| -> Value { serde_json::from_str(&self.fetch(path, &[])).unwrap() };
        let manifest = read(&format!("{}/manifests/{tag}", code.repository()));
        let digest = manifest["config"]["digest"].as_str().unwrap();
        read(&format!("{}/blobs/{digest}", code.repository()))
    }

    /// What the registry answers, without anything between.
    #[expect(clippy::unused_self, reason = "TODO")]
    fn fetch(&self, path: &str, options: &[&str]) -> String {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail", "--noproxy", "*"]);
        curl.args([
            "--header",
            "Accept: application/vnd.oci.image.manifest.v1+json",
        ]);
        let url = format!("http://{}/v2/{path}", Testbed::get().registry);
        let output = curl.args(options).arg(&url).output().unwrap();
        assert!(output.status.success(), "failed to get {url}: {output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl fmt::Display for Pushing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "push-image exited with {}\n{}---", self.code, self.log)
    }
}
