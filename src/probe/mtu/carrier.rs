//! What carries a probe of a given size, and how its answer is known: ICMP echo, our reflector's session, UDP to a port
//! where nobody listens, TCP SYN. No socket, no clock.
//!
//! Sizes are those of the whole IP packet. Every probe has a number; whoever answers returns it, or quotes it.

use std::net::{IpAddr, SocketAddr};

use crate::net::engine::{Draft, Icmp};
use crate::probe::session::{Heard, Session};
use crate::units::Now;
use crate::wire::icmp::{self, Meaning, Version};
use crate::wire::wp1::{ECHO_LEAST, MAGIC};

use super::syn::Syn;

/// The first port of those where nobody listens: traceroute's.
const CLOSED: u16 = 33_434;
/// Numbers of probes that a run has at most, so that each has a port of its own.
pub(super) const MOST_PROBES: usize = 1000;
/// Octets of a cookie and a number.
const MARK: usize = 12;

/// What carries probes.
pub(super) enum Carrier {
    /// ICMP echo; every answer is as long as its request, so a size fails if it fails on either way.
    Echo(Echo),
    /// Our own reflector, which tells what arrived.
    Session(Box<Session>),
    /// UDP to ports where nobody listens: the host says so, in a short ICMP message.
    Closed(Closed),
    /// TCP SYN with data, which a host answers whether somebody listens or not.
    Syn(Syn),
}

/// See [`Carrier::Echo`].
pub(super) struct Echo {
    version: Version,
    cookie: u64,
    /// The kernel sets it on a datagram socket; a raw one needs it.
    id: u16,
    /// Where the sequence numbers begin, so that nobody guesses them.
    first: u16,
}

/// See [`Carrier::Closed`].
pub(super) struct Closed {
    target: SocketAddr,
    cookie: u64,
}

/// Which probe an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// The probe's number.
    pub(super) number: u32,
    /// Bit i: the probe numbered `number` − i has arrived there.
    pub(super) window: u64,
}

impl Echo {
    pub(super) fn new(v6: bool, id: u16, secret: u64, first: u16) -> Self {
        Self { version: Version::of(v6), cookie: secret, id, first }
    }
}

impl Closed {
    pub(super) fn new(target: SocketAddr, secret: u64) -> Self {
        Self { target, cookie: secret }
    }
}

impl Carrier {
    /// Octets of the headers of IP and what carries the probe.
    fn headers(&self, v6: bool) -> u16 {
        let ip = if v6 { 40 } else { 20 };
        match self {
            Self::Syn(_) => ip + super::syn::HEADER as u16,
            _ => ip + 8,
        }
    }

    /// The smallest packet that can be told from others.
    pub(super) fn least(&self, v6: bool) -> u16 {
        let own = match self {
            Self::Session(_) => ECHO_LEAST,
            Self::Syn(_) => 0,
            Self::Echo(_) | Self::Closed(_) => MARK,
        };
        (self.headers(v6) + own as u16).max(68)
    }

    /// The largest packet that it carries.
    pub(super) fn most(&self, v6: bool) -> u16 {
        match self {
            Self::Session(session) => {
                let granted = session.open.as_ref().map_or(u16::MAX, |open| open.granted.length);
                granted.saturating_add(self.headers(v6))
            }
            _ => u16::MAX,
        }
    }

    /// Writes probe `number`, so that its IP packet has `size` octets.
    pub(super) fn write(&self, number: u32, size: u16, now: Now, v6: bool, out: &mut Draft) {
        let payload = usize::from(size.saturating_sub(self.headers(v6)));
        match self {
            Self::Echo(echo) => {
                let mut filling = mark(echo.cookie, number);
                filling.resize(payload, 0);
                let seq = echo.first.wrapping_add(number as u16);
                icmp::Echo { is_reply: false, id: echo.id, seq, payload: &filling }
                    .write(echo.version, &mut out.bytes);
            }
            Self::Session(session) => session.write_echo(number, now, payload, &mut out.bytes),
            Self::Closed(closed) => {
                out.bytes.extend(mark(closed.cookie, number));
                out.bytes.resize(payload, 0);
                out.to =
                    Some(SocketAddr::new(closed.target.ip(), CLOSED + number as u16 % MOST_PROBES as u16));
                if let (Some(SocketAddr::V6(to)), SocketAddr::V6(target)) = (&mut out.to, closed.target) {
                    to.set_scope_id(target.scope_id());
                }
            }
            Self::Syn(syn) => syn.write(number, payload, &mut out.bytes),
        }
    }

    /// Reads an answer; `None` for anything else.
    pub(super) fn read(&mut self, bytes: &[u8], from: Option<SocketAddr>) -> Option<Answer> {
        let one = |number| Some(Answer { number, window: 1 });
        match self {
            Self::Echo(echo) => {
                let reply = icmp::Echo::parse(echo.version, bytes).filter(|reply| reply.is_reply)?;
                let number = unmark(echo.cookie, reply.payload)?;
                (reply.seq == echo.first.wrapping_add(number as u16)).then_some(number).and_then(one)
            }
            Self::Session(session) => match session.receive(bytes) {
                Heard::Echoed(number, echoed) => Some(Answer { number, window: echoed.window | 1 }),
                _ => None,
            },
            Self::Closed(closed) => {
                // Somebody listens after all, and answers.
                let from = from.filter(|from| from.ip() == closed.target.ip())?;
                from.port().checked_sub(CLOSED).map(u32::from).and_then(one)
            }
            Self::Syn(syn) => syn.read(bytes, from.map(|from| from.ip())).and_then(one),
        }
    }

    /// The number of the probe that an ICMP error quotes; `None` where it quotes none of ours.
    pub(super) fn quoted(&self, icmp: &Icmp<'_>) -> Option<u32> {
        match self {
            Self::Echo(echo) => {
                let asked = icmp::Echo::parse(echo.version, icmp.quoted).filter(|asked| !asked.is_reply)?;
                let number = asked.seq.wrapping_sub(echo.first);
                is_marked(echo.cookie, number.into(), asked.payload).then_some(number.into())
            }
            Self::Session(session) => {
                // Its header: magic, version, type, session, number.
                let (head, _) = icmp.quoted.split_first_chunk::<16>()?;
                let [m0, m1, _, _, id @ .., n0, n1, n2, n3] = *head;
                let is_ours = session.open.as_ref().is_some_and(|open| open.is(u64::from_be_bytes(id)));
                (u16::from_be_bytes([m0, m1]) == MAGIC && is_ours)
                    .then(|| u32::from_be_bytes([n0, n1, n2, n3]))
            }
            Self::Closed(closed) => {
                let to = icmp.to.filter(|to| to.ip() == closed.target.ip())?;
                let number = u32::from(to.port().checked_sub(CLOSED)?);
                is_marked(closed.cookie, number, icmp.quoted).then_some(number)
            }
            Self::Syn(syn) => syn.quoted(icmp.quoted),
        }
    }

    /// Whether this ICMP error is the answer: the target itself says that nobody listens.
    pub(super) fn is_answer(&self, meaning: Meaning, from: Option<IpAddr>) -> bool {
        match self {
            Self::Closed(closed) => meaning == Meaning::PortUnreachable && from == Some(closed.target.ip()),
            _ => false,
        }
    }
}

/// What a probe's payload begins with.
fn mark(cookie: u64, number: u32) -> Vec<u8> {
    [&cookie.to_be_bytes()[..], &number.to_be_bytes()].concat()
}

fn unmark(cookie: u64, payload: &[u8]) -> Option<u32> {
    let (head, rest) = payload.split_first_chunk::<8>()?;
    let (number, _) = rest.split_first_chunk::<4>()?;
    (u64::from_be_bytes(*head) == cookie).then(|| u32::from_be_bytes(*number))
}

/// Whether a quote, which a router may have cut short (RFC 792: to 8 octets), is that of a probe.
fn is_marked(cookie: u64, number: u32, quoted: &[u8]) -> bool {
    let mark = mark(cookie, number);
    let known = quoted.len().min(mark.len());
    quoted[..known] == mark[..known]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::clock;

    fn target() -> SocketAddr {
        SocketAddr::from(([10, 9, 9, 9], 0))
    }

    fn carriers() -> [Carrier; 2] {
        let echo = Echo::new(false, 7, 0x0102_0304_0506_0708, 65_530);
        [Carrier::Echo(echo), Carrier::Closed(Closed::new(target(), 5))]
    }

    fn error<'a>(quoted: &'a [u8], to: Option<SocketAddr>) -> Icmp<'a> {
        Icmp {
            kind: 3,
            code: 4,
            from: None,
            to,
            socket: 0,
            errno: 0,
            mtu: 1400,
            stamp: None,
            ttl: None,
            quoted,
            extensions: &[],
        }
    }

    #[test]
    fn a_packet_has_the_size_asked_for_and_is_known_by_its_quote() {
        for carrier in carriers() {
            for (number, size) in [(0, carrier.least(false)), (9, 576), (200, 1500), (999, 9216)] {
                let mut draft = Draft::default();
                carrier.write(number, size, clock::now(), false, &mut draft);
                let headers = if matches!(carrier, Carrier::Echo(_)) { 20 } else { 28 };
                assert_eq!(draft.bytes.len() + headers, usize::from(size));
                let to = draft.to.or(Some(target()));
                // Routers quote as much as they like, but 8 octets of an echo.
                for quoted in [8, 16, 20, draft.bytes.len()] {
                    let quoted = &draft.bytes[..quoted];
                    assert_eq!(carrier.quoted(&error(quoted, to)), Some(number), "{size}");
                }
                let mut forged = draft.bytes.clone();
                forged[10] ^= 1;
                assert_eq!(carrier.quoted(&error(&forged, to)), None, "its cookie is another");
            }
        }
    }

    #[test]
    fn an_echo_is_known_by_its_cookie_and_its_number() {
        let [mut carrier, _] = carriers();
        let mut draft = Draft::default();
        carrier.write(9, 100, clock::now(), false, &mut draft);
        assert_eq!(carrier.read(&draft.bytes, None), None, "a request is no answer");
        draft.bytes[0] = 0;
        assert_eq!(carrier.read(&draft.bytes, None), Some(Answer { number: 9, window: 1 }));
        // Type, identifier and the rest as they were: sequence number, cookie, number of another.
        for at in [7, 12, 19] {
            let mut other = draft.bytes.clone();
            other[at] ^= 1;
            assert_eq!(carrier.read(&other, None), None, "octet {at}");
        }
    }
}
