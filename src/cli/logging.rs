//! What is told on stderr while a command works: `tracing`, by the section `log` and `-v`.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::config::Log;
use crate::failure::{Class, Failure};

/// Starts telling. Each `-v` adds one step to the configured level.
pub(super) fn start(log: &Log, verbose: u8) -> Result<(), Failure> {
    let level = match verbose {
        0 => log.level.as_str(),
        1 => "info,waddleperf=debug",
        _ => "debug,waddleperf=trace",
    };
    let filter = EnvFilter::try_new(level)
        .map_err(|error| Class::Config.because(format_args!("log.level = \"{level}\": {error}")))?;
    let colour = io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty());
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(colour)
        .with_target(verbose > 0);
    // Only the first of a process counts; there is a second only in tests.
    let _ = subscriber.try_init();
    Ok(())
}
