//! A cluster, a registry, a clock and a recorder in memory, hand-written.
//!
//! [`world::World`] is what all promoters of a test share; a
//! [`process::Process`] is one promoter's connection to it and can be killed;
//! [`scenario::Scenario`] drives whole promotions and, after every single port
//! call, [`promises`] checks what must never break.

pub(crate) mod awaited;
pub(crate) mod clock;
mod crons;
pub(crate) mod forge;
pub(crate) mod given;
pub(crate) mod journal;
mod observe;
pub(crate) mod outside;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod promises;
pub(crate) mod recording;
pub(crate) mod registry;
pub(crate) mod scenario;
pub(crate) mod simulate;
pub(crate) mod spending;
pub(crate) mod standing;
pub(crate) mod wire;
pub(crate) mod world;
mod write;
pub(crate) mod yard;
