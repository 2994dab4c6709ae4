//! What is said to be kept has been synced before (promises R1 and R2), as the system calls of a whole process show.

use std::fs;
use std::path::Path;

use super::data;
use super::processes::{Owner, import_one};
use crate::tool::{stdout, tool};

/// The system calls of a process that imports one record, in order, each on a line.
fn calls(data: &Path) -> Vec<String> {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let import = import_one(data, 0);
    let mut strace = tool("strace");
    strace.args(["-f", "-y", "-e", "trace=fsync,fdatasync,rename,renameat,renameat2,write,pwrite64", "-o"]);
    strace.arg(file.path()).arg(import.get_program()).args(import.get_args());
    assert_eq!(stdout(&mut strace), "1 record kept\n");
    let trace = fs::read_to_string(file.path()).expect("a trace");
    trace.lines().map(str::to_owned).collect()
}

/// Why the promise is not kept by these calls; `None` where it is.
fn fault(calls: &[String], steps: &[(&str, &str)]) -> Option<String> {
    let mut rest = calls;
    for (call, path) in steps {
        let found = rest.iter().position(|line| line.contains(&format!(" {call}")) && line.contains(path));
        let Some(at) = found else { return Some(format!("no {call} of {path} in its place")) };
        rest = &rest[at + 1..];
    }
    None
}

/// The steps must be there, and each sync must be needed: without it the check fails.
#[track_caller]
fn check(calls: &[String], steps: &[(&str, &str)]) {
    assert_eq!(fault(calls, steps), None, "{calls:#?}");
    for kind in ["fsync", "fdatasync"] {
        let unsynced: Vec<String> =
            calls.iter().filter(|line| !line.contains(&format!(" {kind}("))).cloned().collect();
        let is_used = steps.iter().any(|(call, _)| *call == format!("{kind}("));
        assert_eq!(fault(&unsynced, steps).is_some(), is_used, "the check could not fail");
    }
}

#[test]
fn a_spooled_record_is_synced_with_its_directory_before_it_is_said() {
    let (_dir, data) = data();
    let _owner = Owner::of(data.path());
    let steps = [
        ("write(", "/spool/."),
        ("fsync(", "/spool/."),
        ("rename", "/spool/."),
        ("fsync(", "/spool>"),
        ("write(1", "record kept"),
    ];
    check(&calls(data.path()), &steps);
}

#[test]
fn a_stored_record_is_synced_twice_before_it_is_said() {
    let (_dir, data) = data();
    let calls = calls(data.path());
    let said = calls.iter().position(|line| line.contains("record kept")).expect("it was said");
    let created = calls.iter().position(|line| line.contains(" rename")).expect("the store was made");
    // Two phases: the data, then the header that points to it; nothing is written behind the last sync.
    let store = "/results.redb>";
    let steps = [("pwrite64(", store), ("fdatasync(", store), ("pwrite64(", store), ("fdatasync(", store)];
    check(&calls[created..said], &steps);
    let last = calls[..said].iter().rfind(|line| line.contains(store)).expect("the store was written");
    assert!(last.contains(" fdatasync("), "written, not synced, and said: {last}");
}
