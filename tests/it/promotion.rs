//! Promotions from their beginning to their end, one theme per file.

mod checks;
mod deploying;
mod interrupted;
mod kill;
mod next;
mod refused;
mod settling;
mod switching;
mod troubles;
