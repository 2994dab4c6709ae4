//! ICMP errors about our packets, as reports list them.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::net::engine::Icmp;

/// Different ICMP errors that a report lists at most.
const MOST_ERRORS: usize = 32;

/// How often one kind of ICMP error came from one sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IcmpErrors {
    /// ICMP type (RFC 792, RFC 4443).
    #[serde(rename = "type")]
    pub kind: u8,
    /// ICMP code (RFC 792, RFC 4443).
    pub code: u8,
    /// Who sent it; null where the kernel does not say.
    pub from: Option<IpAddr>,
    /// How often.
    pub count: u64,
}

impl IcmpErrors {
    /// Counts `icmp` in `errors`; of too many different ones the later are left out.
    pub(crate) fn count_in(errors: &mut Vec<Self>, icmp: &Icmp<'_>) {
        let (kind, code, from) = (icmp.kind, icmp.code, icmp.from);
        let same = |known: &Self| (known.kind, known.code, known.from) == (kind, code, from);
        match errors.iter().position(same) {
            Some(at) => errors[at].count += 1,
            None if errors.len() < MOST_ERRORS => errors.push(Self { kind, code, from, count: 1 }),
            None => {}
        }
    }
}
