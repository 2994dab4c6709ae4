//! What is generated and committed is what the program says today.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::tool::{WADDLEPERF, stdout};

/// The files in `directory`, by name.
fn files(directory: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let entries = entries.map(|entry| entry.expect("read a directory entry").path());
    let files = entries.filter(|path| path.is_file()).map(|path| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).expect("text"))
    });
    files.collect()
}

/// Generates `what` anew and compares it with the committed `directory`.
fn check(what: &str, directory: &str, is_generated: impl Fn(&str) -> bool) {
    let fresh = tempfile::tempdir().expect("make a directory");
    // Whoever runs this may have a narrow terminal and a configuration of his own.
    stdout(
        Command::new(WADDLEPERF)
            .args(["setup", what, "--dir"])
            .arg(fresh.path())
            .env("COLUMNS", "40")
            .env("WADDLEPERF_DATA", "/nowhere")
            .env("XDG_CONFIG_HOME", "/nowhere"),
    );
    let fresh = files(fresh.path());
    let mut committed = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(directory));
    committed.retain(|name, _| is_generated(name));
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&fresh), names(&committed), "{directory}/: run `make drift`");
    for (name, text) in fresh {
        assert!(text == committed[&name], "{directory}/{name} differs: run `make drift`");
    }
}

#[test]
fn the_manual_is_what_the_program_says() {
    check("man", "man", |_| true);
}

#[test]
fn the_completions_are_what_the_program_says() {
    check("completions", "completions", |_| true);
}

#[test]
fn the_reference_is_what_the_program_says() {
    check("docs", "docs", |name| ["measurement.md", "config.md"].contains(&name));
}

#[test]
fn the_sample_configuration_is_right() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/waddleperf.toml");
    let said = stdout(Command::new(WADDLEPERF).args(["config", "check", sample]));
    assert!(said.ends_with(": ok\n"), "{said}");
    let printed = stdout(Command::new(WADDLEPERF).args(["setup", "config"]));
    assert_eq!(printed, fs::read_to_string(sample).expect("read the sample"));
}

#[test]
fn the_generated_pages_are_well_formed() {
    for (name, text) in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("man")) {
        assert!(text.starts_with(".so ") || text.contains(".TH "), "{name}");
        assert!(!text.contains("SUBCOMMANDS\"\n.SH"), "{name}: an empty section");
    }
}
