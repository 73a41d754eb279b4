//! Fast tests of everything that needs more than one module: scenarios with a
//! cluster in memory, adapters against stubs, whole folders of group files.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where it cannot go on"
)]

mod chart;
mod cloudwatch;
mod command;
mod daemon;
mod docs;
mod doctor;
mod ecr;
mod eks;
mod github;
mod import;
mod init;
mod parsers;
mod plan;
mod promotion;
mod push_image;
mod records;
mod reporter;
mod schema;
mod served;
mod sqs;
mod store;
mod sts;
mod support;
mod telling;
mod tidy;
mod trust;
mod validate;
