//! The name that the program is called by may be a command.

use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::{Reflector, clean, said};
use crate::tool::WADDLEPERF;

#[test]
fn a_link_measures_whatever_the_case_of_its_name() {
    let reflector = Reflector::start();
    let dir = reflector.dir.path();
    for name in ["udpping", "UdpPing", "wp-udpping", "UDPPING.exe"] {
        let link = dir.join(name);
        symlink(WADDLEPERF, &link).expect("make a link");
        let mut command = clean(Command::new(&link), dir);
        let (out, err, code) = said(command.args(["-c1", "-q", "127.0.0.1", "-p", &reflector.port]));
        assert!(out.starts_with("--- 127.0.0.1 udpping ---\n1 sent, 1 received"), "{name}: {out}{err}");
        assert_eq!(code, Some(0), "{name}");
    }
}

#[test]
fn a_login_shells_dash_is_no_part_of_the_name() {
    let dir = tempfile::tempdir().expect("make a directory");
    let mut command = clean(Command::new(WADDLEPERF), dir.path());
    let (out, err, code) = said(command.arg0("-udpping").arg("--help"));
    assert!(out.contains("Usage: udpping "), "{out}{err}");
    assert_eq!(code, Some(0));
}

#[test]
fn a_name_that_is_no_command_is_the_program() {
    let dir = tempfile::tempdir().expect("make a directory");
    let mut command = clean(Command::new(WADDLEPERF), dir.path());
    let (out, _, code) = said(command.arg0("waddleperf-udpping").arg("--version"));
    assert!(out.starts_with("waddleperf "), "{out}");
    assert_eq!(code, Some(0));
}
