//! Who said what: errors name their senders; marks, TTL and DF are on the wire as asked.

use serde_json::{Value, json};

use super::{numbers, report, run, said};
use crate::lab::{Direction, Hook, Lab};

/// The only kind of ICMP error in a report: type, code, sender.
fn error(report: &Value) -> [&Value; 3] {
    let errors = report["errors"].as_array().unwrap_or_else(|| panic!("no errors: {report}"));
    assert_eq!(errors.len(), 1, "{report}");
    ["type", "code", "from"].map(|name| &errors[0][name])
}

#[test]
fn errors_name_their_senders_over_both_families() {
    let lab = Lab::line(2).build();
    let (client, server, router) = (lab.client(), lab.server(), lab.router(1));
    let found = report(client, server.address4(), "-c 3 -i 10ms -t 1");
    assert_eq!(error(&found), [&json!(11), &json!(0), &json!(router.address4())], "{found}");
    assert_eq!(numbers(&found, ["/counts/sent", "/counts/received"]), [3, 0]);
    assert_eq!(
        error(&report(client, server.address6(), "-c 3 -i 10ms -t 1")),
        [&json!(3), &json!(0), &json!(router.address6())]
    );
    let target = server.address4();
    let text = said(&run(client, &format!("{target} -c 1 -t 1")));
    let line = format!("from {}: seq=0 Time to live exceeded", router.address4());
    assert!(text.contains(&line), "{text}");
    for (verdict, v4, v6) in [
        ("reject with icmpx admin-prohibited", [3, 13], [1, 1]),
        ("reject with icmpx port-unreachable", [3, 3], [1, 4]),
    ] {
        let rule = lab.router(2).rule(Hook::Forward, "iifname dn0 meta l4proto { icmp, ipv6-icmp }", verdict);
        let found = report(client, server.address4(), "-c 2 -i 10ms");
        let from = json!(lab.router(2).address4());
        assert_eq!(error(&found), [&json!(v4[0]), &json!(v4[1]), &from], "{found}");
        let found = report(client, server.address6(), "-c 2 -i 10ms");
        assert_eq!(error(&found)[..2], [&json!(v6[0]), &json!(v6[1])], "{found}");
        rule.lift();
    }
}

#[test]
fn a_narrow_link_says_its_mtu() {
    let lab = Lab::line(2).build();
    lab.link(1).mtu(1400);
    let text = said(&run(lab.client(), &format!("{} -c 1 -M do -s 1452", lab.server().address4())));
    let line = format!("from {}: seq=0 Packet too big (mtu = 1400)", lab.router(1).address4());
    assert!(text.contains(&line), "{text}");
    let fits = report(lab.client(), lab.server().address4(), "-c 1 -M do -s 1372");
    assert_eq!(numbers(&fits, ["/counts/received"]), [1]);
}

/// What this host does not let out is in a report, packet by packet, and no loss: whether the system knows the path's MTU or
/// only the interface's.
#[test]
fn what_is_too_large_for_a_known_mtu_is_told_and_no_loss() {
    let lab = Lab::line(2).build();
    lab.link(1).mtu(1400);
    let (client, server) = (lab.client(), lab.server());
    for (target, narrow) in
        [(server.address4().to_string(), "-s 1452"), (server.address6().to_string(), "-s 1432")]
    {
        let learned = run(client, &format!("{target} -c 1 -M do {narrow}"));
        assert!(said(&learned).contains("Packet too big (mtu = 1400)"), "{}", said(&learned));
        for size in [narrow, "-s 9000"] {
            let text = run(client, &format!("{target} -c 3 -i 10ms --catch-up -M do {size}"));
            let shown = said(&text);
            let line = format!("not sent to {target}: seq=2 message too long (mtu = 1400)");
            assert!(shown.contains(&line) && shown.contains(", 3 not sent in"), "{shown}");
            let why = "not sent by this host: message too long (mtu = 1400), 3 times";
            assert!(shown.contains(why) && text.status.code() == Some(1), "{shown}");
            let found = super::report_of(&run(
                client,
                &format!("{target} -c 3 -i 10ms --catch-up -M do {size} --json"),
            ));
            assert_eq!(numbers(&found, ["/counts/sent", "/counts/send_errors"]), [0, 3], "{found}");
            let error = &found["errors"][0];
            assert_eq!((&error["local"], &error["mtu_bytes"]), (&json!(true), &json!(1400)), "{found}");
            assert!(found["loss_ratio"].is_null(), "{found}");
        }
    }
}

#[test]
fn ttl_marks_df_and_payload_are_on_the_wire_as_asked() {
    let lab = Lab::line(0).build();
    let capture = lab.client().capture(Direction::Up);
    let target = lab.server().address4();
    let found = report(lab.client(), target, "-c 2 -i 10ms -t 33 -Q 0xb8 -M do -s 20 -p a55a");
    assert_eq!(numbers(&found, ["/counts/received", "/ttl"]), [2, 64]);
    let frames = capture.stop();
    let requests = frames.iter().filter(|packet| packet.frame.get(23) == Some(&1) && packet.frame[34] == 8);
    let requests: Vec<&[u8]> = requests.map(|packet| packet.frame.as_slice()).collect();
    assert_eq!(requests.len(), 2);
    for frame in requests {
        // Type of service, total length, DF, TTL of the IPv4 header (RFC 791); the end of the payload.
        assert_eq!((frame[15], &frame[16..18], frame[20] & 0x40, frame[22]), (0xb8, &[0, 48][..], 0x40, 33));
        assert_eq!(frame[58..62], [0xa5, 0x5a, 0xa5, 0x5a]);
    }
}

#[test]
fn a_link_local_target_is_reached_through_its_interface() {
    let lab = Lab::line(0).build();
    let addresses = lab.server().run(|| nix::ifaddrs::getifaddrs().expect("addresses").collect::<Vec<_>>());
    let local = addresses.iter().filter(|address| address.interface_name == "dn0").find_map(|address| {
        let address = address.address?.as_sockaddr_in6()?.ip();
        address.is_unicast_link_local().then_some(address)
    });
    let target = format!("{}%up0", local.expect("a link-local address"));
    let output = run(lab.client(), &format!("{target} -c 2 -i 10ms --catch-up --json"));
    assert_eq!(numbers(&super::report_of(&output), ["/counts/received"]), [2]);
    let output = run(lab.client(), &format!("{target} -4 -c 1"));
    assert_eq!(output.status.code(), Some(2), "the wrong family: {}", said(&output));
}

#[test]
fn everybody_who_answers_to_a_broadcast_is_told() {
    let lab = Lab::line(0).build();
    lab.server().sysctl("net.ipv4.icmp_echo_ignore_broadcasts", "0");
    let output = run(lab.client(), "10.200.0.3 -b -c 2 -i 10ms --catch-up -W 0.3 --json");
    let found = super::report_of(&output);
    let responders = found["responders"].as_array().expect("responders");
    let server = json!(lab.server().address4());
    assert!(responders.iter().any(|one| one["address"] == server && one["received"] == 2), "{found}");
    let refused = run(lab.client(), "10.200.0.3 -c 1");
    assert!(said(&refused).contains("-b"), "{}", said(&refused));
}
