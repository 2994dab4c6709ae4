//! What needs which right, what takes the place of what is not allowed, and that TCP's SYNs stay half open.

use std::net::{IpAddr, TcpListener};

use serde_json::json;

use super::trace::{built, hops, path, record, report, server, unprivileged, unprivileged_record};
use crate::lab::{Direction, Lab, Packet};

/// Flags of the TCP segments between the two ends, in the order of the wire.
fn flags(packets: &[Packet], v6: bool) -> Vec<u8> {
    let (next, header) = if v6 { (6, 40) } else { (9, 20) };
    let tcp = packets.iter().filter(|packet| {
        let kind = if v6 { [0x86, 0xdd] } else { [8, 0] };
        packet.frame.get(12..14) == Some(&kind) && packet.frame.get(14 + next) == Some(&6)
    });
    tcp.filter_map(|packet| packet.frame.get(14 + header + 13).copied()).collect()
}

#[test]
fn a_syn_stays_half_open_and_is_reset() {
    let lab = Lab::line(2).build();
    for v6 in [false, true] {
        let listener = lab.server().run(|| {
            let any: IpAddr = if v6 { [0u16; 8].into() } else { [0u8; 4].into() };
            let listener = TcpListener::bind((any, 5000)).expect("a free port");
            listener.set_nonblocking(true).expect("it does not wait");
            listener
        });
        let capture = lab.client().capture(Direction::Up);
        let found = report(lab.client(), server(&lab, v6), "-T -P 5000 -c 4 -i 0.1");
        let seen = flags(&capture.stop(), v6);
        assert_eq!(path(&found), built(&lab, 2, v6), "{found}");
        assert_eq!(
            (&found["ignored"], &found["flows"][0]["protocol"]),
            (&json!(0), &json!("tcp")),
            "{found}"
        );
        let count = |wanted: u8| seen.iter().filter(|&&flags| flags == wanted).count();
        let (syn, syn_ack, rst) = (count(0x02), count(0x12), count(0x04));
        assert!(syn_ack >= 4 && rst == syn_ack, "each is reset once: {seen:x?}");
        assert_eq!(syn + syn_ack + rst, seen.len(), "no handshake is finished: {seen:x?}");
        let accepted = listener.accept().map_err(|error| error.kind());
        assert_eq!(accepted.expect_err("nobody is there"), std::io::ErrorKind::WouldBlock);
    }
}

#[test]
fn our_own_syns_on_this_host_are_not_strange() {
    let lab = Lab::line(0).build();
    for target in ["127.0.0.1", "::1"] {
        let target: IpAddr = target.parse().expect("an address");
        let found = report(lab.client(), target, "-T -P 9 -c 3 -i 0.1");
        assert_eq!((&found["ignored"], &found["reached"]), (&json!(0), &json!(true)), "{found}");
        assert_eq!(hops(&found)[0]["counts"]["received"], json!(3), "{found}");
    }
}

#[test]
fn every_method_traces_without_privilege() {
    let lab = Lab::line(3).build();
    let listener = lab.server().run(|| TcpListener::bind("[::]:5000").expect("a free port"));
    for (method, protocol) in
        [("", "icmp"), ("-u", "udp"), ("--quic", "quic"), ("-T -P 5000", "tcp"), ("-T -P 5001", "tcp")]
    {
        for v6 in [false, true] {
            let found = unprivileged(lab.client(), server(&lab, v6), &format!("-c 3 -i 0.1 {method}"));
            assert_eq!(path(&found), built(&lab, 3, v6), "{method}: {found}");
            assert_eq!((&found["reached"], &found["flows"][0]["protocol"]), (&json!(true), &json!(protocol)));
            for hop in hops(&found) {
                assert_eq!(
                    (&hop["counts"]["received"], &hop["loss_ratio"]),
                    (&json!(3), &json!(0.0)),
                    "{hop}"
                );
            }
            // Each router's errors say how far they came; a connection does not say it of the target's segments.
            for hop in &hops(&found)[..3] {
                assert_eq!(hop["return_hops"], hop["ttl"], "{method} IPv6 {v6}: {found}");
            }
            let fallback = if protocol == "tcp" { json!("connections-for-syns") } else { json!(null) };
            assert_eq!(found["fallback"], fallback, "{method}: {found}");
        }
    }
    drop(listener);
    let closed = unprivileged(lab.client(), server(&lab, false), "-c 2 -i 0.1 -u --strategy dublin");
    assert_eq!(path(&closed), built(&lab, 3, false));
    assert_eq!(closed["fallback"], "paris-for-dublin");
    let refused = unprivileged_record(lab.client(), server(&lab, false), "-T -L 4000");
    let failure = &refused["outcome"]["failure"];
    assert!(failure["detail"].as_str().is_some_and(|why| why.contains("CAP_NET_RAW")), "{refused}");
}

#[test]
fn udp_takes_the_place_of_icmp_where_that_is_not_allowed() {
    let lab = Lab::line(2).build();
    lab.client().sysctl("net.ipv4.ping_group_range", "1 0");
    for v6 in [false, true] {
        let found = unprivileged(lab.client(), server(&lab, v6), "-c 2 -i 0.1");
        assert_eq!(path(&found), built(&lab, 2, v6), "{found}");
        assert_eq!(
            (&found["fallback"], &found["flows"][0]["protocol"]),
            (&json!("udp-for-icmp"), &json!("udp")),
            "{found}"
        );
        // Who asks for ICMP itself is told what it takes.
        let refused = unprivileged_record(lab.client(), server(&lab, v6), "-c 1 --icmp");
        let failure = &refused["outcome"]["failure"];
        let detail = failure["detail"].as_str().unwrap_or_default();
        let helps = detail.contains("net.ipv4.ping_group_range") && detail.contains("CAP_NET_RAW");
        assert!(failure["class"] == "permission" && helps, "{refused}");
        // With the right, raw sockets do the same.
        let raw = record(lab.client(), server(&lab, v6), "-c 2 -i 0.1");
        let found = &raw["outcome"]["report"];
        assert_eq!((&found["flows"][0]["protocol"], &found["ignored"]), (&json!("icmp"), &json!(0)), "{raw}");
        assert_eq!(path(found), built(&lab, 2, v6));
    }
}
