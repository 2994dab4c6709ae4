//! Names to addresses: `/etc/hosts` and the system's resolvers, through hickory (no getaddrinfo); and who knew them.

mod answerers;
mod services;

pub use answerers::{Answerer, DnsTransport};
pub use services::Service;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use hickory_resolver::{Hosts, ResolverBuilder};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use answerers::{Connections, Ledger};

use crate::failure::{Class, Failure};

/// How long a whole look-up may take, retries included.
const DEADLINE: Duration = Duration::from_secs(10);
/// Where IPv4 addresses came first, those of IPv6 are waited for no longer than this ("Resolution Delay", RFC 8305 §3).
pub const RESOLUTION_DELAY: Duration = Duration::from_millis(50);

/// The system's resolver, read from its configuration at the first name that needs it.
#[derive(Clone, Default)]
pub struct Resolver(Arc<OnceCell<Known>>);

/// What was read.
struct Known {
    resolver: hickory_resolver::Resolver<Connections>,
    hosts: Hosts,
    ledger: Ledger,
}

/// The addresses of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// IPv6 and IPv4, in the resolver's order.
    pub addresses: Vec<IpAddr>,
    /// Who knew them; `None` where that cannot be known.
    pub by: Option<By>,
}

/// Who knew a name's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// This host's own file of names (`/etc/hosts`).
    Hosts,
    /// This program, from an earlier answer.
    Cache,
    /// A resolver; of several that did, the first.
    Resolver(Answerer),
}

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
        let known = self.known().await.ok()?;
        let looking = timeout(DEADLINE, known.resolver.reverse_lookup(address));
        let found = looking.await.ok()?.ok()?;
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
        Ok(self.look_up(host).await?.addresses)
    }

    /// The same, and who knew them.
    ///
    /// # Errors
    /// As [`first`](Self::first).
    pub async fn look_up(&self, host: &str) -> Result<Found, Failure> {
        self.find(host, |known| known.both(host)).await
    }

    /// The addresses of `host` that `admits` lets through, for who tries them in turn, IPv6 first (RFC 8305 §3 and 4): those of
    /// one family that come late are left out, and a family of which none is let through is not asked for.
    ///
    /// # Errors
    /// As [`first`](Self::first).
    pub async fn race(&self, host: &str, admits: impl Fn(&IpAddr) -> bool) -> Result<Found, Failure> {
        let wanted = [IpAddr::from(Ipv4Addr::UNSPECIFIED), IpAddr::from(Ipv6Addr::UNSPECIFIED)];
        let wanted = wanted.map(|any| admits(&any));
        self.find(host, |known| async move {
            match wanted {
                [true, false] => known.family(host, false).await,
                [false, true] => known.family(host, true).await,
                _ => known.early(host).await,
            }
        })
        .await
    }

    async fn find<'a, F>(&'a self, host: &str, ask: impl FnOnce(&'a Known) -> F) -> Result<Found, Failure>
    where
        F: Future<Output = Result<Vec<IpAddr>, String>>,
    {
        if let Ok(literal) = host.parse::<IpAddr>() {
            return Ok(Found { addresses: vec![literal.to_canonical()], by: None });
        }
        let failure = |why: String| Class::Resolve.because(format_args!("resolve {host}: {why}"));
        let known = self.known().await.map_err(failure)?;
        let mark = known.ledger.mark();
        match timeout(DEADLINE, ask(known)).await {
            Err(_) => Err(failure(format!("no answer in {} s", DEADLINE.as_secs()))),
            Ok(Err(why)) => Err(failure(plain(&why))),
            Ok(Ok(addresses)) => Ok(Found { addresses, by: known.by(mark, host) }),
        }
    }

    /// Reads the system's configuration, so that no look-up has to. What is wrong with it is told by the first one.
    pub async fn prepare(&self) {
        let _ = self.known().await;
    }

    async fn known(&self) -> Result<&Known, String> {
        self.0.get_or_try_init(|| async { Known::system() }).await
    }
}

impl Known {
    fn system() -> Result<Self, String> {
        let ledger = Ledger::default();
        let builder = hickory_resolver::Resolver::builder(Connections::new(ledger.clone()))
            .map_err(|error| format!("/etc/resolv.conf: {error}"))?;
        Self::build(builder, ledger)
    }

    fn build(mut builder: ResolverBuilder<Connections>, ledger: Ledger) -> Result<Self, String> {
        builder.options_mut().timeout = Duration::from_secs(2);
        let resolver = builder.build().map_err(|error| error.to_string())?;
        Ok(Self { resolver, hosts: Hosts::from_system().unwrap_or_default(), ledger })
    }

    /// The addresses of one family.
    async fn family(&self, host: &str, is_v6: bool) -> Result<Vec<IpAddr>, String> {
        // A name that this host knows itself is nobody else's business, in neither family.
        let kinds = [RecordType::A, RecordType::AAAA].map(|kind| self.is_in_hosts(host, kind));
        if kinds.contains(&true) && !kinds[usize::from(is_v6)] {
            return Ok(Vec::new());
        }
        let kind = if is_v6 { RecordType::AAAA } else { RecordType::A };
        match self.resolver.lookup(host, kind).await {
            // What is mapped is an IPv4 address (RFC 4291 §2.5.5.2), to be reached, allowed and left out as one.
            Ok(found) => Ok(found.answers().iter().filter_map(address).map(|ip| ip.to_canonical()).collect()),
            // It is a name, and has others.
            Err(error) if error.is_no_records_found() && !error.is_nx_domain() => Ok(Vec::new()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// All addresses, IPv4 first.
    async fn both(&self, host: &str) -> Result<Vec<IpAddr>, String> {
        let (v4, v6) = tokio::join!(self.family(host, false), self.family(host, true));
        joined(v4, v6)
    }

    /// Those that come early, IPv6 first.
    async fn early(&self, host: &str) -> Result<Vec<IpAddr>, String> {
        let mut v4 = pin!(self.family(host, false));
        let mut v6 = pin!(self.family(host, true));
        tokio::select! {
            found = &mut v6 => match found {
                Ok(found) if !found.is_empty() => {
                    // What is there already comes along.
                    let others = timeout(Duration::ZERO, v4).await.unwrap_or_else(|_| Ok(Vec::new()));
                    joined(Ok(found), others)
                }
                found => joined(found, v4.await),
            },
            found = &mut v4 => match found {
                Ok(found) if !found.is_empty() => {
                    let others = timeout(RESOLUTION_DELAY, v6).await.unwrap_or_else(|_| Ok(Vec::new()));
                    joined(others, Ok(found))
                }
                found => joined(v6.await, found),
            },
        }
    }

    /// Whether this host's own file of names has `host`, with addresses of this kind.
    fn is_in_hosts(&self, host: &str, kind: RecordType) -> bool {
        let name = Name::from_utf8(host).ok();
        name.is_some_and(|name| self.hosts.lookup_static_host(&Query::query(name, kind)).is_some())
    }

    /// Who knew the addresses of `host`, whose look-up began at `mark`.
    fn by(&self, mark: u64, host: &str) -> Option<By> {
        if [RecordType::A, RecordType::AAAA].into_iter().any(|kind| self.is_in_hosts(host, kind)) {
            return Some(By::Hosts);
        }
        match self.ledger.since(mark, host) {
            (Some(answerer), _) => Some(By::Resolver(answerer)),
            (None, true) => Some(By::Cache),
            (None, false) => None,
        }
    }
}

/// The address in a record.
fn address(record: &Record) -> Option<IpAddr> {
    match &record.data {
        RData::A(address) => Some(address.0.into()),
        RData::AAAA(address) => Some(address.0.into()),
        _ => None,
    }
}

/// The addresses of both families in their order; a failure where there are none.
fn joined(
    first: Result<Vec<IpAddr>, String>,
    second: Result<Vec<IpAddr>, String>,
) -> Result<Vec<IpAddr>, String> {
    match (first, second) {
        (Ok(first), Ok(second)) if first.is_empty() && second.is_empty() => Err(NO_NAME.to_owned()),
        (Ok(mut first), Ok(second)) => {
            first.extend(second);
            Ok(first)
        }
        (Ok(found), Err(why)) | (Err(why), Ok(found)) => {
            if found.is_empty() {
                Err(why)
            } else {
                Ok(found)
            }
        }
        // That nobody answered says more than that a name has no addresses of one kind.
        (Err(one), Err(other)) => Err(if plain(&one) == NO_NAME { other } else { one }),
    }
}

/// Whom this host asks for names. Reads a file: not for an async thread.
pub fn system_resolvers() -> Vec<IpAddr> {
    let read = read_system_conf();
    read.map(|(config, _)| config.name_servers().iter().map(|server| server.ip).collect()).unwrap_or_default()
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

/// There is none, or it has no addresses.
const NO_NAME: &str = "no such name";

/// The resolver's words, on one line and short.
fn plain(text: &str) -> String {
    if text.contains("no records found") || text.contains("NXDomain") || text.contains("NXDOMAIN") {
        return NO_NAME.to_owned();
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
        let ledger = Ledger::default();
        let connections = Connections::new(ledger.clone());
        let builder = hickory_resolver::Resolver::builder_with_config(config, connections);
        Resolver(Arc::new(OnceCell::new_with(Known::build(builder, ledger).ok())))
    }

    /// A question up to the end of its name, then type and class; what follows (EDNS) is left out.
    fn asked(datagram: &[u8]) -> &[u8] {
        let end = 12 + datagram[12..].iter().position(|octet| *octet == 0).unwrap_or(0) + 5;
        &datagram[..end]
    }

    /// The lower octet of its type.
    fn kind(question: &[u8]) -> u8 {
        question[question.len() - 3]
    }

    /// The answer with these records, behind their names.
    fn reply(question: &[u8], records: &[Vec<u8>]) -> Vec<u8> {
        let head = [0x85, 0x80, 0, 1, 0, records.len() as u8, 0, 0, 0, 0];
        let records = records.iter().flat_map(|record| [&[0xc0, 12], &record[..]].concat());
        [&question[..2], &head, &question[12..]].concat().into_iter().chain(records).collect()
    }

    /// Answers each question with the records, behind their names, that `records` gives for its type.
    async fn serving(mut records: impl FnMut(u8) -> Vec<Vec<u8>> + Send + 'static) -> SocketAddr {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let at = socket.local_addr().expect("it is bound");
        tokio::spawn(async move {
            let mut question = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question).await {
                let question = asked(&question[..length]);
                let reply = reply(question, &records(kind(question)));
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
    async fn who_knew_a_name_is_told() {
        let record = vec![0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 51, 100, 1];
        let at = serving(move |kind| if kind == 1 { vec![record.clone()] } else { Vec::new() }).await;
        let resolver = asking(at);
        let by = Answerer { address: at, transport: DnsTransport::Udp };
        for expected in [By::Resolver(by), By::Cache] {
            let found = resolver.look_up("told.example.").await.expect("an address");
            assert_eq!((found.addresses.len(), found.by), (1, Some(expected)));
        }
    }

    /// Answers for one IPv4 and one IPv6 address, for the type `slow` after `by`.
    async fn serving_slowly(slow: u8, by: Duration) -> SocketAddr {
        let socket = Arc::new(tokio::net::UdpSocket::bind("127.0.0.1:0").await.expect("a free port"));
        let at = socket.local_addr().expect("it is bound");
        tokio::spawn(async move {
            let mut question = [0; 512];
            while let Ok((length, from)) = socket.recv_from(&mut question).await {
                let question = asked(&question[..length]);
                let kind = kind(question);
                let address = match kind {
                    1 => vec![198, 51, 100, 1],
                    _ => [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[1]].concat(),
                };
                let record = [&[0, kind, 0, 1, 0, 0, 0, 60, 0, address.len() as u8][..], &address].concat();
                let (reply, socket) = (reply(question, &[record]), Arc::clone(&socket));
                let late = if kind == slow { by } else { Duration::ZERO };
                tokio::spawn(async move {
                    tokio::time::sleep(late).await;
                    let _ = socket.send_to(&reply, from).await;
                });
            }
        });
        at
    }

    #[tokio::test]
    async fn one_family_does_not_wait_long_for_the_other() {
        let (v4, v6) = (IpAddr::from([198, 51, 100, 1]), "2001:db8::1".parse().expect("an address"));
        let late = Duration::from_secs(1);
        for (slow, by, expected) in [
            (0, Duration::ZERO, vec![v6, v4]),
            // IPv6 a little later, too late; IPv4 too late.
            (28, Duration::from_millis(10), vec![v6, v4]),
            (28, late, vec![v4]),
            (1, late, vec![v6]),
        ] {
            let (mut found, mut resolver, mut took);
            let mut attempt = 0;
            // A host that stands still for longer than the delay has both answers at once: of three attempts one has to be right.
            loop {
                resolver = asking(serving_slowly(slow, by).await);
                let began = crate::sys::clock::now().mono;
                found = resolver.race("two.example.", |_| true).await.expect("addresses").addresses;
                took = crate::sys::clock::now().mono - began;
                // IPv4 may be a moment behind IPv6, which waits for nobody.
                if slow == 0 && found == [v6] {
                    found.push(v4);
                }
                attempt += 1;
                if found == expected && took < late || attempt == 3 {
                    break;
                }
            }
            assert_eq!(found, expected, "{slow} {by:?}");
            assert!(took < late, "{slow} {by:?}: {took:?}");
            let both = resolver.all("two.example.").await.expect("addresses");
            assert_eq!(both, [v4, v6], "{slow} {by:?}");
        }
        // What is not wanted is not asked for.
        let mut took = Vec::new();
        for _ in 0..3 {
            let resolver = asking(serving_slowly(28, late).await);
            let began = crate::sys::clock::now().mono;
            let found = resolver.race("two.example.", IpAddr::is_ipv4).await.expect("an address").addresses;
            assert_eq!(found, [v4]);
            took.push(crate::sys::clock::now().mono - began);
        }
        assert!(took.iter().any(|took| *took < RESOLUTION_DELAY), "{took:?}");
    }

    /// Alias, then priority, target, and what is in its parameters (RFC 9460 §2.2): the preferred record comes first, and one
    /// that demands what nobody knows is left out.
    #[tokio::test]
    async fn services_are_read_from_https_records() {
        let record = |data: &[u8]| {
            let head = [0, 65, 0, 1, 0, 0, 0, 60, 0, data.len() as u8];
            [&head[..], data].concat()
        };
        let name = b"\x01b\x07example\0";
        let alias = record(&[&[0, 0][..], name].concat());
        let h3 = b"\0\x01\0\x06\x02h2\x02h3\0\x03\0\x02\x20\xfb\0\x04\0\x04\xc6\x33\x64\x01";
        let second = record(&[&[0, 2][..], &[0], &h3[..]].concat());
        let first = record(b"\0\x01\0\0\x01\0\x03\x02h2");
        let strange = record(b"\0\x01\0\0\0\0\x02\xff\x01\xff\x01\0\0");
        let mut asked = 0;
        let at = serving(move |kind| {
            asked += 1;
            match (kind, asked) {
                (65, 1) => vec![alias.clone()],
                (65, 2) => vec![second.clone(), strange.clone(), first.clone()],
                _ => Vec::new(),
            }
        })
        .await;
        let services = asking(at).services("a.example", 8443).await.expect("records");
        let told: Vec<_> =
            services.iter().map(|one| (one.priority, one.target.as_deref(), one.port)).collect();
        assert_eq!(told, [(1, Some("b.example"), None), (2, Some("b.example"), Some(8443))]);
        assert_eq!(
            (&services[1].alpn[..], &services[1].hints[..]),
            (&["h2".to_owned(), "h3".to_owned()][..], &[IpAddr::from([198, 51, 100, 1])][..])
        );
        let none = serving(|_| Vec::new()).await;
        assert_eq!(asking(none).services("a.example", 443).await, Ok(Vec::new()));
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
