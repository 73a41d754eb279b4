//! The `promoter` binary: parse, run, exit.

use std::process::ExitCode;

use clap::Parser;
use promoter::cli::{self, args::Args};

#[tokio::main]
async fn main() -> ExitCode {
    cli::run(Args::parse()).await.into()
}
