//! Which ports are asked: nmap's `-p` in our words.

use super::report::Proto;
use super::services;

/// Ports by protocol, each once, in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ports {
    /// TCP.
    pub tcp: Vec<u16>,
    /// UDP.
    pub udp: Vec<u16>,
    /// The protocols that were named by a `T:` or a `U:`.
    pub named: [bool; 2],
}

/// A list takes no more octets: all ports one by one have fewer.
const MOST_TEXT: usize = 1 << 19;

impl Ports {
    /// The ports that `text` names: numbers, ranges (either end may be left out), names of services with `*` and `?`;
    /// what follows `T:` or `U:` is of that protocol only.
    ///
    /// # Errors
    /// What cannot be read, and what it may be.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MOST_TEXT {
            return Err("is too long".to_owned());
        }
        let [mut tcp, mut udp] = [(); 2].map(|()| vec![false; 1 << 16]);
        let (mut to_tcp, mut to_udp) = (true, true);
        let mut named = [false; 2];
        for part in text.split(',') {
            let mut part = part.trim();
            if let Some((prefix, rest)) = part.split_once(':') {
                (to_tcp, to_udp) = match prefix.trim() {
                    "T" | "t" => (true, false),
                    "U" | "u" => (false, true),
                    other => return Err(format!("`{other}:` is no protocol: write T: or U:")),
                };
                named = [named[0] || to_tcp, named[1] || to_udp];
                part = rest.trim();
            }
            for (wanted, proto, set) in [(to_tcp, Proto::Tcp, &mut tcp), (to_udp, Proto::Udp, &mut udp)] {
                if wanted {
                    put(part, proto, set)?;
                }
            }
        }
        let list = |set: Vec<bool>| (1..=u16::MAX).filter(|&port| set[usize::from(port)]).collect();
        Ok(Self { tcp: list(tcp), udp: list(udp), named })
    }

    /// The `count` ports of each protocol that are worth asking most.
    pub(super) fn top(count: usize) -> Self {
        let [tcp, udp] = [Proto::Tcp, Proto::Udp].map(|proto| {
            let mut ports = services::top(proto, count);
            ports.sort_unstable();
            ports
        });
        Self { tcp, udp, named: [false; 2] }
    }
}

/// `ports`, which are in order, as `-p` takes them: `22,80,1000-1024`; `None` of none.
pub(super) fn compact(ports: &[u16]) -> Option<String> {
    let runs = ports.chunk_by(|a, b| a.checked_add(1) == Some(*b)).filter_map(|run| match run {
        [one] => Some(one.to_string()),
        [first, .., last] => Some(format!("{first}-{last}")),
        [] => None,
    });
    let text = runs.collect::<Vec<_>>().join(",");
    (!text.is_empty()).then_some(text)
}

fn put(part: &str, proto: Proto, set: &mut [bool]) -> Result<(), String> {
    let unreadable =
        || format!("`{part}` is neither a port 1-65535, nor a range 1-1024, nor the name of a service");
    if let Some((first, last)) = range(part).ok_or_else(unreadable)? {
        if first > last {
            return Err(format!("`{part}` is a range from its end to its beginning: write {last}-{first}"));
        }
        set[usize::from(first)..=usize::from(last)].fill(true);
        return Ok(());
    }
    let named = services::ports_named(proto, part);
    // A name may be known of one protocol only; that of neither is a mistake.
    let other = if proto == Proto::Tcp { Proto::Udp } else { Proto::Tcp };
    if named.is_empty() && services::ports_named(other, part).is_empty() {
        return Err(unreadable());
    }
    named.into_iter().for_each(|port| set[usize::from(port)] = true);
    Ok(())
}

/// The ends of a range; `Some(None)` of what may be a name, `None` of neither.
fn range(part: &str) -> Option<Option<(u16, u16)>> {
    let number = |text: &str, open: u16| match text.trim() {
        "" => Some(open),
        text if text.bytes().all(|c| c.is_ascii_digit()) => text.parse().ok().filter(|&port| port > 0),
        _ => None,
    };
    if part.is_empty() {
        return None;
    }
    if part.bytes().any(|c| c.is_ascii_alphabetic() || c == b'*' || c == b'?') {
        return Some(None);
    }
    Some(Some(match part.split_once('-') {
        Some((first, last)) => (number(first, 1)?, number(last, u16::MAX)?),
        None => (number(part, 0)?, number(part, 0)?),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lists_read_as_nmaps() {
        for (text, tcp, udp) in [
            ("22", vec![22], vec![22]),
            ("80,22,22", vec![22, 80], vec![22, 80]),
            ("T:22,80,U:53,161", vec![22, 80], vec![53, 161]),
            ("7,U:53", vec![7], vec![7, 53]),
            ("1-3", vec![1, 2, 3], vec![1, 2, 3]),
            ("-2,65534-", vec![1, 2, 65_534, 65_535], vec![1, 2, 65_534, 65_535]),
            ("T:ssh,smtp", vec![22, 25], vec![]),
            ("ntp", vec![], vec![123]),
            ("T:imap?", vec![220, 993], vec![]),
        ] {
            let read = Ports::parse(text).expect(text);
            assert_eq!((read.tcp, read.udp), (tcp, udp), "{text}");
        }
        for (text, named) in [("22", [false, false]), ("T:22", [true, false]), ("7,U:53,T:9", [true, true])] {
            assert_eq!(Ports::parse(text).map(|ports| ports.named), Ok(named), "{text}");
        }
        let all = Ports::parse("-").expect("all ports").tcp;
        assert_eq!((all.len(), compact(&all).as_deref()), (65_535, Some("1-65535")));
        assert_eq!((compact(&[]), compact(&[7, 9, 10])), (None, Some("7,9-10".to_owned())));
        let http = Ports::parse("http*").expect("a name").tcp;
        assert!(http.contains(&80) && http.contains(&443) && http.contains(&8080), "{http:?}");
    }

    #[test]
    fn nonsense_is_refused_by_name() {
        for (text, complaint) in [
            ("", "``"),
            ("0", "`0`"),
            ("65536", "`65536`"),
            ("9-1", "write 1-9"),
            ("22,,80", "``"),
            ("nosuchservice", "`nosuchservice`"),
            ("X:5", "`X:`"),
            ("1-2-3", "`1-2-3`"),
            ("+5", "`+5`"),
        ] {
            let error = Ports::parse(text).expect_err(text);
            assert!(error.contains(complaint), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "[-0-9a-zTU:,*?./ ]{0,40}") {
            super::super::fuzz_specs(&text);
        }

        #[test]
        fn what_is_written_short_reads_the_same(ports in prop::collection::btree_set(1u16..200, 1..90)) {
            let ports: Vec<u16> = ports.into_iter().collect();
            let text = compact(&ports).expect("some ports");
            prop_assert_eq!(Ports::parse(&text).map(|read| read.tcp), Ok(ports));
        }

        #[test]
        fn a_list_of_numbers_is_those_numbers(ports in prop::collection::btree_set(1u16.., 1..50)) {
            let text = ports.iter().map(u16::to_string).collect::<Vec<_>>().join(",");
            let read = Ports::parse(&text).expect("numbers");
            prop_assert!(read.tcp.iter().eq(ports.iter()) && read.udp == read.tcp);
        }
    }
}
