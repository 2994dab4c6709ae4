//! What ping users expect while a probe runs: a line for each reply, and one for each that did not come.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::Duration;

use super::bandwidth::{Live, Stream, prefix, stamp, trial as trial_of};
use super::ping::fping::Course;
use super::{Style, amount, bytes, counted, escape, millis, rate, span};
use crate::probe::bandwidth::Verdict;
use crate::probe::{Event, Probe};

/// Turns events into lines.
#[derive(Debug, Default)]
pub struct Lines {
    style: Style,
    /// `-D`: each line begins with its time.
    timestamps: bool,
    target: String,
    address: Option<IpAddr>,
    /// Added to sequence numbers: packets of the runs before (`--watch`).
    base: u64,
    next: u64,
    introduced: bool,
    /// Lines like fping's; `None` for lines like ping's.
    fping: Option<Course>,
    /// `bandwidth`: its table, how each line's time is written, and what stands before each line.
    live: Live,
    written: Option<String>,
    prefix: String,
    /// `bandwidth`: lines as iperf3's `--json-stream` has them.
    stream: Option<Stream>,
    /// `mtu`: sizes that were said to pass. `None` for lines like ping's.
    sizes: Option<HashSet<usize>>,
}

impl Lines {
    /// Lines about `target`; `timestamps` puts the seconds since the epoch before each.
    pub fn new(target: &str, timestamps: bool, style: Style) -> Self {
        Self { style, timestamps, target: escape(target).into_owned(), ..Self::default() }
    }

    /// Whether `probe` has lines for packets: hops are a table, not lines.
    pub const fn tell_packets(probe: &Probe) -> bool {
        !matches!(probe, Probe::Mtr(_))
    }

    /// Lines about what `probe` measures, in the form that it asks for.
    pub fn of(probe: &Probe, timestamps: bool, style: Style) -> Self {
        let fping = if let Probe::Ping(ping) = probe { Course::of(ping) } else { None };
        let sizes = matches!(probe, Probe::Mtu(_)).then(HashSet::new);
        let base = Self { fping, sizes, ..Self::new(&probe.subject(), timestamps, style) };
        let Probe::Bandwidth(asked) = probe else { return base };
        let written = asked.timestamp_format.clone();
        Self { stream: Stream::of(asked), live: Live::of(asked), prefix: prefix(asked), written, ..base }
    }

    /// The same target is measured once more: numbers go on, and it is not introduced again.
    pub fn go_on(&mut self) {
        (self.base, self.introduced) = (self.next, true);
        self.sizes.iter_mut().for_each(HashSet::clear);
    }

    /// The line for `event`, if it has one.
    pub fn line(&mut self, event: &Event) -> Option<String> {
        if let Some(stream) = &mut self.stream {
            return stream.line(event);
        }
        match event {
            // That is told aside.
            Event::Unmeasured { .. } if self.is_fpings() => return None,
            Event::Unmeasured { target, why } => {
                return Some(self.style.red(&format!("{}: {}", escape(target), escape(why))));
            }
            Event::Note { text } => return Some(self.style.dim(&format!("note: {}", escape(text)))),
            _ if self.fping.is_some() => return self.fping(event),
            _ => {}
        }
        match event {
            Event::Started { address, how } => self.started(*address, how),
            &Event::Reply { at, rtt, bytes: Some(size), .. } if self.sizes.is_some() => {
                let is_news = self.sizes.as_mut()?.insert(size);
                is_news.then(|| self.stamped(at, &format!("{size} bytes pass ({} ms)", millis(rtt))))
            }
            &Event::Reply { ref target, seq, at, rtt, delay_ms, bytes, ttl, ref said } => {
                let seq = self.number(seq);
                let bytes = bytes.map_or("reply".to_owned(), |bytes| format!("{bytes} bytes"));
                let ttl = ttl.map_or_else(String::new, |ttl| format!(" ttl={ttl}"));
                let from = self.from(target.as_deref());
                let time = millis(rtt);
                let ways = delay_ms.map_or_else(String::new, |(up, down)| {
                    format!(" (up {}, down {})", amount(up), amount(down))
                });
                let said = said.as_deref().map_or_else(String::new, |said| format!(" {}", escape(said)));
                let text = format!("{bytes} from {from}: seq={seq}{ttl} time={time} ms{ways}{said}");
                Some(self.stamped(at, &text))
            }
            &Event::Lost { ref target, seq, at } => {
                let seq = self.number(seq);
                let text = format!("no reply from {}: seq={seq}", self.from(target.as_deref()));
                Some(self.stamped(at, &self.style.red(&text)))
            }
            &Event::Unreached { ref target, seq, at, from, ref what, .. } => {
                let seq = self.number(seq);
                let about = target.as_deref().map_or_else(String::new, |of| format!(" of {}", escape(of)));
                let text = match from {
                    Some(from) => format!("from {from}: seq={seq}{about} {}", escape(what)),
                    None => {
                        format!("no reply from {}: seq={seq} {}", self.from(target.as_deref()), escape(what))
                    }
                };
                Some(self.stamped(at, &self.style.red(&text)))
            }
            &Event::Refused { ref target, seq, at, ref what } => {
                let seq = self.number(seq);
                let text =
                    format!("not sent to {}: seq={seq} {}", self.from(target.as_deref()), escape(what));
                Some(self.stamped(at, &self.style.red(&text)))
            }
            &Event::Interval { at, lasted, packets, bytes, dropped } => {
                Some(self.stamped(at, &interval(lasted, packets, bytes, dropped, self.style)))
            }
            Event::Streams { trace } => {
                self.table(u64::try_from(trace.at.as_nanosecond()).unwrap_or_default(), event)
            }
            &Event::Throughput { at, .. } => self.table(at, event),
            Event::Trial { at, trial } => {
                let line = trial_of(trial);
                let is_well = trial.verdict == Verdict::Passed;
                Some(self.stamped(*at, &if is_well { line } else { self.style.red(&line) }))
            }
            &Event::Port { host, port, proto, at, rtt } => {
                let after = rtt.map_or_else(String::new, |rtt| format!(" ({} ms)", millis(rtt)));
                Some(self.stamped(at, &format!("open port {port}/{proto} on {host}{after}")))
            }
            // Told where somebody waits for it ([`progress`]).
            Event::Progress { .. }
            | Event::Phase { .. }
            | Event::Snapshots { .. }
            | Event::Several { .. }
            | Event::Hop { .. }
            | Event::Path { .. }
            | Event::Check { .. }
            | Event::Name { .. }
            | Event::Place { .. }
            | Event::Unmeasured { .. }
            | Event::Note { .. } => None,
        }
    }

    fn started(&mut self, address: IpAddr, how: &str) -> Option<String> {
        self.address = Some(address);
        if self.live.is_iperf3s() {
            return None;
        }
        let shown = address.to_string();
        let address = if shown == self.target { String::new() } else { format!(" ({shown})") };
        let how = escape(how);
        (!self.introduced).then(|| self.style.bold(&format!("{}{address}: {how}", self.target)))
    }

    /// The lines of `bandwidth`'s table about `event`, which ended at `at`.
    fn table(&mut self, at: u64, event: &Event) -> Option<String> {
        let (head, rows) = self.live.lines(event);
        let head = head.iter().map(|line| self.style.dim(line));
        let lines: Vec<String> =
            head.chain(rows).map(|line| self.stamped(at, &format!("{}{line}", self.prefix))).collect();
        (!lines.is_empty()).then(|| lines.join("\n"))
    }

    /// Whether these are fping's lines.
    pub const fn is_fpings(&self) -> bool {
        self.fping.is_some()
    }

    /// What is said of `event` on stderr, beside its line, if anything.
    pub fn aside(&self, event: &Event) -> Option<String> {
        self.fping.as_ref()?.aside(event, &self.target)
    }

    fn fping(&mut self, event: &Event) -> Option<String> {
        let (seq, at) = match event {
            Event::Reply { seq, at, .. }
            | Event::Lost { seq, at, .. }
            | Event::Unreached { seq, at, .. }
            | Event::Refused { seq, at, .. } => (self.number(*seq), *at),
            _ => (0, 0),
        };
        let line = self.fping.as_mut()?.line(event, &self.target, seq)?;
        Some(self.stamped(at, &line))
    }

    fn from(&self, target: Option<&str>) -> String {
        if let Some(target) = target {
            return escape(target).into_owned();
        }
        self.address.map_or_else(|| self.target.clone(), |address| address.to_string())
    }

    fn number(&mut self, seq: u64) -> u64 {
        let number = self.base + seq;
        self.next = self.next.max(number + 1);
        number
    }

    fn stamped(&self, at: u64, text: &str) -> String {
        if let Some(time) = self.written.as_ref().and_then(|format| stamp(at, format)) {
            return format!("{time} {text}");
        }
        if self.timestamps {
            let (seconds, micros) = (at / 1_000_000_000, at % 1_000_000_000 / 1_000);
            if self.is_fpings() {
                return format!("[{seconds}.{:05}] {text}", micros / 10);
            }
            return format!("[{seconds}.{micros:06}] {text}");
        }
        text.to_owned()
    }
}

/// `about 45 % done, 12 s left`
pub fn progress(done_ratio: f64, left: Duration) -> String {
    let (percent, seconds) = ((done_ratio * 100.0).floor(), left.as_secs_f64().ceil());
    let left =
        if seconds < 100.0 { format!("{seconds} s") } else { format!("{} min", (seconds / 60.0).ceil()) };
    format!("about {percent} % done, {left} left")
}

/// `1043 packets in 1.00 s (1043/s), 1.02 MiB (8.55 Mbit/s)`
fn interval(lasted: Duration, packets: u64, octets: u64, dropped: u64, style: Style) -> String {
    let speed = rate(octets as f64 * 8.0 / lasted.as_secs_f64().max(1e-9));
    let lost = if dropped > 0 { style.red(&format!(", {dropped} dropped by kernel")) } else { String::new() };
    let pace = packets as f64 / lasted.as_secs_f64().max(1e-9);
    let packets = counted(packets, "packet");
    format!("{packets} in {} ({pace:.0}/s), {} ({speed}){lost}", span(lasted), bytes(octets as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::ping::{Form, Ping};

    fn events() -> [Event; 5] {
        let at = 1_700_000_000_123_456_789;
        [
            Event::Started {
                address: "192.0.2.1".parse().expect("an address"),
                how: "wp1, 80 octets every 200ms".to_owned(),
            },
            Event::Reply {
                target: None,
                seq: 0,
                at,
                rtt: Duration::from_micros(52),
                delay_ms: Some((0.031, -0.021)),
                bytes: Some(80),
                ttl: Some(64),
                said: None,
            },
            Event::Lost { target: None, seq: 1, at },
            Event::Unreached {
                target: None,
                seq: 2,
                at,
                from: None,
                icmp: None,
                what: "it hung up".to_owned(),
            },
            Event::Note { text: "\x1b[2J".to_owned() },
        ]
    }

    #[test]
    fn lines_look_like_pings() {
        let mut lines = Lines::new("r.example", false, Style::PLAIN);
        let shown: Vec<String> = events().iter().filter_map(|event| lines.line(event)).collect();
        insta::assert_snapshot!(shown.join("\n"), @r"
        r.example (192.0.2.1): wp1, 80 octets every 200ms
        80 bytes from 192.0.2.1: seq=0 ttl=64 time=0.052 ms (up 0.031, down -0.021)
        no reply from 192.0.2.1: seq=1
        no reply from 192.0.2.1: seq=2 it hung up
        note: \u{1b}[2J
        ");
    }

    #[test]
    fn progress_is_told_roughly() {
        for (done, left, expected) in [
            (0.2799, 12_970, "about 27 % done, 13 s left"),
            (0.5, 100_001, "about 50 % done, 2 min left"),
            (1.0, 0, "about 100 % done, 0 s left"),
        ] {
            assert_eq!(progress(done, Duration::from_millis(left)), expected);
        }
    }

    #[test]
    fn a_size_passes_once() {
        let mut lines = Lines { sizes: Some(HashSet::new()), ..Lines::new("r.example", false, Style::PLAIN) };
        let twice = [events(), events()].concat();
        let shown: Vec<String> = twice.iter().filter_map(|event| lines.line(event)).collect();
        assert_eq!(shown.iter().filter(|line| *line == "80 bytes pass (0.052 ms)").count(), 1, "{shown:?}");
    }

    #[test]
    fn who_cannot_be_measured_is_told_in_either_form() {
        let failure = crate::failure::Class::Resolve.because("resolve a\x1b.example: no such name");
        let event = Event::unmeasured("a\x1b.example", &failure);
        let mut lines = Lines::new("many", false, Style::PLAIN);
        assert_eq!(
            (lines.line(&event).as_deref(), lines.aside(&event)),
            (Some("a\\u{1b}.example: no such name"), None)
        );
        let ping = Ping { style: Form::Fping, ..Ping::default() };
        let mut lines = Lines::of(&ping.into(), false, Style::PLAIN);
        let told = lines.aside(&event);
        assert_eq!(
            (lines.line(&event), told.as_deref()),
            (None, Some("a\\u{1b}.example: Name or service not known"))
        );
    }

    #[test]
    fn a_watch_goes_on_counting_and_stamps_when_asked() {
        let mut lines = Lines::new("192.0.2.1", true, Style::PLAIN);
        events().iter().for_each(|event| drop(lines.line(event)));
        lines.go_on();
        let shown: Vec<String> = events()[..2].iter().filter_map(|event| lines.line(event)).collect();
        insta::assert_snapshot!(
            shown.join("\n"),
            @"[1700000000.123456] 80 bytes from 192.0.2.1: seq=3 ttl=64 time=0.052 ms (up 0.031, down -0.021)"
        );
    }
}
