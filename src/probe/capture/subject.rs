//! What is looked at: `capture HOST`, `capture -r FILE`, or, as a person says it, `capture read FILE`.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::probe::Target;

/// The word that makes a file of what follows.
const READ: &str = "read";
const WORDS: &str = "target";
/// The flags of tcpdump that say how packets are printed.
const PRINTS: &str = "prints";

/// A host, or a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Subject(pub Target);

/// Whether a file is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Reading(pub bool);

/// Filters of one word, which users of tcpdump type where here the host stands.
const KEYWORDS: [&str; 8] = ["arp", "icmp", "icmp6", "ip", "ip6", "tcp", "udp", "vlan"];

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
        match words(matches)[..] {
            [] => Ok(Self::default()),
            [READ] if !matches.get_flag(READ) => Err(wrong("`read` is followed by the file to read")),
            [one] if KEYWORDS.contains(&one) => {
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
        for flag in ["-e", "-X", "-tttt", "-ne"] {
            let said = read(&[flag, "h.example"]).expect_err("nothing is printed");
            assert!(said.contains("tcpdump -r FILE"), "{said}");
        }
        assert_eq!(read(&["-nn", "h.example"]), Ok(("h.example".to_owned(), false)));
        let said = read(&["read"]).expect_err("no file");
        assert!(said.contains("followed by the file"), "{said}");
    }
}
