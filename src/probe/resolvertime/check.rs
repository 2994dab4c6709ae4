//! What options mean together, and what cannot be asked for.

use std::time::Duration;

use super::ResolverTime;
use super::server::Transport;
use crate::failure::Fault;
use crate::units::Span;
use crate::wire::dns::Name;

/// Servers of one run.
pub(super) const MOST_SERVERS: usize = 32;
/// The longest wait for an answer.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Whether `probe` can be run.
///
/// # Errors
/// The first option that is wrong, or that does not go with the others.
pub(super) fn all(probe: &ResolverTime) -> Result<(), Fault> {
    let wrong = |key: &str, why: &str| Err(Fault::of(key, why));
    probe.question()?;
    let servers = probe.servers()?;
    if servers.len() > MOST_SERVERS {
        return Err(Fault::of("server", format_args!("is given too often: {} at most", MOST_SERVERS)));
    }
    if probe.count() == 0 {
        return wrong("count", "0: ask at least once");
    }
    if probe.timeout.0.is_zero() || probe.timeout.0 > LONGEST_WAIT {
        return wrong("timeout", "takes a span above 0 and up to 1m, such as 2s");
    }
    if !(1..=10).contains(&probe.tries) {
        return wrong("tries", "takes 1 to 10");
    }
    if probe.bufsize < 512 {
        return wrong("bufsize", "takes 512 to 65535 octets");
    }
    if probe.port == Some(0) {
        return wrong("port", "0: name the servers' port, 1-65535");
    }
    if probe.transport == Transport::System {
        return wrong("transport", "takes udp, tcp, dot, doh or doq; --system asks as programs do");
    }
    if probe.no_edns && probe.dnssec {
        return wrong("dnssec", "needs EDNS: leave out --no-edns");
    }
    if probe.no_edns && probe.sizes {
        return wrong("sizes", "needs EDNS: leave out --no-edns");
    }
    if !probe.path.starts_with('/')
        || probe.path.len() > 1024
        || !probe.path.bytes().all(|c| c.is_ascii_graphic())
    {
        return wrong("path", "takes a path of a URL, such as /dns-query");
    }
    for (key, zone) in [("absent_zone", Some(&probe.absent_zone)), ("cold_zone", probe.cold_zone.as_ref())] {
        if zone.is_some_and(|zone| Name::parse(zone).is_none()) {
            return wrong(key, "is no domain name");
        }
    }
    if probe.hints.is_some() && !probe.trace {
        return wrong("hints", "is for --trace");
    }
    if probe.load.is_none() && (probe.qps.is_some() || probe.duration.is_some()) {
        return wrong(if probe.qps.is_some() { "qps" } else { "duration" }, "is for --load");
    }
    if probe.load.is_some() {
        if servers.len() != 1 {
            return wrong("load", "needs the one server that is to bear it: name it by -s");
        }
        if !matches!(servers[0].transport, Transport::Udp | Transport::Tcp | Transport::Dot) {
            return wrong("load", "goes over udp, tcp and dot");
        }
        if probe.qps == Some(0) || probe.outstanding == 0 || probe.outstanding > 10_000 {
            return wrong("qps", "takes 1 query a second at least, and --outstanding 1 to 10000 queries");
        }
        if !(1..=60).contains(&probe.clients) {
            return wrong("clients", "takes 1 to 60 sockets or connections");
        }
        if probe.duration.is_some_and(|Span(time)| time.is_zero()) {
            return wrong("duration", "0 leaves no time: give it some, such as 10s");
        }
    }
    probe.egress.check().map_err(|fault| fault.within("egress"))
}
