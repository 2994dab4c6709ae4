//! Reading pcap and pcapng from octets that somebody else has written.

use super::{Link, Packet};

/// The most octets of one packet: twice what libpcap takes (`MAXIMUM_SNAPLEN`).
pub(super) const MOST_DATA: usize = 512 * 1024;
/// The longest block of a pcapng file that is believed, packets or not.
const MOST_BLOCK: u32 = 64 << 20;
/// Interfaces of one section.
const MOST_INTERFACES: usize = 4096;
/// Octets of an interface's description, its options with it, that are read.
const MOST_HEAD: u32 = 4096;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const STATISTICS: u32 = 5;
const PACKET: u32 = 6;

/// Why a file cannot be read further.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFile {
    /// Neither of the two formats.
    #[error("it is neither pcap nor pcapng{0}")]
    Unknown(&'static str),
    /// A kind of link that is not understood here.
    #[error("link type {0} is not known here; 0, 1, 12, 101, 108, 113, 228, 229 and 276 are")]
    Link(u32),
    /// Lengths that cannot be.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
}

/// What the next octets are.
#[derive(Debug, PartialEq, Eq)]
pub enum Next<'a> {
    /// A packet, and the octets that it took.
    Packet {
        /// Octets of input.
        used: usize,
        /// The packet.
        packet: Packet<'a>,
    },
    /// So many octets that are no packet.
    Passed(usize),
    /// So many octets from here on that need not be looked at.
    Skip(u64),
    /// As many octets from here on, all told, are needed first.
    Need(usize),
}

/// Reads one file.
#[derive(Debug, Default)]
pub struct Reader {
    format: Option<Format>,
    interfaces: Vec<Interface>,
    /// Of the sections before.
    past: Counted,
}

/// What a writer says of packets that it has from the kernel, and that the kernel had to drop.
#[derive(Clone, Copy, Debug, Default)]
struct Counted {
    received: Option<u64>,
    dropped: Option<u64>,
}

impl Counted {
    fn and(self, other: Self) -> Self {
        let add = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
        Self { received: add(self.received, other.received), dropped: add(self.dropped, other.dropped) }
    }
}

#[derive(Clone, Copy, Debug)]
enum Format {
    Classic { order: Order, link: u32, nanos: u64 },
    Ng(Order),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Big,
    Little,
}

impl Order {
    fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let octets = bytes.get(at..at + 2).and_then(|part| part.try_into().ok()).unwrap_or([0; 2]);
        if self == Self::Big { u16::from_be_bytes(octets) } else { u16::from_le_bytes(octets) }
    }

    fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let octets = bytes.get(at..at + 4).and_then(|part| part.try_into().ok()).unwrap_or([0; 4]);
        if self == Self::Big { u32::from_be_bytes(octets) } else { u32::from_le_bytes(octets) }
    }

    fn u64(self, bytes: &[u8], at: usize) -> u64 {
        let octets = bytes.get(at..at + 8).and_then(|part| part.try_into().ok()).unwrap_or([0; 8]);
        if self == Self::Big { u64::from_be_bytes(octets) } else { u64::from_le_bytes(octets) }
    }
}

/// An interface of the section, and what its statistics said last.
#[derive(Clone, Debug)]
struct Interface {
    link: u32,
    snaplen: u32,
    /// Units of a time stamp in a second.
    resolution: u64,
    /// Seconds to add.
    offset: i64,
    /// Each of its statistics counts from the beginning: the last one holds.
    counted: Counted,
}

impl Reader {
    /// What `input`, which begins where the octets before ended, begins with.
    ///
    /// # Errors
    /// When the file cannot be read further.
    pub fn next<'a>(&mut self, input: &'a [u8]) -> Result<Next<'a>, BadFile> {
        match self.format {
            None => self.begin(input),
            Some(Format::Classic { order, link, nanos }) => record(input, order, link, nanos),
            Some(Format::Ng(order)) => self.block(input, order),
        }
    }

    /// Packets that the writer says it received from the kernel; `None` where it says nothing.
    pub fn received(&self) -> Option<u64> {
        self.counted().received
    }

    /// Packets that the writer says the kernel had to drop.
    pub fn dropped(&self) -> Option<u64> {
        self.counted().dropped
    }

    fn counted(&self) -> Counted {
        self.interfaces.iter().fold(self.past, |sum, interface| sum.and(interface.counted))
    }

    fn begin<'a>(&mut self, input: &'a [u8]) -> Result<Next<'a>, BadFile> {
        if input.len() < 24 && (input.len() < 4 || input.starts_with(&SECTION.to_be_bytes())) {
            return Ok(Next::Need(24));
        }
        let order = match Order::Big.u32(input, 0) {
            SECTION => return self.block(input, Order::Little),
            0xa1b2_c3d4 | 0xa1b2_3c4d => Order::Big,
            0xd4c3_b2a1 | 0x4d3c_b2a1 => Order::Little,
            magic => {
                return Err(BadFile::Unknown(match magic >> 16 {
                    0x1f8b => " (it is packed: gunzip it first)",
                    0x28b5 => " (it is packed: unzstd it first)",
                    _ => "",
                }));
            }
        };
        if input.len() < 24 {
            return Ok(Next::Need(24));
        }
        let nanos = if order.u32(input, 0) == 0xa1b2_3c4d { 1 } else { 1000 };
        // The upper bits tell of a frame check sequence.
        let link = order.u32(input, 20) & 0x03ff_ffff;
        self.format = Some(Format::Classic { order, link, nanos });
        Ok(Next::Passed(24))
    }

    fn block<'a>(&mut self, input: &'a [u8], order: Order) -> Result<Next<'a>, BadFile> {
        if input.len() < 12 {
            return Ok(Next::Need(12));
        }
        let kind = order.u32(input, 0);
        if kind == SECTION {
            return self.section(input);
        }
        let length = order.u32(input, 4);
        check_block(length)?;
        let wanted = match kind {
            PACKET | OLD_PACKET | SIMPLE_PACKET => length,
            INTERFACE | STATISTICS => length.min(MOST_HEAD),
            _ => return Ok(Next::Skip(length.into())),
        } as usize;
        if wanted > MOST_DATA + 4096 {
            return Err(BadFile::Damaged("a packet's block is longer than 512 KiB"));
        }
        if input.len() < wanted {
            return Ok(Next::Need(wanted));
        }
        let whole = length as usize;
        let body = &input[8..wanted.min(whole - 4)];
        let used = wanted;
        match kind {
            INTERFACE => self.interface(body, order)?,
            STATISTICS => self.statistics(body, order),
            _ => {
                let packet = self.packet(kind, body, order)?;
                return Ok(Next::Packet { used, packet });
            }
        }
        Ok(if used < whole { Next::Skip(whole as u64) } else { Next::Passed(used) })
    }

    fn section<'a>(&mut self, input: &'a [u8]) -> Result<Next<'a>, BadFile> {
        let order = match Order::Big.u32(input, 8) {
            0x1a2b_3c4d => Order::Big,
            0x4d3c_2b1a => Order::Little,
            _ => return Err(BadFile::Damaged("a section without its byte-order magic")),
        };
        let length = order.u32(input, 4);
        check_block(length)?;
        if order.u16(input, 12) != 1 && input.len() >= 14 {
            return Err(BadFile::Damaged("a version of pcapng that is not 1"));
        }
        self.format = Some(Format::Ng(order));
        self.past = self.counted();
        self.interfaces.clear();
        Ok(Next::Skip(length.into()))
    }

    fn interface(&mut self, body: &[u8], order: Order) -> Result<(), BadFile> {
        if body.len() < 8 || self.interfaces.len() == MOST_INTERFACES {
            return Err(BadFile::Damaged("an interface too many, or a half one"));
        }
        let mut interface = Interface {
            link: order.u16(body, 0).into(),
            snaplen: order.u32(body, 4),
            resolution: 1_000_000,
            offset: 0,
            counted: Counted::default(),
        };
        for (code, value) in options(&body[8..], order) {
            match (code, value) {
                (9, &[resolution]) => interface.resolution = units(resolution)?,
                (14, _) if value.len() == 8 => interface.offset = order.u64(value, 0).cast_signed(),
                _ => {}
            }
        }
        self.interfaces.push(interface);
        Ok(())
    }

    fn statistics(&mut self, body: &[u8], order: Order) {
        let Some(interface) = self.interfaces.get_mut(order.u32(body, 0) as usize) else { return };
        for (code, value) in options(body.get(12..).unwrap_or_default(), order) {
            match code {
                4 if value.len() == 8 => interface.counted.received = Some(order.u64(value, 0)),
                5 if value.len() == 8 => interface.counted.dropped = Some(order.u64(value, 0)),
                _ => {}
            }
        }
    }

    fn packet<'a>(&self, kind: u32, body: &'a [u8], order: Order) -> Result<Packet<'a>, BadFile> {
        const SHORT: BadFile = BadFile::Damaged("a packet that is longer than its block");
        let (number, head) = match kind {
            PACKET => (order.u32(body, 0), 20),
            OLD_PACKET => (order.u16(body, 0).into(), 20),
            _ => (0, 4),
        };
        let body_of = body.get(head..).ok_or(SHORT)?;
        let interface =
            self.interfaces.get(number as usize).ok_or(BadFile::Damaged("a packet of no interface"))?;
        let (stamp, captured, wire_length) = if kind == SIMPLE_PACKET {
            let wire = order.u32(body, 0);
            let most = if interface.snaplen == 0 { u32::MAX } else { interface.snaplen };
            // The block is padded, and does not say how much of the packet was kept.
            (None, wire.min(most).min(body_of.len() as u32), wire)
        } else {
            let units = u64::from(order.u32(body, 4)) << 32 | u64::from(order.u32(body, 8));
            (Some(interface.stamp(units)), order.u32(body, 12), order.u32(body, 16))
        };
        let data = body_of.get(..captured as usize).ok_or(SHORT)?;
        checked(interface.link, stamp, wire_length, data)
    }
}

impl Interface {
    fn stamp(&self, units: u64) -> u64 {
        let (seconds, rest) = (units / self.resolution, units % self.resolution);
        let nanos = (u128::from(rest) * 1_000_000_000 / u128::from(self.resolution)) as u64;
        seconds.saturating_add_signed(self.offset).saturating_mul(1_000_000_000).saturating_add(nanos)
    }
}

fn check_block(length: u32) -> Result<(), BadFile> {
    if length < 12 || !length.is_multiple_of(4) || length > MOST_BLOCK {
        return Err(BadFile::Damaged("a block of an impossible length"));
    }
    Ok(())
}

/// The units in a second that an `if_tsresol` stands for: a power of ten, or of two.
fn units(resolution: u8) -> Result<u64, BadFile> {
    let exponent = u32::from(resolution & 0x7f);
    let units = if resolution & 0x80 == 0 { 10u64.checked_pow(exponent) } else { 1u64.checked_shl(exponent) };
    units.filter(|units| *units > 0).ok_or(BadFile::Damaged("a resolution of time finer than 64 bits"))
}

/// The options of a block, each a code and a value padded to four octets.
fn options(mut bytes: &[u8], order: Order) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (code, length) = (order.u16(bytes, 0), usize::from(order.u16(bytes, 2)));
        if code == 0 || bytes.len() < 4 {
            return None;
        }
        let value = bytes.get(4..4 + length)?;
        bytes = bytes.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        Some((code, value))
    })
}

fn record(input: &[u8], order: Order, link: u32, nanos: u64) -> Result<Next<'_>, BadFile> {
    if input.len() < 16 {
        return Ok(Next::Need(16));
    }
    let [seconds, part, captured, wire_length] = [0, 4, 8, 12].map(|at| order.u32(input, at));
    if captured as usize > MOST_DATA {
        return Err(BadFile::Damaged("a packet of more than 512 KiB"));
    }
    let used = 16 + captured as usize;
    let Some(data) = input.get(16..used) else {
        return Ok(Next::Need(used));
    };
    let stamp = u64::from(seconds) * 1_000_000_000 + u64::from(part).saturating_mul(nanos);
    checked(link, Some(stamp), wire_length, data).map(|packet| Next::Packet { used, packet })
}

fn checked(link: u32, stamp: Option<u64>, wire_length: u32, data: &[u8]) -> Result<Packet<'_>, BadFile> {
    let link = Link::of(link).ok_or(BadFile::Link(link))?;
    Ok(Packet { stamp, link, wire_length: wire_length.max(data.len() as u32), data })
}
