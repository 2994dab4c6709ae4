//! Strange servers on loopback: what they do with a connection is a function, and some do with TLS what nobody should.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// Serves each connection to a port of 127.0.0.1 by `serve`, as long as the test runs.
pub(crate) fn listen(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    listen_at(Ipv4Addr::LOCALHOST, serve)
}

/// The same at an address of whichever network this thread is in.
pub(crate) fn listen_at(address: Ipv4Addr, serve: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind((address, 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            thread::spawn(move || serve(stream));
        }
    });
    port
}

/// A handshake message of TLS.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u32).to_be_bytes()[1..], body].concat()
}

/// Handshake messages in records of 2^14 octets at most.
pub(crate) fn records(octets: &[u8]) -> Vec<u8> {
    let record = |part: &[u8]| [&[22, 3, 3][..], &(part.len() as u16).to_be_bytes(), part].concat();
    octets.chunks(1 << 14).flat_map(record).collect()
}

/// A ServerHello of TLS 1.2, and a chain of these.
pub(crate) fn flight(certificates: &[Vec<u8>]) -> Vec<u8> {
    let hello = [&[3, 3][..], &[7; 32], &[0, 0xc0, 0x2f, 0, 0, 5, 0xff, 1, 0, 1, 0]].concat();
    let long = |octets: &[u8]| [&(octets.len() as u32).to_be_bytes()[1..], octets].concat();
    let list: Vec<u8> = certificates.iter().flat_map(|one| long(one)).collect();
    let exchange = [&[3, 0, 29, 32][..], &[9; 32], &[8, 4, 0, 4, 1, 2, 3, 4]].concat();
    let messages = [message(2, &hello), message(11, &long(&list)), message(12, &exchange), message(14, &[])];
    records(&messages.concat())
}

/// Hears a ClientHello, says `first`, then `then` without end; if that is nothing, it waits for the client to go.
pub(crate) fn endless(stream: &mut TcpStream, first: &[u8], then: &[u8]) {
    let _ = stream.read(&mut [0; 4096]);
    let _ = stream.write_all(first);
    while !then.is_empty() && stream.write_all(then).is_ok() {}
    while stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {}
}

/// Octets that are said in place of a handshake: some first, some without end.
pub(crate) struct Misdeed {
    pub(crate) name: &'static str,
    pub(crate) first: Vec<u8>,
    pub(crate) then: Vec<u8>,
}

/// What a server may say to a ClientHello so that no handshake comes of it: each must be a failure of TLS, in time and in little
/// memory.
pub(crate) fn misdeeds() -> Vec<Misdeed> {
    let hello = records(&message(2, &[&[3, 3][..], &[7; 32], &[0, 0xc0, 0x2f, 0]].concat()));
    let alert = [21, 3, 3, 0, 2, 1, 112].repeat(1000);
    // A message of 16 MiB, again and again.
    let huge = records(&[&[11, 0xff, 0xff, 0xff][..], &[0; 16_000]].concat());
    [
        ("bad DER", flight(&[vec![0x30, 0x82, 0xff, 0xff, 1, 2, 3]]), Vec::new()),
        ("300 certificates", flight(&vec![vec![0x30; 200]; 300]), Vec::new()),
        ("300 certificates of 1,000 octets", flight(&vec![vec![0x30; 1000]; 300]), Vec::new()),
        ("certificates without end", hello.clone(), huge),
        ("an alert", vec![21, 3, 3, 0, 2, 2, 40], Vec::new()),
        ("a storm of alerts", Vec::new(), alert.clone()),
        ("a storm of alerts in the handshake", hello, alert),
        ("empty records", Vec::new(), [22, 3, 3, 0, 0].repeat(1000)),
    ]
    .map(|(name, first, then)| Misdeed { name, first, then })
    .into()
}
