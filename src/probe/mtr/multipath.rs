//! Every path that load balancing offers, as nodes and links.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The paths to a target, with the confidence that none is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Multipath {
    /// The probability, for each node, that all its next hops were found (Veitch et al., INFOCOM 2009), if flows are
    /// balanced evenly.
    pub confidence_ratio: f64,
    /// The nodes, by their distance.
    pub nodes: Vec<Node>,
    /// Which node follows which.
    pub links: Vec<Link>,
    /// The most nodes that one distance has.
    pub width: u64,
    /// Probes that it took.
    pub probes: u64,
    /// Flows that were tried.
    pub flows: u64,
    /// Nothing was cut short: by the limit of probes, by an interruption, or by silence at a balanced distance.
    pub complete: bool,
}

/// A node of the paths.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PathNode")]
pub struct Node {
    /// Its distance (RFC 791 TTL, RFC 8200 hop limit).
    pub ttl: u8,
    /// Its address; null of one that is silent.
    pub ip: Option<IpAddr>,
    /// Its name (reverse DNS).
    pub name: Option<String>,
    /// Flows that were seen to pass it.
    pub flows: u64,
    /// Packets of one flow alternate between it and others of its distance.
    pub per_packet: bool,
}

/// A link of the paths: places in `nodes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "PathLink")]
pub struct Link {
    /// The nearer node.
    pub from: u64,
    /// The farther one.
    pub to: u64,
    /// Flows that were seen to take it.
    pub flows: u64,
}
