//! What ping users expect while a probe runs: a line for each reply, and one for each that did not come.

use std::net::IpAddr;

use super::number::signed_millis;
use super::{Style, escape, millis};
use crate::probe::Event;

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
}

impl Lines {
    /// Lines about `target`; `timestamps` puts the seconds since the epoch before each.
    pub fn new(target: &str, timestamps: bool, style: Style) -> Self {
        Self { style, timestamps, target: escape(target).into_owned(), ..Self::default() }
    }

    /// The same target is measured once more: numbers go on, and it is not introduced again.
    pub fn go_on(&mut self) {
        (self.base, self.introduced) = (self.next, true);
    }

    /// The line for `event`, if it has one.
    pub fn line(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::Started { address, how } => self.started(*address, how),
            &Event::Reply { seq, at, rtt, delay_ms, bytes, ttl } => {
                let seq = self.number(seq);
                let bytes = bytes.map_or("reply".to_owned(), |bytes| format!("{bytes} bytes"));
                let ttl = ttl.map_or_else(String::new, |ttl| format!(" ttl={ttl}"));
                let from = self.from();
                let time = millis(rtt);
                let ways = delay_ms.map_or_else(String::new, |(up, down)| {
                    format!(" (up {}, down {})", signed_millis(up), signed_millis(down))
                });
                let text = format!("{bytes} from {from}: seq={seq}{ttl} time={time} ms{ways}");
                Some(self.stamped(at, &text))
            }
            &Event::Lost { seq, at } => {
                let seq = self.number(seq);
                let text = format!("no reply from {}: seq={seq}", self.from());
                Some(self.stamped(at, &self.style.red(&text)))
            }
            Event::Hop { .. } | Event::Name { .. } => None,
            Event::Note { text } => Some(self.style.dim(&format!("note: {}", escape(text)))),
        }
    }

    fn started(&mut self, address: IpAddr, how: &str) -> Option<String> {
        self.address = Some(address);
        let shown = address.to_string();
        let address = if shown == self.target { String::new() } else { format!(" ({shown})") };
        let how = escape(how);
        (!self.introduced).then(|| self.style.bold(&format!("{}{address}: {how}", self.target)))
    }

    fn from(&self) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn events() -> [Event; 4] {
        let at = 1_700_000_000_123_456_789;
        [
            Event::Started {
                address: "192.0.2.1".parse().expect("an address"),
                how: "wp1, 80 octets every 200ms".to_owned(),
            },
            Event::Reply {
                seq: 0,
                at,
                rtt: Duration::from_micros(52),
                delay_ms: Some((0.031, -0.021)),
                bytes: Some(80),
                ttl: Some(64),
            },
            Event::Lost { seq: 1, at },
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
