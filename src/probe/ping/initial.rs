//! One real Initial (RFC 9000 §17.2.2, RFC 9001) for each server that left version negotiation unanswered: that may be
//! rationed, or dropped on the way, where QUIC itself is spoken. No socket, no clock.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::quic::{ClientConnection, Keys, Suite, Version};
use rustls::{CipherSuite, ClientConfig, Side, SupportedCipherSuite};

use super::plan::Host;
use crate::failure::{Class, Failure};
use crate::net::engine::{Arrival, Draft, Engine, Next};
use crate::net::tls::Witness;
use crate::probe::timing::round_trip;
use crate::stats::Rng;
use crate::units::Now;
use crate::wire::quic::{Answer, AnswerKind, Initial, Negotiation};

/// Octets of each packet (RFC 9000 §14.1).
const LENGTH: usize = 1200;
/// Between two packets.
const PACE: Duration = Duration::from_millis(1);
/// The transport parameter that names our own identifier (RFC 9000 §18.2), which servers insist on.
const SOURCE_PARAMETER: u8 = 0x0f;

/// Asks each of some servers once.
pub(super) struct Initials {
    questions: Vec<Question>,
    /// Those that were not asked yet.
    rest: VecDeque<usize>,
    sockets: [usize; 2],
    timeout: Duration,
    slot: Option<Instant>,
    stopped: bool,
}

/// One server that is asked.
struct Question {
    to: SocketAddr,
    ids: Initial,
    keys: Keys,
    packet: Vec<u8>,
    sent: Option<Now>,
    rtt: Option<Duration>,
}

impl Initials {
    /// Questions to `hosts`, each by its own name or `name`, over a socket of each family. Draws from `draw`.
    ///
    /// # Errors
    /// Where TLS cannot be prepared.
    pub(super) fn new(
        hosts: &[Host],
        name: Option<&str>,
        sockets: [usize; 2],
        timeout: Duration,
        draw: &mut Rng,
    ) -> Result<Self, Failure> {
        let provider = aws_lc_rs::default_provider();
        let suite = provider.cipher_suites.iter().find_map(|suite| match suite {
            SupportedCipherSuite::Tls13(suite)
                if suite.common.suite == CipherSuite::TLS13_AES_128_GCM_SHA256 =>
            {
                suite.quic_suite()
            }
            _ => None,
        });
        let suite = suite.ok_or_else(|| Class::Internal.because("prepare quic: no cipher suite"))?;
        let config = Witness::new().client(&[b"h3"])?;
        let config = Arc::new(config);
        let questions: Vec<Question> =
            hosts.iter().filter_map(|host| Question::new(host, name, &config, suite, draw)).collect();
        let rest = (0..questions.len()).collect();
        Ok(Self { questions, rest, sockets, timeout, slot: None, stopped: false })
    }

    /// Who answered, after which time.
    pub(super) fn finish(self) -> impl Iterator<Item = (IpAddr, Duration)> {
        self.questions.into_iter().filter_map(|question| Some((question.to.ip(), question.rtt?)))
    }

    fn heard(&mut self, bytes: &[u8], from: Option<SocketAddr>, now: Now, stamp: Option<u64>) {
        let asked = self.questions.iter_mut().find(|question| Some(question.to) == from);
        let Some((question, sent)) = asked.and_then(|question| question.sent.map(|sent| (question, sent)))
        else {
            return;
        };
        if question.rtt.is_none() && question.is_answer(bytes) {
            let (rtt, _) = round_trip((sent, None), (now, stamp));
            question.rtt = Some(Duration::from_nanos(rtt));
        }
    }
}

impl Question {
    /// The question to one host; `None` where it cannot be asked by that name.
    fn new(
        host: &Host,
        name: Option<&str>,
        config: &Arc<ClientConfig>,
        suite: Suite,
        draw: &mut Rng,
    ) -> Option<Self> {
        let ids = Initial { destination: draw.bits().to_be_bytes(), source: draw.bits().to_be_bytes() };
        let name = name.unwrap_or(host.asked()).split('%').next().unwrap_or_default();
        let name =
            ServerName::try_from(name.to_owned()).unwrap_or(ServerName::IpAddress(host.address.ip().into()));
        let parameters = [&[SOURCE_PARAMETER, ids.source.len() as u8][..], &ids.source].concat();
        let mut tls = ClientConnection::new(Arc::clone(config), Version::V1, name, parameters).ok()?;
        let mut hello = Vec::new();
        tls.write_hs(&mut hello);
        let keys = suite.keys(&ids.destination, Side::Client, Version::V1);
        let packet = sealed(&ids, &hello, &keys)?;
        Some(Self { to: host.address, ids, keys, packet, sent: None, rtt: None })
    }

    /// Whether a datagram is the server's answer: an Initial that only who has seen ours could protect (RFC 9001 §5.2), or
    /// what names both identifiers.
    fn is_answer(&self, bytes: &[u8]) -> bool {
        if let Some(negotiation) = Negotiation::parse(bytes) {
            return (negotiation.destination, negotiation.source)
                == (&self.ids.source[..], &self.ids.destination[..]);
        }
        let Some(answer) = Answer::parse(bytes).filter(|answer| answer.destination == self.ids.source) else {
            return false;
        };
        match answer.kind {
            AnswerKind::Retry => true,
            AnswerKind::Initial { number, end } => opens(&self.keys, &bytes[..end], number).is_some(),
        }
    }
}

/// The whole packet with a ClientHello, protected (RFC 9001 §5).
fn sealed(ids: &Initial, hello: &[u8], keys: &Keys) -> Option<Vec<u8>> {
    let mut packet = Vec::with_capacity(LENGTH);
    ids.write(LENGTH, &mut packet);
    let mut payload = Initial::frames(hello, LENGTH - Initial::HEADER - Initial::TAG);
    let tag = keys.local.packet.encrypt_in_place(0, &packet, &mut payload).ok()?;
    // With a packet number of 4 octets the sample begins where the payload does (§5.4.2).
    let sample = payload.get(..keys.local.header.sample_len())?;
    let (first, rest) = packet.split_first_mut()?;
    let number = rest.len() - Initial::NUMBER;
    keys.local.header.encrypt_in_place(sample, first, &mut rest[number..]).ok()?;
    packet.extend(&payload);
    packet.extend(tag.as_ref());
    Some(packet)
}

/// Takes the protection off a server's packet, whose packet number begins at `number`.
fn opens(keys: &Keys, packet: &[u8], number: usize) -> Option<()> {
    let mut packet = packet.to_vec();
    let from = number + Initial::NUMBER;
    let sample = packet.get(from..from + keys.remote.header.sample_len())?.to_vec();
    let (first, rest) = packet.split_first_mut()?;
    let field = rest.get_mut(number - 1..from - 1)?;
    keys.remote.header.decrypt_in_place(&sample, first, field).ok()?;
    let length = usize::from(*first & 3) + 1;
    let value = field[..length].iter().fold(0, |value, octet| value << 8 | u64::from(*octet));
    let (header, payload) = packet.split_at_mut(number + length);
    keys.remote.packet.decrypt_in_place(value, header, payload).ok().map(|_| ())
}

impl Engine for Initials {
    fn poll(&mut self, now: Now, out: &mut Draft) -> Next {
        let is_over = self.rest.is_empty() && self.questions.iter().all(|question| question.rtt.is_some());
        if self.stopped || is_over {
            return Next::Done;
        }
        if let Some(slot) = self.slot.filter(|slot| *slot > now.mono) {
            return Next::Wait(slot);
        }
        let Some(next) = self.rest.pop_front() else {
            return Next::Done;
        };
        let question = &mut self.questions[next];
        out.to = Some(question.to);
        out.socket = self.sockets[usize::from(question.to.is_ipv6())];
        out.bytes.extend(&question.packet);
        question.sent = Some(now);
        // Once all have been asked, the last of them is waited for.
        self.slot = Some(now.mono + if self.rest.is_empty() { self.timeout } else { PACE });
        Next::Send
    }

    fn receive(&mut self, now: Now, arrival: Arrival<'_>) {
        match arrival {
            Arrival::Datagram { bytes, from, stamp, .. } => self.heard(bytes, from, now, stamp),
            Arrival::Stop => self.stopped = true,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Initials {
        let host = Host { name: "h.example".into(), address: SocketAddr::from(([192, 0, 2, 1], 443)) };
        Initials::new(&[host], None, [0, 0], Duration::from_secs(1), &mut Rng::new(7)).expect("questions")
    }

    fn suite() -> Suite {
        let suites = aws_lc_rs::default_provider().cipher_suites;
        let quic = |suite: SupportedCipherSuite| suite.tls13()?.quic_suite();
        let aes = suites.into_iter().find(|suite| suite.suite() == CipherSuite::TLS13_AES_128_GCM_SHA256);
        aes.and_then(quic).expect("a suite")
    }

    #[test]
    fn a_server_can_read_the_question_and_its_answer_is_known_by_its_protection() {
        let mut initials = asked();
        let question = &initials.questions[0];
        assert_eq!(question.packet.len(), LENGTH);
        let server = suite().keys(&question.ids.destination, Side::Server, Version::V1);
        let number = Initial::HEADER - Initial::NUMBER;
        assert_eq!(opens(&server, &question.packet, number), Some(()));
        // The server's Initial goes to our identifier, and is protected as the server's.
        let back = Initial { destination: question.ids.source, source: *b"theirown" };
        let answer = sealed(&back, b"hello", &server).expect("an answer");
        assert!(question.is_answer(&answer));
        for (at, why) in [(6, "another's identifier"), (LENGTH - 1, "it was changed"), (4, "another version")]
        {
            let mut other = answer.clone();
            other[at] ^= 1;
            assert!(!question.is_answer(&other), "{why}");
        }
        assert!(!question.is_answer(&question.packet), "our own words");
        let forged = suite().keys(b"guessed!", Side::Server, Version::V1);
        assert!(!question.is_answer(&sealed(&back, b"hello", &forged).expect("a packet")));
        // Only from whom was asked, and only once that has been.
        let (now, from) = (crate::sys::clock::now(), Some(SocketAddr::from(([192, 0, 2, 1], 443))));
        initials.heard(&answer, from, now, None);
        assert_eq!(initials.questions[0].rtt, None);
        initials.questions[0].sent = Some(now);
        initials.heard(&answer, Some(SocketAddr::from(([192, 0, 2, 2], 443))), now, None);
        assert_eq!(initials.questions[0].rtt, None);
        initials.heard(&answer, from, now, None);
        assert!(initials.questions[0].rtt.is_some());
    }
}
