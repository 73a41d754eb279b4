//! The `promoter` binary: parse, run, exit.

use std::process::ExitCode;

use promoter::cli::{self, args::Args, complete};

// Nearly all of the time it waits for others; threads would only spread its
// memory over one heap each.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    if complete::answer().is_err() {
        return ExitCode::FAILURE;
    }
    cli::run(Args::typed()).await.into()
}
