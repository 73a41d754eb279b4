//! What can be typed about what happens by itself.

use std::net::SocketAddr;
use std::num::{NonZeroU8, NonZeroUsize};
use std::time::Duration;

use clap::Args as ClapArgs;
use clap_complete::ArgValueCompleter;

use super::{Format, OneOrAll};
use crate::cli::complete;
use crate::config::env;
use crate::group::duration;

/// `promoter serve`
#[derive(Debug, ClapArgs)]
pub struct Serve {
    /// Where to answer /livez, /readyz and /metrics
    #[arg(long, value_name = "ADDRESS", env = env::LISTEN, default_value = "127.0.0.1:8080", value_parser = address)]
    pub listen: SocketAddr,

    /// How often to look for new images of groups that are promoted on push
    #[arg(long, value_name = "DURATION", env = env::POLL, default_value = "1m", value_parser = pause)]
    pub poll: Duration,

    /// URL of an SQS queue that is told of pushes to ECR; without one they are found by looking
    #[arg(long, value_name = "URL", env = env::PUSH_QUEUE, hide_env_values = true)]
    pub push_queue: Option<String>,

    /// Promotions that are under way at the same time at most, before their switch
    #[arg(long, value_name = "NUMBER", env = env::AT_ONCE, default_value = "8")]
    pub at_once: NonZeroUsize,
}

/// `promoter schedule`
#[derive(Debug, ClapArgs)]
pub struct Schedule {
    #[command(flatten)]
    #[expect(missing_docs, reason = "the flattened arguments bring their own")]
    pub of: OneOrAll,

    /// Only groups of this environment
    #[arg(short, long, value_name = "ENVIRONMENT", add = ArgValueCompleter::new(complete::environments))]
    pub environment: Option<String>,

    /// How many of the next runs to list for each group
    #[arg(short = 'n', long, value_name = "NUMBER", default_value = "3")]
    pub next: NonZeroU8,

    /// How to print it
    #[arg(short, long, value_enum, default_value_t = Format::Text)]
    pub output: Format,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let wrong = "write an IP address and a port, as 127.0.0.1:8080, 0.0.0.0:8080 or [::]:8080";
    text.parse().map_err(|_| wrong.to_owned())
}

/// A time between two questions: asking without a pause would be refused by those asked.
fn pause(text: &str) -> Result<Duration, String> {
    let pause = duration::parse(text).map_err(|error| error.to_string())?;
    if pause < Duration::from_secs(1) {
        return Err("it must be at least 1s".to_owned());
    }
    Ok(pause)
}
