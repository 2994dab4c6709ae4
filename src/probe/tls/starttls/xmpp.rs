//! XMPP's way to TLS (RFC 6120 §5.4.2): a stream is opened, its features are read, TLS is asked for. As much XML as that takes:
//! tags, one after the other.

use super::Reply;

/// The namespace of TLS in streams (RFC 6120 §5.2).
const NAMESPACE: &[u8] = b"urn:ietf:params:xml:ns:xmpp-tls";

/// The start of a stream to `host`, of a client or of a server.
pub(super) fn opening(host: &str, is_server: bool) -> Vec<u8> {
    let content = if is_server { "jabber:server" } else { "jabber:client" };
    let host: String = host.chars().filter(|c| !matches!(c, '<' | '>' | '&' | '\'' | '"')).collect();
    format!(
        "<?xml version='1.0'?><stream:stream to='{host}' xmlns='{content}' \
         xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
    )
    .into_bytes()
}

/// Asks for TLS.
pub(super) const STARTTLS: &[u8] = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

/// The server's stream and its features, among which TLS should be.
pub(super) fn features(heard: &[u8]) -> Reply {
    let (mut at, mut offers, mut inside) = (0, false, false);
    while let Some(tag) = Tag::next(heard, at) {
        at = tag.end;
        match tag.name {
            b"features" if tag.closes || tag.is_empty => {
                // Space between elements says nothing (RFC 6120 §11.7).
                let space = heard[tag.end..].iter().take_while(|octet| octet.is_ascii_whitespace()).count();
                return if offers { Reply::Yes(tag.end + space) } else { Reply::No };
            }
            b"features" => inside = true,
            b"starttls" if inside => offers |= tag.says(NAMESPACE),
            // A stream may end before it has begun.
            b"error" => return Reply::No,
            b"stream" if tag.closes => return Reply::No,
            _ => {}
        }
    }
    if could_be_xml(heard) { Reply::Part } else { Reply::No }
}

/// What the server says to a wish for TLS.
pub(super) fn proceeds(heard: &[u8]) -> Reply {
    let mut at = 0;
    let mut said = false;
    while let Some(tag) = Tag::next(heard, at) {
        at = tag.end;
        match tag.name {
            b"proceed" if said && tag.closes => return Reply::Yes(tag.end),
            b"proceed" if tag.says(NAMESPACE) && tag.is_empty => return Reply::Yes(tag.end),
            b"proceed" if tag.says(NAMESPACE) => said = true,
            _ => return Reply::No,
        }
    }
    if could_be_xml(heard) { Reply::Part } else { Reply::No }
}

/// Whoever speaks something else shows that with his first octet.
fn could_be_xml(heard: &[u8]) -> bool {
    matches!(heard.trim_ascii_start(), [] | [b'<', ..])
}

/// A tag that has come whole.
struct Tag<'a> {
    /// Its name without the prefix.
    name: &'a [u8],
    /// What stands in it behind the name.
    rest: &'a [u8],
    /// It ends an element.
    closes: bool,
    /// It is an element of its own.
    is_empty: bool,
    /// What is behind it begins here.
    end: usize,
}

impl<'a> Tag<'a> {
    /// The first tag at `from` or behind, declarations passed over.
    fn next(octets: &'a [u8], from: usize) -> Option<Self> {
        let start = from + octets.get(from..)?.iter().position(|octet| *octet == b'<')? + 1;
        let mut quote = None;
        let length = octets[start..].iter().position(|octet| {
            match (quote, octet) {
                (None, b'\'' | b'"') => quote = Some(*octet),
                (Some(open), octet) if open == *octet => quote = None,
                _ => {}
            }
            quote.is_none() && *octet == b'>'
        })?;
        let end = start + length + 1;
        let body = &octets[start..start + length];
        if matches!(body.first(), Some(b'?' | b'!')) {
            return Self::next(octets, end);
        }
        let closes = body.first() == Some(&b'/');
        let is_empty = !closes && body.last() == Some(&b'/');
        let body = body.trim_ascii_start().strip_prefix(b"/").unwrap_or(body);
        let name =
            body.split(|octet| octet.is_ascii_whitespace() || *octet == b'/').next().unwrap_or_default();
        let rest = &body[name.len()..];
        let name = name.rsplit(|octet| *octet == b':').next().unwrap_or(name);
        Some(Self { name, rest, closes, is_empty, end })
    }

    /// Whether an attribute has this value.
    fn says(&self, value: &[u8]) -> bool {
        let quoted = |quote: u8| [&[quote], value, &[quote]].concat();
        [b'\'', b'"'].map(quoted).iter().any(|value| self.rest.windows(value.len()).any(|part| part == value))
    }
}
