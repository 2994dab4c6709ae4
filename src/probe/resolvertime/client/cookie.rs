//! Cookies to one server (RFC 7873): ours, what the server has baked onto it, and what a reply's says.

use std::sync::{Mutex, PoisonError};

use crate::failure::Failure;
use crate::probe::own_thread::random;
use crate::wire::dns::{Cookie, Message};

/// The cookie for one server, shared by all who ask it.
#[derive(Debug, Default)]
pub(super) struct Jar(Mutex<Option<Cookie>>);

/// What a reply to a query with a cookie bears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::probe::resolvertime) enum Baked {
    /// None.
    Missing,
    /// Ours as it was sent: whoever does not know what it is.
    Echoed,
    /// Ours, and the server's own behind it.
    Right,
    /// Another one, or something that is no cookie: the reply is not to be believed (RFC 7873 §5.3).
    Wrong,
}

impl Jar {
    /// The cookie that is sent next; the first draws ours.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub(super) fn cookie(&self) -> Result<Cookie, Failure> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *held {
            Some(cookie) => Ok(cookie),
            None => Ok(*held.insert(Cookie::new(random()?.to_ne_bytes()))),
        }
    }

    /// Keeps what a reply that is believed has brought.
    pub(super) fn keep(&self, reply: &Message) {
        let brought = reply.edns.as_ref().and_then(|edns| Cookie::parse(edns.cookie.as_deref()?));
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cookie) = brought.filter(|cookie| !cookie.theirs().is_empty())
            && held.is_some_and(|held| held.ours() == cookie.ours())
        {
            *held = Some(cookie);
        }
    }
}

impl Baked {
    /// What `reply` bears, where `sent` was sent.
    pub(super) fn of(sent: &Cookie, reply: &Message) -> Self {
        let Some(said) = reply.edns.as_ref().and_then(|edns| edns.cookie.as_deref()) else {
            return Self::Missing;
        };
        if said == sent.octets() && sent.theirs().is_empty() {
            return Self::Echoed;
        }
        match Cookie::parse(said) {
            Some(cookie) if cookie.ours() == sent.ours() && !cookie.theirs().is_empty() => Self::Right,
            _ => Self::Wrong,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::dns::{Edns, Kind, Name, Question};

    fn reply(cookie: Option<&[u8]>) -> Message {
        let question = Question { name: Name::root(), kind: Kind::A };
        let edns = Edns { cookie: cookie.map(<[u8]>::to_vec), ..Edns::default() };
        Message { edns: Some(edns), ..Message::empty(question) }
    }

    #[test]
    fn only_ours_with_the_servers_behind_it_is_right() {
        let (bare, whole) = (Cookie::new(*b"12345678"), Cookie::parse(b"12345678abcdefgh").expect("whole"));
        for (sent, said, expected) in [
            (bare, None, Baked::Missing),
            (bare, Some(&b"12345678"[..]), Baked::Echoed),
            (bare, Some(b"12345678abcdefgh"), Baked::Right),
            (whole, Some(b"12345678abcdefgh"), Baked::Right),
            (whole, Some(b"12345678ABCDEFGHIJKL"), Baked::Right),
            (whole, Some(b"12345678"), Baked::Wrong),
            (bare, Some(b"12345679abcdefgh"), Baked::Wrong),
            (bare, Some(b"12345678abc"), Baked::Wrong),
            (bare, Some(b""), Baked::Wrong),
            (bare, Some(&[b'1'; 41]), Baked::Wrong),
        ] {
            assert_eq!(Baked::of(&sent, &reply(said)), expected, "{said:?}");
        }
        assert_eq!(Baked::of(&bare, &Message { edns: None, ..reply(None) }), Baked::Missing);
    }

    #[test]
    fn a_jar_keeps_ours_and_takes_the_servers_newest() {
        let jar = Jar::default();
        let first = jar.cookie().expect("a cookie");
        assert_eq!((jar.cookie().expect("the same"), first.theirs()), (first, &b""[..]));
        let with = |theirs: &[u8]| [first.ours(), theirs].concat();
        for (said, theirs) in [
            (with(b"abcdefgh"), &b"abcdefgh"[..]),
            (with(b"newernewer"), b"newernewer"),
            (with(b""), b"newernewer"),
            (b"xxxxxxxxabcdefgh".to_vec(), b"newernewer"),
        ] {
            jar.keep(&reply(Some(&said)));
            assert_eq!(jar.cookie().expect("a cookie").theirs(), theirs, "{said:?}");
        }
    }
}
