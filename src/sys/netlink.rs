//! What the kernel tells by netlink(7) of links, routes and neighbours (rtnetlink), of sockets (sock_diag), of radios (nl80211)
//! and of IPsec (xfrm): asked, never changed.

use std::io;

use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST, NetlinkDeserializable, NetlinkHeader, NetlinkMessage,
    NetlinkPayload, NetlinkSerializable,
};
use netlink_packet_generic::GenlMessage;
use netlink_packet_generic::ctrl::nlas::GenlCtrlAttrs;
use netlink_packet_generic::ctrl::{GenlCtrl, GenlCtrlCmd};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_sys::protocols::{NETLINK_GENERIC, NETLINK_ROUTE, NETLINK_SOCK_DIAG, NETLINK_XFRM};
use netlink_sys::{Socket, SocketAddr};
use wl_nl80211::Nl80211Message;

/// Octets that one answer may have; the kernel sends 32 KiB at most.
const MOST: usize = 64 << 10;

/// All that the kernel answers to `question`, in its order. What this build cannot read is left out.
///
/// # Errors
/// What the kernel says of the question, or of the socket.
pub fn dump(question: RouteNetlinkMessage) -> io::Result<Vec<RouteNetlinkMessage>> {
    ask(NETLINK_ROUTE, NLM_F_DUMP, question)
}

/// The sockets that `question` is about; see sock_diag(7).
///
/// # Errors
/// As [`dump`].
pub fn sockets(question: SockDiagMessage) -> io::Result<Vec<SockDiagMessage>> {
    ask(NETLINK_SOCK_DIAG, NLM_F_DUMP, question)
}

/// How many policies say what IPsec does with packets that this host sends (ip-xfrm(8)); those of single sockets do not count.
///
/// # Errors
/// As [`dump`]; of who may not ask, kind `PermissionDenied`.
pub fn ipsec_policies() -> io::Result<usize> {
    let policies = ask(NETLINK_XFRM, NLM_F_DUMP, Policy { direction: 0 })?;
    Ok(policies.iter().filter(|policy| policy.direction == Policy::OUT).count())
}

/// A policy of IPsec (`struct xfrm_userpolicy_info`), of which only this is read.
#[derive(Debug)]
struct Policy {
    direction: u8,
}

impl Policy {
    const OUT: u8 = 1;
    /// `XFRM_MSG_GETPOLICY`, and the octets of what it asks for: all of them are 0 where all policies are meant.
    const GET: u16 = 0x15;
    const QUESTION: usize = 64;
    /// Where the direction stands: behind the selector, two lifetimes, priority and index.
    const DIRECTION: usize = 56 + 64 + 32 + 4 + 4;
}

impl NetlinkSerializable for Policy {
    fn message_type(&self) -> u16 {
        Self::GET
    }

    fn buffer_len(&self) -> usize {
        Self::QUESTION
    }

    fn serialize(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

impl NetlinkDeserializable for Policy {
    type Error = io::Error;

    fn deserialize(_: &NetlinkHeader, payload: &[u8]) -> io::Result<Self> {
        let direction = payload.get(Self::DIRECTION).copied();
        direction.map(|direction| Self { direction }).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }
}

/// Whom the kernel's radios answer: nobody where no driver of one is loaded.
#[derive(Clone, Copy, Debug)]
pub struct Radios(u16);

impl Radios {
    /// Those of this host.
    ///
    /// # Errors
    /// Kind `NotFound` where this kernel has none.
    pub fn new() -> io::Result<Self> {
        let name = GenlCtrlAttrs::FamilyName("nl80211".to_owned());
        let question = GenlMessage::from_payload(GenlCtrl { cmd: GenlCtrlCmd::GetFamily, nlas: vec![name] });
        let answers = ask(NETLINK_GENERIC, NLM_F_ACK, question)?;
        let number = answers.iter().flat_map(|answer| &answer.payload.nlas).find_map(|said| match said {
            GenlCtrlAttrs::FamilyId(number) => Some(*number),
            _ => None,
        });
        number.map(Self).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// All that they answer to `question`.
    ///
    /// # Errors
    /// As [`dump`].
    pub fn dump(self, question: Nl80211Message) -> io::Result<Vec<Nl80211Message>> {
        let mut question = GenlMessage::from_payload(question);
        question.set_resolved_family_id(self.0);
        let answers = ask(NETLINK_GENERIC, NLM_F_DUMP, question)?;
        Ok(answers.into_iter().map(|answer| answer.payload).collect())
    }
}

fn ask<T: NetlinkSerializable + NetlinkDeserializable>(
    protocol: isize,
    flags: u16,
    question: T,
) -> io::Result<Vec<T>> {
    let mut socket = Socket::new(protocol)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | flags;
    let mut request = NetlinkMessage::new(header, NetlinkPayload::InnerMessage(question));
    request.finalize();
    let mut octets = vec![0; request.buffer_len()];
    request.serialize(&mut octets);
    socket.send(&octets, 0)?;
    let mut found = Vec::new();
    let mut answer = vec![0; MOST];
    loop {
        let length = socket.recv(&mut &mut answer[..], 0)?;
        let mut rest = &answer[..length];
        while !rest.is_empty() {
            let Some(length) = length_of(rest) else { return Err(io::ErrorKind::InvalidData.into()) };
            let (message, next) = rest.split_at(length);
            // Messages begin at multiples of four octets.
            rest = next.get(length.next_multiple_of(4) - length..).unwrap_or_default();
            match NetlinkMessage::<T>::deserialize(message).map(|message| message.payload) {
                Ok(NetlinkPayload::Done(_)) => return Ok(found),
                Ok(NetlinkPayload::Error(error)) if error.code.is_some() => return Err(error.to_io()),
                // No error at all: that all of the answer has come.
                Ok(NetlinkPayload::Error(_)) => return Ok(found),
                Ok(NetlinkPayload::InnerMessage(message)) => found.push(message),
                _ => {}
            }
        }
    }
}

/// How long the message at the start of `octets` is (`struct nlmsghdr`), header and all; `None` where it is cut.
fn length_of(octets: &[u8]) -> Option<usize> {
    let length = usize::try_from(u32::from_ne_bytes(*octets.first_chunk()?)).ok()?;
    (16..=octets.len()).contains(&length).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use netlink_packet_route::link::{LinkAttribute, LinkMessage};

    #[test]
    fn this_host_has_a_loopback() {
        let links = dump(RouteNetlinkMessage::GetLink(LinkMessage::default())).expect("links");
        let is_loopback = |message: &RouteNetlinkMessage| {
            let RouteNetlinkMessage::NewLink(link) = message else { return false };
            link.attributes.contains(&LinkAttribute::IfName("lo".to_owned()))
        };
        assert_eq!(links.iter().filter(|link| is_loopback(link)).count(), 1);
    }

    #[test]
    fn a_policys_direction_is_read_where_it_stands() {
        // `struct xfrm_userpolicy_info` is 168 octets long.
        let mut message = [0; 168];
        message[160] = Policy::OUT;
        let read = |octets: &[u8]| Policy::deserialize(&NetlinkHeader::default(), octets);
        assert_eq!(read(&message).expect("a policy").direction, Policy::OUT);
        assert!(read(&message[..160]).is_err());
    }

    /// Whether or not there are radios, the kernel answers, and says which.
    #[test]
    fn radios_are_there_or_are_not() {
        match Radios::new() {
            Ok(radios) => assert!(radios.0 >= 16, "numbers below are the kernel's own"),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::NotFound),
        }
    }
}
