//! What a report, or the want of one, does to a verdict.

use super::*;

#[test]
fn reports() {
    let with = |exit_code, report| {
        let mut facts = ended(|end| end.exit_code = exit_code);
        facts.report = report;
        facts
    };
    check(&with(0, ReportFacts::Unread), "read the report");
    check(&with(1, ReportFacts::Unread), "read the report");
    check(&with(0, tap("ok 1\n1..1\n")), "passed: 1 test case passed");
    check(
        &with(0, tap("not ok 1 - a\n1..1\n")),
        "failed: 1 of 1 test case failed: 'a'",
    );
    check(
        &with(0, tap("1..0\n")),
        "errored: no test was run: the report is empty",
    );
    check(
        &with(0, ReportFacts::Lost("its node is gone".to_owned())),
        "rerun: its report could not be read: its node is gone",
    );
    check(
        &with(1, tap("ok 1\n1..1\n")),
        "failed: exit 1; 1 test case passed",
    );
    check(
        &with(1, tap("not ok 1 - a\n1..1\n")),
        "failed: exit 1; 1 of 1 test case failed: 'a'",
    );
    check(
        &with(1, tap("")),
        "failed: exit 1; no test was run: the log holds no result and no plan",
    );
    check(
        &with(1, ReportFacts::Lost("its node is gone".to_owned())),
        "failed: exit 1",
    );
}

/// One row each of the table of reports in docs/verdicts.md.
#[test]
fn reports_in_files() {
    let with = |exit_code, report| {
        let mut facts = ended(|end| end.exit_code = exit_code);
        facts.report = report;
        facts
    };
    let passing = "<testsuite><testcase name='a'/></testsuite>";
    let failing = "<testsuite><testcase name='a'><failure/></testcase></testsuite>";
    let skipping = "<testsuite><testcase name='a'><skipped/></testcase></testsuite>";
    let cut = "<testsuite><testcase name='a'/>";
    check(&with(0, written(passing)), "passed: 1 test case passed");
    check(
        &with(0, written(failing)),
        "failed: 1 of 1 test case failed: 'a'",
    );
    check(
        &with(0, written(cut)),
        "failed: the JUnit report does not add up: /r/junit.xml line 2: it ends within <testsuite>, so it was cut off",
    );
    check(
        &with(0, junit("\u{1}begin\n\u{1}end 0\n")),
        "errored: no report: there is no /r/junit.xml",
    );
    check(
        &with(0, written("")),
        "errored: no report: /r/junit.xml is empty",
    );
    check(
        &with(0, written(skipping)),
        "errored: no test was run: 1 skipped",
    );
    check(
        &with(1, written(passing)),
        "failed: exit 1; 1 test case passed",
    );
    check(
        &with(1, junit("\u{1}begin\n\u{1}end 0\n")),
        "failed: exit 1; no report: there is no /r/junit.xml",
    );
    let lost = || ReportFacts::Lost("its container `report` ended without a word".to_owned());
    check(
        &with(0, lost()),
        "rerun: its report could not be read: its container `report` ended without a word",
    );
    check(&with(1, lost()), "failed: exit 1");
}

/// The sidecar writes once the check has ended; a check waits for that, not for ever.
#[test]
fn reports_are_waited_for() {
    let with = |reporter, phase| {
        let mut facts = ended(|_| {});
        facts.report = ReportFacts::Unread;
        if let Some(pod) = &mut facts.pod {
            (pod.reporter, pod.phase) = (Some(reporter), phase);
        }
        facts
    };
    let running = || ContainerFacts::Running { since: at(-30) };
    let waits = "waiting for its report to be written (50 s left)";
    check(&with(running(), PodPhase::Running), waits);
    check(&with(ContainerFacts::Unreported, PodPhase::Running), waits);
    let mut late = with(running(), PodPhase::Running);
    late.now = at(50);
    check(&late, "read the report");
    check(&with(running(), PodPhase::Succeeded), "read the report");
    let ended = ContainerFacts::Ended(good_end());
    check(&with(ended, PodPhase::Running), "read the report");
}

/// Without its sidecar a check never begins, and that is no pod's fault.
#[test]
fn images_without_a_shell() {
    let mut facts = waiting("PodInitializing", "");
    if let Some(pod) = &mut facts.pod {
        pod.reporter = Some(ContainerFacts::Ended(ContainerEnd {
            exit_code: 128,
            reason: "StartError".to_owned(),
            message: "exec: \"sh\": not found".to_owned(),
            ..good_end()
        }));
    }
    check(
        &facts,
        "errored: its container `report` could not be started; a report in files needs `sh`, `cat` and `sleep` in the check's image: exec: \"sh\": not found",
    );
}
