//! Names to addresses: `/etc/hosts` and the system's resolvers, through hickory (no getaddrinfo).

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::config::LookupIpStrategy;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use hickory_resolver::{Hosts, TokioResolver};
use tokio::sync::OnceCell;

use crate::failure::{Class, Failure};

/// How long a whole look-up may take, retries included.
const DEADLINE: Duration = Duration::from_secs(10);

/// The system's resolver, read from its configuration at the first name that needs it.
#[derive(Clone, Default)]
pub struct Resolver(Arc<OnceCell<TokioResolver>>);

impl Resolver {
    /// The first address of `host` that `admits` lets through; literals (`::1`, `fe80::1%eth0`) need no look-up.
    ///
    /// # Errors
    /// Class `resolve`, with the name and what the resolver said.
    pub async fn first(
        &self,
        host: &str,
        port: u16,
        admits: impl Fn(&IpAddr) -> bool,
    ) -> Result<SocketAddr, Failure> {
        if let Some(literal) = literal(host, port)? {
            let wrong = || {
                Class::Usage.because(format_args!(
                    "{host} is not of the address family that -4, -6 or the source asks for"
                ))
            };
            return Some(literal).filter(|literal| admits(&literal.ip())).ok_or_else(wrong);
        }
        let addresses = self.all(host).await?;
        let found = addresses.into_iter().find(admits);
        let none = || Class::Resolve.because(format_args!("resolve {host}: no address of the wanted family"));
        Ok(SocketAddr::new(found.ok_or_else(none)?, port))
    }

    /// The name of `address`, by a reverse look-up; `None` where there is none or nobody answers. Of several it is always
    /// the first by the order of their octets, whatever the order in which they come. It is as the far side
    /// wrote it, in DNS's own escapes: nothing for a terminal.
    pub async fn name(&self, address: IpAddr) -> Option<String> {
        let resolver = self.0.get_or_try_init(|| async { system() }).await.ok()?;
        let found = tokio::time::timeout(DEADLINE, resolver.reverse_lookup(address)).await.ok()?.ok()?;
        let names = found.answers().iter().filter_map(|record| match &record.data {
            RData::PTR(name) => Some(name.0.to_ascii().trim_end_matches('.').to_owned()),
            _ => None,
        });
        names.min()
    }

    /// All addresses of the name `host`, IPv6 and IPv4, in the resolver's order.
    ///
    /// # Errors
    /// As [`first`](Self::first).
    pub async fn all(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        let failure = |why: String| Class::Resolve.because(format_args!("resolve {host}: {why}"));
        let resolver = self.0.get_or_try_init(|| async { system() }).await.map_err(failure)?;
        match tokio::time::timeout(DEADLINE, resolver.lookup_ip(host)).await {
            Err(_) => Err(failure(format!("no answer in {} s", DEADLINE.as_secs()))),
            Ok(Err(error)) => Err(failure(plain(&error.to_string()))),
            // What is mapped is an IPv4 address (RFC 4291 §2.5.5.2), to be reached, allowed and left out as one.
            Ok(Ok(found)) => Ok(found.iter().map(|address| address.to_canonical()).collect()),
        }
    }
}

/// Whether this host's own file of names (`/etc/hosts`) knows `host`, and whom the host asks for names that it does not know.
/// Reads files: not for an async thread.
pub fn sources(host: &str) -> (bool, Vec<IpAddr>) {
    let known = |hosts: &Hosts, kind| {
        let name = Name::from_utf8(host).ok()?;
        hosts.lookup_static_host(&Query::query(name, kind))
    };
    let hosts = Hosts::from_system().ok();
    let is_known = hosts.is_some_and(|hosts| {
        [RecordType::A, RecordType::AAAA].iter().any(|kind| known(&hosts, *kind).is_some())
    });
    let servers =
        read_system_conf().map(|(config, _)| config.name_servers().iter().map(|server| server.ip).collect());
    (is_known, servers.unwrap_or_default())
}

fn system() -> Result<TokioResolver, String> {
    let mut builder = TokioResolver::builder_tokio().map_err(|error| format!("/etc/resolv.conf: {error}"))?;
    builder.options_mut().ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    builder.options_mut().timeout = Duration::from_secs(2);
    builder.build().map_err(|error| error.to_string())
}

/// The address that `host` itself is, if it is one. An IPv6 zone may be an interface's name or number.
fn literal(host: &str, port: u16) -> Result<Option<SocketAddr>, Failure> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(Some(SocketAddr::new(address.to_canonical(), port)));
    }
    let Some((address, zone)) = bare.split_once('%') else {
        return Ok(None);
    };
    let Ok(address) = address.parse::<Ipv6Addr>() else {
        return Ok(None);
    };
    let index = zone.parse::<u32>().ok().or_else(|| nix::net::if_::if_nametoindex(zone).ok());
    let unknown = || Class::Usage.because(format_args!("{host}: no interface named `{zone}`"));
    Ok(Some(SocketAddrV6::new(address, port, 0, index.ok_or_else(unknown)?).into()))
}

/// The resolver's words, on one line and short.
fn plain(text: &str) -> String {
    if text.contains("no records found") || text.contains("NXDomain") || text.contains("NXDOMAIN") {
        return "no such name".to_owned();
    }
    if text.contains("Label contains invalid") {
        return "that cannot be a host's name".to_owned();
    }
    text.lines().next().unwrap_or_default().chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_resolver::config::{NameServerConfig, ResolverConfig};
    use hickory_resolver::net::runtime::TokioRuntimeProvider;

    #[test]
    fn addresses_need_no_resolver() {
        for (text, expected) in [
            ("192.0.2.1", Some("192.0.2.1:7")),
            ("::1", Some("[::1]:7")),
            ("[::1]", Some("[::1]:7")),
            ("::ffff:192.0.2.1", Some("192.0.2.1:7")),
            ("fe80::1%1", Some("[fe80::1%1]:7")),
            ("example.com", None),
        ] {
            let found = literal(text, 7).expect("no bad zone").map(|found| found.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
        assert!(literal("fe80::1%no-such-if", 7).is_err());
    }

    /// A resolver that asks `server` over UDP.
    fn asking(server: SocketAddr) -> Resolver {
        let mut known = NameServerConfig::udp(server.ip());
        known.connections.iter_mut().for_each(|connection| connection.port = server.port());
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![known]);
        let built = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()).build();
        Resolver(Arc::new(OnceCell::new_with(built.ok())))
    }

    /// Answers each question with the records, behind their names, that `records` gives for its type.
    async fn serving(mut records: impl FnMut(u8) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let at = socket.local_addr().expect("it is bound");
        tokio::spawn(async move {
            let mut question = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question).await {
                // Up to the end of the name, then type and class; what follows (EDNS) is left out.
                let end = 12 + question[12..length].iter().position(|octet| *octet == 0).unwrap_or(0) + 5;
                let records = records(question[end - 3]);
                let mut reply = question[..2].to_vec();
                reply.extend([0x85, 0x80, 0, 1, 0, records.len() as u8, 0, 0, 0, 0]);
                reply.extend(&question[12..end]);
                for record in records {
                    reply.extend([0xc0, 12]);
                    reply.extend(record);
                }
                let _ = socket.send_to(&reply, from).await;
            }
        });
        at
    }

    /// Answers each question with a PTR record for each of `names`, which are single labels; each time the first of
    /// them goes to the end (RFC 1035 §4.1).
    async fn answering(mut names: Vec<Vec<u8>>) -> SocketAddr {
        let record = |name: &Vec<u8>| {
            let length = name.len() as u8;
            [&[0, 12, 0, 1, 0, 0, 0, 60, 0, length + 2, length][..], name, &[0]].concat()
        };
        serving(move |_| {
            let records = names.iter().map(record).collect();
            names.rotate_left(1);
            records
        })
        .await
    }

    /// A name with as many addresses as an answer holds is a name like others: the first that fits is taken, none is lost.
    #[tokio::test]
    async fn of_fifty_addresses_the_first_that_fits_is_taken() {
        let record = |last| vec![0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 51, 100, last];
        // Type 1: an IPv4 address.
        let at =
            serving(move |kind| if kind == 1 { (0..50).map(record).collect() } else { Vec::new() }).await;
        let resolver = asking(at);
        let all = resolver.all("many.example.").await.expect("addresses");
        assert_eq!(all.len(), 50);
        let seventh = IpAddr::from([198, 51, 100, 7]);
        let found = resolver.first("many.example.", 9, |address| *address == seventh).await.expect("one");
        assert_eq!(found, SocketAddr::new(seventh, 9));
        assert!(resolver.first("many.example.", 9, IpAddr::is_ipv6).await.is_err());
    }

    #[tokio::test]
    async fn of_several_names_it_is_always_the_same() {
        let at = answering(["zulu", "alfa", "mike"].map(|name| name.as_bytes().to_vec()).to_vec()).await;
        for _ in 0..3 {
            let name = asking(at).name([192, 0, 2, 1].into()).await;
            assert_eq!(name.as_deref(), Some("alfa"));
        }
    }

    #[tokio::test]
    async fn a_name_with_control_octets_has_none_left() {
        for hostile in [&b"\x1b[31m\r\n\x07"[..], &[0xff, 0x00, 0x9b, 0x7f], &b"a.b\\c"[..], &[1; 63]] {
            let at = answering(vec![hostile.to_vec()]).await;
            let name = asking(at).name([192, 0, 2, 1].into()).await.expect("a name");
            assert!(name.bytes().all(|octet| octet.is_ascii_graphic()), "{name:?}");
        }
    }
}
