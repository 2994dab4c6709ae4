//! What takes how long. Each test has the machine for itself.
#![expect(clippy::disallowed_methods, reason = "these tests measure the lab with the clock")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::packets;
use crate::lab::{Direction, Lab, Shaper, Units, alone, holds, one_of_three};

fn median(mut values: Vec<Duration>) -> Duration {
    values.sort_unstable();
    values[values.len() / 2]
}

fn within(value: Duration, expected: Duration, tolerance: Duration) {
    assert!(value.abs_diff(expected) <= tolerance, "{value:?}, not {expected:?} ± {tolerance:?}");
}

/// Round trips of numbered datagrams, one at a time, to an echoing server.
fn round_trips(lab: &Lab, count: u32) -> Vec<Duration> {
    let (client, server) = (packets::socket(lab.client()), packets::socket(lab.server()));
    client.connect(server.local_addr().unwrap()).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut datagram = [0; 4];
            for _ in 0..count {
                let (_, sender) = server.recv_from(&mut datagram).unwrap();
                server.send_to(&datagram, sender).unwrap();
            }
        });
        let round_trip = |number: u32| {
            let sent = Instant::now();
            client.send(&number.to_be_bytes()).unwrap();
            client.recv(&mut [0; 4]).unwrap();
            sent.elapsed()
        };
        (0..count).map(round_trip).collect()
    })
}

#[test]
fn the_relay_delays_by_what_it_was_told() {
    let _alone = alone();
    let lab = Lab::line(3).delay(20.ms()).build();
    let round_trips = round_trips(&lab, 50);
    for direction in Direction::BOTH {
        let log = lab.relay().log();
        let ours = log.iter().filter(|record| record.direction == direction);
        let held = ours.filter(|record| record.flow.is_some_and(|flow| flow.protocol == 17));
        let held: Vec<_> = held.map(|record| record.one_way().unwrap()).collect();
        assert_eq!(held.len(), 50);
        println!("{direction:?}: held {:?} (median), {:?} (most)", median(held.clone()), held.iter().max());
        within(median(held), 20.ms(), 500.us());
    }
    println!("round trip {:?} (median)", median(round_trips.clone()));
    within(median(round_trips), 40.ms(), 1.ms());
}

/// Bits of TCP payload per second from the client to the server, over `lasting`.
fn goodput(lab: &Lab, lasting: Duration) -> f64 {
    let server = lab.server();
    let listener = server.run(|| TcpListener::bind((server.address4(), 0))).unwrap();
    let address = listener.local_addr().unwrap();
    let mut sender = lab.client().run(|| TcpStream::connect(address)).unwrap();
    let (receiver, _) = listener.accept().unwrap();
    thread::scope(|scope| {
        scope.spawn(move || while sender.write_all(&[0; 16_384]).is_ok() {});
        // The sender ends when the receiver, which moves in here, is closed.
        received_rate(receiver, lasting)
    })
}

/// Bits per second that come out of a stream, over `lasting`; the first quarter, with slow start
/// and the bucket's burst, does not count.
fn received_rate(mut stream: TcpStream, lasting: Duration) -> f64 {
    let mut buffer = vec![0; 65_536];
    let start = Instant::now();
    while start.elapsed() < lasting / 4 {
        let _slow_start = stream.read(&mut buffer).unwrap();
    }
    let (counted, mut octets) = (Instant::now(), 0);
    while start.elapsed() < lasting {
        octets += stream.read(&mut buffer).unwrap();
    }
    octets as f64 * 8.0 / counted.elapsed().as_secs_f64()
}

/// The share of a 1,514-octet frame that is TCP payload (with 12 octets of time stamps).
const PAYLOAD: f64 = 1448.0 / 1514.0;

/// Goodput is the payload of `rate`: never more, and not less where the host had time for it.
#[track_caller]
fn is_shaped_to(lab: &Lab, rate: u64) {
    let expected = rate as f64 * PAYLOAD;
    one_of_three(|| {
        let share = goodput(lab, 4.secs()) / expected;
        println!("{share:.3} of the rate");
        assert!(share < 1.03, "{share} of {expected} bit/s");
        holds(share > 0.97, || format!("{share} of {expected} bit/s"))
    });
}

#[test]
fn a_token_bucket_passes_its_rate_and_a_full_queue_drops() {
    let _alone = alone();
    let lab = Lab::line(1).build();
    let shaper = Shaper::TokenBucket { rate: 20.mbit(), burst: 16.kb(), latency: 50.ms() };
    let queue = lab.router(1).shape(Direction::Up, shaper);
    is_shaped_to(&lab, 20.mbit());
    assert!(queue.dropped() > 0);
}

#[test]
fn the_relay_passes_its_rate() {
    let _alone = alone();
    let lab = Lab::line(1).rate(20.mbit()).build();
    is_shaped_to(&lab, 20.mbit());
}

#[test]
fn a_lab_of_three_routers_is_built_in_half_a_second() {
    let _alone = alone();
    one_of_three(|| {
        let start = Instant::now();
        let lab = Lab::line(3).relay().build();
        let built = start.elapsed();
        drop(lab);
        println!("built in {built:?}, removed in {:?}", start.elapsed() - built);
        holds(built < 500.ms(), || format!("{built:?}"))
    });
}
