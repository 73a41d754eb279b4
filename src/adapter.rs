//! One module per outside system; each implements a port and nothing else.
//!
//! Adapters know ports and domain types. None of them knows another, the
//! engine or an entry point, and none of them decides anything. Those for AWS
//! share a session (`aws`), and who speaks HTTP shares whom that trusts (`trust`); these
//! two implement no port.

pub mod aws;
pub mod clock;
pub mod cloudwatch;
pub mod ecr;
pub mod eks;
pub mod files;
pub mod github;
pub mod kubernetes;
pub mod otlp;
pub mod prometheus;
pub mod sqs;
pub mod store;
pub mod sts;
mod trust;
