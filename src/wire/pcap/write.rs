//! Writing pcapng, or pcap with nanoseconds, in this machine's byte order.

use super::{Link, Packet};

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// pcapng: it has room for what the kernel dropped.
    Ng,
    /// pcap with nanoseconds.
    Classic,
}

/// Writes the parts of one file behind each other into a buffer.
#[derive(Clone, Debug)]
pub struct Writer {
    format: Format,
    link: Link,
    snaplen: u32,
    interface: String,
    filter: String,
}

/// `SHB_USERAPPL`, and the options of an interface and its statistics.
const APPLICATION: u16 = 4;
const NAME: u16 = 2;
const RESOLUTION: u16 = 9;
const FILTER: u16 = 11;
const RECEIVED: u16 = 4;
const DROPPED: u16 = 5;
/// The longest text that goes into an option.
const MOST_TEXT: usize = 4096;

impl Writer {
    /// Writes packets of `link` that were cut to `snaplen`, from `interface` through `filter`.
    pub fn new(format: Format, link: Link, snaplen: u32, interface: &str, filter: &str) -> Self {
        Self { format, link, snaplen, interface: interface.to_owned(), filter: filter.to_owned() }
    }

    /// The kind of link.
    pub const fn link(&self) -> Link {
        self.link
    }

    /// What a file begins with.
    pub fn begin(&self, out: &mut Vec<u8>) {
        match self.format {
            Format::Classic => {
                let version = [2u16, 4].map(u16::to_ne_bytes).concat();
                let words = [0, 0, self.snaplen, self.link.number().into()].map(u32::to_ne_bytes).concat();
                out.extend([&0xa1b2_3c4d_u32.to_ne_bytes(), &version[..], &words[..]].concat());
            }
            Format::Ng => {
                block(out, 0x0a0d_0d0a, |out| {
                    out.extend(0x1a2b_3c4d_u32.to_ne_bytes());
                    out.extend([1u16, 0].map(u16::to_ne_bytes).concat());
                    out.extend((-1i64).to_ne_bytes());
                    let application = concat!("waddleperf ", env!("CARGO_PKG_VERSION"));
                    option(out, APPLICATION, application.as_bytes());
                    option(out, 0, &[]);
                });
                block(out, 1, |out| {
                    out.extend([self.link.number(), 0].map(u16::to_ne_bytes).concat());
                    out.extend(self.snaplen.to_ne_bytes());
                    option(out, NAME, self.interface.as_bytes());
                    option(out, RESOLUTION, &[9]);
                    if !self.filter.is_empty() {
                        // The first octet says that text follows.
                        option(out, FILTER, &[&[0], self.filter.as_bytes()].concat());
                    }
                    option(out, 0, &[]);
                });
            }
        }
    }

    /// A packet.
    pub fn packet(&self, out: &mut Vec<u8>, packet: &Packet<'_>) {
        let stamp = packet.stamp.unwrap_or(0);
        let captured = packet.data.len() as u32;
        match self.format {
            Format::Classic => {
                let (seconds, nanos) = ((stamp / 1_000_000_000) as u32, (stamp % 1_000_000_000) as u32);
                let head = [seconds, nanos, captured, packet.wire_length].map(u32::to_ne_bytes);
                out.extend_from_slice(head.as_flattened());
                out.extend_from_slice(packet.data);
            }
            Format::Ng => {
                let padded = captured.next_multiple_of(4);
                let length = 32 + padded;
                let (high, low) = ((stamp >> 32) as u32, stamp as u32);
                let head = [6, length, 0, high, low, captured, packet.wire_length].map(u32::to_ne_bytes);
                out.extend_from_slice(head.as_flattened());
                out.extend_from_slice(packet.data);
                out.extend_from_slice(&[0; 3][..(padded - captured) as usize]);
                out.extend_from_slice(&length.to_ne_bytes());
            }
        }
    }

    /// The octets that a packet of `captured` octets takes.
    pub const fn octets(&self, captured: usize) -> usize {
        match self.format {
            Format::Classic => 16 + captured,
            Format::Ng => 32 + captured.next_multiple_of(4),
        }
    }

    /// What a file ends with: at `stamp`, so many packets had been received and dropped.
    pub fn end(&self, out: &mut Vec<u8>, stamp: u64, received: u64, dropped: u64) {
        if self.format == Format::Classic {
            return;
        }
        block(out, 5, |out| {
            out.extend([0, (stamp >> 32) as u32, stamp as u32].map(u32::to_ne_bytes).concat());
            option(out, RECEIVED, &received.to_ne_bytes());
            option(out, DROPPED, &dropped.to_ne_bytes());
            option(out, 0, &[]);
        });
    }
}

fn block(out: &mut Vec<u8>, kind: u32, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend(kind.to_ne_bytes());
    out.extend([0; 4]);
    body(out);
    let length = ((out.len() - start + 4) as u32).to_ne_bytes();
    out[start + 4..start + 8].copy_from_slice(&length);
    out.extend(length);
}

fn option(out: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(MOST_TEXT)];
    out.extend(code.to_ne_bytes());
    out.extend((value.len() as u16).to_ne_bytes());
    out.extend(value);
    out.extend(&[0; 3][..value.len().next_multiple_of(4) - value.len()]);
}
