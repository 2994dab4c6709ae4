//! A file of packets, shown to the reader piece by piece.

use super::live::{Keeper, Refusal};
use super::report::Ended;
use crate::failure::{Class, Failure};
use crate::probe::input::Input;
use crate::sys::wait::Stop;
use crate::wire::filter::{Ancillary, Program};
use crate::wire::pcap::{Link, Next, Packet, Reader};

/// Octets that are read at once.
const PIECE: usize = 256 * 1024;

/// What filters the packets of a file, for each kind of link.
pub(super) type Filters = Box<dyn Fn(Link) -> Result<Option<Program>, Failure> + Send>;

/// A file that is read.
pub(super) struct Reading {
    pub(super) file: Input,
    pub(super) name: String,
    pub(super) filters: Filters,
    /// Makes what takes the packets in, once their link is known, and when the first was seen.
    pub(super) keeper: Box<dyn FnMut(Link, u64) -> Result<Keeper, Failure> + Send>,
}

/// What came of it.
pub(super) struct Found {
    /// None where there was no packet.
    pub(super) keeper: Option<Keeper>,
    pub(super) ended: Ended,
    pub(super) received: Option<u64>,
    pub(super) dropped: Option<u64>,
    pub(super) filtered: u64,
    pub(super) cut: bool,
}

impl Reading {
    /// Reads to the end, or until something else ends it.
    pub(super) fn run(mut self, stop: &Stop) -> Result<Found, Failure> {
        let mut found =
            Found { keeper: None, ended: Ended::End, received: None, dropped: None, filtered: 0, cut: false };
        let mut programs = Vec::new();
        let (mut reader, mut window) = (Reader::default(), Window::default());
        loop {
            match reader.next(window.octets()) {
                Err(bad) => return Err(Class::Unsupported.because(format_args!("read {}: {bad}", self.name))),
                Ok(Next::Packet { used, packet }) => {
                    if let Some(Refusal(why)) = self.take(&mut found, &mut programs, &packet, stop)? {
                        found.ended = why;
                        break;
                    }
                    window.pass(used);
                }
                Ok(Next::Passed(used)) => window.pass(used),
                Ok(Next::Skip(octets)) => window.skip(octets),
                Ok(Next::Need(octets)) => match self.fill(&mut window, octets, stop)? {
                    Filled::Enough => {}
                    Filled::Stopped => {
                        found.ended = Ended::Interrupted;
                        break;
                    }
                    Filled::Ended => {
                        found.cut = !window.octets().is_empty() || window.owes();
                        break;
                    }
                },
            }
        }
        if window.total == 0 && found.ended == Ended::Interrupted {
            return Err(Class::Cancelled
                .because(format_args!("read {}: interrupted before the first octet", self.name)));
        }
        if window.total == 0 && found.ended == Ended::End {
            return Err(Class::Unsupported.because(format_args!("read {}: it is empty", self.name)));
        }
        (found.received, found.dropped) = (reader.received(), reader.dropped());
        if let Some(sink) = found.keeper.as_mut().and_then(|keeper| keeper.sink.as_mut()) {
            sink.flush()?;
        }
        Ok(found)
    }

    fn take(
        &mut self,
        found: &mut Found,
        programs: &mut Vec<(Link, Option<Program>)>,
        packet: &Packet<'_>,
        stop: &Stop,
    ) -> Result<Option<Refusal>, Failure> {
        let known = programs.iter().position(|(link, _)| *link == packet.link);
        let place = match known {
            Some(place) => place,
            None => {
                programs.push((packet.link, (self.filters)(packet.link)?));
                programs.len() - 1
            }
        };
        if let Some(program) = &programs[place].1
            && program.run(packet.data, packet.wire_length, &Ancillary::default()) == 0
        {
            found.filtered += 1;
            return Ok(None);
        }
        let keeper = match &mut found.keeper {
            Some(keeper) => keeper,
            empty => {
                let keeper = empty.insert((self.keeper)(packet.link, packet.stamp.unwrap_or_default())?);
                keeper.sink.as_mut().map_or(Ok(()), |sink| sink.heed(stop, None))?;
                keeper
            }
        };
        if keeper.sink.is_some() && keeper.link != packet.link {
            let (one, other) = (keeper.link.name(), packet.link.name());
            return Err(Class::Unsupported.because(format_args!(
                "write: {} has packets of {one} and of {other}; one file takes one kind",
                self.name
            )));
        }
        keeper.take(packet)
    }

    /// Reads until the window holds `wanted` octets.
    fn fill(&mut self, window: &mut Window, wanted: usize, stop: &Stop) -> Result<Filled, Failure> {
        while window.octets().len() < wanted {
            match self.file.read(window.room(wanted), stop)? {
                None => return Ok(Filled::Stopped),
                Some(0) => return Ok(Filled::Ended),
                Some(count) => window.filled(count),
            }
        }
        Ok(Filled::Enough)
    }
}

enum Filled {
    Enough,
    Ended,
    Stopped,
}

/// What is in memory of a file.
#[derive(Default)]
struct Window {
    bytes: Vec<u8>,
    from: usize,
    to: usize,
    /// Octets to pass over that are not in memory yet.
    owed: u64,
    total: u64,
}

impl Window {
    fn octets(&self) -> &[u8] {
        &self.bytes[self.from..self.to]
    }

    const fn owes(&self) -> bool {
        self.owed > 0
    }

    fn pass(&mut self, octets: usize) {
        self.from += octets;
    }

    fn skip(&mut self, octets: u64) {
        let here = (self.to - self.from) as u64;
        let passed = octets.min(here);
        self.from += passed as usize;
        self.owed = octets - passed;
    }

    /// Where the next octets go.
    fn room(&mut self, wanted: usize) -> &mut [u8] {
        self.bytes.copy_within(self.from..self.to, 0);
        (self.from, self.to) = (0, self.to - self.from);
        self.bytes.resize(self.bytes.len().max(self.to + PIECE).max(wanted), 0);
        &mut self.bytes[self.to..]
    }

    /// So many came there.
    fn filled(&mut self, count: usize) {
        self.total += count as u64;
        let owed = self.owed.min(count as u64);
        if owed > 0 {
            // Octets are only owed while the window is empty.
            (self.from, self.owed) = (owed as usize, self.owed - owed);
        }
        self.to += count;
    }
}
