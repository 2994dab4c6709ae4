//! `waddleperf setup links`, and being called by the names that it makes.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::tool::{WADDLEPERF, copy_to, stdout};

fn links(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(WADDLEPERF);
    command.args(["setup", "links", "--dir"]).arg(dir).args(args).env("XDG_CONFIG_HOME", "/nowhere");
    command
}

#[test]
fn a_link_is_a_command_of_its_own() {
    let dir = tempfile::tempdir().expect("make a directory");
    stdout(&mut links(dir.path(), &[]));
    let link = dir.path().join("udpping");
    let help = stdout(Command::new(&link).arg("--help"));
    assert!(help.contains("Usage: udpping "), "{help}");
    for other in ["UDPPING", "wp-udpping"] {
        let other = dir.path().join(other);
        std::os::unix::fs::symlink(&link, &other).expect("a link to the link");
        assert!(stdout(Command::new(&other).arg("--help")).contains("Usage: udpping "));
    }
}

#[test]
fn making_links_again_changes_nothing_and_removing_takes_only_them() {
    let dir = tempfile::tempdir().expect("make a directory");
    let made = stdout(&mut links(dir.path(), &["--prefix", "wp-"]));
    assert!(made.contains("/wp-udpping\n"), "{made}");
    assert_eq!(stdout(&mut links(dir.path(), &["--prefix", "wp-"])), "");
    fs::write(dir.path().join("neighbour"), "").expect("write a file of somebody else");
    stdout(&mut links(dir.path(), &["--prefix", "wp-", "--remove"]));
    let left: Vec<_> = fs::read_dir(dir.path()).expect("read the directory").collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_file_of_somebody_else_is_replaced_only_by_force() {
    let dir = tempfile::tempdir().expect("make a directory");
    let place = dir.path().join("udpping");
    fs::write(&place, "mine").expect("write a file of somebody else");
    let refused = links(dir.path(), &[]).output().expect("it runs");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2));
    assert!(said.lines().count() == 1 && said.contains("udpping: exists and is no link"), "{said}");
    assert_eq!(fs::read_to_string(&place).expect("still there"), "mine");
    stdout(&mut links(dir.path(), &["--force"]));
    assert!(stdout(Command::new(&place).arg("--version")).contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_names_of_earlier_tools_are_the_commands_that_replace_them() {
    let dir = tempfile::tempdir().expect("make a directory");
    let made = stdout(&mut links(dir.path(), &["--upstream"]));
    for (old, command) in [("perfDB", "results"), ("waddledb", "results"), ("ppingParser", "results import")]
    {
        assert!(made.lines().any(|line| line.ends_with(&format!("/{old}"))), "{old}: {made}");
        let help = stdout(Command::new(dir.path().join(old)).arg("--help"));
        let named = stdout(Command::new(WADDLEPERF).args(command.split(' ')).arg("--help"));
        let usage = |help: &str| help.lines().find(|line| line.starts_with("Usage: ")).map(str::to_owned);
        let expected = usage(&named).map(|line| line.replace("waddleperf results", "results"));
        assert!(expected.is_some() && usage(&help) == expected, "{old}: {help}");
    }
    let plain = stdout(&mut links(dir.path(), &["--list"]));
    assert!(!plain.contains("perfDB") && plain.contains("udpping"), "only when asked: {plain}");
    let taken = stdout(&mut links(dir.path(), &["--upstream", "--remove"]));
    assert!(taken.contains("/perfDB\n") && !dir.path().join("perfDB").exists(), "{taken}");
}

#[test]
fn near_links_are_relative_so_that_both_can_be_moved() {
    let dir = tempfile::tempdir().expect("make a directory");
    let bin = dir.path().join("bin");
    fs::create_dir(&bin).expect("make bin");
    let program = bin.join("waddleperf");
    copy_to(&program);
    stdout(Command::new(&program).args(["setup", "links", "--dir"]).arg(&bin));
    let moved = dir.path().join("moved");
    fs::rename(&bin, &moved).expect("move bin");
    assert!(stdout(Command::new(moved.join("udpping")).arg("--help")).contains("Usage: udpping "));
}

#[test]
fn hard_links_are_the_program_itself() {
    use std::os::unix::fs::MetadataExt;
    let dir = tempfile::tempdir().expect("make a directory");
    let program = dir.path().join("waddleperf");
    copy_to(&program);
    stdout(Command::new(&program).args(["setup", "links", "--hard", "--dir"]).arg(dir.path()));
    let inode = |path: &Path| fs::metadata(path).expect("a file").ino();
    assert_eq!(inode(&dir.path().join("udpping")), inode(&program));
}
