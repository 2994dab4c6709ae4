//! Tells the crate which commit and which features it is built from.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=WADDLEPERF_COMMIT={}", commit());
    println!("cargo::rustc-env=WADDLEPERF_FEATURES={}", features());
}

/// The commit of a released build: `unknown` without git (a tarball, an image). A debug build is always `dev`, so
/// that it is not built again after every commit.
fn commit() -> String {
    println!("cargo::rerun-if-env-changed=WADDLEPERF_COMMIT");
    if let Ok(given) = env::var("WADDLEPERF_COMMIT") {
        return given;
    }
    if env::var("PROFILE").as_deref() != Ok("release") {
        return "dev".to_owned();
    }
    let found = git(&["rev-parse", "--show-toplevel"])
        .filter(|top| Some(Path::new(top)) == env::var_os("CARGO_MANIFEST_DIR").as_deref().map(Path::new))
        .and_then(|_| git(&["rev-parse", "--short=12", "HEAD"]));
    if found.is_some() {
        // HEAD names a branch; the reflog of HEAD changes with every commit and checkout.
        for path in ["HEAD", "logs/HEAD"] {
            let place = git(&["rev-parse", "--git-path", path]).filter(|place| Path::new(place).exists());
            place.iter().for_each(|place| println!("cargo::rerun-if-changed={place}"));
        }
    }
    found.unwrap_or_else(|| "unknown".to_owned())
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}

fn features() -> String {
    let mut names: Vec<String> = env::vars()
        .filter_map(|(name, _)| name.strip_prefix("CARGO_FEATURE_").map(str::to_lowercase))
        .filter(|name| name != "default")
        .map(|name| name.replace('_', "-"))
        .collect();
    names.sort_unstable();
    if names.is_empty() {
        return "no features".to_owned();
    }
    names.join(" ")
}
