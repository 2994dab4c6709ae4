//! What an ordinary user sees: what root does, or null and why; never 0 in its place.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::{parsed, report};
use crate::tool::{WADDLEPERF, copy_to, real_root, stdout, tool};

/// Paths at which `theirs` has less than `ours`: nothing, or 0.
fn lesser(ours: &Value, theirs: &Value, path: &str, missing: &mut Vec<String>, zero: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(ours), theirs) if theirs.is_object() => {
            for (name, value) in ours {
                lesser(value, &theirs[name], &format!("{path}.{name}"), missing, zero);
            }
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            for (n, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                lesser(ours, theirs, &format!("{path}.{n}"), missing, zero);
            }
        }
        (ours, Value::Null) if !ours.is_null() => missing.push(path.to_owned()),
        (ours, theirs) if ours.as_f64() > Some(0.0) && theirs.as_f64() == Some(0.0) => {
            zero.push(path.to_owned())
        }
        (Value::Array(ours), Value::Array(theirs)) if theirs.is_empty() && !ours.is_empty() => {
            missing.push(path.to_owned());
        }
        _ => {}
    }
}

#[test]
fn what_nobody_may_read_is_null_with_a_reason_and_never_zero() {
    if !real_root("sysinfo is run as another user") {
        return;
    }
    let place = tempfile::tempdir().expect("a directory");
    fs::set_permissions(place.path(), Permissions::from_mode(0o755)).expect("open it");
    let program = place.path().join("waddleperf");
    copy_to(&program);
    let ours = report(&mut std::process::Command::new(WADDLEPERF), &[]);
    let mut runuser = tool("runuser");
    runuser.args(["-u", "nobody", "--"]).arg(&program);
    let theirs = stdout(runuser.args(["sysinfo", "--json", "--no-save", "--data", "/nowhere"]));
    let theirs = parsed(&theirs)["outcome"]["report"].clone();
    let (mut missing, mut zero) = (Vec::new(), Vec::new());
    // What comes and goes by itself is none of this.
    for part in ["host", "clock", "interfaces", "queues", "routes", "rules", "neighbours", "resolvers"] {
        lesser(&ours[part], &theirs[part], part, &mut missing, &mut zero);
    }
    lesser(&ours["kernel"]["settings"], &theirs["kernel"]["settings"], "settings", &mut missing, &mut zero);
    let reasons = |report: &Value| report["unavailable"].as_array().map_or(0, Vec::len);
    println!("missing {missing:?}, unavailable {}", theirs["unavailable"]);
    assert!(zero.is_empty(), "{zero:?}");
    assert!(
        missing.is_empty() || reasons(&theirs) > reasons(&ours),
        "{missing:?}: {}",
        theirs["unavailable"]
    );
    for one in theirs["unavailable"].as_array().expect("a list") {
        assert!(one["what"].is_string() && one["why"].as_str().is_some_and(|why| !why.is_empty()), "{one}");
    }
}
