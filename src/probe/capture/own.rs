//! The connection that this was started through: its packets would tell of nothing but the capture itself.

use std::env;
use std::fs;
use std::net::IpAddr;

/// How far up the processes are asked: shells, sudo and terminals in between.
const MOST_ANCESTORS: usize = 16;
const VARIABLE: &str = "SSH_CONNECTION";

/// An expression for the packets of this session's ssh connection; `None` outside of one.
///
/// sudo takes the variable away; the processes above us still have it.
pub(super) fn expression() -> Option<String> {
    let here = env::var(VARIABLE).ok().and_then(|text| connection(&text));
    here.or_else(|| ancestors().take(MOST_ANCESTORS).find_map(|process| connection(&of(process)?)))
}

/// `192.0.2.7 50000 192.0.2.1 22`: the client's address and port, and the server's (ssh(1)).
fn connection(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    let mut end = || {
        let address = words.next()?.split('%').next()?.parse::<IpAddr>().ok()?;
        Some((address, words.next()?.parse::<u16>().ok()?))
    };
    let ((client, port), (server, service)) = (end()?, end()?);
    Some(format!("host {client} and host {server} and tcp port {port} and tcp port {service}"))
}

fn ancestors() -> impl Iterator<Item = u32> {
    std::iter::successors(Some(std::process::id()), |process| {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
        parent.trim().parse().ok().filter(|parent| *parent > 1)
    })
    .skip(1)
}

/// The variable of a process, where we may see it.
fn of(process: u32) -> Option<String> {
    let environment = fs::read(format!("/proc/{process}/environ")).ok()?;
    let mut variables = environment.split(|octet| *octet == 0);
    let value =
        variables.find_map(|variable| variable.strip_prefix(VARIABLE.as_bytes())?.strip_prefix(b"="))?;
    String::from_utf8(value.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::connection;
    use crate::wire::filter::Expression;

    #[test]
    fn a_connection_becomes_an_expression() {
        let text = connection("192.0.2.7 50000 192.0.2.1 22").expect("a connection");
        assert_eq!(text, "host 192.0.2.7 and host 192.0.2.1 and tcp port 50000 and tcp port 22");
        for text in ["192.0.2.7 50000 192.0.2.1 22", "fe80::1%eth0 50000 fe80::2%eth0 22"] {
            let expression = connection(text).expect("a connection");
            assert!(Expression::parse(&expression).is_ok(), "{expression}");
        }
        for text in ["", "nobody", "192.0.2.7 50000 192.0.2.1", "192.0.2.7 50000 192.0.2.1 22222222"] {
            assert_eq!(connection(text), None, "{text}");
        }
    }
}
