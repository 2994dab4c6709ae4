//! Bulk beside other work of the same server: it has threads of its own, and delays nobody on another processor.

use std::net::{SocketAddr, UdpSocket};
use std::process::Stdio;
use std::time::Duration;

use waddleperf::sys::wait::sleep;

use super::{OPEN, Server};
use crate::lab::{Lab, Threads, alone, pin, processors};
use crate::tool::WADDLEPERF;

/// Where STAMP is served, and packets that go there and back.
const STAMP: u16 = 8620;
const PACKETS: u32 = 150;
/// A late reply is waited for, and is no lost one.
const PATIENCE: Duration = Duration::from_secs(5);
/// What bulk may add to the median time that a packet is in the reflector. On a processor that bulk holds it would be the time
/// that a thread may have it, or the 20 ms for which a worker waits in the kernel.
const MOST: Duration = Duration::from_millis(5);

/// The median time from a packet's arrival at the reflector to its reply, by the reflector's stamps (RFC 8762 §4.2.1); all are
/// answered.
fn residence(socket: &UdpSocket) -> Duration {
    let mut all: Vec<u64> = (0..PACKETS)
        .map(|n| {
            let mut packet = [0; 44];
            packet[..4].copy_from_slice(&n.to_be_bytes());
            socket.send(&packet).expect("sent");
            let mut reply = [0; 200];
            let length = socket.recv(&mut reply).unwrap_or_else(|error| panic!("packet {n}: {error}"));
            assert!(length >= 44 && reply[24..28] == n.to_be_bytes(), "packet {n}: {:?}", &reply[..length]);
            sleep(Duration::from_millis(5));
            let stamp = |at: usize| u64::from_be_bytes(*reply[at..].first_chunk().expect("eight octets"));
            // NTP's 32.32 fixed point (RFC 5905 §6): left, arrived.
            stamp(4).saturating_sub(stamp(16))
        })
        .collect();
    all.sort_unstable();
    Duration::from_secs_f64(all[all.len() / 2] as f64 / 2f64.powi(32))
}

#[test]
fn bulk_has_its_own_threads_and_delays_no_reflector_on_another_processor() {
    let _alone = alone();
    let lab = Lab::line(0).build();
    let config =
        format!("[serve.udpping]\nrate_per_source = 100000\nrate_total = 100000\n[serve.iperf3]\n{OPEN}");
    let stamp = format!("stamp=0.0.0.0:{STAMP}");
    let server = Server::beside(lab.server().command(WADDLEPERF), &config, "0.0.0.0", &stamp);
    let threads = Threads(server.child.id());
    let [first, last] = processors();
    assert_ne!(first, last, "needs two processors");
    let host = lab.server().address4();
    let socket = lab.client().run(|| UdpSocket::bind("0.0.0.0:0").expect("a socket"));
    socket.connect(SocketAddr::from((host, STAMP))).expect("a route");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    for thread in threads.awaited("reflector", 1) {
        pin(thread, first).expect("pinned");
    }
    let idle = residence(&socket);
    // More threads than the runtime has, each of which is never done, on the other processor with their peers.
    let mut client = lab.client().command("taskset");
    client.args([
        "-c",
        &last.to_string(),
        WADDLEPERF,
        "bandwidth",
        "--json",
        "--bidir",
        "-P",
        "4",
        "-t",
        "60",
    ]);
    client.args(["-p", &server.port.to_string(), &host.to_string()]);
    let mut client = client.stdout(Stdio::null()).spawn().expect("it starts");
    for thread in threads.awaited("bulk", 8) {
        pin(thread, last).expect("pinned");
    }
    let before = threads.used("bulk");
    let loaded = residence(&socket);
    let after = threads.used("bulk");
    client.kill().expect("killed");
    client.wait().expect("waited for");
    let [bulk, others] = [0, 1].map(|n| after[n].saturating_sub(before[n]));
    assert!(bulk > Duration::from_millis(100), "bulk has moved nothing: {bulk:?}");
    assert!(others < bulk / 2, "{others:?} in other threads, {bulk:?} in those of bulk");
    assert!(loaded < idle + MOST, "{loaded:?} in the reflector beside bulk, {idle:?} without");
}
