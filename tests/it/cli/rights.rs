//! A program with more rights than its caller: what the caller chose for it to see is not believed.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Output;

use tempfile::TempDir;

use crate::tool::{copy_to, output, real_root, stdout, tool};

/// A copy of the program where anybody may start it, and the link `udpping` to it.
fn copy() -> TempDir {
    let place = tempfile::tempdir().expect("make a directory");
    fs::set_permissions(place.path(), Permissions::from_mode(0o755)).expect("open it");
    copy_to(&place.path().join("waddleperf"));
    symlink("waddleperf", place.path().join("udpping")).expect("make a link");
    place
}

/// Runs `name` in `place` as nobody, with an environment that means to lead it astray.
fn as_nobody(place: &Path, name: &str, arguments: &[&str]) -> Output {
    let mut command = tool("runuser");
    command.args(["-u", "nobody", "--", "env", "-i", "WADDLEPERF_DATA=/nobodys/data", "HOME=/nobodys/home"]);
    command.args(["XDG_STATE_HOME=/nobodys/state", "STATE_DIRECTORY=/nobodys/directory"]);
    output(command.arg(place.join(name)).args(arguments))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_setuid_copy_believes_neither_its_name_nor_the_environment() {
    if !real_root("cli::rights::a_setuid_copy_believes_neither_its_name_nor_the_environment") {
        return;
    }
    let copy = copy();
    let place = copy.path();
    let program = place.join("waddleperf");
    let data = || said(&as_nobody(place, "waddleperf", &["config", "print"]));
    assert!(data().contains("# DATA is /nobodys/data\n"), "an ordinary copy believes both: {}", data());
    assert!(said(&as_nobody(place, "udpping", &["--help"])).contains("Usage: udpping "));

    // The user who calls is nobody, the one it acts for root; a file system without setuid would show here.
    fs::set_permissions(&program, Permissions::from_mode(0o4755)).expect("set the bit");
    assert_eq!(fs::metadata(&program).expect("the program").uid(), 0);
    assert!(data().contains("# DATA is /var/lib/waddleperf\n"), "{}", data());
    let named = said(&as_nobody(place, "udpping", &["--help"]));
    assert!(named.contains("Usage: waddleperf "), "{named}");
    // Each of them by itself, the configuration's place too.
    for variable in [
        "WADDLEPERF_DATA",
        "STATE_DIRECTORY",
        "XDG_STATE_HOME",
        "HOME",
        "WADDLEPERF_CONFIG",
        "XDG_CONFIG_HOME",
    ] {
        let mut command = tool("runuser");
        command.args(["-u", "nobody", "--", "env", "-i", &format!("{variable}=/nobodys")]);
        let printed = stdout(command.arg(&program).args(["config", "print"]));
        assert!(!printed.contains("nobodys"), "{variable}: {printed}");
    }
}

/// As in the image: the capability is permitted and not in effect, and the operator's environment counts.
#[test]
fn a_copy_with_a_capability_believes_the_environment_but_not_its_name() {
    if !real_root("cli::rights::a_copy_with_a_capability_believes_the_environment_but_not_its_name") {
        return;
    }
    let copy = copy();
    let place = copy.path();
    stdout(tool("setcap").arg("cap_net_raw=p").arg(place.join("waddleperf")));
    let printed = said(&as_nobody(place, "waddleperf", &["config", "print"]));
    assert!(printed.contains("# DATA is /nobodys/data\n"), "{printed}");
    let named = said(&as_nobody(place, "udpping", &["--help"]));
    assert!(named.contains("Usage: waddleperf "), "{named}");
}
