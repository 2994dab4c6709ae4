//! Every path that load balancing offers, drawn: a block for each distance, with what follows each node.

use std::io;

use super::super::{Style, counted, percent};
use super::words;
use crate::probe::mtr::{Mtr, Multipath, Node};

/// Draws `found`.
pub(super) fn draw(out: &mut impl io::Write, found: &Multipath, asked: &Mtr, style: Style) -> io::Result<()> {
    let mut ttls: Vec<u8> = found.nodes.iter().map(|node| node.ttl).collect();
    ttls.dedup();
    for ttl in ttls {
        let here: Vec<(usize, &Node)> =
            found.nodes.iter().enumerate().filter(|(_, node)| node.ttl == ttl).collect();
        let all: u64 = here.iter().map(|(_, node)| node.flows).sum();
        for (n, &(place, node)) in here.iter().enumerate() {
            let number = if n == 0 { format!("{ttl:>3}.") } else { " ".repeat(4) };
            let stroke = match (here.len(), n) {
                (1, _) => "─",
                (_, 0) => "┬",
                (width, n) if n + 1 == width => "└",
                _ => "├",
            };
            let share = match here.len() {
                1 => String::new(),
                _ => format!("  {}", percent(node.flows as f64 / all.max(1) as f64)),
            };
            let next = if here.len() > 1 { following(found, place) } else { String::new() };
            let alternates = if node.per_packet { "  balanced per packet" } else { "" };
            writeln!(out, "{number} {stroke} {}{share}{}{alternates}", name(node, asked), style.dim(&next))?;
        }
    }
    let sure = percent(found.confidence_ratio);
    let (probes, flows) = (counted(found.probes, "probe"), counted(found.flows, "flow"));
    let ways = match found.width {
        0 => "no hop answers".to_owned(),
        1 => "a single path".to_owned(),
        width => format!("up to {width} ways side by side"),
    };
    let cut = if found.complete { "" } else { "; cut short, some may be missing" };
    writeln!(out)?;
    let label = style.dim(&format!("{:<10}", "paths"));
    writeln!(out, "{label} {ways}, {sure} sure for each node; {probes}, {flows}{cut}")
}

fn name(node: &Node, asked: &Mtr) -> String {
    let shown = |ip| words::name(ip, node.name.as_deref(), asked.shape.show_ips);
    node.ip.map_or_else(|| "*".to_owned(), shown)
}

/// ` → 192.0.2.3, 192.0.2.4`
fn following(found: &Multipath, place: usize) -> String {
    let links = found.links.iter().filter(|link| link.from == place as u64);
    let node = |to: u64| found.nodes.get(usize::try_from(to).ok()?)?.ip.map(|ip| ip.to_string());
    let names: Vec<String> = links.filter_map(|link| node(link.to)).collect();
    if names.is_empty() { String::new() } else { format!("  → {}", names.join(", ")) }
}
