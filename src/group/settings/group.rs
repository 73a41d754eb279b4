//! The settings of a group file, from the nearest layer that has them.

use super::{Origin, Setting, Shown, at, is, names, word};
use crate::group::choice::BlueGreen;
use crate::group::report::ReportFile;
use crate::group::spec::{
    AppSpec, CheckSpec, DefaultsSpec, EnvironmentSpec, GroupSpec, Spanned, StrategySpec,
};
use crate::group::tag::TagPattern;
use crate::group::validate::Overrides;
use crate::group::{App, Check, CheckImage, Group, Hook, Manifest};

/// All of them; `made` is what came of `spec`, its environment and the command line.
pub fn group(
    spec: &GroupSpec,
    environment: &EnvironmentSpec,
    overrides: &Overrides,
    made: &Group,
) -> Vec<Setting> {
    let layers = Layers {
        environment,
        spec,
        overrides,
    };
    let mut settings = layers.head(made);
    settings.extend(layers.strategy(made));
    for (spec, app) in spec.apps.iter().zip(&made.apps) {
        settings.extend(layers.app(spec, app));
    }
    for (spec, check) in spec.checks.iter().zip(&made.checks) {
        let prefix = format!("check.{}", check.name);
        settings.extend(layers.job(&prefix, spec, check));
    }
    for (spec, Hook { when, job }) in spec.hooks.iter().zip(&made.hooks) {
        let prefix = format!("hook.{}", job.name);
        let from = layers.own(spec.when.as_ref());
        settings.push(Setting::new(format!("{prefix}.when"), word(*when), from));
        settings.extend(layers.job(&prefix, &spec.job, job));
    }
    settings
}

/// What can say something, the farthest first.
struct Layers<'a> {
    environment: &'a EnvironmentSpec,
    spec: &'a GroupSpec,
    overrides: &'a Overrides,
}

type Written<'a, T> = Option<&'a Spanned<T>>;

fn text(written: Written<'_, String>) -> Option<&str> {
    written.map(|written| written.get_ref().as_str())
}

impl Layers<'_> {
    /// In the group's file.
    fn own<T>(&self, written: Written<'_, T>) -> Option<Origin> {
        at(&self.spec.source, written)
    }

    /// In the group's file, or else among the environment's defaults.
    fn near<T>(&self, written: Written<'_, T>, default: Written<'_, T>) -> Option<Origin> {
        self.own(written)
            .or_else(|| at(&self.environment.source, default))
    }

    /// A text that nothing is made of but by those below.
    fn layer(
        &self,
        name: &str,
        written: Written<'_, String>,
        default: Written<'_, String>,
        built_in: Option<&str>,
    ) -> Setting {
        let value = text(written).or_else(|| text(default)).or(built_in);
        Setting::new(name, value, self.near(written, default))
    }

    fn defaults(&self) -> &DefaultsSpec {
        &self.environment.defaults
    }

    fn head(&self, made: &Group) -> Vec<Setting> {
        let defaults = self.defaults();
        let GroupSpec {
            source: _,
            place: _,
            name,
            environment,
            branch,
            tag,
            schedule,
            timezone,
            jitter,
            on_push,
            quiet_period,
            requires,
            proof,
            newest,
            strategy: _,
            apps: _,
            checks: _,
            hooks: _,
        } = self.spec;
        let required: Vec<_> = made.requires.iter().map(ToString::to_string).collect();
        let pattern = TagPattern::default();
        let (cron, zone) = (defaults.schedule.as_ref(), defaults.timezone.as_ref());
        vec![
            Setting::new("group.name", made.name.as_str(), self.own(name.as_ref())),
            Setting::new(
                "group.environment",
                made.environment.name.as_str(),
                self.own(environment.as_ref()),
            ),
            self.layer(
                "group.branch",
                branch.as_ref(),
                defaults.branch.as_ref(),
                None,
            ),
            self.layer(
                "group.tag",
                tag.as_ref(),
                defaults.tag.as_ref(),
                Some(pattern.as_str()),
            ),
            self.layer("group.schedule", schedule.as_ref(), cron, None),
            self.layer("group.timezone", timezone.as_ref(), zone, Some("UTC")),
            Setting::new(
                "group.jitter",
                Shown::from(made.triggers.jitter),
                self.near(jitter.as_ref(), defaults.jitter.as_ref()),
            ),
            Setting::new(
                "group.on_push",
                is(made.triggers.on_push),
                self.near(on_push.as_ref(), defaults.on_push.as_ref()),
            ),
            Setting::new(
                "group.quiet_period",
                Shown::from(made.triggers.quiet_period),
                self.near(quiet_period.as_ref(), defaults.quiet_period.as_ref()),
            ),
            Setting::new("group.requires", required, self.own(requires.first())),
            Setting::new(
                "group.proof",
                word(made.proof),
                self.near(proof.as_ref(), defaults.proof.as_ref()),
            ),
            Setting::new(
                "group.newest",
                word(made.newest),
                self.near(newest.as_ref(), defaults.newest.as_ref()),
            ),
        ]
    }

    fn strategy(&self, made: &Group) -> [Setting; 8] {
        let defaults = self.defaults();
        let StrategySpec {
            kind,
            keep_old,
            keep_failed,
            deploy_timeout,
            endpoint_delay,
            isolation,
            on_regression,
            parallel_checks,
        } = &self.spec.strategy;
        let strategy = &made.strategy;
        let setting =
            |name: &str, value: Shown, from| Setting::new(format!("strategy.{name}"), value, from);
        [
            setting("kind", word(BlueGreen), self.own(kind.as_ref())),
            setting(
                "keep_old",
                strategy.keep_old.into(),
                self.near(keep_old.as_ref(), defaults.keep_old.as_ref()),
            ),
            setting(
                "keep_failed",
                strategy.keep_failed.into(),
                self.own(keep_failed.as_ref()),
            ),
            setting(
                "deploy_timeout",
                strategy.deploy_timeout.into(),
                self.near(deploy_timeout.as_ref(), defaults.deploy_timeout.as_ref()),
            ),
            setting(
                "endpoint_delay",
                strategy.endpoint_delay.into(),
                self.near(endpoint_delay.as_ref(), defaults.endpoint_delay.as_ref()),
            ),
            setting(
                "isolation",
                word(strategy.isolation),
                self.near(isolation.as_ref(), defaults.isolation.as_ref()),
            ),
            setting(
                "on_regression",
                word(strategy.on_regression),
                self.own(on_regression.as_ref()),
            ),
            setting(
                "parallel_checks",
                is(strategy.parallel_checks),
                self.own(parallel_checks.as_ref()),
            ),
        ]
    }

    /// Where the branch of an app or a check is from.
    fn branch(&self, written: Written<'_, String>, app: Option<&str>) -> Option<Origin> {
        let apps = &self.overrides.app_branches;
        let forced = app.is_some_and(|app| apps.contains_key(app));
        if forced || self.overrides.branch.is_some() {
            return Some(Origin::CommandLine);
        }
        let written = written.or(self.spec.branch.as_ref());
        self.near(written, self.defaults().branch.as_ref())
    }

    fn tag(&self, written: Written<'_, String>) -> Option<Origin> {
        let written = written.or(self.spec.tag.as_ref());
        self.near(written, self.defaults().tag.as_ref())
    }

    fn app(&self, spec: &AppSpec, made: &App) -> Vec<Setting> {
        let AppSpec {
            place: _,
            name,
            repository,
            branch,
            tag,
            manifest,
            port,
            replicas,
            start,
            env,
            resources,
            needs,
            values,
        } = spec;
        let setting = |key: &str, value: Shown, from| {
            Setting::new(format!("app.{}.{key}", made.name), value, from)
        };
        let image = &made.image;
        let asked = match &made.manifest {
            Manifest::Inline(inline) => inline.resources.clone(),
            Manifest::Template(_) => None,
        };
        let calls: Vec<_> = made.needs.iter().map(ToString::to_string).collect();
        vec![
            setting("name", made.name.as_str().into(), self.own(name.as_ref())),
            setting(
                "repository",
                image.repository.as_str().into(),
                self.own(repository.as_ref()),
            ),
            setting(
                "branch",
                image.branch.as_str().into(),
                self.branch(branch.as_ref(), Some(made.name.as_str())),
            ),
            setting("tag", image.tag.as_str().into(), self.tag(tag.as_ref())),
            setting(
                "manifest",
                text(manifest.as_ref()).into(),
                self.own(manifest.as_ref()),
            ),
            setting("port", made.port.map(is).into(), self.own(port.as_ref())),
            setting(
                "replicas",
                made.replicas.map(is).into(),
                self.near(replicas.as_ref(), self.defaults().replicas.as_ref()),
            ),
            setting("start", word(made.start), self.own(start.as_ref())),
            setting("env", names(env.as_ref()), self.own(env.as_ref())),
            setting(
                "resources",
                asked.map(is).into(),
                self.own(resources.as_ref()),
            ),
            setting("needs", calls.into(), self.own(needs.first())),
            setting("values", names(values.as_ref()), self.own(values.as_ref())),
        ]
    }

    fn job(&self, prefix: &str, spec: &CheckSpec, made: &Check) -> Vec<Setting> {
        let CheckSpec {
            place: _,
            name,
            repository,
            app,
            image,
            branch,
            tag,
            command,
            env,
            timeout,
            start_timeout,
            report,
            report_file,
        } = spec;
        let setting =
            |key: &str, value: Shown, from| Setting::new(format!("{prefix}.{key}"), value, from);
        let branched = match &made.image {
            CheckImage::Branch(image) => Some(image),
            CheckImage::App(_) | CheckImage::Image(_) => None,
        };
        let run = branched.map(|image| image.branch.as_str());
        let run_from = branched.and_then(|_| self.branch(branch.as_ref(), None));
        let pattern = branched.map(|image| image.tag.as_str());
        let pattern_from = branched.and_then(|_| self.tag(tag.as_ref()));
        let words = Some(made.command.clone()).filter(|words| !words.is_empty());
        let limit = self.defaults().timeout.as_ref();
        vec![
            setting("name", made.name.as_str().into(), self.own(name.as_ref())),
            setting(
                "repository",
                text(repository.as_ref()).into(),
                self.own(repository.as_ref()),
            ),
            setting("app", text(app.as_ref()).into(), self.own(app.as_ref())),
            setting(
                "image",
                text(image.as_ref()).into(),
                self.own(image.as_ref()),
            ),
            setting("branch", run.into(), run_from),
            setting("tag", pattern.into(), pattern_from),
            setting("command", words.into(), self.own(command.first())),
            setting("env", names(env.as_ref()), self.own(env.as_ref())),
            setting(
                "timeout",
                made.timeout.into(),
                self.near(timeout.as_ref(), limit),
            ),
            setting(
                "start_timeout",
                made.start_timeout.into(),
                self.own(start_timeout.as_ref()),
            ),
            setting(
                "report",
                word(made.report.kind()),
                self.own(report.as_ref()),
            ),
            setting(
                "report_file",
                made.report.file().map(ReportFile::as_str).into(),
                self.own(report_file.as_ref()),
            ),
        ]
    }
}
