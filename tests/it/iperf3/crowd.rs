//! Hundreds of connections that say nothing, or not all: they keep nobody out, and take no room.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use waddleperf::sys::clock;
use waddleperf::sys::wait::sleep;

use super::ends::SOON;
use super::raw::{Raw, address, tcp};
use super::{Server, resident};
use crate::lab::shared;

/// A client that means it has its test soon.
#[track_caller]
fn is_served(server: &Server) {
    let began = clock::now().mono;
    let mut good = Raw::ask(server, &tcp());
    good.hear(&[10]);
    let _data = good.data(server);
    good.hear(&[1, 2]);
    let took = clock::now().mono - began;
    assert!(took < SOON, "{took:?}");
}

#[test]
fn a_crowd_of_idle_connections_keeps_nobody_out() {
    let _turn = shared();
    let server = Server::with("");
    server.report("-n 1M");
    let before = resident(&server);
    // Some say nothing, some a cookie, some parameters that never end.
    let mut crowd: Vec<TcpStream> = Vec::new();
    for n in 0..400 {
        let mut stream = TcpStream::connect(address(&server)).expect("a connection");
        if n % 3 > 0 {
            let cookie = format!("{n:036}\0");
            let _ = stream.write_all(cookie.as_bytes());
        }
        if n % 3 > 1 {
            let _ = stream.write_all(&[0, 0, 0x20, 0, b'{']);
        }
        crowd.push(stream);
        if n % 100 == 99 {
            is_served(&server);
            server.report("-u -n 100K -b 10M");
        }
    }
    assert!(server.descriptors() < 250, "{}", server.descriptors());
    let grown = resident(&server).saturating_sub(before);
    assert!(grown < 8 << 10, "{grown} KiB more");
    // All are sent away in the end: after five seconds nobody may be silent.
    for stream in &mut crowd {
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
        let mut octets = [0; 64];
        let closed = (0..4).any(|_| matches!(stream.read(&mut octets), Ok(0) | Err(_)));
        assert!(closed);
    }
}

#[test]
fn who_comes_quickly_gets_no_more_room() {
    let _turn = shared();
    let server = Server::with("");
    server.report("-n 1M -b 100M");
    let mut crowd: Vec<TcpStream> = Vec::new();
    for n in 0..800 {
        let mut stream = TcpStream::connect(address(&server)).expect("a connection");
        let _ = stream.write_all(format!("{n:036}\0").as_bytes());
        crowd.push(stream);
        if n % 200 == 199 {
            // Who made room is closed as soon as its task has run, well before a farewell (1 s) is over.
            let is_small = |_: &u32| {
                sleep(Duration::from_millis(40));
                server.descriptors() < 300
            };
            assert!((0..15).any(|n| is_small(&n)), "{} descriptors", server.descriptors());
        }
    }
    is_served(&server);
}
