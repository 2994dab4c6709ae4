//! A client that says what it likes, one octet after the other.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::Duration;

use serde_json::{Value, json};
use waddleperf::sys::wait::sleep;

use super::Server;

/// A control connection.
pub(super) struct Raw {
    pub(super) stream: TcpStream,
    cookie: [u8; 37],
}

impl Raw {
    /// Connects, and says nothing.
    pub(super) fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(address(server)).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
        stream.set_nodelay(true).expect("no delay");
        Self { stream, cookie: [0; 37] }
    }

    /// Connects, and shows a cookie that nobody else has.
    pub(super) fn greet(server: &Server) -> Self {
        let mut raw = Self::connect(server);
        // As version 3.1 makes them.
        let port = raw.stream.local_addr().expect("an address").port();
        let text = format!("host.1234567890.{port:06}.0123456789abcdef");
        raw.cookie[..36].copy_from_slice(&text.as_bytes()[..36]);
        let cookie = raw.cookie;
        raw.say(&cookie);
        raw
    }

    /// Connects, greets, and sends parameters.
    pub(super) fn ask(server: &Server, params: &Value) -> Self {
        let mut raw = Self::greet(server);
        raw.hear(&[9]);
        raw.say(&frame(params.to_string().as_bytes()));
        raw
    }

    /// A data connection of this test.
    pub(super) fn data(&self, server: &Server) -> TcpStream {
        let mut stream = TcpStream::connect(address(server)).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
        stream.write_all(&self.cookie).expect("sent");
        stream
    }

    pub(super) fn say(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).expect("sent");
    }

    /// Hears exactly this next.
    #[track_caller]
    pub(super) fn hear(&mut self, expected: &[u8]) {
        let mut heard = vec![0; expected.len()];
        self.stream.read_exact(&mut heard).expect("an answer");
        assert_eq!(heard, expected);
    }

    /// Whether the next that is said is the question for parameters, and not that there is no place.
    pub(super) fn is_asked(&mut self) -> bool {
        let mut octet = [0];
        self.stream.read_exact(&mut octet).is_ok() && octet == [9]
    }

    /// Ends a test as a client does: the server's results, of as many streams as `ids` are.
    #[track_caller]
    pub(super) fn end(mut self, ids: &[u32]) -> Value {
        self.say(&[4]);
        self.hear(&[13]);
        self.say(&frame(results(ids).to_string().as_bytes()));
        let told = heard(&mut self.stream);
        assert_eq!(told["streams"].as_array().map(Vec::len), Some(ids.len()), "{told}");
        self.hear(&[14]);
        self.say(&[16]);
        assert!(self.rest().is_empty());
        told
    }

    /// All that is said until the end, which is no reset.
    #[track_caller]
    pub(super) fn rest(mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest).expect("an orderly end");
        rest
    }
}

/// The next frame of JSON, whichever end says it.
pub(crate) fn heard(stream: &mut TcpStream) -> Value {
    let mut length = [0; 4];
    stream.read_exact(&mut length).expect("a length");
    let mut json = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut json).expect("a frame");
    serde_json::from_slice(&json).expect("JSON")
}

pub(super) fn frame(octets: &[u8]) -> Vec<u8> {
    [&(octets.len() as u32).to_be_bytes(), octets].concat()
}

pub(super) fn address(server: &Server) -> SocketAddr {
    ([127, 0, 0, 1], server.port).into()
}

/// A socket of UDP at `ip`, connected to the server.
pub(super) fn udp(server: &Server, ip: [u8; 4]) -> UdpSocket {
    let socket = UdpSocket::bind(SocketAddr::from((ip, 0))).expect("a socket");
    socket.connect(address(server)).expect("a route");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out");
    socket
}

/// Waits until all datagrams that have come to the sockets at `port` are read (proc_net_udp(5): their receive queues are empty).
pub(super) fn until_read(port: u16) {
    let local = format!(":{port:04X}");
    let waits = |row: &str| {
        let words: Vec<&str> = row.split_whitespace().take(5).collect();
        words.get(1).is_some_and(|address| address.ends_with(&local)) && !words[4].ends_with(":00000000")
    };
    let is_read = || !fs::read_to_string("/proc/net/udp").expect("the sockets").lines().any(waits);
    for _ in 0..500 {
        if is_read() {
            return;
        }
        sleep(Duration::from_millis(20));
    }
    panic!("it is not read");
}

/// The least that a client of TCP says.
pub(super) fn tcp() -> Value {
    json!({"tcp": true, "omit": 0, "time": 1, "parallel": 1, "len": 1000, "client_version": "3.12"})
}

/// The least that a client tells in the end of streams with these numbers.
pub(super) fn results(ids: &[u32]) -> Value {
    let stream =
        |id: &u32| json!({"id": id, "bytes": 1, "retransmits": 0, "jitter": 0, "errors": 0, "packets": 0});
    json!({
        "cpu_util_total": 1, "cpu_util_user": 1, "cpu_util_system": 0, "sender_has_retransmits": 1,
        "streams": ids.iter().map(stream).collect::<Vec<_>>(),
    })
}
