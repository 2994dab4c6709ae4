//! `setup timer`: the systemd units that measure where neither a server nor a daemon runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use super::files::File;
use crate::cli::{Env, say};
use crate::failure::{Class, Failure};
use crate::units::Span;

#[derive(Debug, Args)]
pub(super) struct Timer {
    /// Time between two rounds: whole minutes that divide an hour, or whole hours that divide a day
    #[arg(long, value_name = "TIME", default_value = "5m")]
    every: Span,
    /// Write the units, instead of printing them; `systemctl enable --now waddleperf-autoperf.timer` starts them
    #[arg(long)]
    install: bool,
    /// Where to write them
    #[arg(long, value_name = "DIR", default_value = "/etc/systemd/system", requires = "install")]
    dir: PathBuf,
}

/// The units as they are packaged.
const SERVICE: &str = include_str!("../../../deploy/systemd/waddleperf-autoperf.service");
const TIMER: &str = include_str!("../../../deploy/systemd/waddleperf-autoperf.timer");

pub(super) fn run(args: &Timer, env: &Env) -> Result<u8, Failure> {
    let files = units(args.every.0, &super::program()?, env.file.as_deref())?;
    if args.install {
        return File::write_all(&args.dir, &files);
    }
    let texts = files.iter().map(|file| format!("# {}\n{}", file.name, file.text));
    say(&texts.collect::<Vec<_>>().join("\n"))
}

fn units(every: Duration, program: &Path, config: Option<&Path>) -> Result<Vec<File>, Failure> {
    let calendar = calendar(every).ok_or_else(|| {
        Class::Usage.because(format_args!("--every {}: not a part of an hour or of a day", Span(every)))
    })?;
    let config = config.map_or_else(String::new, |file| format!(" --config \"{}\"", systemd(file)));
    let service = SERVICE.replace(
        "ExecStart=/usr/bin/waddleperf autoperf run",
        &format!("ExecStart=\"{}\" autoperf run{config}", systemd(program)),
    );
    // Spread over most of the interval, always the same on one host.
    let spread = Span(Duration::from_secs(every.as_secs() * 4 / 5));
    let timer = TIMER
        .replace("every five minutes", &format!("every {}", Span(every)))
        .replace("OnCalendar=*:0/5", &format!("OnCalendar={calendar}"))
        .replace("RandomizedDelaySec=4min", &format!("RandomizedDelaySec={spread}"))
        .replace("A round every five minutes", &format!("A round every {}", Span(every)));
    let file = |name: &str, text| File { name: name.to_owned(), text };
    Ok(vec![file("waddleperf-autoperf.service", service), file("waddleperf-autoperf.timer", timer)])
}

/// A path inside double quotes of a unit file.
fn systemd(path: &Path) -> String {
    let text = path.display().to_string().replace('\\', "\\\\");
    text.replace('"', "\\\"").replace('%', "%%").replace('$', "$$")
}

/// systemd.time(7) for once in `every`; `None` where that does not divide an hour or a day.
fn calendar(every: Duration) -> Option<String> {
    let minutes = every.as_secs() / 60;
    let is_whole = minutes > 0 && Duration::from_secs(minutes * 60) == every;
    match minutes {
        1..60 if is_whole && 60 % minutes == 0 => Some(format!("*:0/{minutes}")),
        60..=1440 if is_whole && 1440 % minutes == 0 && minutes.is_multiple_of(60) => {
            Some(format!("0/{}:00", minutes / 60))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packaged_units_with_another_interval_and_program() {
        let files = units(Duration::from_secs(900), Path::new("/opt/w p"), Some(Path::new("/etc/w.toml")))
            .expect("units");
        assert!(files[0].text.contains("\nExecStart=\"/opt/w p\" autoperf run --config \"/etc/w.toml\"\n"));
        for line in ["OnCalendar=*:0/15", "RandomizedDelaySec=12m", "Persistent=no"] {
            assert!(files[1].text.lines().any(|have| have == line), "{line} in {}", files[1].text);
        }
        assert_eq!(calendar(Duration::from_secs(7200)).as_deref(), Some("0/2:00"));
        assert_eq!(calendar(Duration::from_secs(420)), None);
    }
}
