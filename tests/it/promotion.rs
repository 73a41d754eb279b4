//! Promotions from their beginning to their end, one theme per file.

mod deploying;
mod kill;
