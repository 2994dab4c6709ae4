//! What the kernel tells of links, addresses, routes, rules and neighbours (rtnetlink(7)): asked, never changed.

use std::io;

use netlink_packet_core::{NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};

/// Octets that one answer may have; the kernel sends 32 KiB at most.
const MOST: usize = 64 << 10;

/// All that the kernel answers to `question`, in its order. What this build cannot read is left out.
///
/// # Errors
/// What the kernel says of the question, or of the socket.
pub fn dump(question: RouteNetlinkMessage) -> io::Result<Vec<RouteNetlinkMessage>> {
    let mut socket = Socket::new(NETLINK_ROUTE)?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_DUMP | NLM_F_REQUEST;
    let mut request = NetlinkMessage::new(header, NetlinkPayload::from(question));
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
            match NetlinkMessage::<RouteNetlinkMessage>::deserialize(message).map(|message| message.payload) {
                Ok(NetlinkPayload::Done(_)) => return Ok(found),
                Ok(NetlinkPayload::Error(error)) if error.code.is_some() => return Err(error.to_io()),
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
}
