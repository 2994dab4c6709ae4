//! What is looked at: `capture HOST`, `capture -r FILE`, or, as a person says it, `capture read FILE`.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use pnet::datalink;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::probe::Target;
use crate::wire::filter::{Expression, KEYWORDS};

/// The word that makes a file of what follows.
const READ: &str = "read";
const WORDS: &str = "target";
/// The flags of tcpdump that say how packets are printed.
const PRINTS: &str = "prints";
/// Those that have packets written at once, which is always so: as soon as the ring is empty.
const AT_ONCE: &str = "at-once";
const LIST: &str = "list-interfaces";
/// What `-D` is here: each line's time.
const TIMESTAMPS: &str = "timestamps";

/// A host, or a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Subject(pub Target);

/// Whether a file is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Reading(pub bool);

/// Whether `word` is a filter, which users of tcpdump type where here the host stands.
fn is_filter(word: &str) -> bool {
    KEYWORDS.contains(&word) && Expression::parse(word).is_ok()
}

fn words(matches: &ArgMatches) -> Vec<&str> {
    matches.get_many::<String>(WORDS).into_iter().flatten().map(String::as_str).collect()
}

impl Args for Subject {
    fn augment_args(command: Command) -> Command {
        command
            .arg(
                Arg::new(WORDS).value_name("TARGET").num_args(0..).help(
                    "The host whose packets are kept; or `read FILE`, to sum up a file's (`-` is stdin)",
                ),
            )
            .arg(
                Arg::new(PRINTS)
                    .short('e')
                    .short_aliases(['A', 'x', 'X', 't'])
                    .hide(true)
                    .action(ArgAction::Count),
            )
            .arg(Arg::new(AT_ONCE).short('U').short_alias('l').hide(true).action(ArgAction::Count))
            .arg(
                Arg::new(LIST)
                    .long(LIST)
                    .action(ArgAction::SetTrue)
                    .help("Print what -i may name, and nothing else (tcpdump's -D)"),
            )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Subject {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        if matches.get_count(PRINTS) > 0 {
            return Err(wrong(
                "-e, -A, -x, -X and -t of tcpdump say how packets are printed, and here they are summed up: \
                 write them with -w FILE, and print them with tcpdump -r FILE",
            ));
        }
        if matches.get_flag(LIST) {
            return Err(clap::Error::raw(clap::error::ErrorKind::DisplayVersion, interfaces()));
        }
        match words(matches)[..] {
            [] if asks_for_a_list(matches) => Err(wrong(
                "-D puts the time before each line; what tcpdump -D prints is had by --list-interfaces",
            )),
            [] => Ok(Self::default()),
            [READ] if !matches.get_flag(READ) => Err(wrong("`read` is followed by the file to read")),
            [one] if is_filter(one) => {
                Err(wrong(&format!("`{one}` is a filter, and a filter is an option: -f {one}")))
            }
            [one] | [READ, one] => Ok(Self(Target::from(one))),
            ref more => Err(wrong(&format!(
                "one host is captured, and `{}` is more; a filter is an option: -f '{}'",
                more.join(" "),
                more.join(" ")
            ))),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Whether `-D` is all that was said.
fn asks_for_a_list(matches: &ArgMatches) -> bool {
    let is_set = |name| matches!(matches.try_get_one::<bool>(name), Ok(Some(true)));
    let narrows = ["filter", "bpf"].iter().any(|name| matches.try_contains_id(name).unwrap_or(false));
    is_set(TIMESTAMPS) && !is_set("all") && !narrows
}

/// A line for each interface: its name, whether it is up, and its addresses.
fn interfaces() -> String {
    let all = datalink::interfaces();
    let width = all.iter().map(|interface| interface.name.chars().count()).max().unwrap_or(0);
    let line = |interface: &datalink::NetworkInterface| {
        let state = if interface.is_up() { "up" } else { "down" };
        let addresses: String = interface.ips.iter().map(|network| format!(" {network}")).collect();
        format!("{:<width$}  {state:<4} {addresses}", interface.name.escape_debug().to_string())
    };
    let lines: String = all.iter().map(|interface| line(interface).trim_end().to_owned() + "\n").collect();
    format!("{lines}{:<width$}  all of them\n", "any")
}

impl Args for Reading {
    fn augment_args(command: Command) -> Command {
        let flag = Arg::new(READ).short('r').long(READ).action(ArgAction::SetTrue);
        command.arg(flag.help("TARGET is a file: sum up its packets instead of capturing"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Reading {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(matches.get_flag(READ) || matches!(words(matches)[..], [READ, _])))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn wrong(what: &str) -> clap::Error {
    clap::Error::raw(clap::error::ErrorKind::ValueValidation, what)
}

#[cfg(test)]
mod tests {
    use super::super::Capture;
    use clap::{Args, Command, FromArgMatches};

    fn read(words: &[&str]) -> Result<(String, bool), String> {
        let command = Capture::augment_args(Command::new("capture").no_binary_name(true));
        let matches = command.try_get_matches_from(words).map_err(|error| error.to_string())?;
        let capture = Capture::from_arg_matches(&matches).map_err(|error| error.to_string())?;
        Ok((capture.target.0.to_string(), capture.read.0))
    }

    #[test]
    fn a_file_is_read_by_either_form() {
        for (words, expected) in [
            (&["h.example"][..], ("h.example", false)),
            (&["read", "a.pcap"], ("a.pcap", true)),
            (&["read", "-"], ("-", true)),
            (&["-r", "a.pcap"], ("a.pcap", true)),
            (&["-r", "read"], ("read", true)),
            (&["a.pcap", "-n", "--read"], ("a.pcap", true)),
            (&["read", "-c", "3", "a.pcap"], ("a.pcap", true)),
            (&["--all"], ("", false)),
        ] {
            assert_eq!(read(words), Ok((expected.0.to_owned(), expected.1)), "{words:?}");
        }
    }

    #[test]
    fn who_types_an_expression_is_told_where_it_goes() {
        let said = read(&["tcp", "port", "80"]).expect_err("it is no host");
        assert!(said.contains("-f 'tcp port 80'"), "{said}");
        let said = read(&["-i", "eth0", "port", "53", "and", "udp"]).expect_err("it is no host");
        assert!(said.contains("-f 'port 53 and udp'"), "{said}");
        for word in ["tcp", "rarp", "vlan"] {
            assert!(read(&[word]).expect_err("no host").contains(&format!("-f {word}")), "{word}");
        }
        for flag in ["-e", "-X", "-tttt", "-ne"] {
            let said = read(&[flag, "h.example"]).expect_err("nothing is printed");
            assert!(said.contains("tcpdump -r FILE"), "{said}");
        }
        for flags in ["-nn", "-lU", "-Ul"] {
            assert_eq!(read(&[flags, "h.example"]), Ok(("h.example".to_owned(), false)), "{flags}");
        }
        let said = read(&["read"]).expect_err("no file");
        assert!(said.contains("followed by the file"), "{said}");
    }
}
