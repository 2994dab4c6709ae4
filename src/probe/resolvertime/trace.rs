//! The way down from the root: each zone's servers are asked without recursion until one has the answer (RFC 1034 §5.3.3).

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ResolverTime;
use super::client::{Asking, Client, Exchange, Unanswered};
use super::report::RecordText;
use super::server::{Spec, Transport};
use crate::failure::{Class, Failure};
use crate::probe::targets::{Admission, Audience};
use crate::probe::{Ctx, input};
use crate::units::ms;
use crate::wire::dns::{Kind, Message, Name, Question, code_name};

/// Questions of one trace.
const MOST_STEPS: usize = 30;
/// Servers of one zone that are tried, and addresses of each.
const MOST_TRIED: usize = 4;
/// Octets of a file of hints, and servers in it.
const MOST_HINTS: u64 = 1 << 16;
const MOST_ROOTS: usize = 64;

/// The root servers (IANA's named.root of 2025), each with its two addresses.
const ROOTS: [(&str, &str); 13] = [
    ("198.41.0.4", "2001:503:ba3e::2:30"),
    ("170.247.170.2", "2801:1b8:10::b"),
    ("192.33.4.12", "2001:500:2::c"),
    ("199.7.91.13", "2001:500:2d::d"),
    ("192.203.230.10", "2001:500:a8::e"),
    ("192.5.5.241", "2001:500:2f::f"),
    ("192.112.36.4", "2001:500:12::d0d"),
    ("198.97.190.53", "2001:500:1::53"),
    ("192.36.148.17", "2001:7fe::53"),
    ("192.58.128.30", "2001:503:c27::2:30"),
    ("193.0.14.129", "2001:7fd::1"),
    ("199.7.83.42", "2001:500:9f::42"),
    ("202.12.27.33", "2001:dc3::35"),
];

/// The way down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DnsTrace")]
pub struct Trace {
    /// Each question, in order.
    pub steps: Vec<Step>,
    /// The response code of the name's own server; null where the way ended before.
    pub rcode: Option<String>,
    /// Its records, 100 at most.
    pub answers: Vec<RecordText>,
    /// The smallest TTL that it gives, in seconds.
    pub ttl_s: Option<u32>,
    /// All questions and their answers, one after the other.
    #[serde(rename = "total_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub total: Duration,
    /// Why it ended without an answer.
    pub ended: Option<String>,
}

/// A question to one server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "DnsTraceStep")]
pub struct Step {
    /// Of which zone it is a server.
    pub zone: String,
    /// Its name, where it is known.
    pub server: Option<String>,
    /// Its address.
    pub address: IpAddr,
    /// From the question to the answer; null without one.
    #[serde(rename = "rtt_ms", with = "ms::option")]
    #[schemars(with = "Option<f64>")]
    pub rtt: Option<Duration>,
    /// The response code.
    pub rcode: Option<String>,
    /// The zone that it refers to.
    pub refers_to: Option<String>,
    /// It answers, and neither knows the zone nor refers further down (RFC 1912 §2.8).
    pub lame: bool,
    /// Why there is no answer.
    pub why: Option<String>,
}

/// A name server, and where it is.
#[derive(Clone, Debug)]
struct Place {
    name: Option<Name>,
    addresses: Vec<IpAddr>,
}

/// What an answer means to one that goes down.
enum Meaning {
    /// The zone's own word.
    Answer,
    /// Ask these, of this zone.
    Referral(Name, Vec<Place>),
    Lame,
}

impl ResolverTime {
    /// Goes down from the root.
    ///
    /// # Errors
    /// Those of the file of hints, and of the system.
    pub(super) async fn trace(
        &self,
        ctx: &Ctx,
        question: &Question,
        asking: &Arc<Asking>,
    ) -> Result<Trace, Failure> {
        let roots = self.roots(ctx).await?;
        let mut asking = (**asking).clone();
        (asking.recurse, asking.unchecked) = (false, false);
        let walk = Walk {
            probe: self,
            ctx,
            question,
            asking: Arc::new(asking),
            trace: Trace {
                steps: Vec::new(),
                rcode: None,
                answers: Vec::new(),
                ttl_s: None,
                total: Duration::ZERO,
                ended: None,
            },
        };
        Ok(walk.down(roots).await)
    }

    async fn roots(&self, ctx: &Ctx) -> Result<Vec<Place>, Failure> {
        let Some(file) = &self.hints else {
            let place = |(v4, v6): &(&str, &str)| Place {
                name: None,
                addresses: [v4, v6].iter().filter_map(|text| text.parse().ok()).collect(),
            };
            return Ok(ROOTS.iter().map(place).collect());
        };
        ctx.policy.check_flag("--hints")?;
        let octets = input::whole(ctx, "hints", file, MOST_HINTS).await?;
        let places = hints(&String::from_utf8_lossy(&octets));
        if places.is_empty() {
            return Err(
                Class::Usage.because(format_args!("hints {}: there is no address in it", file.display()))
            );
        }
        Ok(places)
    }
}

/// The servers in a file: an address on a line of its own, or at the end of one of named.root.
fn hints(text: &str) -> Vec<Place> {
    let mut places = Vec::new();
    for line in text.lines() {
        let line = line.split([';', '#']).next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        let address = line.split_whitespace().last().and_then(|word| word.parse::<IpAddr>().ok());
        if let Some(address) = address.filter(|_| places.len() < MOST_ROOTS) {
            let name = Name::parse(first).filter(|_| first.parse::<IpAddr>().is_err());
            places.push(Place { name, addresses: vec![address] });
        }
    }
    places
}

struct Walk<'a> {
    probe: &'a ResolverTime,
    ctx: &'a Ctx,
    question: &'a Question,
    asking: Arc<Asking>,
    trace: Trace,
}

impl Walk<'_> {
    async fn down(mut self, roots: Vec<Place>) -> Trace {
        let (mut zone, mut places) = (Name::root(), roots);
        loop {
            match self.zone(&zone, &places).await {
                Ok(None) => return self.trace,
                Ok(Some((below, servers))) => (zone, places) = (below, servers),
                Err(why) => {
                    self.trace.ended = Some(why);
                    return self.trace;
                }
            }
        }
    }

    /// Asks the servers of `zone` until one says something: the zone below, or nothing when it was the answer.
    async fn zone(&mut self, zone: &Name, places: &[Place]) -> Result<Option<(Name, Vec<Place>)>, String> {
        for place in places.iter().take(MOST_TRIED) {
            for address in self.addresses(place).await.into_iter().take(MOST_TRIED) {
                if self.ctx.cancel.is_cancelled() {
                    return Err("interrupted".to_owned());
                }
                if self.trace.steps.len() >= MOST_STEPS {
                    return Err(format!("{MOST_STEPS} questions, and still no answer"));
                }
                let Some(message) = self.ask(zone, place, address).await else { continue };
                let meaning = meaning(&message, zone, self.question);
                let Some(step) = self.trace.steps.last_mut() else { continue };
                match meaning {
                    Meaning::Answer => {
                        self.answer(&message);
                        return Ok(None);
                    }
                    Meaning::Referral(below, servers) => {
                        step.refers_to = Some(below.to_string());
                        return Ok(Some((below, servers)));
                    }
                    Meaning::Lame => step.lame = true,
                }
            }
        }
        Err(format!("no server of {zone} answers for it"))
    }

    /// Where a server is: as its zone says (glue), else as this host's resolver does.
    async fn addresses(&self, place: &Place) -> Vec<IpAddr> {
        let egress = &self.probe.egress;
        let mut addresses: Vec<IpAddr> =
            place.addresses.iter().copied().filter(|ip| egress.admits(ip)).collect();
        if let Some(name) = place.name.as_ref().filter(|_| place.addresses.is_empty()) {
            let found = self.ctx.resolver.all(&name.to_string()).await.unwrap_or_default();
            addresses.extend(found.into_iter().filter(|ip| egress.admits(ip)));
        }
        let port = self.probe.port.unwrap_or(Transport::Udp.port());
        let admission = Admission::to(self.ctx, egress, Audience::One);
        addresses.retain(|ip| admission.check(SocketAddr::new(*ip, port)).is_ok());
        // Most hosts reach IPv4; a host without IPv6 shall not spend its tries on it.
        addresses.sort_by_key(IpAddr::is_ipv6);
        addresses
    }

    /// One step: the answer, if there was one.
    async fn ask(&mut self, zone: &Name, place: &Place, address: IpAddr) -> Option<Message> {
        let spec = Spec {
            text: address.to_string(),
            transport: if self.probe.transport == Transport::Tcp { Transport::Tcp } else { Transport::Udp },
            host: address.to_string(),
            port: self.probe.port.unwrap_or(Transport::Udp.port()),
            path: String::new(),
            name: String::new(),
        };
        let peer = SocketAddr::new(address, spec.port);
        let mut client = Client::new(Arc::new(spec), peer, Arc::clone(&self.asking));
        let Exchange { result, .. } = client.ask(self.question, self.probe.timeout.0).await;
        let mut step = Step {
            zone: zone.to_string(),
            server: place.name.as_ref().map(Name::to_string),
            address,
            rtt: None,
            rcode: None,
            refers_to: None,
            lame: false,
            why: None,
        };
        let message = match result {
            Ok(reply) => {
                step.rtt = Some(reply.query);
                step.rcode = Some(code_name(reply.message.code));
                self.trace.total += reply.query;
                Some(reply.message)
            }
            Err(why) => {
                if let Unanswered::Silent = why {
                    self.trace.total += self.probe.timeout.0;
                }
                let failure = why.failure(address.is_ipv6());
                step.why =
                    Some(failure.map_or_else(|| "no answer in time".to_owned(), |failure| failure.detail));
                None
            }
        };
        self.trace.steps.push(step);
        message
    }

    fn answer(&mut self, message: &Message) {
        self.trace.rcode = Some(code_name(message.code));
        self.trace.ttl_s = message.answers.iter().map(|record| record.ttl).min();
        self.trace.answers = message
            .answers
            .iter()
            .take(100)
            .map(|record| RecordText {
                name: record.name.to_string(),
                kind: record.kind.to_string(),
                ttl_s: Some(record.ttl),
                data: record.text(),
            })
            .collect();
    }
}

/// What `message` of a server of `zone` says of `question`.
fn meaning(message: &Message, zone: &Name, question: &Question) -> Meaning {
    if matches!(message.code, 0 | 3) && message.aa {
        return Meaning::Answer;
    }
    let servers = message.authority.iter().filter(|record| record.kind == Kind::NS);
    let below = servers.clone().map(|record| &record.name).find(|name| {
        // Only further down, and on the way.
        name.is_within(zone) && !name.is_like(zone) && question.name.is_within(name)
    });
    let Some(below) = below.filter(|_| message.code == 0) else { return Meaning::Lame };
    let places = servers.filter(|record| record.name.is_like(below)).filter_map(|record| {
        let name = record.target()?;
        let glue = message.additional.iter().filter(|record| record.name.is_like(&name));
        let addresses = glue.filter_map(|record| match (record.kind, record.data.as_slice()) {
            (Kind::A, data) => <[u8; 4]>::try_from(data).ok().map(IpAddr::from),
            (Kind::AAAA, data) => <[u8; 16]>::try_from(data).ok().map(IpAddr::from),
            _ => None,
        });
        Some(Place { addresses: addresses.take(MOST_TRIED).collect(), name: Some(name) })
    });
    // Those whose place is known are asked first.
    let mut places: Vec<Place> = places.take(MOST_ROOTS).collect();
    places.sort_by_key(|place| place.addresses.is_empty());
    Meaning::Referral(below.clone(), places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::dns::Record;

    #[test]
    fn hints_are_addresses_or_named_root() {
        let text = "; comment\n.  3600000 NS A.ROOT.\nA.ROOT. 3600000 A 192.0.2.1\nA.ROOT. 3600000 AAAA 2001:db8::1\n192.0.2.9 # mine\n";
        let places = hints(text);
        assert_eq!(
            places.iter().map(|place| place.addresses[0].to_string()).collect::<Vec<_>>(),
            ["192.0.2.1", "2001:db8::1", "192.0.2.9"]
        );
        assert!(places[0].name.is_some() && places[2].name.is_none());
        assert!(ROOTS.iter().all(|(v4, v6)| v4.parse::<IpAddr>().is_ok() && v6.parse::<IpAddr>().is_ok()));
    }

    #[test]
    fn a_referral_leads_down_and_nowhere_else() {
        let name = |text| Name::parse(text).expect(text);
        let question = Question { name: name("www.a.example"), kind: Kind::A };
        let record = |owner, kind, data: &[u8]| Record {
            name: name(owner),
            kind,
            class: 1,
            ttl: 9,
            data: data.to_vec(),
        };
        let mut reply = Message::empty(question.clone());
        let of = |reply: &Message, zone| match meaning(reply, &name(zone), &question) {
            Meaning::Answer => "answer".to_owned(),
            Meaning::Lame => "lame".to_owned(),
            Meaning::Referral(zone, places) => {
                let glue: Vec<_> =
                    places.iter().flat_map(|place| &place.addresses).map(ToString::to_string).collect();
                format!("{zone} {} {}", places.len(), glue.join(","))
            }
        };
        assert_eq!(of(&reply, "."), "lame");
        reply.authority.push(record("example", Kind::NS, name("far.example").octets()));
        reply.authority.push(record("example", Kind::NS, name("ns.example").octets()));
        reply.additional.push(record("NS.example", Kind::A, &[192, 0, 2, 1]));
        reply.additional.push(record("other.example", Kind::A, &[192, 0, 2, 2]));
        assert_eq!(of(&reply, "."), "example. 2 192.0.2.1");
        assert_eq!(of(&reply, "example"), "lame", "to itself");
        assert_eq!(of(&reply, "a.example"), "lame", "upwards");
        reply.aa = true;
        assert_eq!(of(&reply, "."), "answer");
    }
}
