//! Development tasks of promoter, run as `cargo xtask COMMAND`.
//!
//! Finds the command and hands it the rest of the command line. A new command
//! is a file of its own and a line in `COMMANDS`; nothing else belongs here.

mod audit;
mod aws;
mod bench;
mod cache;
mod chart;
mod debian;
mod demo;
mod ecr;
mod fuzz;
mod golang;
mod http;
mod image;
mod postgres;
mod progress;
mod push;
mod python;
mod registry;
mod rights;
mod run;
mod scratch;
mod soak;
mod terraform;
mod test;
mod testbed;

use std::process::ExitCode;

use anyhow::{Result, bail};

/// A command of `cargo xtask`.
struct Task {
    name: &'static str,
    usage: &'static str,
    run: fn(lexopt::Parser) -> Result<()>,
}

const COMMANDS: &[Task] = &[
    Task {
        name: "testbed",
        usage: testbed::USAGE,
        run: testbed::run,
    },
    Task {
        name: "push",
        usage: push::USAGE,
        run: push::run,
    },
    Task {
        name: "image",
        usage: image::USAGE,
        run: image::run,
    },
    Task {
        name: "chart",
        usage: chart::USAGE,
        run: chart::run,
    },
    Task {
        name: "helm",
        usage: chart::HELM_USAGE,
        run: chart::run_helm,
    },
    Task {
        name: "rights",
        usage: rights::USAGE,
        run: rights::run,
    },
    Task {
        name: "demo",
        usage: demo::USAGE,
        run: demo::run,
    },
    Task {
        name: "test",
        usage: test::USAGE,
        run: test::run,
    },
    Task {
        name: "terraform",
        usage: terraform::USAGE,
        run: terraform::run,
    },
    Task {
        name: "soak",
        usage: soak::USAGE,
        run: soak::run,
    },
    Task {
        name: "bench",
        usage: bench::USAGE,
        run: bench::run,
    },
    Task {
        name: "fuzz",
        usage: fuzz::USAGE,
        run: fuzz::run,
    },
];

fn main() -> ExitCode {
    match dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> Result<()> {
    use lexopt::Arg::{Long, Short, Value};

    let mut arguments = lexopt::Parser::from_env();
    match arguments.next()? {
        None | Some(Long("help") | Short('h')) => {
            progress::print(&usage());
            Ok(())
        }
        Some(Value(name)) => match COMMANDS.iter().find(|task| name == task.name) {
            Some(task) => (task.run)(arguments),
            None => bail!("there is no command {}\n\n{}", name.display(), usage()),
        },
        Some(other) => bail!("{}\n\n{}", other.unexpected(), usage()),
    }
}

fn usage() -> String {
    let commands: Vec<_> = COMMANDS.iter().map(|task| task.usage.trim_end()).collect();
    format!("Usage: cargo xtask COMMAND\n\n{}\n", commands.join("\n\n"))
}
