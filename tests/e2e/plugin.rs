//! promoter as a plugin of kubectl: found, run and completed by the real one.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// kubectl with promoter beside what else is in the path.
fn kubectl(links: &Path, arguments: &[&str]) -> Output {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path);
    let folders = std::iter::once(PathBuf::from(links)).chain(folders);
    let path = std::env::join_paths(folders).unwrap();
    let output = Command::new("kubectl")
        .args(arguments)
        .env("PATH", path)
        .output();
    output.expect("kubectl can be started: `cargo xtask testbed up` brings it")
}

#[test]
fn kubectl_runs_promoter() {
    let links = tempfile::tempdir().unwrap();
    for name in ["kubectl-promoter", "kubectl_complete-promoter"] {
        symlink(env!("CARGO_BIN_EXE_promoter"), links.path().join(name)).unwrap();
    }
    let run = |arguments: &[&str]| {
        let output = kubectl(links.path(), arguments);
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let (_, plugins) = run(&["plugin", "list"]);
    assert!(plugins.contains("/kubectl-promoter"), "{plugins}");
    let (code, valid) = run(&["promoter", "validate"]);
    assert_eq!(code, Some(0), "{valid}");
    assert!(valid.contains("master: valid"), "{valid}");
    let (code, usage) = run(&["promoter", "plan"]);
    assert_eq!(code, Some(2), "{usage}");
    assert!(
        usage.contains("Usage: kubectl promoter plan <GROUP>"),
        "{usage}"
    );
    let (_, offered) = run(&["__complete", "promoter", "plan", "ma"]);
    assert!(offered.starts_with("master\n:4\n"), "{offered}");
}
