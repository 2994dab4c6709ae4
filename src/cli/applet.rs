//! One executable, many names: the last component of `argv[0]` may name a command.

use std::ffi::OsString;
use std::path::Path;

use clap::Command;
use clap::builder::Resettable;

use crate::probe::{KINDS, Kind};

/// Names that earlier tools had for what are commands now. A name counts once its command exists.
pub(super) const UPSTREAM: &[(&str, &[&str])] =
    &[("perfDB", &["results"]), ("waddledb", &["results"]), ("ppingParser", &["results", "import"])];

/// The names that are commands alone where links are made: every probe, and what cron calls.
pub(super) fn linked() -> impl Iterator<Item = &'static str> {
    let others = super::MANUALS.iter().map(|manual| manual.name).filter(|name| *name == "autoperf");
    KINDS.iter().map(Kind::name).chain(others)
}

/// `argv` with the command that its first word names in front, and that command; `None` when it names none.
///
/// The word's last path component counts, without extension and without a login shell's `-`, in any case.
/// `wp-udpping` is `udpping` as well (`setup links --prefix`), and `waddleperf-anything` is `waddleperf`.
pub(super) fn of(argv: &[OsString], command: &Command) -> Option<(Vec<OsString>, &'static str)> {
    let (first, rest) = argv.split_first()?;
    let stem = Path::new(first).file_stem()?.to_str()?;
    let stem = stem.strip_prefix('-').unwrap_or(stem);
    if stem.to_ascii_lowercase().starts_with("waddleperf") {
        return None;
    }
    let words = words(stem, command).or_else(|| words(stem.rsplit_once('-')?.1, command))?;
    let mut argv: Vec<OsString> = words.iter().map(OsString::from).collect();
    argv.extend_from_slice(rest);
    Some((argv, words.into_iter().next()?))
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
            ("udppingx", None),
            ("", None),
        ] {
            let argv = [OsString::from(first), OsString::from("-c1")];
            let found = of(&argv, &command);
            assert_eq!(found.as_ref().map(|(_, name)| *name), expected, "{first}");
            if let Some((argv, name)) = found {
                assert_eq!(argv, [name, "-c1"]);
            }
        }
    }
}
