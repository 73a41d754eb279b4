//! What is printed when a test fails, before its namespace goes.

use super::folder::Folder;

/// Prints what the cluster knows of a failed test's namespace.
pub(super) fn dump(folder: &Folder) {
    let show =
        |title: &str, arguments: &[&str]| eprintln!("=== {title}\n{}", folder.kubectl(arguments));
    eprintln!("=== namespace {} of the failed test", folder.namespace);
    show(
        "objects",
        &[
            "get",
            "deployments,services,jobs,pods,configmaps",
            "-o",
            "wide",
            "--show-labels",
        ],
    );
    show("events", &["get", "events", "--sort-by", ".lastTimestamp"]);
    show(
        "DeploymentGroups",
        &["get", "deploymentgroups", "-o", "yaml"],
    );
    let logs = folder.kubectl(&[
        "logs",
        "--selector",
        "promoter.dev/group",
        "--tail",
        "100",
        "--prefix",
        "--max-log-requests",
        "30",
    ]);
    eprintln!("=== logs without requests");
    let told = logs
        .lines()
        .filter(|line| !line.contains(r#""msg":"request""#));
    told.for_each(|line| eprintln!("{line}"));
}
