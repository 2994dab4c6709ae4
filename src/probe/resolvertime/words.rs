//! dig's notation: `@server name type +option`, in any order, put where the options are.

use clap::error::ErrorKind;

use super::question::reverse;
use super::server::Transport;
use super::{RecordType, ResolverTime};
use crate::probe::Target;
use crate::units::Span;
use crate::wire::dns::Kind;

/// What `+` may be followed by; `no` before it turns a switch off.
const KNOWN: &str = "+tcp +tls +https +https-get +quic +dnssec +short +trace +recurse +cdflag +edns +cookie +nsid +bufsize=N +ignore \
                     +time=SECONDS +tries=N +retry=N +keepopen +padding";

/// Puts the words of `probe` where they belong.
///
/// # Errors
/// Clap's own: a word that is none, or that is said twice.
pub(super) fn settle(mut probe: ResolverTime) -> Result<ResolverTime, clap::Error> {
    let wrong = |why: String| clap::Error::raw(ErrorKind::ValueValidation, why + "\n");
    for word in std::mem::take(&mut probe.words) {
        take(&mut probe, &word).map_err(wrong)?;
    }
    if let Some(address) = probe.reverse.take() {
        if !probe.target.is_open() {
            return Err(wrong(format!(
                "-x {address} is a question of its own: leave out `{}`",
                probe.target
            )));
        }
        probe.target = Target::from(reverse(address).as_str());
        probe.record.get_or_insert(RecordType(Kind::PTR));
    }
    Ok(probe)
}

fn take(probe: &mut ResolverTime, word: &str) -> Result<(), String> {
    if let Some(server) = word.strip_prefix('@') {
        probe.server.push(server.to_owned());
        return Ok(());
    }
    if let Some(option) = word.strip_prefix('+') {
        return switch(probe, option);
    }
    // As dig: the first word that is a type is one, once there is a name or none can follow.
    let kind = word.parse::<RecordType>();
    match (kind, probe.record) {
        (Ok(kind), None) => probe.record = Some(kind),
        _ if probe.target.is_open() => probe.target = Target::from(word),
        _ => return Err(format!("`{word}` is one word too many: the name is `{}`", probe.target)),
    }
    Ok(())
}

fn switch(probe: &mut ResolverTime, option: &str) -> Result<(), String> {
    let (name, value) = option.split_once('=').map_or((option, None), |(name, value)| (name, Some(value)));
    let (name, on) = match name.strip_prefix("no") {
        Some(name) => (name, false),
        None => (name, true),
    };
    let number = || {
        let value = value.ok_or_else(|| format!("+{name} needs a number, as +{name}=2"))?;
        value.parse::<u16>().map_err(|_| format!("+{name}={value}: that is no number"))
    };
    let by = |probe: &mut ResolverTime, transport| {
        probe.transport = if on { transport } else { Transport::Udp };
    };
    match name {
        "tcp" | "vc" => by(probe, Transport::Tcp),
        "tls" => by(probe, Transport::Dot),
        "quic" => by(probe, Transport::Doq),
        "https" | "https-get" | "https-post" => {
            by(probe, Transport::Doh);
            probe.get = name == "https-get";
            if let Some(path) = value {
                path.clone_into(&mut probe.path);
            }
        }
        "dnssec" | "do" => probe.dnssec = on,
        "short" => probe.short = on,
        "trace" => probe.trace = on,
        "recurse" | "rec" => probe.no_recurse = !on,
        "cdflag" | "cd" => probe.unchecked = on,
        "edns" => probe.no_edns = !on,
        "cookie" if value.is_none() => probe.no_cookie = !on,
        "bufsize" | "buf" => probe.bufsize = number()?,
        "ignore" => probe.ignore_truncation = on,
        "time" | "timeout" => probe.timeout = Span::secs(number()?.max(1).into()),
        "tries" => probe.tries = number()?.clamp(1, 10) as u8,
        "retry" => probe.tries = number()?.saturating_add(1).min(10) as u8,
        "keepopen" => probe.fresh = !on,
        // What is always so: AD is asked for with +dnssec, encrypted queries are padded, the server's identifier is wanted.
        "padding" | "nsid" | "adflag" | "ad" if on => {}
        _ => return Err(format!("`+{option}` is not known; there are {KNOWN}")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::Measure;
    use clap::{CommandFactory, Parser};

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        probe: ResolverTime,
    }

    fn read(line: &str) -> Result<ResolverTime, String> {
        let words = std::iter::once("resolvertime").chain(line.split_whitespace());
        let probe = Line::try_parse_from(words).map_err(|error| error.to_string())?.probe;
        settle(probe).map_err(|error| error.to_string())
    }

    #[test]
    fn digs_and_upstreams_notations_mean_the_same() {
        Line::command().debug_assert();
        let expected = read("-s 192.0.2.1 -d example.com -t AAAA --transport tcp --dnssec").expect("options");
        for line in [
            "@192.0.2.1 example.com AAAA +tcp +dnssec",
            "+dnssec AAAA example.com +vc @192.0.2.1",
            "-t aaaa example.com -s 192.0.2.1 +tcp +do",
        ] {
            assert_eq!(read(line).as_ref(), Ok(&expected), "{line}");
        }
        let probe = read("-d example.com -c 3 -t mx -s 192.0.2.1 -p 5353").expect("upstream's");
        assert_eq!((probe.subject().as_str(), probe.count(), probe.port), ("example.com. MX", 3, Some(5353)));
        let probe = read("-x 192.0.2.1 +short +norec +bufsize=4096 +retry=2 +time=5").expect("dig's");
        assert_eq!(probe.subject(), "1.2.0.192.in-addr.arpa. PTR");
        assert_eq!((probe.count(), probe.no_recurse, probe.bufsize, probe.tries), (1, true, 4096, 3));
        assert_eq!(read("").expect("nothing").subject(), ". NS");
        // A name that looks like a type, after the type.
        assert_eq!(read("A mx").expect("a name").subject(), "mx. A");
    }

    #[test]
    fn what_is_no_notation_is_refused_by_name() {
        for (line, word) in [
            ("a.example b.example", "`b.example`"),
            ("a.example +multiline", "+multiline"),
            ("a.example +bufsize=x", "+bufsize=x"),
            ("-x 192.0.2.1 a.example", "a.example"),
            ("-t AXFR a.example", "AXFR"),
        ] {
            let said = read(line).expect_err(line);
            assert!(said.contains(word), "{line}: {said}");
        }
        for (line, key) in [
            ("a..b", "target"),
            ("-c 0 a.example", "count"),
            ("-W 0 a.example", "timeout"),
            ("+dnssec +noedns a.example", "dnssec"),
            ("-s ftp://a.example a.example", "server"),
            ("-s 192.0.2.1:99999 a.example", "server"),
            ("--qps 5 a.example", "qps"),
            ("--load f a.example", "load"),
            ("--load f -s 192.0.2.1 --transport doh", "load"),
            ("--hints f a.example", "hints"),
        ] {
            assert_eq!(read(line).expect(line).check().expect_err(line).path, key, "{line}");
        }
    }
}
