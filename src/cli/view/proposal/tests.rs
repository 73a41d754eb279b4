//! How a plan reads.

use jiff::Timestamp;
use serde_json::json;

use super::{adoption, proposal, proposal_json, up_to_date};
use crate::cli::view::sample::{self, fits, plain};
use crate::cli::view::terminal::Room;
use crate::engine::propose::Proposal;
use crate::group::{Isolation, Start};
use crate::plan::color::Color;
use crate::plan::object::Object;
use crate::plan::wall;

fn now() -> Timestamp {
    "2026-11-21T10:04:59Z".parse().unwrap()
}

/// A table of this width, and sentences that are not broken.
fn room(table: usize) -> Room {
    let prose = usize::MAX;
    Room { table, prose }
}

fn shown(shown: &Proposal, width: usize) -> String {
    plain(&proposal(shown, now(), room(width), false))
}

#[test]
fn a_changed_image() {
    insta::assert_snapshot!(shown(&sample::proposal(), 100), @r"
    master  environment v2, namespace hello
    release greenrelease would fill green, while blue serves release bluerelease0

    APP      ACTIVE             CANDIDATE          BRANCH  BUILD  COMMIT   PUSHED
    hello-a  master-41-0000029  master-42-000002a  master  42     000002a  2026-11-20 21:04 UTC
             002900000000       002a00000000                               13h ago
    hello-b  master-7-0000007   unchanged          master  7      0000007  2026-11-20 21:04 UTC
             000700000000                                                  13h ago
    old      master-3-0000003   removed
             000300000000

    changes against what serves, with names as in blue:
    ~ Deployment hello-a-blue  of hello-a
        spec:
          replicas: 2
          template:
      -     image: 41
      +     image: 42
            port: 1
    + ConfigMap hello-a-12ab34cd  of hello-a
    - Deployment old-blue  of old
      (--full shows whole objects)

    promotes only if check greets passes:
      greets  hello-tests master master-12-000000c 000c00000000  timeout 5m, reports its test cases as TAP
    the candidate has 5m to become ready; blue stays 30s after the switch
    needs 5 of 107 free pods, 500m of 3600m free CPU, 512Mi of 7900Mi free memory

    warning: hello-b: no label names the branch

    Plan: 2 apps change, 3 objects change, 1 check decides. Nothing was written.
    ");
}

#[test]
fn what_works_in_one_colour_alone() {
    let told = "works from the switch on, once that of blue has stopped: ";
    let mut proposal = sample::proposal();
    assert!(!shown(&proposal, 100).contains(told));
    let worker = &mut proposal.plan.apps[0];
    worker.start = Start::OnPromote;
    let cron = |name: &str, suspend: bool| {
        let spec = json!({ "suspend": suspend });
        Object(json!({ "kind": "CronJob", "metadata": { "name": name }, "spec": spec }))
    };
    worker.crons = vec![cron("nightly-green", false), cron("never-green", true)];
    let shown = shown(&proposal, 100);
    let line = format!("\n{told}Deployment hello-a, CronJob nightly-green\n");
    assert!(shown.contains(&line), "{shown}");
}

#[test]
fn an_adoption() {
    let proposal = sample::adopting();
    let shown = plain(&adoption(&proposal, now(), room(100)));
    insta::assert_snapshot!(shown, @r"
    master  environment v2, namespace hello
    release greenrelease would fill blue, beside what stands, which would be green

    APP      ACTIVE             CANDIDATE          BRANCH  BUILD  COMMIT   PUSHED
    hello-a  master-41-0000029  master-42-000002a  master  42     000002a  2026-11-20 21:04 UTC
             002900000000       002a00000000                               13h ago
    hello-b  master-7-0000007   unchanged          master  7      0000007  2026-11-20 21:04 UTC
             000700000000                                                  13h ago

    takes over, and gives back as it was unless this is promoted:
      Deployment hello-a  paused: its pods serve on, and nothing rolls out meanwhile
      Deployment hello-b  paused: its pods serve on, and nothing rolls out meanwhile
      Service hello-a     narrowed to the pods it leads to now
      Ingress hello-a     marked as the group's
    makes for what stands, as green: Service hello-a-green
    goes once this is promoted, 30s after the switch, in this order: Deployment hello-a, hello-b

    promotes only if check greets passes:
      greets  hello-tests master master-12-000000c 000c00000000  timeout 5m, reports its test cases as TAP
    the candidate has 5m to become ready; green stays 30s after the switch
    needs 5 of 107 free pods, 500m of 3600m free CPU, 512Mi of 7900Mi free memory

    warning: hello-b: no label names the branch

    Plan: 2 apps are adopted, 1 check decides. Nothing was written.
    ");
    let json = proposal_json(&proposal);
    assert_eq!(
        json["adopts"][0],
        serde_json::json!({ "object": "Deployment hello-a", "change": "paused" })
    );
    assert_eq!(json["adopts"][3]["change"], "marked");
}

#[test]
fn a_narrow_terminal() {
    let shown = shown(&sample::proposal(), 60);
    let apps: Vec<_> = shown
        .lines()
        .skip(3)
        .take_while(|line| !line.is_empty())
        .collect();
    insta::assert_snapshot!(apps.join("\n"), @r"
    hello-a
      active     master-41-0000029  002900000000
      candidate  master-42-000002a  002a00000000
      branch     master, build 42
      commit     000002a
      pushed     2026-11-20 21:04 UTC, 13h ago
    hello-b  unchanged
      candidate  master-7-0000007  000700000000
      branch     master, build 7
      commit     0000007
      pushed     2026-11-20 21:04 UTC, 13h ago
    old  removed
    ");
}

#[test]
fn the_first_promotion() {
    let mut first = sample::proposal();
    first.live = None;
    first.plan.replaces = None;
    first.warnings.clear();
    first.changes.retain(|change| !change.after.is_empty());
    first
        .changes
        .iter_mut()
        .for_each(|change| change.before.clear());
    insta::assert_snapshot!(shown(&first, 100), @r"
    master  environment v2, namespace hello
    release greenrelease would fill green; nothing serves yet, this is the first promotion

    APP      CANDIDATE          BRANCH  BUILD  COMMIT   PUSHED
    hello-a  master-42-000002a  master  42     000002a  2026-11-20 21:04 UTC
             002a00000000                               13h ago
    hello-b  master-7-0000007   master  7      0000007  2026-11-20 21:04 UTC
             000700000000                               13h ago

    + Deployment hello-a-blue  of hello-a
    + ConfigMap hello-a-12ab34cd  of hello-a
      (--full shows whole objects)

    promotes only if check greets passes:
      greets  hello-tests master master-12-000000c 000c00000000  timeout 5m, reports its test cases as TAP
    the candidate has 5m to become ready
    needs 5 of 107 free pods, 500m of 3600m free CPU, 512Mi of 7900Mi free memory

    Plan: 2 apps are new, 2 objects would be made, 1 check decides. Nothing was written.
    ");
}

#[test]
fn nothing_to_do() {
    let mut same = sample::proposal();
    same.live = Some(same.plan.clone());
    same.plan.replaces = Some(sample::serving(Color::Blue));
    same.changes.clear();
    same.warnings.clear();
    insta::assert_snapshot!(shown(&same, 100), @r"
    master  environment v2, namespace hello
    release bluerelease0 serves in blue

    APP      ACTIVE             CANDIDATE  BRANCH  BUILD  COMMIT   PUSHED
    hello-a  master-42-000002a  unchanged  master  42     000002a  2026-11-20 21:04 UTC
             002a00000000                                          13h ago
    hello-b  master-7-0000007   unchanged  master  7      0000007  2026-11-20 21:04 UTC
             000700000000                                          13h ago

    promotes only if check greets passes:
      greets  hello-tests master master-12-000000c 000c00000000  timeout 5m, reports its test cases as TAP
    the candidate has 5m to become ready; blue stays 30s after the switch
    needs 5 of 107 free pods, 500m of 3600m free CPU, 512Mi of 7900Mi free memory

    Up to date: master serves release greenrelease in blue. Nothing was written.
    ");
    insta::assert_snapshot!(plain(&up_to_date(&same)), @"Up to date: master serves release greenrelease in blue.");
}

#[test]
fn a_wall_is_told() {
    let mut walled = sample::proposal();
    walled.plan.isolation = Isolation::NetworkPolicy;
    let told = format!(
        "NetworkPolicy {} keeps",
        wall::name("master", walled.plan.candidate)
    );
    let all = shown(&walled, 100);
    assert!(all.contains(&told), "{all}");
    assert_eq!(proposal_json(&walled)["isolation"], "network-policy");
}

#[test]
fn only_checks_change() {
    let mut other = sample::proposal();
    other.live = Some(other.plan.clone());
    other.plan.fingerprint = sample::from("another");
    other.changes.clear();
    let shown = shown(&other, 100);
    insta::assert_snapshot!(shown.lines().last().unwrap_or_default(), @"Plan: no object changes, only the checks or how the old colour is replaced, 1 check decides. Nothing was written.");
}

#[test]
fn whole_objects() {
    let full = plain(&proposal(&sample::proposal(), now(), 100.into(), true));
    assert!(
        full.contains("+ ConfigMap hello-a-12ab34cd  of hello-a\n  + kind: ConfigMap\n"),
        "{full}"
    );
    assert!(
        full.contains("- Deployment old-blue  of old\n  - kind: Deployment\n"),
        "{full}"
    );
}

#[test]
fn for_programs() {
    let mut small = sample::proposal();
    small.plan.apps.truncate(1);
    small.live.as_mut().unwrap().apps.truncate(1);
    small.changes.truncate(1);
    let json = proposal_json(&small);
    insta::assert_snapshot!(format!("{json:#}"), @r#"
    {
      "adopts": [],
      "apps": [
        {
          "app": "hello-a",
          "change": "image",
          "image": {
            "branch": "master",
            "build": 42,
            "commit": "000002a",
            "digest": "sha256:002a000000000000000000000000000000000000000000000000000000000000",
            "pushedAt": "2026-11-20T21:04:59Z",
            "reference": "123456789012.dkr.ecr.us-east-1.amazonaws.com/hello-a@sha256:002a000000000000000000000000000000000000000000000000000000000000",
            "repository": "hello-a",
            "tag": "master-42-000002a"
          },
          "live": {
            "branch": "master",
            "build": 41,
            "commit": "0000029",
            "digest": "sha256:0029000000000000000000000000000000000000000000000000000000000000",
            "pushedAt": "2026-11-20T21:04:59Z",
            "reference": "123456789012.dkr.ecr.us-east-1.amazonaws.com/hello-a@sha256:0029000000000000000000000000000000000000000000000000000000000000",
            "repository": "hello-a",
            "tag": "master-41-0000029"
          }
        }
      ],
      "candidate": "green",
      "capacity": {
        "free": {
          "cpuMillis": 3600,
          "memoryBytes": 8283750400,
          "pods": 107
        },
        "needed": {
          "cpuMillis": 500,
          "memoryBytes": 536870912,
          "pods": 5
        }
      },
      "changes": [
        {
          "after": "kind: Deployment\nmetadata:\n  name: hello-a-blue\nspec:\n  replicas: 2\n  template:\n    image: 42\n    port: 1\n",
          "app": "hello-a",
          "before": "kind: Deployment\nmetadata:\n  name: hello-a-blue\nspec:\n  replicas: 2\n  template:\n    image: 41\n    port: 1\n",
          "change": "changed",
          "object": "Deployment hello-a-blue"
        }
      ],
      "checks": [
        {
          "check": "greets",
          "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/hello-tests@sha256:000c000000000000000000000000000000000000000000000000000000000000",
          "report": "tap",
          "reportFile": null,
          "source": "master master-12-000000c",
          "timeoutMs": 300000
        }
      ],
      "deployTimeoutMs": 300000,
      "endpointDelayMs": 2000,
      "environment": "v2",
      "fingerprint": "[(\"hello-a\", 42), (\"hello-b\", 7)]",
      "group": "master",
      "hooks": [],
      "isolation": "pinning",
      "keepOldMs": 30000,
      "namespace": "hello",
      "release": "greenrelease0000000000",
      "replaces": {
        "color": "blue",
        "release": "bluerelease0000000000"
      },
      "restraints": [],
      "untestedAllowed": false,
      "upToDate": false,
      "warnings": [
        "hello-b: no label names the branch"
      ]
    }
    "#);
}

#[test]
fn at_most_as_wide_as_the_terminal() {
    // What is shown of objects is theirs.
    let mut changed = sample::proposal();
    changed.changes.clear();
    for columns in [60, 40] {
        let narrow = plain(&proposal(&changed, now(), columns.into(), false));
        for line in narrow.lines() {
            assert!(line.chars().count() <= columns, "{columns}: {line}");
        }
    }
    fits(|columns| proposal(&changed, now(), columns.min(61).into(), false));
}
