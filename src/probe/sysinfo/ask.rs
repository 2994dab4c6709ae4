//! One question to each resolver, all at once: whether somebody is there, and how far away.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::failure::reason;
use crate::sys::wait::{Stop, wait};
use crate::sys::{clock, random};
use crate::units::ms;
use crate::wire::dns::{Answer, NS, Name, query};

/// How long answers are waited for.
const PATIENCE: Duration = Duration::from_secs(1);
/// Resolvers that are asked.
const MOST: usize = 8;
/// Octets of an answer that are read.
const LONGEST: usize = 4096;

/// A resolver that was asked for the name servers of the root, once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ResolverAsked")]
pub struct Asked {
    /// Whom.
    pub server: IpAddr,
    /// After which time it answered, whatever it said; null where it did not within a second.
    #[serde(with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub rtt_ms: Option<Duration>,
    /// Why the question did not get there; null where it did, or nobody said.
    pub why: Option<String>,
}

/// Questions on their way.
#[derive(Debug, Default)]
pub(super) struct Questions(Vec<Question>);

#[derive(Debug)]
struct Question {
    asked: Asked,
    /// `None` once it is answered, or could not be sent.
    socket: Option<UdpSocket>,
    id: u16,
    sent: Instant,
}

impl Questions {
    /// Asks each of `servers`, at `port`, that is an address.
    pub(super) fn ask(servers: &[String], port: u16) -> Self {
        let addresses = servers.iter().filter_map(|server| server.split('%').next()?.parse::<IpAddr>().ok());
        let drawn = random::octets().unwrap_or_default();
        let ids = drawn.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]]));
        Self(addresses.zip(ids).take(MOST).map(|(server, id)| Question::ask(server, port, id)).collect())
    }

    /// What came of each, in their order: those that are silent are waited for.
    pub(super) fn answers(mut self, stop: &Stop) -> Vec<Asked> {
        loop {
            self.0.iter_mut().for_each(Question::read);
            let now = clock::now().mono;
            let open = || self.0.iter().filter(|question| question.socket.is_some());
            let left = open().map(|question| (question.sent + PATIENCE).saturating_duration_since(now)).max();
            let Some(left) = left.filter(|left| !left.is_zero() && !stop.is_set()) else { break };
            let sockets: Vec<_> =
                open().filter_map(|question| Some(question.socket.as_ref()?.as_fd())).collect();
            if wait(&sockets, Some(stop), Some(left)).is_err() {
                break;
            }
        }
        self.0.into_iter().map(|question| question.asked).collect()
    }
}

impl Question {
    fn ask(server: IpAddr, port: u16, id: u16) -> Self {
        let mut octets = Vec::new();
        let root = Name::parse(".").expect("the root is a name");
        query(id, &root, NS, &mut octets);
        let to = SocketAddr::new(server, port);
        let any = if server.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" };
        let sent = clock::now().mono;
        let socket = UdpSocket::bind(any).and_then(|socket| {
            socket.set_nonblocking(true)?;
            socket.connect(to)?;
            socket.send(&octets)?;
            Ok(socket)
        });
        let why = socket.as_ref().err().map(reason);
        Self { asked: Asked { server, rtt_ms: None, why }, socket: socket.ok(), id, sent }
    }

    /// Takes an answer that has come.
    fn read(&mut self) {
        let Some(socket) = &self.socket else { return };
        let mut octets = [0; LONGEST];
        loop {
            match socket.recv(&mut octets) {
                Ok(length) => {
                    let answer = Answer::parse(&octets[..length]);
                    // Its socket is connected: nobody else's words come here but those of who forges its address.
                    if answer.is_some_and(|answer| answer.id == self.id) {
                        self.asked.rtt_ms = Some(clock::now().mono.saturating_duration_since(self.sent));
                        break;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(error) => {
                    self.asked.why = Some(reason(&error));
                    break;
                }
            }
        }
        self.socket = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_answers_has_a_time_and_who_refuses_a_reason() {
        let server = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let port = server.local_addr().expect("an address").port();
        let servers = ["127.0.0.1".to_owned(), "::1".to_owned(), "no address".to_owned()];
        let questions = Questions::ask(&servers, port);
        let mut octets = [0; 512];
        let (length, from) = server.recv_from(&mut octets).expect("a question");
        // Another identifier, then the right one: refused (RCODE 5), which is an answer, too.
        octets[2] = 0x81;
        octets[3] = 0x85;
        octets[1] ^= 1;
        server.send_to(&octets[..length], from).expect("send");
        octets[1] ^= 1;
        server.send_to(&octets[..length], from).expect("send");
        let answers = questions.answers(&Stop::new().expect("a switch"));
        assert_eq!(answers.len(), 2, "what is no address is not asked");
        assert!(answers[0].rtt_ms.is_some() && answers[0].why.is_none(), "{answers:?}");
        assert!(answers[1].rtt_ms.is_none() && answers[1].why.is_some(), "nobody is there: {answers:?}");
    }
}
