//! One error, one line on stderr: `waddleperf udpping: what was tried: why it failed`.

use std::ffi::OsString;
use std::io::{self, Write};

use clap::Command;
use clap::error::ErrorKind;

/// What `argv` calls itself in messages: `waddleperf` and the commands that it names.
pub(super) fn name_of(argv: &[OsString], command: &Command) -> String {
    let (mut name, mut at) = ("waddleperf".to_owned(), command);
    let words = if command.is_no_binary_name_set() { argv } else { argv.get(1..).unwrap_or_default() };
    for word in words.iter().filter_map(|word| word.to_str()) {
        if let Some(next) = at.find_subcommand(word) {
            name = format!("{name} {word}");
            at = next;
        }
    }
    name
}

/// Tells `detail` on stderr, on one line.
pub(super) fn tell(name: &str, detail: &str) {
    let detail = detail.split_whitespace().collect::<Vec<_>>().join(" ");
    // Nobody is left to tell when stderr is closed.
    let _ = writeln!(io::stderr().lock(), "{name}: {detail}");
}

/// Shows help and versions as clap does, and what is wrong with the arguments on one line; the exit code.
pub(super) fn show(name: &str, error: &clap::Error) -> u8 {
    let whole = [
        ErrorKind::DisplayHelp,
        ErrorKind::DisplayVersion,
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
    ];
    if whole.contains(&error.kind()) {
        let _ = error.print();
    } else {
        tell(name, &line(name, &error.render().to_string()));
    }
    u8::from(error.use_stderr()) * 2
}

/// Clap's paragraphs as one line: what is wrong, its tip, and where to read more.
fn line(name: &str, text: &str) -> String {
    let paragraphs: Vec<String> = text
        .split("\n\n")
        .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let wrong = paragraphs.first().map_or("", String::as_str);
    let wrong = wrong.strip_prefix("error: ").unwrap_or(wrong);
    let tips = paragraphs.iter().filter_map(|paragraph| paragraph.strip_prefix("tip: "));
    let mut line = wrong.to_owned();
    tips.for_each(|tip| line.extend(["; ", tip]));
    format!("{line} (see `{name} --help`)")
}
