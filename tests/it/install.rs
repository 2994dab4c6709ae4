//! `make install` and `make uninstall`.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tool::{WADDLEPERF, stdout, tool};

fn make(target: &str, destination: &Path) -> Command {
    let mut make = tool("make");
    make.current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["--no-print-directory", target, "PREFIX=/usr"])
        .arg(format!("DESTDIR={}", destination.display()))
        .arg(format!("BIN={WADDLEPERF}"))
        // Of the make that runs this test.
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL");
    make
}

/// Every file and link below `directory`, by its path there.
fn files(directory: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![directory.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in fs::read_dir(&next).expect("read a directory") {
            let entry = entry.expect("read a directory entry");
            let path = entry.path();
            if entry.file_type().expect("read a file's type").is_dir() {
                waiting.push(path);
            } else {
                let path = path.strip_prefix(directory).expect("the file is below");
                found.insert(path.to_owned());
            }
        }
    }
    found
}

fn installed() -> (tempfile::TempDir, BTreeSet<PathBuf>) {
    let destination = tempfile::tempdir().expect("make a directory");
    stdout(&mut make("install", destination.path()));
    let files = files(destination.path());
    (destination, files)
}

#[test]
fn install_puts_everything_in_its_standard_place() {
    let (_destination, files) = installed();
    let expected = [
        "usr/bin/waddleperf",
        "usr/bin/udpping",
        "usr/share/man/man1/waddleperf.1",
        "usr/share/man/man1/waddleperf-udpping.1",
        "usr/share/bash-completion/completions/waddleperf",
        "usr/share/bash-completion/completions/udpping",
        "usr/share/zsh/site-functions/_waddleperf",
        "usr/share/fish/vendor_completions.d/waddleperf.fish",
        "usr/share/fish/vendor_completions.d/udpping.fish",
        "usr/lib/systemd/system/waddleperf-serve.service",
        "usr/lib/systemd/system/waddleperf-serve.socket",
        "usr/lib/systemd/system/waddleperf-autoperf.timer",
        "usr/share/doc/waddleperf/examples/waddleperf.toml",
    ];
    let missing: Vec<_> = expected
        .into_iter()
        .filter(|path| !files.contains(Path::new(path)))
        .collect();
    assert!(missing.is_empty(), "missing {missing:?} in {files:#?}");
}

#[test]
fn what_is_installed_runs_by_each_name() {
    let (destination, _) = installed();
    let bin = destination.path().join("usr/bin");
    for entry in fs::read_dir(&bin).expect("read bin") {
        let program = entry.expect("read a directory entry").path();
        let version = stdout(Command::new(&program).arg("--version"));
        assert!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");
        let link = program.is_symlink();
        let own = program.ends_with("waddleperf");
        assert_ne!(link, own, "{}: one program, the rest links", program.display());
    }
}

#[test]
fn nobody_but_root_may_change_what_is_installed() {
    let (destination, files) = installed();
    for file in files {
        let path = destination.path().join(&file);
        let mode = fs::metadata(&path)
            .expect("read a file's mode")
            .permissions()
            .mode();
        assert_eq!(mode & 0o022, 0, "{}: {mode:o}", file.display());
    }
}

#[test]
fn the_units_start_the_installed_program() {
    let destination = tempfile::tempdir().expect("make a directory");
    stdout(make("install", destination.path()).arg("PREFIX=/opt/waddleperf"));
    let unit = destination
        .path()
        .join("opt/waddleperf/lib/systemd/system/waddleperf-serve.service");
    let unit = fs::read_to_string(unit).expect("read the installed unit");
    assert!(
        unit.contains("\nExecStart=/opt/waddleperf/bin/waddleperf serve\n"),
        "{unit}"
    );
}

#[test]
fn uninstall_removes_exactly_what_install_wrote() {
    let destination = tempfile::tempdir().expect("make a directory");
    let bin = destination.path().join("usr/bin");
    fs::create_dir_all(&bin).expect("make bin");
    fs::write(bin.join("neighbour"), "").expect("write a file of somebody else");

    stdout(&mut make("install", destination.path()));
    assert!(files(destination.path()).len() > 10);
    stdout(&mut make("uninstall", destination.path()));

    let left = files(destination.path());
    assert_eq!(left, BTreeSet::from([PathBuf::from("usr/bin/neighbour")]));
    let own = destination.path().join("usr/share/waddleperf");
    assert!(!own.exists(), "the own directory is gone");
}
