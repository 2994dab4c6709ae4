//! The layers of the crate, held by a scan of its sources: a module uses only what lies on a
//! lower line, never a sibling on its own. Test code counts as well.

mod paths;
mod tokens;

use std::fs;
use std::path::{Path, PathBuf};

use paths::uses;
use tokens::{Kind, tokens};

/// Top to bottom.
const LAYERS: [&[&str]; 11] = [
    &["main"],
    &["cli"],
    &["config"],
    &["serve", "tray"],
    &["autoperf"],
    &["report", "store"],
    &["probe"],
    &["net", "geo"],
    &["wire", "sys"],
    &["stats", "failure"],
    &["units"],
];

/// What a module must not know, wherever it comes from.
const KEPT_OUT: [(&str, &[&str]); 1] = [("wire", &["tokio", "Instant", "SystemTime"])];

/// The only places with unsafe code.
const UNSAFE: [&str; 2] = ["src/sys/", "tests/it/lab/sys.rs"];

/// Why the source at `path`, which is below `src/`, breaks the layers: one line for each fault.
fn faults(path: &str, source: &str) -> Vec<String> {
    let file = module(path);
    let owner = file.first().copied().unwrap_or("the crate's root");
    let tokens = tokens(source);
    // In the binary the library goes by its name, and everything there is `main`.
    let (inside, alias) = match owner {
        "main" => (&[][..], "waddleperf"),
        _ => (&file[..], "crate"),
    };
    let fault = |line, why: String| format!("{path}:{line}: {why}");

    let layers = uses(inside, alias, &tokens).into_iter().filter_map(|used| {
        let why = refusal(owner, used.name)?;
        Some(fault(used.line, why))
    });
    let words = tokens.iter().filter_map(|token| match token.kind {
        Kind::Word(word) if kept_out(owner, word) => {
            Some(fault(token.line, format!("{owner} knows no {word}")))
        }
        _ => None,
    });
    layers.chain(words).collect()
}

/// `net/drive.rs` and `net/drive/mod.rs` are `["net", "drive"]`, `lib.rs` is empty.
fn module(path: &str) -> Vec<&str> {
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let path = path.strip_suffix("/mod").unwrap_or(path);
    path.split('/').filter(|name| *name != "lib").collect()
}

fn refusal(owner: &str, used: &str) -> Option<String> {
    if used == "*" {
        return Some("takes in the whole crate, which hides what it uses".to_owned());
    }
    if owner == used {
        return None;
    }
    let Some(below) = layer(used) else {
        return Some(format!("`{used}` is in no layer"));
    };
    let Some(above) = layer(owner) else {
        return Some(format!("`{owner}` is in no layer"));
    };
    match above.cmp(&below) {
        std::cmp::Ordering::Less => None,
        std::cmp::Ordering::Equal => Some(format!("{owner} uses its sibling {used}")),
        std::cmp::Ordering::Greater => Some(format!("{owner} uses {used}, which lies above it")),
    }
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|line| line.contains(&module))
}

fn kept_out(owner: &str, word: &str) -> bool {
    KEPT_OUT
        .iter()
        .any(|(module, words)| *module == owner && words.contains(&word))
}

/// The Rust sources below `directory` of the package, each with its path in the package.
fn sources(directory: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut waiting = vec![root.join(directory)];
    while let Some(directory) = waiting.pop() {
        for entry in fs::read_dir(&directory).expect("read a source directory") {
            let path = entry.expect("read a directory entry").path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((within(root, &path), read(&path)));
            }
        }
    }
    found
}

fn within(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).expect("the path is below the root");
    path.to_str().expect("a source's name is UTF-8").to_owned()
}

fn read(path: &PathBuf) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("read {}: {error}", path.display()))
}

fn package() -> Vec<(String, String)> {
    [sources("src"), sources("tests")].concat()
}

#[track_caller]
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_module_keeps_its_layer() {
    let faults: Vec<_> = sources("src")
        .iter()
        .flat_map(|(path, source)| faults(&path["src/".len()..], source))
        .collect();
    none(&faults);
}

#[test]
fn every_module_has_a_layer() {
    let faults: Vec<_> = sources("src")
        .iter()
        .filter_map(|(path, _)| {
            let owner = *module(&path["src/".len()..]).first()?;
            layer(owner)
                .is_none()
                .then(|| format!("{path}: `{owner}` is in no layer"))
        })
        .collect();
    none(&faults);
}

#[test]
fn the_root_only_lists_modules() {
    let source = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs"));
    let uses = tokens(&source)
        .iter()
        .any(|token| token.kind == Kind::Word("use"));
    assert!(!uses, "src/lib.rs: a name at the root belongs to no layer");
}

#[test]
fn unsafe_code_is_kept_in_one_place() {
    let faults: Vec<_> = package()
        .iter()
        .filter(|(path, _)| !UNSAFE.iter().any(|place| path.starts_with(place)))
        .flat_map(|(path, source)| unsafe_lines(path, source))
        .collect();
    none(&faults);
}

fn unsafe_lines(path: &str, source: &str) -> Vec<String> {
    tokens(source)
        .iter()
        .filter(|token| token.kind == Kind::Word("unsafe"))
        .map(|token| format!("{path}:{}: unsafe outside of src/sys", token.line))
        .collect()
}

#[test]
fn every_file_says_what_it_is() {
    let faults: Vec<_> = package()
        .into_iter()
        .filter(|(_, source)| !source.starts_with("//!"))
        .map(|(path, _)| format!("{path}: does not begin with //!"))
        .collect();
    none(&faults);
}

#[track_caller]
fn check(path: &str, source: &str, expected: &[&str]) {
    assert_eq!(faults(path, source), expected, "{source}");
}

#[test]
fn a_lower_layer_and_the_own_module_may_be_used() {
    let sources = [
        "use crate::net::Socket;",
        "use crate::{probe::udpping::Engine, stats, units::{BitRate, Bytes}};",
        "pub(crate) fn run(&self) -> crate::failure::Failure { self.run() }",
        "pub(super) fn run(self: super::Engine) { super::super::wire::parse() }",
        "mod tests { use super::super::super::units; }",
        "use self::super::engine::{self, Engine as E, *};",
        "pub(in crate::probe) struct Sent;",
    ];
    for source in sources {
        check("probe/udpping/mod.rs", source, &[]);
    }
    check("main.rs", "fn main() { waddleperf::cli::main() }", &[]);
    check("cli/mod.rs", "use crate::config::{self, Config};", &[]);
}

#[test]
fn an_upper_layer_is_refused() {
    let why = "probe uses report, which lies above it";
    let sources = [
        "\nuse crate::report;",
        "\nfn f() { crate::report::write() }",
        "\nuse crate::{stats, units::{self, BitRate}, report::Text};",
        "\nuse {crate::stats, crate::report as r};",
        "\nuse super::super::report;",
        "\nuse super::{super::{stats, report}, engine};",
        "\nuse self::super::super::report::{self as text};",
        "\n#[cfg(test)] mod tests { mod deep { use super::super::super::super::report; } }",
        "\nmod one {} mod two { use super::super::super::report; }",
        "\nmacro_rules! m { () => { $crate::report::write() } }",
    ];
    for source in sources {
        check(
            "probe/udpping.rs",
            source,
            &[&format!("probe/udpping.rs:2: {why}")],
        );
    }
    check(
        "serve/mod.rs",
        "use crate::config::Config;",
        &["serve/mod.rs:1: serve uses config, which lies above it"],
    );
}

#[test]
fn a_sibling_is_refused() {
    check(
        "store/mod.rs",
        "use crate::probe::Measurement;\nuse crate::report::csv;",
        &["store/mod.rs:2: store uses its sibling report"],
    );
    check(
        "sys/clock.rs",
        "use super::super::wire::ntp;",
        &["sys/clock.rs:1: sys uses its sibling wire"],
    );
}

#[test]
fn the_whole_crate_is_refused() {
    let why = "net/drive.rs:1: takes in the whole crate, which hides what it uses";
    let sources = [
        "use crate::*;",
        "use crate as all;",
        "use crate::{self as all};",
        "use super::super::*;",
        "use super::super as all;",
    ];
    for source in sources {
        check("net/drive.rs", source, &[why]);
    }
}

#[test]
fn a_name_without_a_layer_is_refused() {
    check(
        "net/drive.rs",
        "use crate::helpers::pad;",
        &["net/drive.rs:1: `helpers` is in no layer"],
    );
    check(
        "helpers.rs",
        "use crate::units::Bytes;",
        &["helpers.rs:1: `helpers` is in no layer"],
    );
}

#[test]
fn what_only_looks_like_a_path_is_none() {
    let source = r##"
        //! [`crate::report`] is told of in comments, /* crate::report */
        const A: &str = "crate::report"; const B: &str = r#"use "crate::report""#;
        const C: char = '"'; fn f<'a>(b: &'a u8) { /* " */ std::report::crate_report() }
    "##;
    check("probe/mod.rs", source, &[]);
}

#[test]
fn a_codec_with_a_clock_is_refused() {
    check(
        "wire/stamp.rs",
        "use std::time::{Duration, Instant};",
        &["wire/stamp.rs:1: wire knows no Instant"],
    );
    check("net/drive.rs", "use std::time::Instant;", &[]);
}

#[test]
fn unsafe_is_seen_as_a_keyword_only() {
    let source = "#![deny(unsafe_code)] // unsafe\nfn f() { unsafe { g() } }";
    assert_eq!(
        unsafe_lines("a.rs", source),
        ["a.rs:2: unsafe outside of src/sys"]
    );
}
