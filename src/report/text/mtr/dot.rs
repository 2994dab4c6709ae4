//! The path, or every path, as a graph for Graphviz (dot(1)).

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;

use super::super::escape;
use super::words;
use crate::probe::Measurement;
use crate::probe::mtr::{Mtr, Report};

/// An address at a distance; a silent hop has none.
type Place = (u8, Option<IpAddr>);

/// Writes a graph of `report`: a node for each address at its distance, a line for each step that probes took.
pub(super) fn graph(
    out: &mut impl io::Write,
    report: &Report,
    of: &Measurement,
    asked: &Mtr,
) -> io::Result<()> {
    let (nodes, steps) = places(report);
    writeln!(out, "digraph \"{}\" {{", quoted(of.probe.target()))?;
    writeln!(out, "    rankdir=LR;\n    node [shape=box];")?;
    for place in &nodes {
        writeln!(out, "    \"{}\" [label=\"{}\"];", id(place), label(report, place, asked))?;
    }
    for (from, to) in &steps {
        writeln!(out, "    \"{}\" -> \"{}\";", id(from), id(to))?;
    }
    writeln!(out, "}}")
}

/// What was seen, by the search for every path or by each flow.
fn places(report: &Report) -> (BTreeSet<Place>, BTreeSet<(Place, Place)>) {
    if let Some(found) = &report.multipath {
        let all: Vec<Place> = found.nodes.iter().map(|node| (node.ttl, node.ip)).collect();
        let at = |place: u64| usize::try_from(place).ok().and_then(|place| all.get(place).copied());
        let steps = found.links.iter().filter_map(|link| at(link.from).zip(at(link.to))).collect();
        return (all.into_iter().collect(), steps);
    }
    let first = report.hops.first().map_or(1, |hop| hop.ttl);
    let (mut nodes, mut steps) = (BTreeSet::new(), BTreeSet::new());
    for flow in &report.flows {
        let path: Vec<Place> = (first..=u8::MAX).zip(flow.path.iter().copied()).collect();
        steps.extend(path.windows(2).map(|pair| (pair[0], pair[1])));
        nodes.extend(path);
    }
    (nodes, steps)
}

fn id((ttl, ip): &Place) -> String {
    ip.map_or_else(|| format!("{ttl} *"), |ip| format!("{ttl} {ip}"))
}

/// Who it is, as `-b` wants it, below the distance.
fn label(report: &Report, (ttl, ip): &Place, asked: &Mtr) -> String {
    let Some(ip) = *ip else {
        return format!("{ttl}\\n*");
    };
    let hops = report.hops.iter().flat_map(|hop| &hop.addresses).filter(|address| address.ip == ip);
    let nodes = report.multipath.iter().flat_map(|found| &found.nodes).filter(|node| node.ip == Some(ip));
    let mut names = hops.map(|address| &address.name).chain(nodes.map(|node| &node.name));
    let name = names.find_map(Option::as_deref);
    format!("{ttl}\\n{}", quoted(&words::name(ip, name, asked.shape.show_ips)))
}

/// Within quotes of Graphviz.
fn quoted(text: &str) -> String {
    escape(text).replace('\\', "\\\\").replace('"', "\\\"")
}
