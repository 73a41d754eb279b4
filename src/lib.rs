//! promoter: all-or-nothing blue/green promotion of a group of apps.
//!
//! A group file says which branches of which apps belong together. promoter
//! resolves each branch's newest image to a digest, deploys all of them beside
//! what runs, tests them against each other only, and moves traffic to all of
//! them at once if every check passed; otherwise it takes them down again.
//!
//! One type per arrow:
//!
//! ```text
//! groups/*.toml -> GroupSpec -> Group -> Resolved -> Plan -> Observed -> CheckResult -> Decision -> Outcome
//! ```
//!
//! and every arrow emits an `Event`. Imports go one way: `group` <- `plan` <-
//! `promotion` <- `port` <- `engine` <- entry points; adapters know ports and
//! domain types only, and `config` alone knows adapters and engine.

pub mod group;
pub mod plan;
pub mod promotion;

pub mod port;

pub mod engine;

pub mod adapter;

pub mod serve;

pub mod cli;
pub mod config;
