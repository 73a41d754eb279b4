//! What takes too long for every change: a group promoted over and over under load, with kube-proxy
//! stopped, and with promoter killed at any moment, alone or as one of two daemons.
//!
//! `cargo xtask soak [drops|proxy|crashes|takeovers]...` brings the cluster up and runs them; by hand:
//!
//! ```sh
//! eval "$(cargo xtask testbed env)"
//! cargo test --features e2e --test soak drops:: -- --nocapture
//! ```
//!
//! Each prints one table of what was done and what users noticed of it. What a test is made of is
//! that of the end-to-end tests.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod crashes;
mod drops;
mod kube_proxy;
mod operation;
mod proxy;
mod site;
mod table;
mod takeovers;

/// The end-to-end tests' support.
#[path = "../e2e"]
mod e2e {
    #[expect(
        dead_code,
        unused_imports,
        reason = "the end-to-end tests need more of it"
    )]
    pub(crate) mod support;
}

use e2e::support;
