//! The table of hops that mtr's users know, and its history of the latest probes, as wide as the screen.

use std::net::IpAddr;
use std::time::Duration;

use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};

use super::draw::{DIM, Paint};
use super::hops::{Hop, Hops};
use super::view::{Display, View};
use crate::probe::mtr::{Field, Verdict};
use crate::report::text::mtr::{columns, words};
use crate::report::text::{millis, percent};

/// Columns of a number, and those before a name.
const NUMBER: usize = 8;
const LEAD: usize = 6;
/// Columns of a name at least and at most, without its place.
const NAME: [usize; 2] = [16, 48];
/// Addresses shown of one hop.
const MOST_SHOWN: usize = 8;
/// How long a probe took, of the longest.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The lines of a table: what stands above it stays, the rest may be scrolled.
pub(super) struct Table {
    pub(super) head: Line<'static>,
    pub(super) body: Vec<Line<'static>>,
}

/// How the columns of the screen are shared out.
struct Room {
    width: usize,
    name: usize,
    fields: Vec<Field>,
}

impl Room {
    /// For names of at most `longest` characters: what they leave is for what the numbers mean.
    fn of(view: &View, width: usize, longest: usize) -> Self {
        let least = NAME[0] + view.info.map_or(0, words::place_width);
        let mut fields = if view.display == Display::Numbers { view.fields() } else { Vec::new() };
        // Half a number reads like another one.
        fields.truncate(width.saturating_sub(LEAD + least) / NUMBER);
        let history = if view.display == Display::Numbers { 0 } else { width / 2 };
        let free = width.saturating_sub(LEAD + fields.len() * NUMBER + history);
        Self { width, name: longest.min(NAME[1]).min(free).max(least), fields }
    }

    fn used(&self) -> usize {
        LEAD + self.name + self.fields.len() * NUMBER
    }
}

/// The table of `hops`, in `width` columns.
pub(super) fn table(hops: &Hops, view: &View, width: usize, paint: Paint) -> Table {
    let rows = hops.rows();
    let names: Vec<Vec<String>> = rows.iter().map(|(_, hop, _)| names(hops, hop, view)).collect();
    let longest = names.iter().flatten().map(|name| name.chars().count()).max().unwrap_or(0);
    let room = Room::of(view, width, longest);
    let most = rows.iter().filter_map(|(_, hop, _)| hop.running.time(Field::Worst)).max().unwrap_or_default();
    let cells: String =
        room.fields.iter().map(|field| format!("{:>NUMBER$}", columns::head(*field))).collect();
    let heads = if view.display == Display::Numbers { cells } else { "the latest probes".to_owned() };
    let name = room.name;
    let head = Line::styled(format!("{:<LEAD$}{:<name$}{heads}", "hop", ""), DIM);
    let mut body = Vec::new();
    for ((ttl, hop, verdict), names) in rows.iter().zip(names) {
        body.extend(row((*ttl, hop, *verdict), names, (view, &room), most, paint));
    }
    match view.display {
        Display::Numbers => {}
        Display::Answers => body.push(legend("• answered", paint)),
        Display::Times => body.push(legend(&format!("▁ to █ 0 to {} ms", millis(most)), paint)),
    }
    Table { head, body }
}

fn row(
    (ttl, hop, verdict): (u8, &Hop, Verdict),
    names: Vec<String>,
    (view, room): (&View, &Room),
    most: Duration,
    paint: Paint,
) -> Vec<Line<'static>> {
    let mut names = names.into_iter().map(|name| words::fitting(&name, room.name));
    let first = names.next().unwrap_or_else(|| "???".to_owned());
    let mut spans = vec![Span::raw(format!("{ttl:>3}.  {first:<0$}", room.name))];
    match view.display {
        Display::Numbers => spans.extend(room.fields.iter().map(|field| cell(hop, verdict, *field, paint))),
        _ => spans.extend(history(hop, verdict, (view, room), most, paint)),
    }
    let mut below: Vec<Line<'static>> = names.map(|name| Line::raw(format!("{:<LEAD$}{name}", ""))).collect();
    let remarks = words::remarks(hop.mark, hop.counts, verdict).join(", ");
    let remark = Span::styled(remarks.clone(), paint.of(Color::Yellow));
    if view.display == Display::Numbers && !remarks.is_empty() {
        // Beside the numbers if it fits, else below the name.
        if room.used() + 2 + remarks.chars().count() <= room.width {
            spans.extend([Span::raw("  "), remark]);
        } else {
            below.push(Line::from(vec![Span::raw(" ".repeat(LEAD)), remark]));
        }
    }
    if !view.no_mpls {
        below.extend(
            hop.mpls.iter().map(|entry| Line::styled(format!("{:<LEAD$}{}", "", words::label(entry)), DIM)),
        );
    }
    std::iter::once(Line::from(spans)).chain(below).collect()
}

/// Who answers, the most frequent first.
fn names(hops: &Hops, hop: &Hop, view: &View) -> Vec<String> {
    let mut addresses = hop.addresses.clone();
    addresses.sort_by_key(|address| std::cmp::Reverse(address.1));
    let of = |ip: IpAddr| {
        let name = hops.names.get(&ip).filter(|_| !view.addresses).map(String::as_str);
        let place = view.info.map(|info| {
            let place = words::place(&hops.places.get(&ip).cloned().unwrap_or_default(), info);
            format!("{place:<0$}", words::place_width(info))
        });
        format!("{}{}", place.unwrap_or_default(), words::name(ip, name, view.show_ips))
    };
    let several = addresses.len() > 1;
    let mut lines: Vec<String> = addresses
        .iter()
        .take(MOST_SHOWN)
        .map(|&(ip, count)| match several {
            true => format!("{} {}", of(ip), percent(count as f64 / hop.counts.1.max(1) as f64)),
            false => of(ip),
        })
        .collect();
    if addresses.len() > MOST_SHOWN {
        lines.push(format!("and {} more", addresses.len() - MOST_SHOWN));
    }
    lines
}

fn cell(hop: &Hop, verdict: Verdict, field: Field, paint: Paint) -> Span<'static> {
    let text = columns::cell(field, hop.counts, verdict.loss_ratio, hop.running.time(field));
    let bad = field == Field::Loss && verdict.loss_ratio > Some(0.0);
    let style = if bad { paint.of(Color::Red) } else { Style::new() };
    Span::styled(format!("{text:>NUMBER$}"), style)
}

/// A mark for each of the latest probes. What a hop does not answer is lost only if that proves loss.
fn history(
    hop: &Hop,
    verdict: Verdict,
    (view, room): (&View, &Room),
    most: Duration,
    paint: Paint,
) -> Vec<Span<'static>> {
    let skip = hop.history.len().saturating_sub(room.width.saturating_sub(room.used()));
    let mark = |rtt: &Option<Duration>| match rtt {
        None if verdict.loss_ratio.is_some() => Span::styled("✗", paint.of(Color::Red)),
        None => Span::styled("·", DIM),
        Some(_) if view.display == Display::Answers => Span::styled("•", paint.of(Color::Green)),
        Some(rtt) => {
            let part = rtt.as_secs_f64() / most.as_secs_f64().max(1e-9);
            let level = ((part * LEVELS.len() as f64) as usize).min(LEVELS.len() - 1);
            Span::styled(LEVELS[level].to_string(), paint.of(Color::Green))
        }
    };
    hop.history.iter().skip(skip).map(mark).collect()
}

fn legend(answered: &str, paint: Paint) -> Line<'static> {
    Line::from(vec![
        Span::styled(format!("{:<LEAD$}", ""), DIM),
        Span::styled(answered.to_owned(), paint.of(Color::Green)),
        Span::styled("   ✗ lost", paint.of(Color::Red)),
        Span::styled("   · not answered, which proves no loss", DIM),
    ])
}
