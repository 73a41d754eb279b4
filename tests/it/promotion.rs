//! Promotions from their beginning to their end, one theme per file.

mod checks;
mod deploying;
mod kill;
mod refused;
mod switching;
mod troubles;
