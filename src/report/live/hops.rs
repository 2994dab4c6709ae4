//! The hops of a path while it is traced: what was heard of each, and the table that mtr's users know.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};

use super::draw::{DIM, Paint};
use crate::report::text::{ABSENT, escape, millis, percent};
use crate::stats::{Jitter, Moments};

/// Addresses shown of one hop.
const MOST_ADDRESSES: usize = 8;
/// Names that are kept.
const MOST_NAMES: usize = 512;
/// Probes in the history of a hop: more than the columns of any terminal.
const HISTORY: usize = 512;
/// Columns of the numbers, and those before a name.
const NUMBERS: usize = 9;
const LEAD: usize = 6;

/// All hops, and how they are looked at.
#[derive(Clone, Debug, Default)]
pub struct Hops {
    hops: BTreeMap<u8, Hop>,
    names: HashMap<IpAddr, String>,
    /// Where the target is.
    target: Option<u8>,
    view: View,
}

/// How hops are looked at; keys change it.
#[derive(Clone, Copy, Debug, Default)]
struct View {
    /// `n`: addresses instead of names.
    addresses: bool,
    /// `j`: jitter instead of times.
    jitter: bool,
    /// `d`: the latest probes instead of numbers.
    history: bool,
}

#[derive(Clone, Debug, Default)]
struct Hop {
    addresses: Vec<IpAddr>,
    sent: u64,
    received: u64,
    last: Option<Duration>,
    best: Option<Duration>,
    worst: Option<Duration>,
    moments: Moments,
    jitter: Jitter,
    difference: Option<Duration>,
    history: VecDeque<Option<Duration>>,
}

impl Hops {
    /// Whether nothing was heard of any hop.
    pub fn is_empty(&self) -> bool {
        self.hops.is_empty()
    }

    /// Forgets what was counted; names and the way of looking stay.
    pub(super) fn reset(&mut self) {
        *self = Self { names: std::mem::take(&mut self.names), view: self.view, ..Self::default() };
    }

    /// A hop has answered, or has not; whether it is the target.
    pub(super) fn hear(&mut self, ttl: u8, answer: Option<(IpAddr, Duration)>, is_target: bool) -> bool {
        match (is_target, self.target) {
            // Probes that went too far are answered by it, too.
            (true, known) => self.target = Some(known.map_or(ttl, |known| known.min(ttl))),
            (false, Some(target)) if target <= ttl && answer.is_some() => self.target = None,
            _ => {}
        }
        self.hops.entry(ttl).or_default().hear(answer);
        self.target == Some(ttl)
    }

    /// The name of an address was found.
    pub(super) fn name(&mut self, address: IpAddr, name: &str) {
        if self.names.len() < MOST_NAMES {
            self.names.insert(address, escape(name).into_owned());
        }
    }

    /// Looks at them another way, if `key` is one for that.
    pub fn press(&mut self, key: char) {
        match key {
            'n' => self.view.addresses ^= true,
            'j' => self.view.jitter ^= true,
            'd' => self.view.history ^= true,
            _ => {}
        }
    }

    /// The table, as wide as the screen.
    pub(super) fn table(&self, width: usize, paint: Paint) -> Vec<Line<'static>> {
        let heads: &[&str] = if self.view.jitter { &JITTER } else { &TIMES };
        let columns = if self.view.history { 0 } else { heads.len() * NUMBERS };
        let room = width.saturating_sub(LEAD + columns).clamp(16, 48);
        let cells: String = heads.iter().map(|head| format!("{head:>NUMBERS$}")).collect();
        let heads = if self.view.history { "  the latest probes".to_owned() } else { cells };
        let mut lines = vec![Line::styled(format!("{:<LEAD$}{:<room$}{heads}", "hop", ""), DIM)];
        let most = self.hops.values().filter_map(|hop| hop.worst).max().unwrap_or_default();
        let shown = self.hops.iter().filter(|(ttl, _)| self.target.is_none_or(|target| **ttl <= target));
        // Of what does not answer at the end one line is enough.
        let last =
            self.hops.iter().rfind(|(_, hop)| hop.received > 0).map_or(1, |(ttl, _)| ttl.saturating_add(1));
        for (ttl, hop) in shown.filter(|(ttl, _)| **ttl <= last) {
            let mut names = hop.addresses.iter().map(|address| self.shown(*address, room));
            let first = names.next().unwrap_or_else(|| "???".to_owned());
            let mut spans = vec![Span::raw(format!("{ttl:>3}.  {first:<room$}"))];
            match self.view.history {
                true => spans.extend(hop.chart(width.saturating_sub(LEAD + room + 2), most, paint)),
                false => spans.extend(hop.cells(self.view.jitter, paint)),
            }
            lines.push(Line::from(spans));
            lines.extend(names.map(|name| Line::raw(format!("{:<LEAD$}{name}", ""))));
        }
        lines
    }

    fn shown(&self, address: IpAddr, room: usize) -> String {
        let name = self.names.get(&address).filter(|_| !self.view.addresses);
        let text = name.cloned().unwrap_or_else(|| address.to_string());
        if text.chars().count() <= room { text } else { text.chars().take(room - 1).chain(['…']).collect() }
    }
}

const TIMES: [&str; 7] = ["loss", "sent", "last", "avg", "best", "worst", "stddev"];
const JITTER: [&str; 5] = ["loss", "sent", "last", "jitter", "interarr."];

impl Hop {
    fn hear(&mut self, answer: Option<(IpAddr, Duration)>) {
        self.sent += 1;
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(answer.map(|(_, rtt)| rtt));
        let Some((from, rtt)) = answer else { return };
        self.received += 1;
        if !self.addresses.contains(&from) && self.addresses.len() < MOST_ADDRESSES {
            self.addresses.push(from);
        }
        self.difference = self.last.map(|last| last.abs_diff(rtt));
        self.last = Some(rtt);
        self.best = Some(self.best.map_or(rtt, |best| best.min(rtt)));
        self.worst = self.worst.max(Some(rtt));
        self.moments.push(rtt);
        self.jitter.push(rtt.as_nanos() as i128);
    }

    fn cells(&self, jitter: bool, paint: Paint) -> Vec<Span<'static>> {
        let time = |value: Option<Duration>| format!("{:>NUMBERS$}", value.map_or(ABSENT.to_owned(), millis));
        let loss = (self.sent - self.received) as f64 / self.sent.max(1) as f64;
        let bad = if loss > 0.0 { paint.of(Color::Red) } else { Style::new() };
        let sent = self.sent;
        let mut cells = vec![
            Span::styled(format!("{:>NUMBERS$}", percent(loss)), bad),
            Span::raw(format!("{sent:>NUMBERS$}")),
        ];
        let times = match jitter {
            true => vec![self.last, self.difference, self.jitter.value()],
            false => vec![self.last, self.moments.mean(), self.best, self.worst, self.moments.stddev()],
        };
        cells.extend(times.into_iter().map(|value| Span::raw(time(value))));
        cells
    }

    /// One mark for each of the latest probes: the higher, the longer it took; a cross for a lost one.
    fn chart(&self, width: usize, most: Duration, paint: Paint) -> Vec<Span<'static>> {
        const MARKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let skip = self.history.len().saturating_sub(width);
        let mark = |rtt: &Option<Duration>| match rtt {
            None => Span::styled("✗", paint.of(Color::Red)),
            Some(rtt) => {
                let part = rtt.as_secs_f64() / most.as_secs_f64().max(1e-9);
                let level = ((part * MARKS.len() as f64) as usize).min(MARKS.len() - 1);
                Span::styled(MARKS[level].to_string(), paint.of(Color::Green))
            }
        };
        std::iter::once(Span::raw("  ")).chain(self.history.iter().skip(skip).map(mark)).collect()
    }
}
