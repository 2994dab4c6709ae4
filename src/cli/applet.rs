//! One executable, many names: the last component of `argv[0]` may name a command.

use std::ffi::OsString;
use std::path::Path;

use clap::Command;
use clap::builder::Resettable;

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
    if stem.eq_ignore_ascii_case("iperf3")
        && let Some(argv) = iperf3_server(rest)
    {
        return Some((argv, "serve"));
    }
    let mut argv: Vec<OsString> = words.iter().map(OsString::from).collect();
    argv.extend_from_slice(rest);
    Some((argv, words.into_iter().next()?))
}

/// What `iperf3 -s` asks for, in our words: that server alone, at its port, with what else is said.
fn iperf3_server(args: &[OsString]) -> Option<Vec<OsString>> {
    let is_server = |arg: &&OsString| *arg == "-s" || *arg == "--server";
    args.iter().find(is_server)?;
    let mut port = "5201".to_owned();
    let mut others = Vec::new();
    let mut args = args.iter().filter(|arg| !is_server(arg));
    while let Some(arg) = args.next() {
        let text = arg.to_string_lossy();
        match text.strip_prefix("--port=").or_else(|| text.strip_prefix("-p")) {
            Some("") => port = args.next()?.to_string_lossy().into_owned(),
            Some(given) if text != "--port" => port = given.trim_start_matches('=').to_owned(),
            _ if text == "--port" => port = args.next()?.to_string_lossy().into_owned(),
            _ => others.push(arg.clone()),
        }
    }
    let place = format!("iperf3=[::]:{port}");
    let words = ["serve", "--listen", "udpping=off", "--listen", &place].map(OsString::from);
    Some(words.into_iter().chain(others).collect())
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
            let found = of(&argv, &command);
            assert_eq!(found.as_ref().map(|(_, name)| *name), expected, "{first}");
            if let Some((argv, name)) = found {
                assert_eq!(argv, [name, "-c1"]);
            }
        }
    }

    #[test]
    fn iperf3s_server_is_ours() {
        let command = super::super::Cli::command();
        let of = |line: &str| {
            let argv: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
            let (argv, name) = of(&argv, &command)?;
            let words: Vec<String> = argv.iter().map(|word| word.to_string_lossy().into_owned()).collect();
            Some((words.join(" "), name))
        };
        let at = |port: &str, more: &str| {
            Some((format!("serve --listen udpping=off --listen iperf3=[::]:{port}{more}"), "serve"))
        };
        for line in [
            "iperf3 -s -p 5301",
            "iperf3 -p5301 -s",
            "iperf3 --server --port 5301",
            "/bin/iperf3 --port=5301 -s",
        ] {
            assert_eq!(of(line), at("5301", ""), "{line}");
        }
        assert_eq!(of("iperf3 -s"), at("5201", ""));
        assert_eq!(of("iperf3 -s --data /tmp/d"), at("5201", " --data /tmp/d"));
        assert_eq!(of("iperf3 -c h -p 7"), Some(("bandwidth -c h -p 7".to_owned(), "bandwidth")));
    }
}
