//! How long a character takes there and back, as a person feels it who types.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use ssh2::Channel;

use super::line::{Line, WINDOW};
use crate::failure::{Class, Failure};
use crate::probe::{Event, Events};
use crate::sys::{clock, random};
use crate::wire::text::printable;

/// Letters that go there and back, in turn.
const LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
/// A terminal takes no more letters of one line than 4095 (termios(3)); a line ends here before.
const LINE: u64 = 512;
/// Octets in which the word that ends the wait for the far side must have come: a shell's greetings may stand before it.
const GREETING: usize = 1 << 20;

/// Octets in which a letter may come back: packets have padding and sums, and windows are moved.
const AROUND: u64 = 256;

/// What is to be echoed by whom, and how often.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Characters.
    pub(super) count: u64,
    /// End after this time, whatever is left.
    pub(super) time: Option<Duration>,
    /// A terminal's own echo, below a shell; otherwise that of `command`.
    pub(super) tty: bool,
    /// What sends back what it gets.
    pub(super) command: String,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Echoes {
    /// Characters that were sent.
    pub(super) sent: u64,
    /// The time of each that came back, by its number.
    pub(super) times: Vec<(u64, Duration)>,
    /// From asking for the channel to the first sign of life at the far side.
    pub(super) ready: Duration,
    /// Why it ended early.
    pub(super) broken: Option<Failure>,
}

/// Sends characters one by one.
///
/// # Errors
/// That the far side runs nothing that echoes. What goes wrong later is told in the report.
pub(super) fn measure(line: &Line<'_>, plan: &Plan, events: &Events) -> Result<Echoes, Failure> {
    let began = clock::now().mono;
    let word = word()?;
    let mut channel = if plan.tty { terminal(line, &word)? } else { command(line, &plan.command, &word)? };
    let mut echoes = Echoes { ready: clock::now().mono - began, ..Echoes::default() };
    let until = plan.time.map(|time| clock::now().mono + time);
    while echoes.sent < plan.count && until.is_none_or(|until| clock::now().mono < until) {
        if plan.tty && echoes.sent > 0 && echoes.sent.is_multiple_of(LINE) {
            end_line(line, &mut channel)?;
        }
        let number = echoes.sent;
        echoes.sent += 1;
        let letter = LETTERS[(number % LETTERS.len() as u64) as usize];
        match one(line, &mut channel, letter) {
            Ok(rtt) => {
                echoes.times.push((number, rtt));
                let at = clock::now().wall;
                let (target, delay_ms, ttl, said) = (None, None, None, None);
                events.tell(Event::Reply {
                    target,
                    seq: number,
                    at,
                    rtt,
                    delay_ms,
                    bytes: Some(1),
                    ttl,
                    said,
                });
            }
            Err(failure) => {
                echoes.broken = Some(failure);
                break;
            }
        }
    }
    // The far side ends with its input; nobody waits for that.
    let _ = line.patiently(|| channel.send_eof());
    Ok(echoes)
}

/// One character there and back.
fn one(line: &Line<'_>, channel: &mut Channel, letter: u8) -> Result<Duration, Failure> {
    let sent: Instant = clock::now().mono;
    line.through("send a character", || channel.write(&[letter]))?;
    let mut back = [0];
    let count = line.through("read an echo", || channel.read(&mut back))?;
    let rtt = clock::now().mono.saturating_duration_since(sent);
    line.guard().took(AROUND);
    match (count, back[0] == letter) {
        (0, _) => Err(Class::Protocol.because("the far side ends the echo")),
        (_, false) => Err(Class::Protocol.because(format_args!(
            "the far side sends \"{}\" back for \"{}\": that is no echo",
            printable(&back),
            printable(&[letter])
        ))),
        (_, true) => Ok(rtt),
    }
}

/// Ends a terminal's line, and reads what that echoes.
fn end_line(line: &Line<'_>, channel: &mut Channel) -> Result<(), Failure> {
    line.through("send a character", || channel.write(b"\n"))?;
    let mut back = [0];
    while back[0] != b'\n' {
        if line.through("read an echo", || channel.read(&mut back))? == 0 {
            return Err(Class::Protocol.because("the far side ends the echo"));
        }
    }
    Ok(())
}

/// What sends back what it gets, as soon as it has sent `word` back.
fn command(line: &Line<'_>, command: &str, word: &str) -> Result<Channel, Failure> {
    let mut channel = line.exec(command, WINDOW)?;
    send_all(line, &mut channel, format!("{word}\n").as_bytes())?;
    await_word(line, &mut channel, word, command)?;
    Ok(channel)
}

/// A shell below a terminal, in which something takes all that comes, so that the terminal alone echoes it.
fn terminal(line: &Line<'_>, word: &str) -> Result<Channel, Failure> {
    let mut channel = line.channel(WINDOW)?;
    let asked = line.patiently(|| channel.request_pty("xterm", None, Some((80, 24, 0, 0))));
    asked.map_err(|undone| undone.failure("ask the ssh server for a terminal"))?;
    let begun = line.patiently(|| channel.shell());
    begun.map_err(|undone| undone.failure("begin a shell at the ssh server"))?;
    // The word is written in two halves, so that the echo of the command itself is not taken for what it prints.
    let (head, tail) = word.split_at(word.len() / 2);
    send_all(line, &mut channel, format!("printf '%s%s\\n' {head} {tail}; cat >/dev/null\n").as_bytes())?;
    await_word(line, &mut channel, word, "a shell")?;
    Ok(channel)
}

fn send_all(line: &Line<'_>, channel: &mut Channel, mut octets: &[u8]) -> Result<(), Failure> {
    while !octets.is_empty() {
        let count = line.through("write to the ssh server", || channel.write(octets))?;
        octets = &octets[count..];
    }
    Ok(())
}

/// Reads up to the end of the line that ends with `word`.
fn await_word(line: &Line<'_>, channel: &mut Channel, word: &str, who: &str) -> Result<(), Failure> {
    let (mut seen, mut total, mut octet) = (Vec::new(), 0, [0]);
    loop {
        if line.through("read from the ssh server", || channel.read(&mut octet))? == 0 {
            let last = printable(&seen[seen.len().saturating_sub(80)..]);
            let said = if last.is_empty() { last } else { format!(": {last}") };
            return Err(Class::Protocol.because(format_args!("{who} ends at once at the ssh server{said}")));
        }
        total += 1;
        if total > GREETING {
            return Err(Class::Protocol.because(format_args!("{who} at the ssh server echoes nothing")));
        }
        match octet[0] {
            b'\n' if seen.trim_ascii_end().ends_with(word.as_bytes()) => return Ok(()),
            b'\n' => seen.clear(),
            other if seen.len() < 4096 => seen.push(other),
            _ => {}
        }
    }
}

/// A word that nobody else says.
fn word() -> Result<String, Failure> {
    let octets = random::octets().map_err(|error| Failure::from_io("read random octets", &error))?;
    Ok(octets.iter().take(12).map(|octet| char::from(b'a' + octet % 26)).collect())
}
