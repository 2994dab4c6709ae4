//! `make test`: what fails beside other tests is run once more, alone, and that is told; anything else stays a failure.

use std::fs;

use crate::tool::tool;

/// What a run of all tests prints of which some of one target failed, as libtest and cargo do.
fn failed(target: &str, names: &[&str]) -> String {
    let list = |form: fn(&&str) -> String| names.iter().map(form).collect::<String>();
    format!(
        "test a ... ok\n{}\nfailures:\n\n{}\n\nfailures:\n{}\n\
         test result: FAILED. 7 passed; {} failed; 0 ignored\n\nerror: test failed, to rerun pass `{target}`\n{WELL}{}",
        list(|name| format!("test {name} ... FAILED\n")),
        list(|name| format!("---- {name} stdout ----\n    said\n\n")),
        list(|name| format!("    {name}\n")),
        names.len(),
        ended(&[target]),
    )
}

/// How cargo ends when these targets have failed.
fn ended(targets: &[&str]) -> String {
    let plural = if targets.len() > 1 { "s" } else { "" };
    let list: String = targets.iter().map(|target| format!("    `{target}`\n")).collect();
    format!("error: {} target{plural} failed:\n{list}", targets.len())
}

/// A cargo that notes what it is asked, and prints and ends as the next file says.
const CARGO: &str = r#"cargo() {
    echo "$*" >>asked; n=$(wc -l <asked); cat $((n)).said; return $(cat $((n)).code)
}
. "$0""#;

/// The script with cargos that print and end so, one after the other: how it ends, what it prints, and what it asked them.
fn tested(runs: &[(&str, i32)]) -> (Option<i32>, String, Vec<String>) {
    let directory = tempfile::tempdir().expect("make a directory");
    let at = |name: &str| directory.path().join(name);
    ["scripts", "built"].iter().for_each(|name| fs::create_dir(at(name)).expect("make a directory"));
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/test"), at("scripts/test")).expect("copy a file");
    for ((said, code), n) in runs.iter().zip(1..) {
        fs::write(at(&format!("{n}.said")), said).expect("write a file");
        fs::write(at(&format!("{n}.code")), code.to_string()).expect("write a file");
    }
    // What an earlier run has left there.
    fs::write(at("built/not-run"), "  of old\n").expect("write a file");
    let mut script = tool("sh");
    script.args(["-c", CARGO]).arg(at("scripts/test")).env("CARGO_TARGET_DIR", at("built"));
    let output = script.output().expect("it runs");
    let asked = fs::read_to_string(at("asked")).expect("it asked");
    let said = String::from_utf8(output.stdout).expect("text");
    (output.status.code(), said, asked.lines().map(str::to_owned).collect())
}

const WELL: &str = "test result: ok. 2 passed; 0 failed; 0 ignored\n";
const ALL: &str = "test --locked --no-fail-fast";
const ALONE: &str = "test --locked --test it -- --exact --test-threads 1 a::b c";

#[test]
fn what_fails_once_is_run_again_alone_and_told() {
    let (code, said, asked) = tested(&[(WELL, 0)]);
    assert_eq!((code, &*said, asked), (Some(0), WELL, vec![ALL.to_owned()]));
    let first = failed("--test it", &["a::b", "c"]);
    let (code, said, asked) = tested(&[(&first, 101), (WELL, 0)]);
    let end = "unsteady, passed when run again, alone: a::b c\n";
    assert_eq!((code, said), (Some(0), format!("{first}{WELL}{end}")));
    assert_eq!(asked, [ALL, ALONE]);
}

#[test]
fn what_fails_twice_has_failed() {
    let first = failed("--test it", &["a::b", "c"]);
    let none = "test result: ok. 0 passed; 0 failed; 0 ignored\n";
    for (again, code) in [(&*failed("--test it", &["c"]), 101), (none, 0), ("killed\n", 137)] {
        let (ended, said, asked) = tested(&[(&first, 101), (again, code)]);
        assert_eq!((ended, said), (Some(code.max(1)), format!("{first}{again}")));
        assert_eq!(asked, [ALL, ALONE]);
    }
}

#[test]
fn what_fails_elsewhere_or_often_or_badly_has_failed() {
    let failures = failed("--test it", &["a::b"]);
    let others = [
        failed("--lib", &["a::b"]),
        failed("--doc", &["a::b"]),
        failures.replace(&ended(&["--test it"]), &ended(&["--lib", "--test it"])),
        failed("--test it", &["a", "b", "c", "d"]),
        failures.replace("    said", "thread 'main' (7) panicked at src/main.rs:1:2:"),
        // One that is counted has no name.
        failures.replace("1 failed;", "2 failed;"),
        format!(
            "test a ...\n    word\nerror: test failed, to rerun pass `--test it`\n{}",
            ended(&["--test it"])
        ),
        "error: could not compile `waddleperf`\n".to_owned(),
        String::new(),
    ];
    for other in others {
        let (code, said, asked) = tested(&[(&other, 101)]);
        assert_eq!((code, said, asked), (Some(101), other, vec![ALL.to_owned()]));
    }
}
