//! From a group to a plan: what is made of manifests, and what is refused.

mod adopt;
mod autoscaler;
mod config;
mod diff;
mod fingerprint;
mod paint;
mod pin;
mod refusals;
mod teardown;
