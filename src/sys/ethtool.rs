//! What a driver tells of its device: `SIOCETHTOOL`, as ethtool(8) asks it. Nothing is set.
//!
//! Each question is a structure of linux/ethtool.h that begins with its command; they are read here by their octets.

#![expect(unsafe_code, reason = "SIOCETHTOOL has no safe wrapper")]

use std::cell::OnceCell;
use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsRawFd;

use nix::libc;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const SIOCETHTOOL: libc::c_ulong = 0x8946;
const GDRVINFO: u32 = 0x03;
const GCOALESCE: u32 = 0x0e;
const GRINGPARAM: u32 = 0x10;
const GPAUSEPARAM: u32 = 0x12;
const GSTRINGS: u32 = 0x1b;
const GSTATS: u32 = 0x1d;
const GSSET_INFO: u32 = 0x37;
const GFEATURES: u32 = 0x3a;
const GCHANNELS: u32 = 0x3c;
const GMODULEINFO: u32 = 0x42;
const GMODULEEEPROM: u32 = 0x43;
const GLINKSETTINGS: u32 = 0x4c;
const GFECPARAM: u32 = 0x50;

/// The sets of names that a driver has (`enum ethtool_stringset`).
const SET_STATISTICS: u32 = 1;
const SET_FEATURES: u32 = 4;
const SET_LINK_MODES: u32 = 10;
/// Octets of a name (`ETH_GSTRING_LEN`).
const NAME: usize = 32;
/// Octets of a module's memory that are read (`ETH_MODULE_SFF_8636_MAX_LEN`).
const MODULE: usize = 640;
/// Names that are taken from a driver. There is always room for twice as many: the kernel writes as many as there are by
/// then.
const MOST: usize = 8192;

/// Whom drivers answer. It remembers the names that all of them share.
#[derive(Debug)]
pub struct Asker {
    socket: UdpSocket,
    features: OnceCell<Vec<String>>,
    modes: OnceCell<Vec<String>>,
}

/// A device whose driver is asked.
#[derive(Clone, Copy, Debug)]
pub struct Device<'a> {
    asker: &'a Asker,
    name: &'a str,
}

/// Who drives a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Driver {
    /// The driver.
    pub name: String,
    /// Its firmware; empty where it has none.
    pub firmware: String,
    /// Where the device is: `0000:00:03.0`.
    pub bus: String,
}

/// What a link is set to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Both ends agree on the rest by themselves.
    pub negotiates: bool,
    /// What the device can do: `1000baseT/Full`.
    pub supported: Vec<String>,
    /// What it offers to the other end.
    pub advertised: Vec<String>,
    /// What the other end offers.
    pub partner: Vec<String>,
}

/// Packets that a device holds, and as many as it could.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HostRings")]
pub struct Rings {
    /// Of those that came.
    pub rx: u32,
    /// At most.
    pub rx_max: u32,
    /// Of those to be sent.
    pub tx: u32,
    /// At most.
    pub tx_max: u32,
}

/// Queues with an interrupt of their own, and as many as there could be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HostChannels")]
pub struct Channels {
    /// For what comes alone.
    pub rx: u32,
    /// At most.
    pub rx_max: u32,
    /// For what is sent alone.
    pub tx: u32,
    /// At most.
    pub tx_max: u32,
    /// For both.
    pub combined: u32,
    /// At most.
    pub combined_max: u32,
}

/// How long a device waits until it interrupts its host: less is quicker, more takes less of the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HostCoalescing")]
pub struct Coalescing {
    /// After a packet came.
    pub rx_us: u32,
    /// Or after so many.
    pub rx_frames: u32,
    /// After a packet was sent.
    pub tx_us: u32,
    /// Or after so many.
    pub tx_frames: u32,
    /// The driver chooses by itself for what comes.
    pub rx_adapts: bool,
    /// And for what is sent.
    pub tx_adapts: bool,
}

/// Whether either end of a link may have the other pause (IEEE 802.3x).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HostPause")]
pub struct Pause {
    /// Both ends agree on it by themselves.
    pub negotiates: bool,
    /// This end pauses when it is asked to.
    pub rx: bool,
    /// It asks the other end to.
    pub tx: bool,
}

/// How a device finds and mends damaged symbols by itself (IEEE 802.3 clauses 74, 91, 108).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "HostFec")]
pub struct Fec {
    /// What it was told to use: `auto`, `off`, `rs`, `baser`, `llrs`.
    pub configured: Vec<String>,
    /// What it uses.
    pub active: Vec<String>,
}

impl Asker {
    /// One for the devices of this network namespace.
    ///
    /// # Errors
    /// Where the system has no socket to ask by.
    pub fn new() -> io::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
        Ok(Self { socket, features: OnceCell::new(), modes: OnceCell::new() })
    }

    /// The device `name`.
    pub const fn device<'a>(&'a self, name: &'a str) -> Device<'a> {
        Device { asker: self, name }
    }
}

impl Device<'_> {
    /// Who drives it; `None` where nobody says.
    pub fn driver(&self) -> Option<Driver> {
        let answer = self.numbers::<49>(GDRVINFO)?;
        let octets: Vec<u8> = answer.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let text = |at: usize, length: usize| octets.get(at..at + length).map(word).unwrap_or_default();
        Some(Driver { name: text(4, 32), firmware: text(68, 32), bus: text(100, 32) })
    }

    /// What its link is set to; `None` where it has none that could be set.
    pub fn link(&self) -> Option<Link> {
        // First how many words a set of modes has, told as a negative number; then the sets.
        let mut words = [0_u32; 12];
        words[0] = GLINKSETTINGS;
        self.ask(&mut words).ok()?;
        let length = |words: &[u32]| words[3].to_ne_bytes()[3] as i8;
        let count = length(&words).checked_neg().filter(|count| (1..=64).contains(count))?;
        let mut answer = vec![0_u32; 12 + 3 * count.unsigned_abs() as usize];
        answer[0] = GLINKSETTINGS;
        answer[3] = u32::from_ne_bytes([0, 0, 0, count.unsigned_abs()]);
        self.ask(&mut answer).ok()?;
        if length(&answer) != count {
            return None;
        }
        let names = self.shared(&self.asker.modes, SET_LINK_MODES);
        let mut sets = answer[12..].chunks(count.unsigned_abs().into()).map(|set| chosen(names, set));
        let negotiates = answer[2].to_ne_bytes()[3] != 0;
        let (supported, advertised, partner) = (sets.next()?, sets.next()?, sets.next()?);
        Some(Link { negotiates, supported, advertised, partner })
    }

    /// How many packets it holds.
    pub fn rings(&self) -> Option<Rings> {
        let answer = self.numbers::<9>(GRINGPARAM)?;
        Some(Rings { rx: answer[5], rx_max: answer[1], tx: answer[8], tx_max: answer[4] })
    }

    /// Its queues.
    pub fn channels(&self) -> Option<Channels> {
        let answer = self.numbers::<9>(GCHANNELS)?;
        Some(Channels {
            rx: answer[5],
            rx_max: answer[1],
            tx: answer[6],
            tx_max: answer[2],
            combined: answer[8],
            combined_max: answer[4],
        })
    }

    /// When it interrupts.
    pub fn coalescing(&self) -> Option<Coalescing> {
        let answer = self.numbers::<23>(GCOALESCE)?;
        Some(Coalescing {
            rx_us: answer[1],
            rx_frames: answer[2],
            tx_us: answer[5],
            tx_frames: answer[6],
            rx_adapts: answer[10] != 0,
            tx_adapts: answer[11] != 0,
        })
    }

    /// Whether it pauses.
    pub fn pause(&self) -> Option<Pause> {
        let [_, negotiates, rx, tx] = self.numbers(GPAUSEPARAM)?;
        Some(Pause { negotiates: negotiates != 0, rx: rx != 0, tx: tx != 0 })
    }

    /// How it mends what was damaged.
    pub fn fec(&self) -> Option<Fec> {
        let [_, active, configured, _] = self.numbers(GFECPARAM)?;
        Some(Fec { configured: fec_words(configured), active: fec_words(active) })
    }

    /// The memory of the module that is plugged in, and by which standard to read it (`ETH_MODULE_SFF_…`); `None` without one,
    /// and without CAP_NET_ADMIN.
    pub fn module(&self) -> Option<(u32, Vec<u8>)> {
        let about = self.numbers::<11>(GMODULEINFO)?;
        let count = (about[2] as usize).min(MODULE) / 4;
        // cmd, magic, offset, length, then the octets.
        let mut answer = vec![0_u32; 4 + count];
        (answer[0], answer[3]) = (GMODULEEEPROM, (4 * count) as u32);
        self.ask(&mut answer).ok()?;
        Some((about[1], answer[4..].iter().flat_map(|word| word.to_ne_bytes()).collect()))
    }

    /// What it, or the kernel for it, does by itself: `tx-tcp-segmentation`; each with whether it is on.
    pub fn features(&self) -> Vec<(String, bool)> {
        let names = self.shared(&self.asker.features, SET_FEATURES);
        let blocks = names.len().div_ceil(32);
        let mut answer = vec![0_u32; 2 + 4 * blocks];
        (answer[0], answer[1]) = (GFEATURES, blocks as u32);
        if blocks == 0 || self.ask(&mut answer).is_err() {
            return Vec::new();
        }
        // Of each block: available, requested, active, never changed.
        let active: Vec<u32> = answer[2..].chunks(4).map(|block| block[2]).collect();
        let is_on = |bit: usize| active.get(bit / 32).is_some_and(|word| word >> (bit % 32) & 1 == 1);
        let all = names.iter().enumerate().filter(|(_, name)| !name.is_empty());
        all.map(|(bit, name)| (name.clone(), is_on(bit))).collect()
    }

    /// What its driver counts, by the driver's own names.
    pub fn statistics(&self) -> Vec<(String, u64)> {
        let names = self.strings(SET_STATISTICS);
        let mut answer = vec![0_u32; if names.is_empty() { 0 } else { 2 + 2 * (2 * MOST) }];
        if let [command, count, ..] = &mut answer[..] {
            (*command, *count) = (GSTATS, names.len() as u32);
        }
        if answer.is_empty() || self.ask(&mut answer).is_err() || answer[1] as usize != names.len() {
            return Vec::new();
        }
        let counts = answer[2..].chunks_exact(2).map(|two| {
            let ([a, b, c, d], [e, f, g, h]) = (two[0].to_ne_bytes(), two[1].to_ne_bytes());
            u64::from_ne_bytes([a, b, c, d, e, f, g, h])
        });
        names.into_iter().zip(counts).collect()
    }

    /// The names of a set that is the kernel's own, the same for all devices: they are asked for once.
    fn shared<'a>(&self, known: &'a OnceCell<Vec<String>>, set: u32) -> &'a [String] {
        if known.get().is_none() {
            let names = self.strings(set);
            // A device that is not there has no names, and says nothing of others.
            if !names.is_empty() {
                return known.get_or_init(|| names);
            }
        }
        known.get().map(Vec::as_slice).unwrap_or_default()
    }

    /// The names of a set, in the order of their numbers.
    fn strings(&self, set: u32) -> Vec<String> {
        // cmd, reserved, mask (64 bits), then a length for each set of the mask.
        let mut lengths = [0_u32; 5];
        lengths[0] = GSSET_INFO;
        let mask = (1_u64 << set).to_ne_bytes();
        lengths[2] = u32::from_ne_bytes([mask[0], mask[1], mask[2], mask[3]]);
        lengths[3] = u32::from_ne_bytes([mask[4], mask[5], mask[6], mask[7]]);
        let known = self.ask(&mut lengths).is_ok() && (lengths[2], lengths[3]) != (0, 0);
        let count = lengths[4] as usize;
        if !known || !(1..=MOST).contains(&count) {
            return Vec::new();
        }
        let mut answer = vec![0_u32; 3 + 2 * MOST * NAME / 4];
        (answer[0], answer[1], answer[2]) = (GSTRINGS, set, lengths[4]);
        if self.ask(&mut answer).is_err() || answer[2] != lengths[4] {
            return Vec::new();
        }
        let octets: Vec<u8> =
            answer[3..].iter().take(count * NAME / 4).flat_map(|word| word.to_ne_bytes()).collect();
        octets.chunks(NAME).map(word).collect()
    }

    /// The answer to `command`, `None` where the driver knows none.
    fn numbers<const N: usize>(&self, command: u32) -> Option<[u32; N]> {
        let mut answer = [0; N];
        answer[0] = command;
        self.ask(&mut answer).ok().map(|()| answer)
    }

    /// Has the kernel fill in `data`, which begins with a command and is as long as that command's answer.
    fn ask(&self, data: &mut [u32]) -> io::Result<()> {
        // SAFETY: ifreq is plain data, for which all zeros is valid.
        let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
        if self.name.len() >= request.ifr_name.len() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let octets = self.name.bytes();
        request.ifr_name.iter_mut().zip(octets).for_each(|(place, octet)| *place = octet as libc::c_char);
        request.ifr_ifru.ifru_data = data.as_mut_ptr().cast();
        // SAFETY: the descriptor is open; `request` names `data`, whose length is that of the answer to its command, or is
        // told in it (blocks of features, words of modes, octets of a module), or is twice what the driver has just had (strings, statistics).
        let done = unsafe { libc::ioctl(self.asker.socket.as_raw_fd(), SIOCETHTOOL, &raw mut request) };
        if done < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

/// The text in `octets`, up to their first zero.
fn word(octets: &[u8]) -> String {
    let end = octets.iter().position(|octet| *octet == 0).unwrap_or(octets.len());
    String::from_utf8_lossy(&octets[..end]).trim().to_owned()
}

/// The words of `ETHTOOL_FEC_…` bits, as ethtool(8) writes them in lower case.
fn fec_words(bits: u32) -> Vec<String> {
    let words = ["none", "auto", "off", "rs", "baser", "llrs"];
    let is_set = |bit: &usize| bits >> bit & 1 == 1;
    words.iter().enumerate().filter(|(bit, _)| is_set(bit)).map(|(_, word)| (*word).to_owned()).collect()
}

/// The names whose bits are set.
fn chosen(names: &[String], set: &[u32]) -> Vec<String> {
    let is_set = |bit: usize| set.get(bit / 32).is_some_and(|word| word >> (bit % 32) & 1 == 1);
    let named = names.iter().enumerate().filter(|(bit, name)| is_set(*bit) && !name.is_empty());
    named.map(|(_, name)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_says_what_the_kernel_does_for_it() {
        let asker = Asker::new().expect("a socket");
        // Asked first, somebody who is not there takes no names away from others.
        let nobody = asker.device("no-such-interface-at-all");
        assert_eq!((nobody.driver(), nobody.features(), nobody.statistics()), (None, vec![], vec![]));
        let loopback = asker.device("lo");
        let features = loopback.features();
        let is_on = |name: &str| features.iter().find(|(known, _)| known == name).map(|(_, is_on)| *is_on);
        assert_eq!(is_on("loopback"), Some(true));
        assert_eq!(is_on("rx-fcs"), Some(false));
        assert_eq!((loopback.rings(), loopback.link(), loopback.fec()), (None, None, None));
        assert_eq!(loopback.module(), None);
        assert_eq!(asker.device("lo").features(), features, "by names that are remembered");
    }

    #[test]
    fn sets_of_bits_have_names_beyond_one_word() {
        let names: Vec<String> = (0..40).map(|n| format!("mode{n}")).collect();
        assert_eq!(chosen(&names, &[1 << 31, 1 << 7]), ["mode31", "mode39"]);
        assert_eq!(word(b"a driver\0\0x"), "a driver");
        assert_eq!(fec_words(1 << 1 | 1 << 3), ["auto", "rs"]);
        assert_eq!(fec_words(0), Vec::<String>::new());
    }
}
