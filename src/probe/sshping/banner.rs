//! The first line of an SSH server (RFC 4253 §4.2), looked at without taking it: when it came, and that it is one.

use std::net::TcpStream;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crate::failure::{Class, Failure};
use crate::sys::clock;
use crate::sys::wait::{Stop, wait};
use crate::wire::text::printable;

/// Octets before the end of the line that are looked at: those of RFC 4253, and of what may stand before.
const MOST: usize = 16 << 10;
/// Octets of the line itself, its end included (RFC 4253 §4.2).
const LONGEST: usize = 255;
/// Lines that may stand before it.
const LINES: usize = 50;
/// Some servers wait for the client's line: it is sent without theirs after this time.
const PATIENCE: Duration = Duration::from_secs(2);

/// What has come so far.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// The line, harmless.
    Line(String),
    /// It is not whole yet.
    Part,
    /// It never will be: why.
    Never(String),
}

/// Waits for the server's line and leaves it unread; `None` where it keeps silent, which it may.
///
/// # Errors
/// Class `protocol` where it is no SSH server, and what the system says.
pub(super) fn await_line(
    socket: &TcpStream,
    stop: &Stop,
    deadline: Instant,
) -> Result<Option<String>, Failure> {
    let mut octets = vec![0; MOST];
    let until = deadline.min(clock::now().mono + PATIENCE);
    let mut known = 0;
    loop {
        match socket.peek(&mut octets) {
            Ok(0) => {
                return Err(
                    Class::Protocol.because("the server closes the connection before it says anything")
                );
            }
            Ok(length) => match seen(&octets[..length], length == MOST) {
                Seen::Line(line) => return Ok(Some(line)),
                Seen::Never(why) => return Err(Class::Protocol.because(why)),
                // What is peeked at stays readable: the rest is waited for a little at a time.
                Seen::Part if length == known => crate::sys::wait::sleep(Duration::from_millis(1)),
                Seen::Part => known = length,
            },
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(Failure::from_io("read the ssh server's first line", &error)),
        }
        let left = until.saturating_duration_since(clock::now().mono);
        if stop.is_set() {
            return Err(Class::Cancelled.because("interrupted before there was anything to report"));
        }
        if left.is_zero() {
            return match &octets[..known] {
                [] => Ok(None),
                said if said.split(|octet| *octet == b'\n').any(|line| line.starts_with(b"SSH-")) => {
                    Err(Class::Timeout.because("the server does not end its first line"))
                }
                said => Err(Class::Protocol.because(stranger(said))),
            };
        }
        wait(&[socket.as_fd()], Some(stop), Some(left))
            .map_err(|error| Failure::from_io("wait for the ssh server", &error))?;
    }
}

/// What `octets` are; `is_full`: more will not be looked at.
fn seen(octets: &[u8], is_full: bool) -> Seen {
    for (number, line) in octets.split_inclusive(|octet| *octet == b'\n').enumerate() {
        let is_whole = line.ends_with(b"\n");
        if line.starts_with(b"SSH-") {
            return match (is_whole, line.len() > LONGEST) {
                (_, true) => Seen::Never(format!("the server's first line is longer than {LONGEST} octets")),
                (true, false) => version(line.trim_ascii_end()),
                (false, false) => Seen::Part,
            };
        }
        if number >= LINES || !is_whole && looks_otherwise(line) {
            return Seen::Never(stranger(octets));
        }
    }
    if is_full { Seen::Never(stranger(octets)) } else { Seen::Part }
}

/// Protocols that speak first, too, and have no lines.
fn looks_otherwise(line: &[u8]) -> bool {
    line.first().is_some_and(|first| !first.is_ascii_graphic() && !first.is_ascii_whitespace())
}

fn version(line: &[u8]) -> Seen {
    if line.starts_with(b"SSH-2.0-") || line.starts_with(b"SSH-1.99-") {
        Seen::Line(printable(line))
    } else {
        Seen::Never(format!("the server speaks {}, not SSH 2", printable(line)))
    }
}

fn stranger(octets: &[u8]) -> String {
    let said = printable(&octets[..octets.len().min(64)]);
    format!("no ssh server: it says \"{said}\"")
}

/// Looks at any octets as what a server says first: what has been found out stays so when more comes, and may be shown.
pub(super) fn fuzz(octets: &[u8]) {
    let mut found = Seen::Part;
    for length in 0..=octets.len() {
        let now = seen(&octets[..length], length == MOST);
        assert!(!matches!(found, Seen::Line(_)) || now == found, "{found:?}, then {now:?}");
        if let Seen::Line(text) | Seen::Never(text) = &now {
            assert!(!text.contains(char::is_control), "{text:?}");
        }
        found = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_comes_first_does_no_harm(octets in prop::collection::vec(any::<u8>(), 0..60), text in "(SSH-[12]|[a\\n ])[ -~\\n]{0,80}") {
            fuzz(&octets);
            fuzz(text.as_bytes());
        }
    }

    #[test]
    fn the_line_is_found_behind_others_and_is_short() {
        let line = |text: &str| Seen::Line(text.to_owned());
        let many = "x\r\n".repeat(LINES + 1);
        let long = format!("SSH-2.0-{}\r\n", "x".repeat(LONGEST));
        for (text, expected) in [
            ("SSH-2.0-OpenSSH_9.2p1 Debian\r\n", line("SSH-2.0-OpenSSH_9.2p1 Debian")),
            ("Welcome\r\nSSH-2.0-x\nmore", line("SSH-2.0-x")),
            ("SSH-2.0-\x1b[31m\n", line("SSH-2.0-\\u{1b}[31m")),
            ("SSH-1.99-old\n", line("SSH-1.99-old")),
            ("SSH-2.0-x", Seen::Part),
            ("SS", Seen::Part),
            ("Welcome\r\n", Seen::Part),
            ("", Seen::Part),
        ] {
            assert_eq!(seen(text.as_bytes(), false), expected, "{text:?}");
        }
        for text in [&many[..], &long, "SSH-1.5-older\n", "\x15\x03\x01"] {
            assert!(matches!(seen(text.as_bytes(), false), Seen::Never(_)), "{text:?}");
        }
        assert!(matches!(seen(&[b'x'; MOST], true), Seen::Never(why) if why.len() < 120));
    }
}
