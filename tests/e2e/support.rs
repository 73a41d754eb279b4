//! What every end-to-end test needs. See the crate's documentation for how it is used.

mod access;
mod account;
mod alarm;
mod aws;
mod certificate;
mod cluster;
mod dump;
mod folder;
mod github;
mod group;
mod images;
mod load;
pub(crate) mod part;
mod place;
mod promoter;
mod proxy;
mod queue;
mod records;
mod registry;
mod testbed;
pub(crate) mod wait;

pub(crate) use access::{Access, Change, Seen, SeenPod, Witness};
pub(crate) use alarm::Alarm;
pub(crate) use aws::aws;
pub(crate) use certificate::certificate;
pub(crate) use cluster::{color, is_owned, name, uid};
pub(crate) use folder::Folder;
pub(crate) use github::Github;
pub(crate) use group::{App, Check, GroupFile};
pub(crate) use images::{
    ecr, forget_in_ecr, forget_in_registry, move_tag, push, push_commit, push_daemon, repository,
};
pub(crate) use load::{Load, get};
pub(crate) use part::{Paused, Stopped, restart};
pub(crate) use promoter::{Promoter, Run, Running, faketime};
pub(crate) use proxy::{Answer, Asked, Held, Proxy};
pub(crate) use queue::{Queue, pushed};
pub(crate) use records::{Told, shared_records};
pub(crate) use registry::Registry;
pub(crate) use testbed::Testbed;
pub(crate) use wait::{until, until_within};
