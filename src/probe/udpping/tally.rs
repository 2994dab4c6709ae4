//! Keeping count while a run goes on.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often one kind of ICMP error came from one sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IcmpErrors {
    /// ICMP type.
    #[serde(rename = "type")]
    pub kind: u8,
    /// ICMP code.
    pub code: u8,
    /// Who sent it; null where the kernel does not say.
    pub from: Option<IpAddr>,
    /// How often.
    pub count: u64,
}
