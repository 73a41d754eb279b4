//! The `promoter` binary: parse, run, exit.

use std::process::ExitCode;

use clap::Parser;
use promoter::cli::{self, args::Args};

// Nearly all of the time it waits for others; threads would only spread its
// memory over one heap each.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    cli::run(Args::parse()).await.into()
}
