//! How a probe's packets leave this host: family, source, interface, TTL and DSCP. Shared by all probes.

use std::net::IpAddr;

use clap::{Arg, ArgAction, ArgMatches, Args, Command};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// Send through this network interface.
    #[arg(short = 'I', long, value_name = "IFACE", help_heading = "Network")]
    pub interface: Option<String>,
    /// TTL (IPv4, RFC 791) or hop limit (IPv6, RFC 8200) of what is sent, 1-255.
    #[arg(long, value_name = "HOPS", help_heading = "Network", value_parser = clap::value_parser!(u8).range(1..))]
    #[schemars(range(min = 1))]
    pub ttl: Option<u8>,
    /// DSCP (RFC 2474) of what is sent, 0-63 (46 is EF).
    #[arg(long, value_name = "DSCP", help_heading = "Network", value_parser = clap::value_parser!(u8).range(0..64))]
    #[schemars(range(max = 63))]
    pub dscp: Option<u8>,
    /// Mark what is sent as ECN-capable, ECT(0): routers may then mark instead of drop (RFC 3168).
    #[arg(long, help_heading = "Network")]
    pub ecn: bool,
}

impl Egress {
    /// The type of service of what is sent, if it is not the system's default.
    pub fn tos(&self) -> Option<u8> {
        let ecn = if self.ecn { ECT_0 } else { 0 };
        (self.dscp.is_some() || self.ecn).then(|| self.dscp.unwrap_or(0) << 2 | ecn)
    }
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
        let flag = |id: &'static str, short, other: &'static str| {
            Arg::new(id).short(short).long(id).action(ArgAction::SetTrue).overrides_with(other)
        };
        command
            .next_help_heading("Network")
            .arg(flag("ipv4", '4', "ipv6").help("Use IPv4 only"))
            .arg(flag("ipv6", '6', "ipv4").help("Use IPv6 only"))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for Family {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(match (matches.get_flag("ipv4"), matches.get_flag("ipv6")) {
            (true, _) => Self::Ipv4,
            (_, true) => Self::Ipv6,
            _ => Self::Any,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
