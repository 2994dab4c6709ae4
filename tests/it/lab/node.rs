//! A machine of the lab: the client, a router or the server.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::process::Command;

use super::namespace::Namespace;
use super::topology::{Direction, Line};

/// One machine; its processes and sockets see only its own network.
pub(crate) struct Node {
    pub(super) namespace: Namespace,
    line: Line,
    number: u8,
}

/// Frames stay as they are sent: no 64 KiB segments and no unfinished checksums in captures.
const OFFLOADS_OFF: [&str; 8] = ["tx", "off", "tso", "off", "gso", "off", "gro", "off"];

/// Settings of every node, made before its links exist. A fresh namespace rations the ICMP
/// errors that path probes live on, and lets nobody use ICMP datagram sockets.
pub(super) const SETTINGS: [(&str, &str); 7] = [
    ("net.ipv6.conf.all.accept_dad", "0"),
    ("net.ipv6.conf.default.accept_dad", "0"),
    ("net.ipv6.conf.default.router_solicitations", "0"),
    ("net.ipv4.icmp_ratelimit", "0"),
    ("net.ipv6.icmp.ratelimit", "0"),
    ("net.ipv4.icmp_msgs_per_sec", "100000"),
    ("net.ipv4.icmp_msgs_burst", "10000"),
];

const ROUTER_SETTINGS: [(&str, &str); 2] =
    [("net.ipv4.ip_forward", "1"), ("net.ipv6.conf.all.forwarding", "1")];

impl Node {
    /// A node of the line, without its links.
    pub(super) fn new(line: Line, number: u8) -> Self {
        let node = Self { namespace: Namespace::new(), line, number };
        node.namespace.run(|| {
            for (name, value) in SETTINGS {
                write_sysctl(name, value).expect(name);
            }
            if (1..line.server()).contains(&number) {
                for (name, value) in ROUTER_SETTINGS {
                    write_sysctl(name, value).expect(name);
                }
            }
            open_ping_sockets();
        });
        node
    }

    /// Runs `body` on a thread of its own inside the node and returns what it returns; a panic
    /// comes through. Sockets it opens may be returned: they stay the node's.
    pub(crate) fn run<T: Send>(&self, body: impl FnOnce() -> T + Send) -> T {
        self.namespace.run(body)
    }

    /// A command that will start inside the node, as whoever runs the tests but with every
    /// capability over the lab. It is killed when the thread that started it ends.
    pub(crate) fn command(&self, program: &str) -> Command {
        self.namespace.command(program)
    }

    /// The same, where names are looked up in `hosts` (hosts(5)) before anybody is asked.
    pub(crate) fn command_with(&self, hosts: &Path, program: &str) -> Command {
        let mut command = self.command("unshare");
        let script = "mount --bind \"$0\" /etc/hosts && exec \"$@\"";
        command.args(["--mount", "sh", "-c", script]).arg(hosts).arg(program);
        command
    }

    /// The IPv4 address nearest to the client.
    pub(crate) fn address4(&self) -> Ipv4Addr {
        self.line.address4(self.number)
    }

    /// The IPv6 address nearest to the client.
    pub(crate) fn address6(&self) -> Ipv6Addr {
        self.line.address6(self.number)
    }

    /// Sets a kernel parameter of the node: `net.ipv4.icmp_ratelimit`.
    pub(crate) fn sysctl(&self, name: &str, value: &str) {
        self.run(|| write_sysctl(name, value).unwrap_or_else(|error| panic!("{name}: {error}")));
    }

    /// Runs lines of `ip` commands: `route replace 10.9.0.0/24 via 10.200.1.2`.
    pub(crate) fn ip(&self, batch: &str) {
        self.namespace.tool("ip", &["-batch", "-"], batch);
    }

    /// Gives the node's interfaces, which must exist, their addresses and routes.
    pub(super) fn configure(&self) {
        for side in self.line.sides(self.number) {
            offloads_off(&self.namespace, side.exit());
        }
        self.address();
    }

    /// Gives the node its addresses and routes, again if it had them.
    pub(super) fn address(&self) {
        self.ip(&self.line.addressing(self.number));
    }

    /// Waits until the node's links, whose ends are up, carry packets. The kernel notices a carrier
    /// some time after it is there, at once when asked for the link's state (since Linux 6.9), and
    /// loses what is sent before.
    pub(super) fn settle(&self) {
        let sides: Vec<Direction> = self.line.sides(self.number).collect();
        let question: String = sides.iter().map(|side| format!("link show {}\n", side.exit())).collect();
        let settled = || {
            let answer = self.namespace.tool("ip", &["-batch", "-"], &question);
            answer.matches("state UP").count() == sides.len()
        };
        assert!((0..1_000).any(|_| settled()), "the links of node {} stay down", self.number);
    }

    /// Whether a packet going this way has a link to leave the node by.
    pub(super) fn has_exit(&self, direction: Direction) -> bool {
        self.line.sides(self.number).any(|side| side == direction)
    }
}

/// Turns off what would change frames between the stack and the wire.
pub(super) fn offloads_off(namespace: &Namespace, interface: &str) {
    let arguments = [&["-K", interface], &OFFLOADS_OFF[..]].concat();
    namespace.tool("ethtool", &arguments, "");
}

/// Sets a kernel parameter in the calling thread's namespace.
pub(super) fn write_sysctl(name: &str, value: &str) -> std::io::Result<()> {
    std::fs::write(format!("/proc/sys/{}", name.replace('.', "/")), value)
}

/// Lets every group use ICMP datagram sockets, or all the groups an ordinary user has: one.
fn open_ping_sockets() {
    let group = nix::unistd::getegid();
    write_sysctl("net.ipv4.ping_group_range", "0 2147483647")
        .or_else(|_| write_sysctl("net.ipv4.ping_group_range", &format!("{group} {group}")))
        .expect("open ICMP datagram sockets");
}
