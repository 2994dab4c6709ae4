//! The store as whole processes meet it: an owner and others beside it, other users, files that are no store.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use super::{data, plain, store};
use crate::tool::{WADDLEPERF, copy_to, output, real_root, stdout, tool};

const PING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/import/ping-q.txt");

fn waddleperf(data: &Path) -> Command {
    dressed(Command::new(WADDLEPERF), data)
}

fn dressed(mut command: Command, data: &Path) -> Command {
    command.arg("--data").arg(data).env("XDG_CONFIG_HOME", "/nowhere").stdin(Stdio::null());
    command
}

/// A server that does nothing but hold the store; killed when dropped.
pub(super) struct Owner(Child);

impl Owner {
    pub(super) fn of(data: &Path) -> Self {
        let mut serve = waddleperf(data);
        serve
            .args(["serve", "--listen", "iperf3=off", "--listen", "udpping=off"])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let owner = Self(serve.spawn().expect("it starts"));
        let well = |_| output(waddleperf(data).arg("health")).status.success();
        assert!((0..100).any(well), "the owner does not get well");
        owner
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A command that imports one record, the `n`th.
pub(super) fn import_one(data: &Path, n: u32) -> Command {
    let mut import = waddleperf(data);
    import.args(["results", "import", PING, "--at", &format!("2026-11-23T10:00:{n:02}Z")]);
    import.args(["--label", &format!("n={n}")]);
    import
}

/// Starts `count` processes at once that each import one record, and waits for all.
fn import(data: &Path, count: u32) {
    let importers: Vec<Child> =
        (0..count).map(|n| import_one(data, n).stdout(Stdio::null()).spawn().expect("it starts")).collect();
    for mut importer in importers {
        assert!(importer.wait().expect("it ends").success());
    }
}

pub(super) fn ids(data: &Path) -> BTreeSet<String> {
    let text = stdout(waddleperf(data).args(["results", "ids"]));
    text.lines().map(str::to_owned).collect()
}

#[test]
fn what_many_processes_keep_beside_an_owner_is_all_listed() {
    let (_dir, data) = data();
    let owner = Owner::of(data.path());
    import(data.path(), 20);
    let listed = ids(data.path());
    assert_eq!(listed.len(), 20);
    // The owner is killed; whoever comes next finds the same.
    drop(owner);
    assert_eq!(ids(data.path()), listed);
    stdout(waddleperf(data.path()).args(["results", "verify"]));
}

#[test]
fn what_many_processes_keep_without_an_owner_is_all_listed() {
    let (_dir, data) = data();
    import(data.path(), 20);
    assert_eq!(ids(data.path()).len(), 20);
    import(data.path(), 20);
    assert_eq!(ids(data.path()).len(), 20, "what is imported twice is kept once");
}

/// Exit 3, nothing on stdout, and one line on stderr, which is answered.
#[track_caller]
pub(super) fn refusal(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = output(command);
    let stderr = String::from_utf8(stderr).expect("text");
    assert_eq!(status.code(), Some(3), "{stderr}");
    assert!(stdout.is_empty() && stderr.lines().count() == 1, "{stderr}");
    stderr
}

#[test]
fn a_spoilt_store_is_one_line_and_exit_3_for_every_command() {
    let (_dir, data) = data();
    drop(store(&data));
    let mut octets = fs::read(data.store()).expect("the file");
    octets[64..4096].fill(0xa5);
    fs::write(data.store(), octets).expect("spoilt");
    for command in
        [&["list"][..], &["ids"], &["verify"], &["stats"], &["export"], &["prune"], &["import", PING]]
    {
        let line = refusal(waddleperf(data.path()).arg("results").args(command));
        assert!(
            line.contains(data.store().to_str().expect("a path")) && line.contains("move it away"),
            "{line}"
        );
    }
}

#[test]
fn the_data_of_another_user_is_refused_by_name() {
    if !real_root("store: the data of another user") {
        return;
    }
    let (dir, data) = data();
    store(&data).commit(&[plain(0)], &[]).expect("kept");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("others may pass");
    let as_nobody = || {
        let mut nobody = tool("setpriv");
        // The program lies where others may not look.
        let copy = dir.path().join("waddleperf");
        if !copy.exists() {
            copy_to(&copy);
        }
        nobody.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(copy);
        dressed(nobody, data.path())
    };
    let path = data.path().to_str().expect("a path");
    for command in [&["list"][..], &["verify"]] {
        let line = refusal(as_nobody().arg("results").args(command));
        assert!(line.contains(path), "{line}");
    }
    // Without a store in it, the directory's owner is what is wrong.
    fs::remove_file(data.store()).expect("removed");
    let line = refusal(as_nobody().args(["results", "list"]));
    assert!(line.contains(path) && line.contains("belongs to uid 0") && line.contains("--data"), "{line}");
}
