//! Promotions from their beginning to their end, one theme per file.

mod aborted;
mod adopted;
mod autoscaled;
mod checks;
mod crash;
mod deploying;
mod early;
mod explore;
mod gone_back;
mod hooks;
mod idle;
mod interrupted;
mod lost;
mod next;
mod outages;
mod planning;
mod refused;
mod restrained;
mod returning;
mod settling;
mod switching;
mod telling;
mod troubles;
mod unanswered;
