//! Promoters whose clocks are wrong, or are set while they run. Clocks decide
//! neither who holds the lock nor how long anything takes.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::Value;

use super::{Scene, holding};
use crate::support::{Promoter, Proxy, faketime, until};

#[test]
fn wrong_clocks_steal_no_lock_and_inherit_that_of_the_dead() {
    let scene = Scene::new("wrong-clock");
    let clock = Clock::new(&scene, "+0");
    let users = scene.users();
    let mut holder = scene.deploy().start();
    let check = holding(&mut holder);
    for offset in ["+3600", "-3600"] {
        clock.set(offset);
        let refused = clock.deploy(&scene).run();
        assert_eq!(refused.code, 6, "stolen by a clock at {offset}: {refused}");
        assert!(
            refused.stderr.contains("tester"),
            "the holder is named: {refused}"
        );
    }

    holder.kill();
    let holder = holder.wait();
    scene.let_go(&check);
    // By this one the lock is good for another hour.
    let heir = clock.deploy(&scene).run();
    is_off_by(&heir.events()[0]["at"], -3600);
    let resumed = &heir.events_named("resumed")[0];
    assert_eq!(
        resumed["promotion"],
        holder.events()[0]["promotion"],
        "{heir}"
    );
    scene.assert_promoted(&heir);
    users.stop().assert_undisturbed();
}

#[test]
fn a_clock_that_jumps_ends_and_prolongs_nothing() {
    let scene = Scene::new("jumps");
    let clock = Clock::new(&scene, "+0");
    let users = scene.users();
    let mut running = clock.deploy(&scene).start();
    let check = holding(&mut running);
    clock.set("+3600");
    until("a renewal by the clock that jumped", || {
        let lease = scene.folder.get("Lease", "promoter-master")?;
        (off(&lease["spec"]["renewTime"]) > 3500).then_some(())
    });
    scene.let_go(&check);
    running.phase("Settling");
    clock.set("-3600");
    let run = running.wait();

    scene.assert_promoted(&run);
    users.stop().assert_undisturbed();
}

/// By how many seconds a time of just now is off.
fn off(written: &Value) -> i64 {
    let written: Timestamp = written.as_str().unwrap().parse().unwrap();
    written.duration_since(Timestamp::now()).as_secs()
}

/// Otherwise the test would be about a clock that is right.
#[track_caller]
fn is_off_by(written: &Value, seconds: i64) {
    let off = off(written);
    assert!(
        (off - seconds).abs() < 100,
        "{off} s instead of {seconds} s"
    );
}

/// A wall clock of a promoter's own, by Debian's faketime. What only measures
/// time goes on right, as it does when somebody sets a machine's clock.
struct Clock {
    library: PathBuf,
    file: PathBuf,
    kubeconfig: PathBuf,
    /// Without TLS, as certificates may be younger than the clock says it is.
    _proxy: Proxy,
}

impl Clock {
    /// A clock that is off by so many seconds.
    fn new(scene: &Scene, offset: &str) -> Self {
        let proxy = Proxy::to_cluster();
        scene.folder.write("proxy.json", &proxy.kubeconfig());
        let clock = Self {
            library: faketime(),
            file: scene.folder.path().join("clock"),
            kubeconfig: scene.folder.path().join("proxy.json"),
            _proxy: proxy,
        };
        clock.set(offset);
        clock
    }

    fn set(&self, offset: &str) {
        // In one step: a promoter reads it whenever it looks at its clock.
        let next = self.file.with_extension("next");
        std::fs::write(&next, offset).unwrap();
        std::fs::rename(next, &self.file).unwrap();
    }

    fn deploy(&self, scene: &Scene) -> Promoter {
        let deploy = scene.folder.promoter(["deploy", "master", "-o", "json"]);
        deploy
            .env("KUBECONFIG", self.kubeconfig.to_str().unwrap())
            .env("LD_PRELOAD", self.library.to_str().unwrap())
            .env("FAKETIME_TIMESTAMP_FILE", self.file.to_str().unwrap())
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("FAKETIME_DONT_RESET", "1")
    }
}
