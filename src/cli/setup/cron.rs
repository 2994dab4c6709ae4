//! `setup cron`: the crontab line that measures where neither a server nor a daemon runs.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use clap::Args;

use super::quoted;
use crate::autoperf::schedule::hash;
use crate::cli::{Env, say};
use crate::failure::{Class, Failure, reason};
use crate::units::Span;

#[derive(Debug, Args)]
pub(super) struct Cron {
    /// Time between two rounds: whole minutes that divide an hour, or whole hours that divide a day
    #[arg(long, value_name = "TIME", default_value = "5m")]
    every: Span,
    /// Put the line into this account's crontab, in the place of an earlier one
    #[arg(long)]
    install: bool,
}

/// Ends our line in a crontab, so that it is found again. The shell takes it for a comment.
const MARK: &str = "# waddleperf setup cron";

pub(super) fn run(args: &Cron, env: &Env) -> Result<u8, Failure> {
    let line = line(args.every.0, env)?;
    if args.install {
        install(&line)?;
    }
    say(&format!("{line}\n"))
}

fn line(every: Duration, env: &Env) -> Result<String, Failure> {
    let when = when(every, hash(&[&env.agent.id.to_string()]))
        .ok_or_else(|| Class::Usage.because(format_args!("--every {}: cron can do {CAN}", Span(every))))?;
    // Where minutes cannot tell hosts apart, seconds do.
    let command =
        format!("{} autoperf run --quiet --if-locked skip --stagger 45s", quoted(&super::program()?));
    let config = env.file.as_deref().map(absolute).transpose()?;
    let config = config.map_or_else(String::new, |file| format!(" --config {}", quoted(&file)));
    let data = quoted(&absolute(env.data.path())?);
    // A bare percent sign ends the command of a crontab line.
    let command = format!("{command}{config} --data {data}").replace('%', "\\%");
    Ok(format!("{when} {command} {MARK}"))
}

const CAN: &str = "1m, 2m, 3m, 4m, 5m, 6m, 10m, 12m, 15m, 20m, 30m, 1h, 2h, 3h, 4h, 6h, 8h, 12h or 24h";

/// The five fields for once in `every`, begun at this host's own minute; `None` for what cron cannot do.
fn when(every: Duration, place: u64) -> Option<String> {
    let minutes = every.as_secs() / 60;
    if minutes == 0 || Duration::from_secs(minutes * 60) != every {
        return None;
    }
    let (hours, start) = (minutes / 60, place % minutes.min(60));
    match minutes {
        1 => Some("* * * * *".to_owned()),
        2..60 if 60 % minutes == 0 => Some(format!("{start}-59/{minutes} * * * *")),
        60 => Some(format!("{start} * * * *")),
        1440 => Some(format!("{start} {} * * *", (place / 60) % 24)),
        120..1440 if minutes.is_multiple_of(60) && 24 % hours == 0 => {
            Some(format!("{start} {}-23/{hours} * * *", (place / 60) % hours))
        }
        _ => None,
    }
}

fn absolute(path: &Path) -> Result<std::path::PathBuf, Failure> {
    std::path::absolute(path)
        .map_err(|error| Failure::from_io(format_args!("find {}", path.display()), &error))
}

/// Replaces our line in this account's crontab, or adds it.
fn install(line: &str) -> Result<(), Failure> {
    let failed = |why: &str| Class::Internal.because(format_args!("crontab: {why}"));
    let start = |error: &std::io::Error| failed(&format!("{} (is cron installed?)", reason(error)));
    let listed = Command::new("crontab").arg("-l").output().map_err(|error| start(&error))?;
    // Without a crontab this fails, and lists nothing.
    let mut text: String = String::from_utf8_lossy(&listed.stdout)
        .lines()
        .filter(|line| !line.ends_with(MARK))
        .map(|line| format!("{line}\n"))
        .collect();
    text.push_str(line);
    text.push('\n');
    let mut child = Command::new("crontab")
        .arg("-")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| start(&error))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(text.as_bytes()).map_err(|error| failed(&reason(&error)))?;
    }
    let ended = child.wait_with_output().map_err(|error| failed(&reason(&error)))?;
    if ended.status.success() { Ok(()) } else { Err(failed(&String::from_utf8_lossy(&ended.stderr))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cron_can_do_begins_at_the_hosts_own_minute() {
        for (minutes, expected) in [
            (1, Some("* * * * *")),
            (5, Some("3-59/5 * * * *")),
            (30, Some("13-59/30 * * * *")),
            (60, Some("13 * * * *")),
            (120, Some("13 1-23/2 * * *")),
            (1440, Some("13 1 * * *")),
            (0, None),
            (7, None),
            (90, None),
            (300, None),
        ] {
            assert_eq!(when(Duration::from_secs(minutes * 60), 73).as_deref(), expected, "{minutes} min");
        }
        assert_eq!(when(Duration::from_secs(90), 73), None);
    }
}
