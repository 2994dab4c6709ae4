//! Packets as they pass an interface: a packet socket with a ring that it shares with the kernel (TPACKET_V3).
//!
//! The socket is opened for no protocol, gets its filter, and only then is bound: nothing that the filter refuses is
//! ever seen. pnet's channels copy each packet through a system call of its own and bind before they filter, which is
//! why this is here. See packet(7) and Documentation/networking/packet_mmap.rst.

#![expect(unsafe_code, reason = "packet sockets, their options and their ring have no safe wrapper")]

use std::io;
use std::mem::{size_of, zeroed};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::libc;

use super::capability::with_net_raw;
use super::filter::{Operation, attach};

/// Octets of one block of the ring: what the kernel hands over at once.
const BLOCK: usize = 256 * 1024;
/// The most blocks: 64 MiB.
const MOST_BLOCKS: usize = 256;
/// After this time the kernel hands over a block that is not full, in ms.
const RETIRE: u32 = 60;
/// A divisor of [`BLOCK`]; with variable frames (version 3) it says nothing more.
const NOMINAL_FRAME: usize = 2048;

/// A packet that this host sends (`PACKET_OUTGOING`).
const OUTGOING: u32 = 4;
/// What the kernel tells a filter of a packet (`SKF_AD_PKTTYPE`, `SKF_AD_IFINDEX`).
const KIND: u32 = 0xffff_f000 + 4;
const INTERFACE: u32 = 0xffff_f000 + 8;
const LOAD: u16 = 0x20;
const EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

/// What to capture.
#[derive(Clone, Debug)]
pub struct Setup<'a> {
    /// The interface; `None` is all of them.
    pub interface: Option<&'a str>,
    /// Take the link's header off, and tell what it said.
    pub cooked: bool,
    /// What to accept, and how many octets of it.
    pub filter: &'a [Operation],
    /// Also what is not for this host, where the interface can.
    pub promiscuous: bool,
    /// Octets of the ring, rounded up to whole blocks.
    pub ring: usize,
}

/// A packet socket with its ring.
#[derive(Debug)]
pub struct Ring {
    // Unmapped before the socket is closed.
    map: Map,
    socket: OwnedFd,
    next: usize,
}

#[derive(Debug)]
struct Map {
    start: *mut u8,
    blocks: usize,
}

// SAFETY: the memory is this process's for as long as the value lives, and only reached through it.
unsafe impl Send for Map {}

impl Drop for Map {
    fn drop(&mut self) {
        // SAFETY: mapped by `Map::of` with this length, and nobody holds a part of it any more.
        unsafe { libc::munmap(self.start.cast(), self.blocks * BLOCK) };
    }
}

/// Packets so far, as the kernel counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Accepted by the filter, those dropped included.
    pub received: u64,
    /// Of those, dropped because the ring was full.
    pub dropped: u64,
}

/// A packet in the ring.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// When the kernel saw it, nanoseconds since the epoch.
    pub stamp: u64,
    /// Its octets on the wire, from where `data` begins.
    pub wire_length: u32,
    /// Those that the filter accepted: from the link's header on, or, cooked, the network's.
    pub data: &'a [u8],
    /// Protocol and content of the VLAN tag that the kernel took out.
    pub vlan: Option<(u16, u16)>,
    /// What the link's header said.
    pub cooked: Cooked,
}

/// What a link's header says (`struct sockaddr_ll`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cooked {
    /// The ethertype.
    pub protocol: u16,
    /// The interface's number.
    pub interface: u32,
    /// Its kind (`ARPHRD_*`).
    pub hardware: u16,
    /// For this host, for all, for others, or from this host (`PACKET_*`).
    pub kind: u8,
    /// Octets of the sender's address.
    pub address_length: u8,
    /// The address.
    pub address: [u8; 8],
}

/// The kind of the interface called `name` (`ARPHRD_*`).
///
/// # Errors
/// What the system says: no such device.
pub fn hardware(name: &str) -> io::Result<u16> {
    // SAFETY: ifreq is plain data, for which all zeros is a valid value.
    let mut request: libc::ifreq = unsafe { zeroed() };
    if name.len() >= request.ifr_name.len() || name.is_empty() {
        return Err(io::Error::from_raw_os_error(libc::ENODEV));
    }
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None)?;
    // SAFETY: the socket is open, and the request a valid ifreq that the kernel may write to.
    check(unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCGIFHWADDR as _, &raw mut request) })?;
    // SAFETY: the call has filled in this member.
    Ok(unsafe { request.ifr_ifru.ifru_hwaddr.sa_family })
}

impl Ring {
    /// Opens the socket with CAP_NET_RAW, shares the ring, and begins to capture.
    ///
    /// # Errors
    /// What the system says: permission denied, no such device, no memory for the ring, a filter that is none.
    pub fn open(setup: &Setup<'_>) -> io::Result<Self> {
        let index = setup.interface.map_or(Ok(0), nix::net::if_::if_nametoindex)?;
        let socket = with_net_raw(|| open(setup.cooked))?;
        let version = libc::tpacket_versions::TPACKET_V3 as libc::c_int;
        option(&socket, libc::SOL_PACKET, libc::PACKET_VERSION, &version)?;
        attach(&socket, &once_on_loopback(setup, index))?;
        let blocks = setup.ring.div_ceil(BLOCK).clamp(2, MOST_BLOCKS);
        let request = libc::tpacket_req3 {
            tp_block_size: BLOCK as libc::c_uint,
            tp_block_nr: blocks as libc::c_uint,
            tp_frame_size: NOMINAL_FRAME as libc::c_uint,
            tp_frame_nr: (blocks * (BLOCK / NOMINAL_FRAME)) as libc::c_uint,
            tp_retire_blk_tov: RETIRE,
            tp_sizeof_priv: 0,
            tp_feature_req_word: 0,
        };
        option(&socket, libc::SOL_PACKET, libc::PACKET_RX_RING, &request)?;
        let map = Map::of(&socket, blocks)?;
        bind(&socket, index)?;
        if setup.promiscuous && index != 0 {
            // SAFETY: packet_mreq is plain data, for which all zeros is a valid value.
            let mut member: libc::packet_mreq = unsafe { zeroed() };
            member.mr_ifindex = index as libc::c_int;
            member.mr_type = libc::PACKET_MR_PROMISC as libc::c_ushort;
            option(&socket, libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &member)?;
        }
        Ok(Self { map, socket, next: 0 })
    }

    /// Accepts nothing from now on. What was accepted before comes with the next blocks.
    ///
    /// # Errors
    /// What the system says.
    pub fn close_gate(&self) -> io::Result<()> {
        attach(&self.socket, &[(RETURN, 0, 0, 0)])
    }

    /// How long it takes at most until a block that is not full is handed over.
    pub const fn patience() -> std::time::Duration {
        std::time::Duration::from_millis(2 * RETIRE as u64)
    }

    /// The next block that the kernel has handed over, if there is one. It goes back when it is dropped.
    pub fn block(&mut self) -> Option<Block<'_>> {
        let start = self.map.block(self.next);
        let status = status(start);
        if status.load(Ordering::Acquire) & libc::TP_STATUS_USER == 0 {
            return None;
        }
        self.next = (self.next + 1) % self.map.blocks;
        // SAFETY: a block is BLOCK octets of the mapping. Behind its status the kernel leaves it alone until that is
        // reset.
        let bytes = unsafe { std::slice::from_raw_parts(start.add(BEHIND_STATUS), BLOCK - BEHIND_STATUS) };
        let (count, first) = (word(bytes, 0), word(bytes, 4) as usize);
        Some(Block { bytes, status, left: count, at: first.saturating_sub(BEHIND_STATUS) })
    }

    /// What the kernel has counted since the last call.
    ///
    /// # Errors
    /// What the system says.
    pub fn statistics(&self) -> io::Result<Statistics> {
        let mut found = libc::tpacket_stats_v3 { tp_packets: 0, tp_drops: 0, tp_freeze_q_cnt: 0 };
        let mut size = size_of::<libc::tpacket_stats_v3>() as libc::socklen_t;
        // SAFETY: the descriptor is ours and open; the kernel writes at most `size` octets to `found`.
        check(unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_PACKET,
                libc::PACKET_STATISTICS,
                (&raw mut found).cast(),
                &raw mut size,
            )
        })?;
        Ok(Statistics { received: found.tp_packets.into(), dropped: found.tp_drops.into() })
    }

    /// The error that is waiting, if any; it is taken: that the interface went down (`ENETDOWN`).
    pub fn take_error(&self) -> Option<io::Error> {
        socket2::SockRef::from(&self.socket).take_error().ok().flatten()
    }
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Where the status of a block stands (`tpacket_block_desc.hdr`), and what comes behind it: how many packets, and where
/// the first begins.
const STATUS_AT: usize = 8;
const BEHIND_STATUS: usize = STATUS_AT + size_of::<u32>();

impl Map {
    fn of(socket: &OwnedFd, blocks: usize) -> io::Result<Self> {
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping of the ring, at a place that the kernel chooses.
        let start = unsafe {
            libc::mmap(std::ptr::null_mut(), blocks * BLOCK, access, libc::MAP_SHARED, socket.as_raw_fd(), 0)
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        Ok(Self { start: start.cast(), blocks })
    }

    fn block(&self, number: usize) -> *const u8 {
        // SAFETY: the number is below that of the blocks, which lie behind each other.
        unsafe { self.start.add(number % self.blocks * BLOCK) }
    }
}

/// The status of the block at `start`.
fn status<'a>(start: *const u8) -> &'a AtomicU32 {
    // SAFETY: blocks begin on a page; the status is an aligned u32 that both sides only use as a whole.
    unsafe { &*start.add(STATUS_AT).cast::<AtomicU32>() }
}

/// Packets that the kernel has handed over together.
#[derive(Debug)]
pub struct Block<'a> {
    bytes: &'a [u8],
    status: &'a AtomicU32,
    left: u32,
    at: usize,
}

impl<'a> Block<'a> {
    /// The next packet of it.
    pub fn frame(&mut self) -> Option<Frame<'_>> {
        self.left = self.left.checked_sub(1)?;
        let header = self.bytes.get(self.at..)?;
        let next = word(header, 0) as usize;
        let [seconds, nanos, captured, wire_length, status] = [4, 8, 12, 16, 20].map(|at| word(header, at));
        let start = usize::from(half(header, 24));
        let frame = Frame {
            stamp: u64::from(seconds) * 1_000_000_000 + u64::from(nanos),
            wire_length,
            data: header.get(start..start + captured as usize)?,
            vlan: vlan(header, status),
            cooked: cooked(
                header.get(size_of::<libc::tpacket3_hdr>().next_multiple_of(libc::TPACKET_ALIGNMENT)..)?,
            ),
        };
        // The last one has no next.
        self.at = if next == 0 { self.bytes.len() } else { self.at + next };
        Some(frame)
    }
}

impl Drop for Block<'_> {
    fn drop(&mut self) {
        self.status.store(libc::TP_STATUS_KERNEL, Ordering::Release);
    }
}

fn vlan(header: &[u8], status: u32) -> Option<(u16, u16)> {
    let content = word(header, 32) as u16;
    (status & libc::TP_STATUS_VLAN_VALID != 0).then(|| {
        let has_protocol = status & libc::TP_STATUS_VLAN_TPID_VALID != 0;
        (if has_protocol { half(header, 36) } else { 0x8100 }, content)
    })
}

fn cooked(address: &[u8]) -> Cooked {
    Cooked {
        protocol: u16::from_be(half(address, 2)),
        interface: word(address, 4),
        hardware: half(address, 8),
        kind: octet(address, 10),
        address_length: octet(address, 11),
        address: address.get(12..20).and_then(|part| part.try_into().ok()).unwrap_or_default(),
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|part| part.try_into().ok()).map_or(0, u32::from_ne_bytes)
}

fn half(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).and_then(|part| part.try_into().ok()).map_or(0, u16::from_ne_bytes)
}

fn octet(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

fn open(cooked: bool) -> io::Result<OwnedFd> {
    let kind = if cooked { libc::SOCK_DGRAM } else { libc::SOCK_RAW };
    // Protocol 0: it sees nothing until it is bound.
    // SAFETY: takes numbers, and touches no memory of this process.
    let number = unsafe { libc::socket(libc::AF_PACKET, kind | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK, 0) };
    check(number)?;
    // SAFETY: the kernel has just opened it for this caller; nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// The filter, after one that takes each packet of the loopback interface once: it goes out there and comes in again.
fn once_on_loopback(setup: &Setup<'_>, index: u32) -> Vec<Operation> {
    let loopback = nix::net::if_::if_nametoindex("lo").unwrap_or(1);
    let mut filter = Vec::with_capacity(setup.filter.len() + 5);
    if index == 0 || index == loopback {
        filter.extend([
            (LOAD, 0, 0, KIND),
            (EQUAL, 0, 3, OUTGOING),
            (LOAD, 0, 0, INTERFACE),
            (EQUAL, 0, 1, loopback),
            (RETURN, 0, 0, 0),
        ]);
    }
    filter.extend(setup.filter);
    filter
}

fn bind(socket: &OwnedFd, index: u32) -> io::Result<()> {
    // SAFETY: sockaddr_ll is plain data, for which all zeros is a valid value.
    let mut address: libc::sockaddr_ll = unsafe { zeroed() };
    address.sll_family = libc::AF_PACKET as libc::c_ushort;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = index as libc::c_int;
    let size = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: the descriptor is ours and open; `address` is a sockaddr_ll of the given size.
    check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), size) })
}

fn option<T>(socket: &OwnedFd, level: libc::c_int, name: libc::c_int, value: &T) -> io::Result<()> {
    let size = size_of::<T>() as libc::socklen_t;
    // SAFETY: the descriptor is ours and open; `value` is what this option takes, of its size.
    check(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const *value).cast(), size) })
}

fn check(answer: libc::c_int) -> io::Result<()> {
    if answer < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
