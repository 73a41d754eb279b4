//! One module per outside system; each implements a port and nothing else.
//!
//! Adapters know ports and domain types. None of them knows another, the
//! engine or an entry point, and none of them decides anything.

pub mod clock;
pub mod ecr;
pub mod files;
pub mod github;
pub mod kubernetes;
pub mod store;
