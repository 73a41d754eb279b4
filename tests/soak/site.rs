//! The group that is promoted over and over: two releases of it, a build that its check refuses,
//! and users who call it all the time.

use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::support::{Check, Folder, GroupFile, Load, Promoter, get, name, push, until};

/// The group of every test here.
pub(crate) const GROUP: &str = "master";
/// Branches of both apps that take turns.
const RELEASES: [&str; 2] = ["master", "next"];
/// A branch of hello-b that the check refuses.
const BROKEN: &str = "broken";

/// What the check of the examples does, for less work.
const GREETS: &str = "sleep 1; exec node -e \"fetch('http://hello-a/').then((answer) => answer.json())\
    .then((a) => process.exit(a['hello-b'].message === 'Hello World' ? 0 : 1))\"";

/// Where the moments come from at which something is killed: `SOAK_SEED` repeats those of
/// another run.
pub(crate) fn seed() -> u64 {
    let seed = std::env::var("SOAK_SEED").ok();
    let seed = seed.map_or_else(rand::random, |seed| seed.parse().unwrap());
    println!("SOAK_SEED={seed}");
    seed
}

/// The group, where it runs, and its users.
pub(crate) struct Site {
    pub(crate) folder: Folder,
    pub(crate) load: Load,
    group: GroupFile,
    /// The branch that serves.
    serving: &'static str,
}

impl Site {
    /// Promotes the first release and lets users in: so many, each with a request every so often.
    /// `change` makes of the example group what the test is about.
    pub(crate) fn open(
        test: &str,
        users: usize,
        every: Duration,
        change: impl FnOnce(&mut GroupFile),
    ) -> Self {
        let folder = Folder::new(test);
        push_releases();
        let mut group = folder.hello(GROUP);
        group.apps.iter_mut().for_each(|app| app.replicas = 2);
        change(&mut group);
        folder.open(&group);
        let load = Load::start(folder.node_port, users, every);
        Self {
            folder,
            load,
            group,
            serving: RELEASES[0],
        }
    }

    /// The same with a pod of each app, a check that takes little, and 40 requests a second:
    /// for what is promoted and killed over and over.
    pub(crate) fn open_small(test: &str, change: impl FnOnce(&mut GroupFile)) -> Self {
        const USERS: usize = 4;
        const EVERY: Duration = Duration::from_millis(100);
        Self::open(test, USERS, EVERY, |group| {
            group.apps.iter_mut().for_each(|app| app.replicas = 1);
            group.checks = vec![Check::script("greets", GREETS)];
            change(group);
        })
    }

    /// `promoter deploy` of the release that does not serve.
    pub(crate) fn deploy_next(&self) -> Promoter {
        let [a, b] = ["hello-a", "hello-b"].map(|app| format!("{app}={}", self.next()));
        self.deploy(&["--branch", &a, "--branch", &b])
    }

    /// `promoter deploy` of what serves with a hello-b that the check refuses.
    pub(crate) fn deploy_broken(&self) -> Promoter {
        let [a, b] = [("hello-a", self.serving), ("hello-b", BROKEN)]
            .map(|(app, branch)| format!("{app}={branch}"));
        self.deploy(&["--branch", &a, "--branch", &b])
    }

    fn deploy(&self, branches: &[&str]) -> Promoter {
        let command = ["deploy", GROUP, "--force", "--output", "json"];
        self.folder.promoter([&command[..], branches].concat())
    }

    /// The branch that does not serve.
    fn next(&self) -> &'static str {
        let [first, second] = RELEASES;
        if self.serving == first { second } else { first }
    }

    /// Writes a group file with new images of the release that does not serve, or a new
    /// hello-b that the check refuses beside what serves. Whoever watches it promotes that.
    pub(crate) fn write_next(&mut self, passing: bool) {
        let [a, b] = if passing {
            RELEASES.map(|_| self.next())
        } else {
            [self.serving, BROKEN]
        };
        // All of it is there before anybody looks.
        if passing {
            push("hello-a", a, &[]);
            push("hello-b", b, &[]);
        } else {
            push_broken();
        }
        self.group.app("hello-a").branch = Some(a.to_owned());
        self.group.app("hello-b").branch = Some(b.to_owned());
        self.folder.write_group(&self.group);
    }

    /// Says how far a test is, as it takes long.
    pub(crate) fn tell(&self, number: usize, done: &str) {
        let served = self.load.so_far();
        let (requests, failed, mixed) = (served.requests, served.failed, served.mixed);
        println!("{number:>2} {done}: {requests} requests so far, {failed} failed, {mixed} mixed");
    }

    /// Takes note that the other release serves now.
    pub(crate) fn promoted(&mut self) {
        self.serving = self.next();
    }

    /// What serves, by promoter's own record: release and colour.
    pub(crate) fn record(&self) -> Value {
        self.folder.status(GROUP)["record"]["serving"].clone()
    }

    /// Waits until users have had so many answers of the release that did not serve.
    pub(crate) fn await_users_of_next(&self, answers: usize) {
        let version = format!("{}-", self.next());
        let so_far = || {
            let served = self.load.so_far().versions.into_iter();
            let of_next = served.filter(|((a, _), _)| a.starts_with(&version));
            of_next.map(|(_, count)| count).sum::<usize>()
        };
        let before = so_far();
        until("users to be served by the new release", || {
            (so_far() >= before + answers).then_some(())
        });
    }

    /// Fails unless one colour stands, alone and whole, and serves users the release that is due.
    #[track_caller]
    pub(crate) fn assert_settled(&self) {
        let status = self.folder.status(GROUP);
        let record = &status["record"];
        assert_eq!(record["inFlight"], Value::Null, "{status:#}");
        let color = record["serving"]["color"].as_str().unwrap().to_lowercase();
        let other = if color == "blue" { "green" } else { "blue" };
        self.folder.assert_cleared(other);
        let deployments = self.folder.list("Deployment", "");
        let standing: Vec<_> = deployments.iter().map(name).collect();
        let expected = ["hello-a", "hello-b"].map(|app| format!("{app}-{color}"));
        assert_eq!(standing, expected);
        for app in ["hello-a", "hello-b"] {
            let service = self.folder.get("Service", app).unwrap();
            let points_at = &service["spec"]["selector"]["promoter.dev/color"];
            assert_eq!(*points_at, *color, "{service:#}");
            assert!(
                self.has_ready_endpoints(app),
                "nothing is ready behind {app}"
            );
        }
        let answer = get(self.folder.node_port).unwrap();
        let version = answer["version"].as_str().unwrap();
        let due = format!("{}-", self.serving);
        assert!(
            version.starts_with(&due),
            "not of {}: {answer:#}",
            self.serving
        );
    }

    /// Fails if users noticed anything, or met the build that was refused.
    #[track_caller]
    pub(crate) fn assert_undisturbed(&self) {
        let served = self.load.so_far();
        served.assert_undisturbed();
        let is_broken = |version: &String| version.starts_with(BROKEN);
        assert!(
            !served
                .versions
                .keys()
                .any(|(a, b)| is_broken(a) || is_broken(b)),
            "users were answered by what the check refused: {served}"
        );
    }

    fn has_ready_endpoints(&self, service: &str) -> bool {
        let selector = format!("kubernetes.io/service-name={service}");
        let slices = self.folder.list("EndpointSlice", &selector);
        let mut endpoints = slices
            .iter()
            .filter_map(|slice| slice["endpoints"].as_array());
        endpoints.any(|all| all.iter().any(|one| one["conditions"]["ready"] == true))
    }
}

/// When an event was recorded.
#[track_caller]
pub(crate) fn moment(event: &Value) -> Timestamp {
    let at = event["at"].as_str();
    at.unwrap_or_else(|| panic!("an event without a moment: {event}"))
        .parse()
        .unwrap()
}

/// Pushes what is not pushed for every test, once per run.
fn push_releases() {
    static PUSHED: OnceLock<()> = OnceLock::new();
    PUSHED.get_or_init(|| {
        push("hello-a", RELEASES[1], &[]);
        push("hello-b", RELEASES[1], &[]);
        push_broken();
    });
}

/// A build that the check refuses.
fn push_broken() {
    push("hello-b", BROKEN, &["GREETING=Goodbye"]);
}
