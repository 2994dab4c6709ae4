//! How ports are asked: nmap's -s, whose letters may stand together (`-sSU`).

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, ValueEnum};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How ports are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scan {
    /// By a TCP connection: no privilege, and the service sees it.
    Connect,
    /// By a SYN alone: needs CAP_NET_RAW, and no service sees it.
    Syn,
    /// By a UDP datagram that the service understands.
    Udp,
}

/// Ways to ask, each once; none: by connections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Scans(pub Vec<Scan>);

const SCAN: &str = "scan";
/// nmap's letters.
const LETTERS: [(char, Scan); 3] = [('T', Scan::Connect), ('S', Scan::Syn), ('U', Scan::Udp)];

impl Scans {
    /// Whether ports are asked like this.
    pub fn has(&self, scan: Scan) -> bool {
        self.0.contains(&scan)
    }

    /// How TCP ports are asked; `None` if only UDP is wanted.
    pub fn tcp(&self) -> Option<Scan> {
        let wanted = self.0.iter().copied().find(|scan| *scan != Scan::Udp);
        wanted.or_else(|| self.0.is_empty().then_some(Scan::Connect))
    }

    /// Those that `word` names: one by its name, or several by their letters.
    fn parse(word: &str) -> Result<Vec<Scan>, String> {
        if let Ok(scan) = Scan::from_str(word, true) {
            return Ok(vec![scan]);
        }
        let letter =
            |c: char| LETTERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(&c)).map(|known| known.1);
        let scans: Option<Vec<Scan>> = word.chars().map(letter).collect();
        scans.filter(|scans| !scans.is_empty()).ok_or_else(|| {
            "takes T (connect), S (syn) or U (udp), or T or S together with U, as SU".to_owned()
        })
    }
}

impl Args for Scans {
    fn augment_args(command: Command) -> Command {
        command.arg(
            Arg::new(SCAN)
                .short('s')
                .long(SCAN)
                .value_name("HOW")
                .action(ArgAction::Append)
                .value_parser(Self::parse)
                .help("How to ask, as nmap's -sT, -sS, -sU, -sSU: `T` or connect (the default), `S` or syn (needs CAP_NET_RAW), `U` or udp"),
        )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Scans {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = matches.get_many::<Vec<Scan>>(SCAN).into_iter().flatten().flatten();
        let mut scans = Self::default();
        for scan in given {
            if !scans.has(*scan) {
                scans.0.push(*scan);
            }
        }
        Ok(scans)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
