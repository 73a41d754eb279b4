//! The files of a first group as texts.

use std::fmt::Write as _;

use super::{
    EnvironmentName, File, Found, GroupName, Proposed, Tests, Wish, environment_path, group_path,
};

/// What the files are written from.
pub(super) struct Writer<'a> {
    pub(super) found: &'a Found,
    pub(super) wish: &'a Wish,
    pub(super) group: &'a GroupName,
    pub(super) environment: &'a EnvironmentName,
    pub(super) branch: &'a str,
    pub(super) apps: &'a [Proposed],
    pub(super) checks: &'a [Tests],
}

impl Writer<'_> {
    pub(super) fn files(&self) -> Vec<File> {
        let environment = File {
            path: environment_path(self.environment),
            what: "where it runs".to_owned(),
            in_full: true,
            text: self.environment(),
            warning: None,
        };
        let group = File {
            path: group_path(self.group),
            what: "what it is".to_owned(),
            in_full: true,
            text: self.group(),
            warning: None,
        };
        let manifests = self.apps.iter().filter_map(|app| {
            let manifest = app.manifest.as_ref()?;
            let place = self.place();
            Some(File {
                path: format!("groups/manifests/{}.yaml", app.name),
                what: manifest.what.clone(),
                in_full: false,
                text: format!(
                    "# {} as it ran in {place}. promoter fills in the image, how many pods there are, and the colour.\n{}",
                    app.name, manifest.text
                ),
                warning: manifest.warning.clone(),
            })
        });
        [environment, group].into_iter().chain(manifests).collect()
    }

    fn place(&self) -> String {
        format!(
            "namespace {} of {}",
            self.found.namespace, self.found.context
        )
    }

    fn schema(&self, of: &str) -> String {
        if !self.wish.schemas {
            return String::new();
        }
        format!("#:schema ../schema/{of}.json\n\n")
    }

    fn environment(&self) -> String {
        let (found, registry) = (self.found, &self.found.registry);
        let untested = match self.checks {
            [] => {
                "untested  = \"allowed\"   # groups without a check: take this out once there is one\n"
            }
            _ => "",
        };
        format!(
            "{}[environment]\nname      = {}\nnamespace = {}\ncluster   = {{ context = {} }}   # of the kubeconfig\n{untested}\n\
             [registry]\naccount = {}\nregion  = {}\n",
            self.schema("environment"),
            quoted(self.environment.as_str()),
            quoted(found.namespace.as_str()),
            quoted(&found.context),
            quoted(&registry.account),
            quoted(&registry.region),
        )
    }

    fn group(&self) -> String {
        let mut text = self.schema("group");
        let from = if self.apps.iter().any(|app| app.manifest.is_some()) {
            format!("From what ran in {}", self.place())
        } else {
            format!("From the repositories of {}", self.found.registry.host)
        };
        let _ = write!(
            text,
            "# {from}. Look it through: a branch may be a guess.\n\n\
             [group]\nname        = {}\nenvironment = {}\nbranch      = {}   # for every app and check that names none\n",
            quoted(self.group.as_str()),
            quoted(self.environment.as_str()),
            quoted(self.branch),
        );
        for app in self.apps {
            self.app(&mut text, app);
        }
        for check in self.checks {
            self.check(&mut text, check);
        }
        if self.checks.is_empty() {
            text.push_str(NO_CHECK);
        }
        text
    }

    fn app(&self, text: &mut String, app: &Proposed) {
        let _ = writeln!(
            text,
            "\n[[app]]\nname       = {}",
            quoted(app.name.as_str())
        );
        let _ = writeln!(text, "repository = {}", quoted(app.repository.as_str()));
        let why = app.guessed.as_deref();
        let why = why
            .map(|why| format!("   # {}", one_line(why)))
            .unwrap_or_default();
        if app.branch != self.branch {
            let _ = writeln!(text, "branch     = {}{why}", quoted(&app.branch));
        } else if !why.is_empty() {
            let _ = writeln!(text, "# branch   = {}{why}", quoted(&app.branch));
        }
        if app.manifest.is_some() {
            let manifest = format!("manifests/{}.yaml", app.name);
            let _ = writeln!(text, "manifest   = {}", quoted(&manifest));
        }
        match (app.port, &app.manifest) {
            (Some(port), _) => {
                let _ = writeln!(text, "port       = {port}");
            }
            (None, None) => {
                text.push_str("# port     = 8080   # what it listens on: then it gets a Service of its name\n");
            }
            (None, Some(_)) => {}
        }
        match (app.replicas, &app.manifest) {
            (Some(replicas), _) => {
                let _ = writeln!(text, "replicas   = {replicas}");
            }
            (None, None) => text.push_str("# replicas = 2\n"),
            (None, Some(_)) => {}
        }
        if self.apps.len() > 1 {
            text.push_str("# needs    = []   # apps of the group that it calls: they are taken down after it\n");
        }
    }

    fn check(&self, text: &mut String, check: &Tests) {
        let _ = write!(
            text,
            "\n# Nothing is promoted unless every check passes against the candidate.\n\
             [[check]]\nname       = {}\nrepository = {}\n",
            quoted(check.name.as_str()),
            quoted(check.repository.as_str()),
        );
        if check.branch != self.branch {
            let _ = writeln!(text, "branch     = {}", quoted(&check.branch));
        }
        text.push_str(
            "# command  = [\"npm\", \"test\"]   # what the image runs, unless told\n\
             timeout    = \"10m\"\n\
             # report   = \"tap\"   # or \"junit\": shows single test cases, not just an exit code\n",
        );
    }
}

/// What a group without a check is told.
const NO_CHECK: &str = "
# Nothing tests this group yet, so whatever starts is promoted. Put your integration tests into an image, then take
# `untested` out of the environment's file and say which it is:
# [[check]]
# name       = \"tests\"
# repository = \"tests\"
";

/// A text as TOML writes it: JSON's rules are among its own.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn one_line(text: &str) -> String {
    crate::plan::text::one_line(text, 100)
}
