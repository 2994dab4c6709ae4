//! The system calls that neither std nor nix offers safely: the only unsafe code of the lab.
#![expect(unsafe_code, reason = "capabilities, pre_exec and AF_PACKET have no safe wrapper in std or nix")]

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::ptr::from_ref;

use nix::errno::Errno;
use nix::libc;

use super::privilege::own_user_namespace;

// SAFETY: the loader calls each function pointer of .init_array once, before main and with one
// thread; `own_user_namespace` has that signature, does not unwind and needs nothing main sets up.
#[unsafe(link_section = ".init_array")]
#[used]
static BEFORE_MAIN: extern "C" fn() = own_user_namespace;

/// The capability sets of one thread, as bit masks.
#[derive(Clone, Copy)]
pub(super) struct Capabilities {
    pub(super) effective: u64,
    pub(super) permitted: u64,
    pub(super) inheritable: u64,
}

/// `_LINUX_CAPABILITY_VERSION_3`: 64 capabilities in two words.
const VERSION_3: u32 = 0x2008_0522;

#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy, Default)]
struct CapabilityWord {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

impl CapabilityHeader {
    /// The calling thread.
    const THIS_THREAD: Self = Self { version: VERSION_3, pid: 0 };
}

/// Reads the calling thread's capabilities. Async-signal-safe.
pub(super) fn capabilities() -> io::Result<Capabilities> {
    let mut header = CapabilityHeader::THIS_THREAD;
    let mut words = [CapabilityWord::default(); 2];
    // SAFETY: both pointers are to live values of the layout capget(2) asks for in version 3.
    let result = unsafe { libc::syscall(libc::SYS_capget, &raw mut header, words.as_mut_ptr()) };
    Errno::result(result)?;
    let join =
        |part: fn(&CapabilityWord) -> u32| u64::from(part(&words[0])) | u64::from(part(&words[1])) << 32;
    Ok(Capabilities {
        effective: join(|word| word.effective),
        permitted: join(|word| word.permitted),
        inheritable: join(|word| word.inheritable),
    })
}

/// Sets the calling thread's capabilities. Async-signal-safe.
pub(super) fn set_capabilities(wanted: Capabilities) -> io::Result<()> {
    let header = CapabilityHeader::THIS_THREAD;
    let words = [0, 32].map(|shift| CapabilityWord {
        effective: word(wanted.effective, shift),
        permitted: word(wanted.permitted, shift),
        inheritable: word(wanted.inheritable, shift),
    });
    // SAFETY: both pointers are to live values of the layout capset(2) asks for in version 3.
    let result = unsafe { libc::syscall(libc::SYS_capset, &raw const header, words.as_ptr()) };
    Errno::result(result)?;
    Ok(())
}

/// 32 bits of a capability mask.
fn word(mask: u64, shift: u32) -> u32 {
    (mask >> shift & u64::from(u32::MAX)) as u32
}

/// Lets capability number `capability` survive exec. Async-signal-safe.
pub(super) fn make_ambient(capability: u32) -> io::Result<()> {
    let (raise, number) = (libc::PR_CAP_AMBIENT_RAISE as libc::c_ulong, libc::c_ulong::from(capability));
    // SAFETY: PR_CAP_AMBIENT takes four integers and no pointer.
    let result = unsafe { libc::prctl(libc::PR_CAP_AMBIENT, raise, number, 0, 0) };
    Errno::result(result)?;
    Ok(())
}

/// Gives a thread the least right to a processor among all that are not idle (`nice` 19).
pub(super) fn be_nice(thread: libc::pid_t) -> io::Result<()> {
    // SAFETY: setpriority takes three integers and no pointer.
    let result = unsafe { libc::setpriority(libc::PRIO_PROCESS, thread.cast_unsigned(), 19) };
    Errno::result(result)?;
    Ok(())
}

/// Runs `prepare` in the child of `command` between fork and exec.
/// `prepare` may only make system calls: no allocation, no locks.
pub(super) fn before_exec(
    command: &mut Command,
    prepare: impl FnMut() -> io::Result<()> + Send + Sync + 'static,
) {
    // SAFETY: the two callers (namespace.rs) pass closures of plain system calls.
    unsafe { command.pre_exec(prepare) };
}

/// Binds a packet socket to one interface, for every protocol.
pub(super) fn bind_packet(socket: BorrowedFd<'_>, interface: u32) -> io::Result<()> {
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: (libc::ETH_P_ALL as u16).to_be(),
        sll_ifindex: interface as i32,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    let length = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
    // SAFETY: the pointer is to a live sockaddr_ll and the length is its size.
    let result = unsafe { libc::bind(socket.as_raw_fd(), from_ref(&address).cast(), length) };
    Errno::result(result)?;
    Ok(())
}

/// Puts the interface of a packet socket in promiscuous mode while the socket lives.
pub(super) fn promiscuous(socket: BorrowedFd<'_>, interface: u32) -> io::Result<()> {
    let membership = libc::packet_mreq {
        mr_ifindex: interface as i32,
        mr_type: libc::PACKET_MR_PROMISC as u16,
        mr_alen: 0,
        mr_address: [0; 8],
    };
    // SAFETY: PACKET_ADD_MEMBERSHIP reads a packet_mreq.
    unsafe { set_packet_option(socket, libc::PACKET_ADD_MEMBERSHIP, &membership) }
}

/// Switches a boolean option of a packet socket on.
pub(super) fn enable(socket: BorrowedFd<'_>, option: libc::c_int) -> io::Result<()> {
    // SAFETY: the boolean options of SOL_PACKET read an int.
    unsafe { set_packet_option(socket, option, &1_i32) }
}

/// # Safety
/// `T` is what the kernel reads for `option` of `SOL_PACKET`.
unsafe fn set_packet_option<T>(socket: BorrowedFd<'_>, option: libc::c_int, value: &T) -> io::Result<()> {
    // SAFETY: the pointer is to a live T and the length is its size; T fits by the contract above.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            from_ref(value).cast(),
            size_of::<T>() as libc::socklen_t,
        )
    };
    Errno::result(result)?;
    Ok(())
}
