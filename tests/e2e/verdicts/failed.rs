//! Checks that say no by themselves: by their exit, by their report, or by not ending.

use serde_json::json;

use super::{AWAIT_TERM, Case, apply, assert_ended, limit_range, start};
use crate::support::Folder;

#[test]
fn checks_that_fail() {
    let folder = Folder::new("failed");
    // Checks have no resources of their own, so this is how one gets a limit.
    let memory = json!({ "type": "Container", "default": { "memory": "96Mi" } });
    apply(&folder, &limit_range(&memory));
    let cases = [
        Case::new("exits 0", "passes", "exit 0"),
        Case::new("exits 1", "exits-1", "exit 1").ends("Failed", "exit 1"),
        Case::new(
            "killed by SIGKILL",
            "killed",
            "sleep 60 & kill -9 $!; wait $!; exit $?",
        )
        .ends("Failed", "exit 137 (SIGKILL)"),
        // By SIGABRT or SIGSEGV, as the C library has it.
        Case::new("aborts", "aborts", "exec node -e 'process.abort()'").ends("Failed", "exit 13"),
        Case::new(
            "takes more memory than its limit",
            "memory",
            "exec tail /dev/zero",
        )
        .ends("Failed", "out of memory"),
        Case::new(
            "ended by its TERM handler with 1",
            "term",
            "trap 'exit 1' TERM; kill -TERM 1; wait",
        )
        .ends("Failed", "exit 1"),
        Case::tap(
            "report: all ok",
            "tap-ok",
            r"printf 'TAP version 13\nok 1 - a\nok 2 - b # SKIP\n1..2\n'",
        )
        .ends("Passed", "1 test case"),
        Case::tap(
            "report: not ok, exit 0",
            "not-ok",
            r"printf 'ok 1 - a\nnot ok 2 - b\n1..2\n'",
        )
        .ends("Failed", "1 of 2 test cases failed: 'b'"),
        Case::tap(
            "report: Bail out!, exit 0",
            "bails",
            r"printf '1..2\nok 1 - a\nBail out! no database\n'",
        )
        .ends("Failed", "no database"),
        Case::tap(
            "report: fewer tests than planned, exit 0",
            "fewer",
            r"printf '1..3\nok 1 - a\nok 2 - b\n'",
        )
        .ends("Failed", "1..3 was planned, 2 seen"),
        Case::tap(
            "report: cut off before its plan, exit 0",
            "cut-off",
            r"printf 'TAP version 13\nok 1 - a\n'",
        )
        .ends("Failed", "it may have been cut off"),
        Case::tap(
            "report: all ok, exit 1",
            "ok-but-1",
            r"printf 'ok 1 - a\n1..1\n'; exit 1",
        )
        .ends("Failed", "exit 1"),
        Case::new(
            "does not end, exits 0 when it is deleted",
            "endless",
            AWAIT_TERM,
        )
        .timeout("3s")
        .ends("TimedOut", "not ended within its timeout of 3s"),
    ];
    let run = start(&folder, &cases).wait();
    assert_ended(&folder, &run, &cases, 3);
}

/// One check that timed out weighs as much as one that failed, however many have passed.
#[test]
fn one_that_does_not_end_is_enough() {
    let folder = Folder::new("timedout");
    let report = r"printf 'ok 1 - a\n1..1\n'; ";
    let cases = [
        Case::new("exits 0", "passes", "exit 0"),
        Case::tap(
            "report: complete, but it does not end",
            "endless",
            &format!("{report}{AWAIT_TERM}"),
        )
        .timeout("2s")
        .ends("TimedOut", "not ended within its timeout of 2s"),
        Case::new("ends in time", "slow", "sleep 3"),
    ];
    let run = start(&folder, &cases).wait();
    assert_ended(&folder, &run, &cases, 3);
}
