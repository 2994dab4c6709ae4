//! The values that options of `mtr` take.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the probes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "MtrProtocol")]
pub enum Protocol {
    /// ICMP echo; UDP where several flows are asked for.
    #[default]
    Auto,
    /// ICMP echo (`--icmp`).
    Icmp,
    /// UDP to a closed port (`-u`).
    Udp,
    /// UDP datagrams as large as QUIC's first, to port 443 (`--quic`).
    Quic,
    /// TCP SYN (`-T`).
    Tcp,
}

const FLAGS: [(&str, Option<char>, Protocol, &str); 4] = [
    ("icmp", None, Protocol::Icmp, "Probe with ICMP echo requests, which is the rule for one flow"),
    ("udp", Some('u'), Protocol::Udp, "Probe with UDP datagrams, which is the rule for several flows"),
    ("tcp", Some('T'), Protocol::Tcp, "Probe with TCP SYNs; a port that answers is reset at once"),
    ("quic", None, Protocol::Quic, "Probe with UDP datagrams of 1200 octets, as QUIC's first, to port 443"),
];

impl Args for Protocol {
    fn augment_args(command: Command) -> Command {
        FLAGS.iter().fold(command, |command, &(id, short, _, help)| {
            let others = FLAGS.iter().map(|flag| flag.0).filter(|&other| other != id);
            let arg = Arg::new(id).long(id).action(ArgAction::SetTrue).help(help).conflicts_with_all(others);
            command.arg(match short {
                Some(short) => arg.short(short),
                None => arg,
            })
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Protocol {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let chosen = FLAGS.iter().find(|flag| matches.get_flag(flag.0));
        Ok(chosen.map_or(Self::Auto, |flag| flag.2))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// How the number of a probe is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "MtrStrategy")]
pub enum Strategy {
    /// UDP ports vary, and the checksum of an echo.
    Classic,
    /// What load balancers look at stays the same in a flow.
    Paris,
    /// So over UDP, with the number in the identification of IPv4, or in the length over IPv6, where routers that quote
    /// little quote it too (CAP_NET_RAW; else paris).
    Dublin,
}

/// How thoroughly every path is searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "MtrMda")]
pub enum Mda {
    /// Hop by hop; node by node only where paths are meshed (MDA-Lite).
    Lite,
    /// Node by node throughout: more probes, and no assumption.
    Full,
}

/// The form of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "MtrFormat")]
pub enum Format {
    /// A table for people.
    #[default]
    Text,
    /// As `mtr --json`.
    MtrJson,
    /// As `mtr --csv`.
    MtrCsv,
    /// As `mtr --raw`.
    MtrRaw,
    /// A graph for Graphviz.
    Dot,
}

/// A column of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Loss.
    Loss,
    /// Probes without an answer.
    Dropped,
    /// Answered probes.
    Received,
    /// Probes sent.
    Sent,
    /// The latest round trip.
    Last,
    /// The shortest.
    Best,
    /// Their mean.
    Average,
    /// The longest.
    Worst,
    /// Their standard deviation.
    Deviation,
    /// Their geometric mean.
    Geometric,
    /// The difference of the latest two.
    Jitter,
    /// The mean of these differences.
    JitterMean,
    /// The largest of them.
    JitterWorst,
    /// Interarrival jitter (RFC 3550 §6.4.1).
    Interarrival,
    /// An empty column.
    Space,
}

impl Field {
    /// The columns of a report for which nothing else was asked.
    pub const USUAL: [Self; 7] =
        [Self::Loss, Self::Sent, Self::Last, Self::Average, Self::Best, Self::Worst, Self::Deviation];
    /// Those for jitter, as mtr's key `j` shows them.
    pub const OF_JITTER: [Self; 8] = [
        Self::Dropped,
        Self::Received,
        Self::Average,
        Self::Geometric,
        Self::Jitter,
        Self::JitterMean,
        Self::JitterWorst,
        Self::Interarrival,
    ];

    /// The columns that `letters` name.
    pub fn all(letters: &str) -> Vec<Self> {
        letters.chars().filter_map(Self::of).collect()
    }

    /// mtr's letter for it.
    pub const fn of(letter: char) -> Option<Self> {
        Some(match letter {
            'L' => Self::Loss,
            'D' => Self::Dropped,
            'R' => Self::Received,
            'S' => Self::Sent,
            'N' => Self::Last,
            'B' => Self::Best,
            'A' => Self::Average,
            'W' => Self::Worst,
            'V' => Self::Deviation,
            'G' => Self::Geometric,
            'J' => Self::Jitter,
            'M' => Self::JitterMean,
            'X' => Self::JitterWorst,
            'I' => Self::Interarrival,
            ' ' => Self::Space,
            _ => return None,
        })
    }
}

/// Checks the letters of `--order`.
pub(super) fn fields(letters: &str) -> Result<String, String> {
    match letters.chars().find(|letter| Field::of(*letter).is_none()) {
        Some(wrong) => Err(format!("no column has the letter `{wrong}`: L D R S N B A W V G J M X I")),
        None if letters.trim().is_empty() => Err("name at least one column, such as LSNABWV".to_owned()),
        None => Ok(letters.to_owned()),
    }
}

/// A number in decimal, or in hexadecimal after `0x`.
pub(super) fn number(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| "takes 0 to 4294967295, or 0x0 to 0xffffffff".to_owned())
}

/// The same, of one octet.
pub(super) fn octet(text: &str) -> Result<u8, String> {
    let number = number(text).ok().and_then(|number| u8::try_from(number).ok());
    number.ok_or_else(|| "takes 0 to 255, or 0x00 to 0xff".to_owned())
}
