//! The names of hops, asked of the system's own resolver, whose place the first router takes.

use std::net::{IpAddr, UdpSocket};
use std::thread;

use serde_json::{Value, json};

use super::named;
use crate::lab::{Hook, Lab};
use crate::udpping::serving::record;

/// The first nameserver of this system.
fn nameserver() -> IpAddr {
    let text = std::fs::read_to_string("/etc/resolv.conf").expect("/etc/resolv.conf");
    let servers = text.lines().filter_map(|line| line.strip_prefix("nameserver ")?.trim().parse().ok());
    servers.into_iter().find(IpAddr::is_ipv4).expect("a nameserver of IPv4 in /etc/resolv.conf")
}

/// Calls everybody `router.example`.
fn answer(socket: &UdpSocket) {
    let mut buffer = [0; 512];
    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
        // The question ends behind its name, type and class; what follows it (EDNS) is left out.
        let name = buffer[12..length].iter().position(|octet| *octet == 0).expect("a name");
        let mut reply = buffer[..12 + name + 5].to_vec();
        reply[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
        reply.extend(b"\xc0\x0c\0\x0c\0\x01\0\0\0\x3c\0\x10\x06router\x07example\0");
        socket.send_to(&reply, from).expect("send");
    }
}

#[test]
fn hops_have_names_unless_nobody_asks() {
    let lab = Lab::line(2).build();
    let server = nameserver();
    lab.router(1).ip(&format!("address add {server}/32 dev lo"));
    let socket = lab.router(1).run(|| UdpSocket::bind((server, 53)).expect("port 53"));
    thread::spawn(move || answer(&socket));
    let asked = lab.client().rule(Hook::Output, "udp dport 53", "accept");
    let target = lab.server().address4().into();
    let numeric = record(&named(lab.client(), target, "-n --hops --no-tcp"));
    assert_eq!(asked.dropped(), 0, "a name was asked for");
    let hop = |record: &Value| record["outcome"]["report"]["hops"][0].clone();
    assert_eq!(hop(&numeric)["name"], Value::Null, "{numeric}");
    let found = record(&named(lab.client(), target, "--hops --no-tcp"));
    assert_eq!(hop(&found)["name"], "router.example", "{found}");
    assert_eq!(found["outcome"]["report"]["exact"], json!(false), "{found}");
}
