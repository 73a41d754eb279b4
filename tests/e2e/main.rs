//! End-to-end tests: the built `promoter` against a real cluster, registry and ECR double.
//!
//! `cargo xtask test` brings the cluster up and runs them; by hand:
//!
//! ```sh
//! eval "$(cargo xtask testbed env)"
//! cargo test --features e2e --test e2e [name] [-- --nocapture]
//! ```
//!
//! A test is a plain `#[test]` function. It makes a [`support::Folder`]: group files in a folder and
//! an empty namespace, both its own and gone at its end, with what the cluster knows printed first
//! if the test fails. It runs the CLI with [`support::Folder::promoter`], looks at the cluster with
//! [`support::Folder::list`] and its neighbours, and waits with [`support::until`], which polls up
//! to a deadline and says what it waited for. No test sleeps to wait for something, and none
//! asserts how long something took. A few tests run at a time, however many threads there are;
//! one that disturbs the whole cluster makes its folder with [`support::Folder::alone`].
//!
//! ```ignore
//! let folder = Folder::new("greets");
//! let mut group = folder.hello("master");          // hello-a, hello-b and their check
//! group.checks[0].timeout = "30s".into();
//! folder.write_group(&group);
//! let run = folder.promoter(["deploy", "master"]).run();
//! assert_eq!(run.code, 0, "{run}");
//! ```
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod adopted;
mod autoscaled;
mod branches;
mod budget;
mod concurrent;
mod daemon;
mod doctor;
mod eks;
mod foreign;
mod gate;
mod handover;
mod hinted;
mod history;
mod hooks;
mod init;
mod installed;
mod isolation;
mod plugin;
mod proven;
mod pushed;
mod refusals;
mod removed;
mod replaced;
mod required;
mod restrained;
mod returned;
mod support;
mod verdicts;
mod walled;
mod weather;
