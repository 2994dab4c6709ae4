//! The systemd units: valid, locked down, and of one mind.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tool::{WADDLEPERF, output, stdout, tool};

const UNITS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/systemd");

fn units(extension: &str) -> Vec<PathBuf> {
    let mut units: Vec<_> = fs::read_dir(UNITS)
        .expect("read deploy/systemd")
        .map(|entry| entry.expect("read a directory entry").path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    units.sort();
    assert!(!units.is_empty(), "no .{extension} in {UNITS}");
    units
}

fn read(unit: &Path) -> String {
    fs::read_to_string(unit).unwrap_or_else(|error| panic!("read {}: {error}", unit.display()))
}

/// The lines of a unit that set something.
fn settings(unit: &Path) -> Vec<String> {
    read(unit)
        .lines()
        .filter(|line| line.contains('=') && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// systemd-analyze's exposure, 0 to 10.
fn exposure(unit: &Path) -> f64 {
    let text = stdout(tool("systemd-analyze").args(["security", "--offline=true", "--no-pager"]).arg(unit));
    let (_, number) = text.rsplit_once(".service: ").unwrap_or_else(|| panic!("no exposure in {text}"));
    let number = number.split_whitespace().next().unwrap_or_default();
    number.parse().unwrap_or_else(|error| panic!("{number}: {error}"))
}

#[test]
fn systemd_takes_every_unit() {
    let there = tempfile::tempdir().expect("make a directory");
    let copies: Vec<_> = ["service", "socket", "timer"]
        .into_iter()
        .flat_map(units)
        .map(|unit| {
            let copy = there.path().join(unit.file_name().expect("a unit has a name"));
            // The program need not be installed where the units look for it.
            let text = read(&unit).replace("/usr/bin/waddleperf", WADDLEPERF);
            fs::write(&copy, text).expect("write a unit");
            copy
        })
        .collect();
    let verdict =
        output(tool("systemd-analyze").args(["verify", "--man=no", "--recursive-errors=no"]).args(&copies));
    // An unknown key or a value it cannot parse is only a warning to systemd.
    let said = String::from_utf8_lossy(&verdict.stderr);
    assert!(verdict.status.success() && said.is_empty(), "{said}");
}

#[test]
fn each_service_starts_a_command_that_exists() {
    for unit in units("service") {
        let settings = settings(&unit);
        let start = settings
            .iter()
            .find_map(|line| line.strip_prefix("ExecStart=/usr/bin/waddleperf "))
            .unwrap_or_else(|| panic!("{}: starts something else", unit.display()));
        let command = start.split_whitespace();
        let help = stdout(Command::new(WADDLEPERF).args(command).arg("--help"));
        // The last word is the command's own: its help is not that of the one above it.
        assert!(help.contains(&format!("{start} ")), "{help}");
    }
}

#[test]
fn each_service_that_stays_is_reloaded_by_sighup() {
    for unit in units("service") {
        let settings = settings(&unit);
        let stays = settings.iter().any(|line| line == "Type=notify");
        let reloads = settings.iter().any(|line| line == "ExecReload=/bin/kill -HUP $MAINPID");
        assert_eq!(stays, reloads, "{}", unit.display());
    }
}

#[test]
fn an_attacker_finds_little_in_a_service() {
    for unit in units("service") {
        let exposure = exposure(&unit);
        assert!(exposure <= 2.0, "{}: exposure {exposure}", unit.display());
    }
}

#[test]
fn a_service_without_its_locks_is_exposed() {
    let there = tempfile::tempdir().expect("make a directory");
    let unit = there.path().join("open.service");
    fs::write(&unit, "[Service]\nExecStart=/usr/bin/waddleperf serve\n").expect("write a unit");
    assert!(exposure(&unit) > 9.0);
}

/// They share a user, a directory and its sockets; each file is complete because people copy one.
#[test]
fn all_services_are_locked_down_alike() {
    let locks = |unit: &PathBuf| {
        let mut settings = settings(unit);
        settings.retain(|line| {
            let own = ["Description", "Documentation", "Type", "Exec", "Watchdog", "Restart"];
            let more = ["Timeout", "SuccessExitStatus", "WantedBy"];
            !own.iter().chain(&more).any(|key| line.starts_with(key))
        });
        settings
    };
    let services = units("service");
    for other in &services[1..] {
        assert_eq!(locks(&services[0]), locks(other), "{}", other.display());
    }
}
