//! Every path that load balancing offers, drawn: a block for each distance, with what follows each node.

use std::collections::HashMap;
use std::io;

use super::super::{Style, counted, percent};
use super::words;
use crate::probe::mtr::{Mtr, Multipath, Node};

/// Draws `found`.
pub(super) fn draw(out: &mut impl io::Write, found: &Multipath, asked: &Mtr, style: Style) -> io::Result<()> {
    let labels = labels(found);
    let mut ttls: Vec<u8> = found.nodes.iter().map(|node| node.ttl).collect();
    ttls.dedup();
    for ttl in ttls {
        let here: Vec<(usize, &Node)> =
            found.nodes.iter().enumerate().filter(|(_, node)| node.ttl == ttl).collect();
        let all: u64 = here.iter().map(|(_, node)| node.flows).sum();
        let names: Vec<String> =
            here.iter().map(|(_, node)| words::fitting(&name(node, asked), NAME)).collect();
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        for (n, (&(place, node), name)) in here.iter().zip(&names).enumerate() {
            let stroke = match (here.len(), n) {
                (1, _) => "─",
                (_, 0) => "┬",
                (width, n) if n + 1 == width => "└",
                _ => "├",
            };
            let label = &labels[place];
            let share = match here.len() {
                1 => String::new(),
                _ => format!("  {:>7}", percent(node.flows as f64 / all.max(1) as f64)),
            };
            let next = following(found, &labels, place);
            let alternates = if node.per_packet { "  balanced per packet" } else { "" };
            let line = format!("{label:>5} {stroke} {name:<width$}{share}");
            writeln!(out, "{}{}{alternates}", line.trim_end(), style.dim(&next))?;
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
    let label = |name: &str| style.dim(&format!("{name:<10}"));
    writeln!(out, "{} {ways}, {sure} sure for each node{cut}", label("paths"))?;
    writeln!(out, "{} {probes}, {flows}", label("search"))
}

fn name(node: &Node, asked: &Mtr) -> String {
    let shown = |ip| words::name(ip, node.name.as_deref(), asked.shape.show_ips);
    node.ip.map_or_else(|| "*".to_owned(), shown)
}

/// Columns of a name at most: what follows it stays within 80.
const NAME: usize = 44;

/// How each node is called: its distance, and a letter where it has others beside it.
fn labels(found: &Multipath) -> Vec<String> {
    let here = |ttl: u8| found.nodes.iter().filter(move |node| node.ttl == ttl).count();
    let mut seen = HashMap::new();
    let label = |node: &Node| {
        let n = seen.entry(node.ttl).and_modify(|n| *n += 1).or_insert(0usize);
        if here(node.ttl) == 1 { format!("{}.", node.ttl) } else { format!("{}{}", node.ttl, letters(*n)) }
    };
    found.nodes.iter().map(label).collect()
}

/// `a` to `z`, then `aa`, `ab`, …
fn letters(n: usize) -> String {
    let last = char::from(b'a' + (n % 26) as u8);
    let before = (n / 26).checked_sub(1).map(letters).unwrap_or_default();
    format!("{before}{last}")
}

/// `  → 3a–3d, 3g`: what follows a node, where that is not all that comes next.
fn following(found: &Multipath, labels: &[String], place: usize) -> String {
    let mut next: Vec<usize> = found
        .links
        .iter()
        .filter(|link| link.from == place as u64)
        .filter_map(|link| usize::try_from(link.to).ok().filter(|to| *to < found.nodes.len()))
        .collect();
    next.sort_unstable();
    next.dedup();
    let ttl = found.nodes[place].ttl.saturating_add(1);
    let all = found.nodes.iter().filter(|node| node.ttl == ttl).count();
    // Where there is no choice the lines below say it.
    if next.is_empty() || next.len() == all {
        return String::new();
    }
    // Runs of neighbours, three or more in one word.
    let runs: Vec<String> = next
        .chunk_by(|a, b| a + 1 == *b && found.nodes[*a].ttl == found.nodes[*b].ttl)
        .flat_map(|run| match run {
            [first, _, .., last] => vec![format!("{}–{}", labels[*first], labels[*last])],
            run => run.iter().map(|at| labels[*at].trim_end_matches('.').to_owned()).collect(),
        })
        .collect();
    format!("  → {}", runs.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::mtr::Link;

    /// Routers side by side, so many at each distance; every node is followed by those that `leads` says.
    fn drawn(widths: &[u8], leads: impl Fn(u8, u8, u8) -> bool) -> String {
        let mut nodes = Vec::new();
        for (ttl, width) in (1..).zip(widths) {
            nodes.extend((0..*width).map(|n| Node {
                ttl,
                ip: Some([203, 0, 100 + ttl, 100 + n].into()),
                name: None,
                flows: 6,
                per_packet: false,
            }));
        }
        let place = |ttl: u8, n: u8| {
            widths.iter().take(usize::from(ttl) - 1).map(|width| u64::from(*width)).sum::<u64>()
                + u64::from(n)
        };
        let mut links = Vec::new();
        for (ttl, pair) in (1u8..).zip(widths.windows(2)) {
            let all = (0..pair[0]).flat_map(|from| (0..pair[1]).map(move |to| (from, to)));
            links.extend(all.filter(|(from, to)| leads(ttl, *from, *to)).map(|(from, to)| Link {
                from: place(ttl, from),
                to: place(ttl + 1, to),
                flows: 1,
            }));
        }
        let found = Multipath {
            nodes,
            links,
            width: u64::from(widths.iter().copied().max().unwrap_or(0)),
            confidence_ratio: 0.95,
            probes: 100,
            flows: 16,
            complete: true,
        };
        let mut out = Vec::new();
        draw(&mut out, &found, &Mtr::default(), Style { colour: false }).expect("drawn");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn ways_that_part_and_meet_are_read_from_above() {
        insta::assert_snapshot!(drawn(&[1, 2, 4, 1], |ttl, from, to| ttl != 2 || to / 2 == from), @r"
           1. ─ 203.0.101.100
           2a ┬ 203.0.102.100   50.0 %  → 3a, 3b
           2b └ 203.0.102.101   50.0 %  → 3c, 3d
           3a ┬ 203.0.103.100   25.0 %
           3b ├ 203.0.103.101   25.0 %
           3c ├ 203.0.103.102   25.0 %
           3d └ 203.0.103.103   25.0 %
           4. ─ 203.0.104.100

        paths      up to 4 ways side by side, 95.0 % sure for each node
        search     100 probes, 16 flows
        ");
    }

    #[test]
    fn a_wide_diamond_and_a_mesh_fit_80_columns() {
        for text in [
            drawn(&[1, 16, 1], |_, _, _| true),
            drawn(&[1, 16, 16, 1], |ttl, from, to| ttl != 2 || (from + to) % 3 != 0),
            drawn(&[1, 40, 2], |_, from, to| from % 2 == to),
        ] {
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        }
        assert!(
            drawn(&[1, 3, 6, 1], |ttl, from, to| ttl != 2 || to / 2 == from).contains("33.3 %  → 3e, 3f")
        );
        assert!(drawn(&[1, 2, 6, 1], |ttl, from, to| ttl != 2 || to / 3 == from).contains("→ 3d–3f"));
        assert_eq!([0, 25, 26, 51, 52].map(letters), ["a", "z", "aa", "az", "ba"]);
    }
}
