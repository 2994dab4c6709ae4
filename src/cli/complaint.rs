//! One error, one line: on stderr as `waddleperf udpping: what was tried: why it failed`, or, for a monitoring system
//! that called its plugin, on stdout as it wants it.

use std::ffi::OsString;
use std::io::{self, Write};

use clap::Command;
use clap::error::ErrorKind;

use super::{autoperf, layers};
use crate::failure::Failure;

/// Who is told how it went, and by what name we go there.
pub(super) struct Caller {
    name: String,
    /// A monitoring system: a line on stdout and the codes 0 to 3 are all that it takes.
    wants_plugin: bool,
}

impl Caller {
    /// What `argv` calls itself: `waddleperf` and the commands that it names.
    pub(super) fn of(argv: &[OsString], command: &Command) -> Self {
        let (mut name, mut at) = ("waddleperf".to_owned(), command);
        let words = if command.is_no_binary_name_set() { argv } else { argv.get(1..).unwrap_or_default() };
        for word in words.iter().filter_map(|word| word.to_str()) {
            if let Some(next) = at.find_subcommand(word) {
                name = format!("{name} {word}");
                at = next;
            }
        }
        let is_autoperf = ["autoperf", "run"].contains(&at.get_name()) && name.contains(" autoperf");
        let wants_plugin = is_autoperf && layers::is_set(argv, "nagios");
        Self { name, wants_plugin }
    }

    /// The exit code of what came of it; a failure is told on one line.
    pub(super) fn finish(&self, result: Result<u8, Failure>) -> u8 {
        match result {
            Ok(code) if self.wants_plugin && code > 3 => autoperf::unknown(&format!("ended with {code}")),
            Ok(code) => code,
            Err(failure) => self.tell(&failure.detail, failure.class.exit_code()),
        }
    }

    /// Shows help and versions as clap does, and what is wrong with the arguments on one line; the exit code.
    pub(super) fn show(&self, error: &clap::Error) -> u8 {
        let whole = [
            ErrorKind::DisplayHelp,
            ErrorKind::DisplayVersion,
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand,
        ];
        let code = u8::from(error.use_stderr()) * 2;
        if whole.contains(&error.kind()) {
            // Clap takes what it has not written itself for an error.
            match error.render().to_string().strip_prefix("error: ") {
                Some(text) => drop(super::say(text)),
                None => drop(error.print()),
            }
            return code;
        }
        self.tell(&line(&self.name, &error.render().to_string()), code)
    }

    fn tell(&self, detail: &str, code: u8) -> u8 {
        if self.wants_plugin {
            return autoperf::unknown(detail);
        }
        tell(&self.name, detail);
        code
    }
}

/// Tells `detail` on stderr, on one line.
pub(super) fn tell(name: &str, detail: &str) {
    let detail = detail.split_whitespace().collect::<Vec<_>>().join(" ");
    // Nobody is left to tell when stderr is closed.
    let _ = writeln!(io::stderr().lock(), "{name}: {detail}");
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
    if wrong.starts_with("unexpected argument '-k'") {
        // The older tool's: what stands on a command line every user of the host can read.
        return format!("{line}; a key comes from a file that only you can read: --key-file FILE");
    }
    tips.for_each(|tip| line.extend(["; ", tip]));
    format!("{line} (see `{name} --help`)")
}
