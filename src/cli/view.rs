//! Results as text for people, or as JSON for programs. Pure functions.
//!
//! Texts carry colour; whoever prints them goes through `anstream`, which
//! takes it out where it is not wanted. What comes from outside is cleaned of
//! control characters on its way ([`line`]).

mod difference;
mod doctor;
mod draft;
mod error;
mod history;
mod import;
mod line;
mod login;
mod note;
mod outcome;
mod proposal;
mod removal;
mod restraint;
#[cfg(test)]
pub(in crate::cli) mod sample;
mod schedule;
mod settings;
mod status;
mod table;
pub(in crate::cli) mod terminal;
mod text;
mod time;
mod undo;
mod unified;
mod valid;
mod words;

pub use difference::difference;
pub use doctor::{doctor, doctor_json};
pub use draft::{draft, next_steps};
pub use error::{error, refusals, resolve_errors};
pub use history::{HistoryRow, entry, history};
pub use import::{Stranger, imported, next_after_import};
pub use login::{credential, kubeconfig};
pub use note::{aside, note};
pub use outcome::outcome;
pub use proposal::{adoption, proposal, proposal_json, up_to_date};
pub use removal::{removal, removed};
pub use restraint::{banned, bans, held, restrained, unbanned, unheld};
pub use schedule::{schedule, schedule_json};
pub use settings::{settings, settings_json};
pub use status::{status, status_detail, status_json};
pub use terminal::Room;
pub use undo::{not_undone, nothing_to_resume, nothing_to_undo, undone};
pub use valid::valid;

pub(in crate::cli) use line::{
    BAD, BOLD, DIM, GOOD, Line, PLACE, PLAIN, WARN, of, width as columns,
};
pub(in crate::cli) use time::{between, clock, took};
pub(in crate::cli) use words::count;
