//! Consumers of a promotion's events: what is seen while it runs.
//!
//! Input: events, one by one, from [`crate::port::Recorder`]. Output: a tree
//! that is drawn again and again ([`Tree`]), lines ([`Plain`]), JSON ([`Json`]),
//! files ([`Logs`]) or the daemon's log ([`Log`]). None of them can fail or hold up a promotion.

mod json;
mod log;
mod logs;
mod plain;
#[cfg(test)]
mod sample;
mod story;
mod tree;
mod words;

pub use json::Json;
pub use log::Log;
pub use logs::Logs;
pub use plain::Plain;
pub use tree::Tree;
