//! What ping users expect while a probe runs: a line for each reply, and one for each that did not come.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use super::number::signed_millis;
use super::{Style, bytes, counted, escape, millis, rate, span};
use crate::probe::ping::Form;
use crate::probe::{Event, Probe};
use crate::units::ms;

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
    /// As fping's users know it: what each target has done so far. `None` for lines like ping's.
    fping: Option<HashMap<String, Course>>,
}

/// A target's course so far.
#[derive(Clone, Copy, Debug, Default)]
struct Course {
    sent: u64,
    received: u64,
    sum: Duration,
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
        let fping = matches!(probe, Probe::Ping(ping) if ping.style == Form::Fping);
        Self { fping: fping.then(HashMap::new), ..Self::new(&probe.subject(), timestamps, style) }
    }

    /// The same target is measured once more: numbers go on, and it is not introduced again.
    pub fn go_on(&mut self) {
        (self.base, self.introduced) = (self.next, true);
    }

    /// The line for `event`, if it has one.
    pub fn line(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::Unmeasured { target, why } => {
                return Some(self.style.red(&format!("{}: {}", escape(target), escape(why))));
            }
            Event::Note { text } => return Some(self.style.dim(&format!("note: {}", escape(text)))),
            _ if self.fping.is_some() => return self.fping(event),
            _ => {}
        }
        match event {
            Event::Started { address, how } => self.started(*address, how),
            &Event::Reply { ref target, seq, at, rtt, delay_ms, bytes, ttl } => {
                let seq = self.number(seq);
                let bytes = bytes.map_or("reply".to_owned(), |bytes| format!("{bytes} bytes"));
                let ttl = ttl.map_or_else(String::new, |ttl| format!(" ttl={ttl}"));
                let from = self.from(target.as_deref());
                let time = millis(rtt);
                let ways = delay_ms.map_or_else(String::new, |(up, down)| {
                    format!(" (up {}, down {})", signed_millis(up), signed_millis(down))
                });
                let text = format!("{bytes} from {from}: seq={seq}{ttl} time={time} ms{ways}");
                Some(self.stamped(at, &text))
            }
            &Event::Lost { ref target, seq, at } => {
                let seq = self.number(seq);
                let text = format!("no reply from {}: seq={seq}", self.from(target.as_deref()));
                Some(self.stamped(at, &self.style.red(&text)))
            }
            &Event::Unreached { ref target, seq, at, from, ref what } => {
                let seq = self.number(seq);
                let teller = from.map_or_else(|| "somebody".to_owned(), |from| from.to_string());
                let about = target.as_deref().map_or_else(String::new, |of| format!(" of {}", escape(of)));
                let text = format!("from {teller}: seq={seq}{about} {}", escape(what));
                Some(self.stamped(at, &self.style.red(&text)))
            }
            &Event::Interval { at, lasted, packets, bytes, dropped } => {
                Some(self.stamped(at, &interval(lasted, packets, bytes, dropped, self.style)))
            }
            &Event::Port { host, port, proto, at, rtt } => {
                let after = rtt.map_or_else(String::new, |rtt| format!(" ({} ms)", millis(rtt)));
                Some(self.stamped(at, &format!("open port {port}/{proto} on {host}{after}")))
            }
            Event::Hop { .. }
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
        let shown = address.to_string();
        let address = if shown == self.target { String::new() } else { format!(" ({shown})") };
        let how = escape(how);
        (!self.introduced).then(|| self.style.bold(&format!("{}{address}: {how}", self.target)))
    }

    /// fping's lines: `HOST : [0], 64 bytes, 0.055 ms (0.059 avg, 0% loss)`.
    fn fping(&mut self, event: &Event) -> Option<String> {
        let (target, seq, at, answer) = match event {
            Event::Reply { target, seq, at, rtt, bytes, .. } => (target, *seq, *at, Some((*rtt, *bytes))),
            Event::Lost { target, seq, at } | Event::Unreached { target, seq, at, .. } => {
                (target, *seq, *at, None)
            }
            _ => return None,
        };
        let seq = self.number(seq);
        let name =
            target.as_deref().map_or_else(|| self.target.clone(), |target| escape(target).into_owned());
        let course = self.fping.as_mut()?.entry(name.clone()).or_default();
        course.sent += 1;
        if let Some((rtt, _)) = answer {
            (course.received, course.sum) = (course.received + 1, course.sum + rtt);
        }
        let mean = ms::of(course.sum) / course.received as f64;
        let loss = (course.sent - course.received) * 100 / course.sent;
        let told = match answer {
            Some((rtt, bytes)) => format!("{} bytes, {} ms", bytes.unwrap_or(0), fping_millis(ms::of(rtt))),
            None => "timed out".to_owned(),
        };
        let text = format!("{name} : [{seq}], {told} ({} avg, {loss}% loss)", fping_millis(mean));
        Some(self.stamped(at, &text))
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
        if self.timestamps {
            let (seconds, micros) = (at / 1_000_000_000, at % 1_000_000_000 / 1_000);
            return format!("[{seconds}.{micros:06}] {text}");
        }
        text.to_owned()
    }
}

/// `1043 packets in 1.00 s, 1.02 MiB, 8.55 Mbit/s`
fn interval(lasted: Duration, packets: u64, octets: u64, dropped: u64, style: Style) -> String {
    let speed = rate(octets as f64 * 8.0 / lasted.as_secs_f64().max(1e-9));
    let lost = if dropped > 0 { style.red(&format!(", {dropped} dropped by kernel")) } else { String::new() };
    let packets = counted(packets, "packet");
    format!("{packets} in {}, {}, {speed}{lost}", span(lasted), bytes(octets as f64))
}

/// Milliseconds as fping writes them: three digits, more where they are of no weight.
pub(super) fn fping_millis(value: f64) -> String {
    match value {
        _ if value.is_nan() => "NaN".to_owned(),
        _ if value < 1.0 => format!("{value:.3}"),
        _ if value < 10.0 => format!("{value:.2}"),
        _ if value < 100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events() -> [Event; 4] {
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
            },
            Event::Lost { target: None, seq: 1, at },
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
        note: \u{1b}[2J
        ");
    }

    #[test]
    fn who_cannot_be_measured_is_told_in_either_form() {
        let failure = crate::failure::Class::Resolve.because("resolve a\x1b.example: no such name");
        let event = Event::unmeasured("a\x1b.example", &failure);
        let fping = Lines { fping: Some(HashMap::new()), ..Lines::new("many", false, Style::PLAIN) };
        for mut lines in [Lines::new("many", false, Style::PLAIN), fping] {
            assert_eq!(lines.line(&event).as_deref(), Some("a\\u{1b}.example: no such name"));
        }
    }

    #[test]
    fn a_watch_goes_on_counting_and_stamps_when_asked() {
        let mut lines = Lines::new("192.0.2.1", true, Style::PLAIN);
        events().iter().for_each(|event| drop(lines.line(event)));
        lines.go_on();
        let shown: Vec<String> = events()[..2].iter().filter_map(|event| lines.line(event)).collect();
        insta::assert_snapshot!(
            shown.join("\n"),
            @"[1700000000.123456] 80 bytes from 192.0.2.1: seq=2 ttl=64 time=0.052 ms (up 0.031, down -0.021)"
        );
    }
}
