//! One executable, many names: the last component of `argv[0]` may name a command.

mod iperf3;

use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::Command;
use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::failure::{Class, Failure};
use crate::probe::{KINDS, Kind};

/// Names that earlier tools had for what are commands now. A name counts once its command exists.
pub(super) const UPSTREAM: &[(&str, &[&str])] = &[
    ("perfDB", &["results"]),
    ("waddledb", &["results"]),
    ("ppingParser", &["results", "import"]),
    ("iperf3", &["bandwidth"]),
];

/// The names that are commands alone where links are made: every probe, and what cron calls.
pub(super) fn linked() -> impl Iterator<Item = &'static str> {
    let others = super::MANUALS.iter().map(|manual| manual.name).filter(|name| *name == "autoperf");
    KINDS.iter().map(Kind::name).chain(others)
}

/// What the first word of a command line makes of the others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    /// The command's words, without the first.
    pub(super) argv: Vec<OsString>,
    /// The command.
    pub(super) command: &'static str,
    /// What is to be told about words that are left out.
    pub(super) notes: Vec<String>,
}

/// `argv` with the command that its first word names in front; `None` when it names none.
///
/// The word's last path component counts, without extension and without a login shell's `-`, in any case.
/// `wp-udpping` is `udpping` as well (`setup links --prefix`), and `waddleperf-anything` is `waddleperf`.
///
/// # Errors
/// What that command's own words ask for and cannot get.
pub(super) fn of(argv: &[OsString], command: &Command) -> Result<Option<Named>, String> {
    let Some((first, rest)) = argv.split_first() else { return Ok(None) };
    let Some(words) = called(first, command) else { return Ok(None) };
    if words == ["bandwidth"] && is_iperf3(first) {
        let ours = iperf3::ours(rest)?;
        let server = ours.argv.first().is_some_and(|word| word == "serve");
        let command = if server { "serve" } else { "bandwidth" };
        return Ok(Some(Named { argv: ours.argv, command, notes: ours.notes }));
    }
    let Some(&command) = words.first() else { return Ok(None) };
    let mut argv: Vec<OsString> = words.iter().map(OsString::from).collect();
    argv.extend_from_slice(rest);
    Ok(Some(Named { argv, command, notes: Vec::new() }))
}

/// What a program is called, without what is no part of its name.
fn stem(first: &OsStr) -> Option<&str> {
    let stem = Path::new(first).file_stem()?.to_str()?;
    Some(stem.strip_prefix('-').unwrap_or(stem))
}

fn is_iperf3(first: &OsStr) -> bool {
    stem(first).is_some_and(|stem| stem.to_ascii_lowercase().ends_with("iperf3"))
}

/// The command and subcommands that a program's name stands for.
fn called(first: &OsStr, command: &Command) -> Option<Vec<&'static str>> {
    let stem = stem(first)?;
    if stem.to_ascii_lowercase().starts_with("waddleperf") {
        return None;
    }
    words(stem, command).or_else(|| words(stem.rsplit_once('-')?.1, command))
}

/// What is to be said of an option of iperf3's that `argv` gives to `bandwidth`, and that clap does not know there.
pub(super) fn explained(argv: &[OsString], error: &clap::Error) -> Option<Failure> {
    let is_it = argv.iter().take(2).any(|word| word == "bandwidth");
    if !is_it || error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else { return None };
    iperf3::explained(word).map(|why| Class::Usage.because(why))
}

/// `command` as an applet: without a name of its own, so that the subcommand `name` is called so alone. (Clap's
/// `multicall` would do the same, but takes no global options.)
pub(super) fn rename(command: Command, name: &'static str) -> Command {
    let command = command.no_binary_name(true).bin_name(Resettable::Reset);
    command.mut_subcommand(name, |applet| applet.display_name(name).version(super::version::TEXT))
}

/// The command and subcommands that `name` stands for.
fn words(name: &str, command: &Command) -> Option<Vec<&'static str>> {
    let known = |word: &str| {
        let subcommands = command.get_subcommands().map(Command::get_name);
        subcommands.into_iter().any(|known| known == word)
    };
    if let Some((_, words)) = UPSTREAM.iter().find(|(old, _)| old.eq_ignore_ascii_case(name)) {
        return known(words[0]).then(|| words.to_vec());
    }
    let name = name.to_ascii_lowercase();
    super::names().find(|known| *known == name).map(|name| vec![name])
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_first_word_may_name_the_command() {
        let command = super::super::Cli::command();
        for (first, expected) in [
            ("udpping", Some("udpping")),
            ("/usr/bin/udpping", Some("udpping")),
            ("UdpPing.exe", Some("udpping")),
            ("-udpping", Some("udpping")),
            ("wp-udpping", Some("udpping")),
            ("waddleperf", None),
            ("waddleperf-udpping", None),
            ("WaddlePerf", None),
            ("-bash", None),
            ("iperf3", Some("bandwidth")),
            ("udppingx", None),
            ("", None),
        ] {
            let argv = [OsString::from(first), OsString::from("-c1")];
            let found = of(&argv, &command).expect("nothing is refused");
            assert_eq!(found.as_ref().map(|named| named.command), expected, "{first}");
            if let Some(named) = found.filter(|_| first != "iperf3") {
                assert_eq!(named.argv, [named.command, "-c1"]);
            }
        }
    }

    #[test]
    fn iperf3s_words_become_ours() {
        let command = super::super::Cli::command();
        let of = |line: &str| {
            let argv: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            of(&argv, &command)
        };
        let named = of("/bin/iperf3 -s -p 5301 --idle-timeout 9").expect("a server").expect("a command");
        assert_eq!((named.command, named.notes.len()), ("serve", 1));
        assert_eq!(named.argv[0], "serve");
        let named = of("wp-iperf3 -c h").expect("a client").expect("a command");
        assert_eq!((named.command, named.argv.last()), ("bandwidth", Some(&OsString::from("--client=h"))));
        assert!(of("iperf3 -c h --sctp").is_err());
    }
}
