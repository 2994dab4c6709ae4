//! How a probe's packets leave this host: family, source, interface, TTL and DSCP. Shared by all probes.

use std::cmp::Ordering;
use std::net::{IpAddr, SocketAddr};

use clap::{Arg, ArgAction, ArgMatches, Args, Command};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::failure::{Class, Failure, Fault};
use crate::sys::connect::Way;

/// How packets leave. All of it is optional; the system's routing decides what is left open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Egress {
    /// The address family to use; `any` prefers what the resolver prefers.
    #[command(flatten)]
    pub family: Family,
    /// Send from this address of this host.
    #[arg(long, value_name = "ADDRESS", help_heading = "Network")]
    pub source: Option<IpAddr>,
    /// Send through this network interface, or from this address of this host.
    #[arg(short = 'I', long, value_name = "IFACE", help_heading = "Network")]
    pub interface: Option<String>,
    /// TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255.
    #[arg(long, value_name = "HOPS", help_heading = "Network", value_parser = clap::value_parser!(u8).range(1..))]
    #[schemars(range(min = 1))]
    pub ttl: Option<u8>,
    /// DSCP (RFC 2474) of what is sent, 0-63 (46 is EF); a flag also takes 0x2e and names: ef, af41, cs5, le.
    #[arg(long, value_name = "DSCP", help_heading = "Network", value_parser = dscp)]
    #[schemars(range(max = 63))]
    pub dscp: Option<u8>,
    /// Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168).
    #[arg(long, help_heading = "Network")]
    pub ecn: bool,
}

impl Egress {
    /// The address to send from: `--source`, or what `-I` names if that is an address.
    pub fn source(&self) -> Option<IpAddr> {
        self.source.or_else(|| self.interface.as_ref()?.parse().ok())
    }

    /// The network interface to send through.
    pub fn device(&self) -> Option<&str> {
        self.interface.as_deref().filter(|name| name.parse::<IpAddr>().is_err())
    }

    /// Whether packets can go to `address` as asked: a source decides the family too.
    pub fn admits(&self, address: &IpAddr) -> bool {
        let same = |source: IpAddr| source.is_ipv4() == address.is_ipv4();
        self.family.admits(address) && self.source().is_none_or(same)
    }

    /// Refuses what cannot go together, and what no packet can carry.
    ///
    /// # Errors
    /// The option and what it may be.
    pub fn check(&self) -> Result<(), Fault> {
        if let Some(source) = self.source().filter(|source| !self.family.admits(source)) {
            let key = if self.source.is_some() { "source" } else { "interface" };
            return Err(Fault::of(key, format_args!("{source} is not of the family asked for")));
        }
        if self.ttl == Some(0) {
            return Err(Fault::of("ttl", "takes 1 to 255 hops"));
        }
        if self.dscp.is_some_and(|dscp| dscp > 63) {
            return Err(Fault::of("dscp", "takes 0 to 63"));
        }
        Ok(())
    }

    /// Refuses an interface that this host does not have now. It may come later: a file that names it is not wrong.
    ///
    /// # Errors
    /// Class `usage`.
    pub fn check_here(&self) -> Result<(), Failure> {
        match self.device().filter(|name| nix::net::if_::if_nametoindex(*name).is_err()) {
            Some(name) => {
                Err(Class::Usage
                    .because(format_args!("-I {name}: this host has no such interface or address")))
            }
            None => Ok(()),
        }
    }

    /// The same for connections.
    pub(crate) fn way(&self) -> Way {
        Way {
            source: self.source(),
            interface: self.device().map(str::to_owned),
            ttl: self.ttl,
            tos: self.tos(),
        }
    }

    /// Where a socket for packets to `peer` is bound, with a port that the system chooses.
    pub(crate) fn local(&self, peer: SocketAddr) -> SocketAddr {
        self.way().local(peer.is_ipv6())
    }

    /// The type of service of what is sent, if it is not the system's default.
    pub fn tos(&self) -> Option<u8> {
        let ecn = if self.ecn { ECT_0 } else { 0 };
        (self.dscp.is_some() || self.ecn).then(|| self.dscp.unwrap_or(0) << 2 | ecn)
    }
}

/// A codepoint by its number, as C writes it, or by its name (RFC 2474 §4.2.2, 2597, 3246, 5865, 8622).
fn dscp(text: &str) -> Result<u8, String> {
    let lower = text.to_ascii_lowercase();
    let digits =
        |from: usize| lower.get(from..).filter(|rest| rest.bytes().all(|digit| digit.is_ascii_digit()));
    let class = |from: usize| digits(from).and_then(|rest| rest.parse::<u8>().ok());
    let found = match lower.as_str() {
        "ef" => Some(46),
        "va" => Some(44),
        "le" => Some(1),
        name if name.starts_with("cs") => class(2).filter(|&class| class < 8).map(|class| class << 3),
        name if name.starts_with("af") => match class(2) {
            Some(af @ 11..44) if (1..=3).contains(&(af % 10)) => Some((af / 10) << 3 | (af % 10) << 1),
            _ => None,
        },
        number => match number.strip_prefix("0x") {
            Some(hex) => u8::from_str_radix(hex, 16).ok(),
            None if number.len() > 1 && number.starts_with('0') => u8::from_str_radix(number, 8).ok(),
            None => number.parse().ok(),
        },
    };
    let wrong =
        || format!("`{text}` is no DSCP: 0 to 63, 0x0 to 0x3f, or a name such as ef, af41, cs5 or le");
    found.filter(|&code| code < 64).ok_or_else(wrong)
}

/// The ECN codepoint of an ECN-capable transport.
const ECT_0: u8 = 2;

/// Which address family a name is resolved to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Either, in the resolver's order of preference.
    #[default]
    Any,
    /// IPv4 only (`-4`).
    Ipv4,
    /// IPv6 only (`-6`).
    Ipv6,
}

impl Family {
    /// Whether `address` is of this family.
    pub const fn admits(self, address: &IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Ipv4 => address.is_ipv4(),
            Self::Ipv6 => address.is_ipv6(),
        }
    }
}

impl Args for Family {
    fn augment_args(command: Command) -> Command {
        let flag = |id: &'static str, short| Arg::new(id).short(short).long(id).action(ArgAction::SetTrue);
        command
            .next_help_heading("Network")
            .arg(flag("ipv4", '4').help("Use IPv4 only"))
            .arg(flag("ipv6", '6').help("Use IPv6 only"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Family {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        // A flag beats a variable, and that the file.
        let source = |id| matches.value_source(id).filter(|_| matches.get_flag(id));
        match source("ipv4").cmp(&source("ipv6")) {
            Ordering::Greater => Ok(Self::Ipv4),
            Ordering::Less => Ok(Self::Ipv6),
            Ordering::Equal if source("ipv4").is_none() => Ok(Self::Any),
            Ordering::Equal => Err(clap::Error::raw(
                clap::error::ErrorKind::ArgumentConflict,
                "-4 and -6 exclude each other: give one of them, or none for either family",
            )),
        }
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::dscp;

    #[test]
    fn a_codepoint_has_a_number_or_a_name() {
        for (text, expected) in [
            ("0", Some(0)),
            ("46", Some(46)),
            ("0x2e", Some(46)),
            ("056", Some(46)),
            ("EF", Some(46)),
            ("af11", Some(10)),
            ("af41", Some(34)),
            ("af43", Some(38)),
            ("cs0", Some(0)),
            ("cs7", Some(56)),
            ("le", Some(1)),
            ("va", Some(44)),
            ("64", None),
            ("0x40", None),
            ("cs8", None),
            ("af44", None),
            ("af51", None),
            ("af1", None),
            ("", None),
            ("-1", None),
            ("best", None),
        ] {
            assert_eq!(dscp(text).ok(), expected, "{text}");
        }
    }
}
