//! Processes of their own for what one process cannot do to itself: be killed, and mount file systems.
//!
//! A stage is an ignored test of this binary, which does nothing unless a test beside it has set the stage.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::mount::{MsFlags, mount};
use nix::unistd::geteuid;

use crate::tool::{output, tool};

/// Names the directory that a stage works in.
const PLACE: &str = "WADDLEPERF_TEST_STAGE";

/// Where this process is the stage, if it is one.
pub(crate) fn place() -> Option<PathBuf> {
    env::var_os(PLACE).map(PathBuf::from)
}

/// A command that plays the ignored test `name` in `place`; what it writes to stderr is its own.
pub(crate) fn command(name: &str, place: &Path) -> Command {
    dressed(Command::new(env::current_exe().expect("this binary")), name, place)
}

/// Plays the ignored test `name` in `place`, where it may mount; fails with all that it said.
#[track_caller]
pub(crate) fn play_with_mounts(name: &str, place: &Path) {
    let mut unshare = tool("unshare");
    if !geteuid().is_root() {
        unshare.args(["--user", "--map-root-user"]);
    }
    unshare.args(["--mount", "--propagation", "private"]).arg(env::current_exe().expect("this binary"));
    let output = output(&mut dressed(unshare, name, place));
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{name}: {}\n{said}", output.status);
}

/// Mounts an empty file system of `size` on `at`, private to this user.
pub(crate) fn tmpfs(at: &Path, size: &str) {
    let options = format!("size={size},mode=0700");
    mount(Some("none"), at, Some("tmpfs"), MsFlags::empty(), Some(options.as_str())).expect("a tmpfs");
}

fn dressed(mut command: Command, name: &str, place: &Path) -> Command {
    command.args(["--exact", name, "--ignored", "--nocapture", "--test-threads=1"]);
    command.env(PLACE, place).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}
