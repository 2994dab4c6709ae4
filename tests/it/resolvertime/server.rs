//! A DNS server on loopback that does as it is told, over UDP and TCP at one port. It ends with the process.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use waddleperf::sys::wait::sleep;
use waddleperf::wire::dns::{Kind, Message, Name, Question, Record};

/// What is sent back for a query: any messages, each at once.
pub(super) type Answer = dyn Fn(&Message, bool) -> Vec<Vec<u8>> + Send + Sync;

/// More than this is a flood.
const FLOOD: usize = 100;

/// Answers each query with what `answer` gives; it is told whether the query came over TCP. The last datagram of a flood comes
/// later, and three times, so that a queue that has overflowed does not lose it.
pub(super) fn serve(answer: impl Fn(&Message, bool) -> Vec<Vec<u8>> + Send + Sync + 'static) -> SocketAddr {
    serve_at("127.0.0.1", answer)
}

/// The same at an address of whichever network this thread is in.
pub(super) fn serve_at(
    address: &str,
    answer: impl Fn(&Message, bool) -> Vec<Vec<u8>> + Send + Sync + 'static,
) -> SocketAddr {
    serve_by(sockets(address), answer)
}

/// The same at a place that is already there.
pub(super) fn serve_by(
    (udp, tcp): (UdpSocket, TcpListener),
    answer: impl Fn(&Message, bool) -> Vec<Vec<u8>> + Send + Sync + 'static,
) -> SocketAddr {
    let answer: Arc<Answer> = Arc::new(answer);
    let at = udp.local_addr().expect("an address");
    let over_udp = Arc::clone(&answer);
    thread::spawn(move || {
        let mut buffer = vec![0; 65_535];
        while let Ok((length, from)) = udp.recv_from(&mut buffer) {
            let Some(query) = Message::parse(&buffer[..length]) else { continue };
            let replies = over_udp(&query, false);
            for reply in &replies {
                let _ = udp.send_to(reply, from);
            }
            for last in replies.last().into_iter().cycle().take(3).filter(|_| replies.len() > FLOOD) {
                sleep(Duration::from_millis(300));
                let _ = udp.send_to(last, from);
            }
        }
    });
    thread::spawn(move || {
        for stream in tcp.incoming().flatten() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || talk(stream, &*answer));
        }
    });
    at
}

/// One port for both.
fn sockets(address: &str) -> (UdpSocket, TcpListener) {
    for _ in 0..100 {
        let udp = UdpSocket::bind((address, 0)).expect("a port");
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().expect("an address")) {
            return (udp, tcp);
        }
    }
    panic!("no port is free for UDP and TCP");
}

/// Answers what is asked over `stream`, until somebody ends it.
pub(super) fn talk(mut stream: impl Read + Write, answer: &Answer) {
    let mut length = [0; 2];
    while stream.read_exact(&mut length).is_ok() {
        let mut octets = vec![0; u16::from_be_bytes(length).into()];
        if stream.read_exact(&mut octets).is_err() {
            return;
        }
        let Some(query) = Message::parse(&octets) else { return };
        for reply in answer(&query, true) {
            if stream.write_all(&behind_length(&reply)).is_err() {
                return;
            }
        }
    }
}

/// A message as streams carry it (RFC 1035 §4.2.2).
pub(super) fn behind_length(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes(), message].concat()
}

/// A reply to `query` with these answers.
pub(super) fn reply(query: &Message, answers: Vec<Record>) -> Message {
    let question = query.question.clone().expect("a question");
    Message { id: query.id, rd: query.rd, answers, ..Message::empty(question) }
}

/// The octets of `message`.
pub(super) fn octets(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    message.write(&mut out);
    out
}

/// An address of whatever was asked for.
pub(super) fn address(query: &Message, last: u8) -> Record {
    let Question { name, .. } = query.question.clone().expect("a question");
    record(name, Kind::A, vec![192, 0, 2, last])
}

pub(super) fn record(name: Name, kind: Kind, data: Vec<u8>) -> Record {
    Record { name, kind, class: 1, ttl: 300, data }
}

/// An answer whose owner, and the name in its data, point to themselves.
pub(super) fn looped(query: &Message) -> Vec<u8> {
    let mut looped = octets(&reply(query, vec![address(query, 1)]));
    looped.truncate(looped.len() - 14 - query.question.as_ref().expect("a question").name.octets().len());
    let to = (0xc000 | looped.len() as u16).to_be_bytes();
    looped.extend(to);
    looped.extend([0, 5, 0, 1, 0, 0, 0, 9, 0, 2]);
    looped.extend(to);
    looped
}

/// A hundred names, each of which is the next one.
pub(super) fn aliases(query: &Message) -> Vec<u8> {
    let name = |n: usize| Name::parse(&format!("n{n}.example")).expect("a name");
    let mut chain: Vec<_> =
        (0..100).map(|n| record(name(n), Kind::CNAME, name(n + 1).octets().to_vec())).collect();
    chain[0].name = query.question.clone().expect("a question").name;
    octets(&reply(query, chain))
}
