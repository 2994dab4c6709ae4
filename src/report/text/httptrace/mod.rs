//! `httptrace` for people: a waterfall, and what was found beside it.

mod curl;

use std::io;
use std::time::Duration;

use curl::Told;

use super::packets::label;
use super::{ABSENT, Style, Summary, bytes, counted, escape, millis, rate, span};
use crate::failure::Failure;
use crate::net::tls::Verdict;
use crate::net::{DnsTransport, Service};
use crate::probe::httptrace::{Attempt, DecidedBy, Form, Http3, HttpTrace, Leg, Report, Source, TlsSession};
use crate::probe::{Measurement, Phases, Probe};

/// Columns of the waterfall.
const WIDTH: usize = 40;

impl Summary for Report {
    fn write(&self, out: &mut impl io::Write, of: &Measurement, style: Style) -> io::Result<()> {
        let last = self.legs.last();
        let whole = last.map_or(Duration::ZERO, |leg| leg.start + leg.phases.total);
        for (n, leg) in self.legs.iter().enumerate() {
            if n > 0 {
                writeln!(out)?;
            }
            head(out, leg, style)?;
            waterfall(out, leg, whole, style)?;
            beside(out, leg, self.insecure, style)?;
        }
        if self.legs.len() > 1 {
            let redirects = counted(self.legs.len() as u64 - 1, "redirect");
            writeln!(out, "\n{} in {}", redirects, span(whole))?;
        }
        repeats(out, self, style)?;
        for one in &self.expectations {
            let found = one.found.as_ref().map(|found| format!(", but there was {}", escape(found)));
            let found = if one.met {
                String::new()
            } else {
                found.unwrap_or_else(|| ", which was not there".to_owned())
            };
            let word = if one.met { "met" } else { "not met" };
            let text = format!("{:<10} {}{found}", word, escape(&one.expected));
            writeln!(out, "{}", style.red_if(!one.met, &text))?;
        }
        let Probe::HttpTrace(asked) = &of.probe else { return Ok(()) };
        files(out, asked, style)
    }

    fn write_foreign(&self, out: &mut impl io::Write, of: &Measurement) -> io::Result<bool> {
        let Probe::HttpTrace(asked) = &of.probe else { return Ok(false) };
        let Some(format) = curls(asked) else { return Ok(false) };
        out.write_all(curl::written(format, Told::Found(self), asked).as_bytes())?;
        Ok(true)
    }
}

/// What is to be written as curl would write it, if anything.
fn curls(asked: &HttpTrace) -> Option<&str> {
    asked.write_out.as_deref().or((asked.format == Form::CurlJson).then_some("%{json}\\n"))
}

/// What curl writes of a request that has no answer.
pub(super) fn failed(out: &mut impl io::Write, asked: &HttpTrace, failure: &Failure) -> io::Result<()> {
    let Some(format) = curls(asked) else { return Ok(()) };
    out.write_all(curl::written(format, Told::Nothing(failure), asked).as_bytes())
}

/// `GET https://a.example/ → 200 (HTTP/2, 192.0.2.1:443)`
fn head(out: &mut impl io::Write, leg: &Leg, style: Style) -> io::Result<()> {
    let over = if leg.reused { ", the same connection" } else { "" };
    let asked = format!("{} {}", escape(&leg.method), escape(&leg.url));
    writeln!(
        out,
        "{asked} {} (HTTP/{}, {}{over})",
        style.bold(&leg.status.to_string()),
        escape(&leg.http),
        leg.remote
    )?;
    if let Some(redirect) = &leg.redirect {
        let mut notes = String::new();
        if redirect.downgrade {
            notes += "; from https to http: no longer protected";
        }
        if redirect.credentials_dropped {
            notes += "; credentials are not sent there";
        }
        let verb = if redirect.followed { "leads to" } else { "would lead to" };
        writeln!(
            out,
            "{}",
            style.red_if(redirect.downgrade, &format!("{verb} {}{notes}", escape(&redirect.url)))
        )?;
    }
    Ok(())
}

/// When each phase began and ended, after the leg did. What lies between them is time in which none was under way.
fn spans(leg: &Leg) -> Vec<(&'static str, Duration, Duration)> {
    let phases = &leg.phases;
    let winner = leg.attempts.iter().find(|attempt| attempt.won);
    // From the end backwards, as what comes before the connection may leave gaps.
    let mut ends = phases.total;
    let mut spans = Vec::new();
    for (name, took) in phases.parts().into_iter().rev() {
        let Some(took) = took else { continue };
        let begins = match (name, winner) {
            ("connect", Some(winner)) => winner.start,
            ("tls", Some(winner)) => winner.start + phases.connect.unwrap_or_default(),
            ("dns", _) => Duration::ZERO,
            _ => ends.saturating_sub(took),
        };
        spans.push((name, begins, begins + took));
        ends = begins;
    }
    spans.reverse();
    spans
}

fn waterfall(out: &mut impl io::Write, leg: &Leg, whole: Duration, style: Style) -> io::Result<()> {
    for (name, begins, ends) in spans(leg) {
        let bar = bar(leg.start + begins, leg.start + ends, whole);
        writeln!(out, "{} {:>9} ms  {bar}", style.dim(&format!("{name:<10}")), millis(ends - begins))?;
    }
    writeln!(out, "{} {:>9} ms", style.dim("total     "), millis(leg.phases.total))
}

/// The part of a line of `whole` that lies between two moments; never nothing.
fn bar(begins: Duration, ends: Duration, whole: Duration) -> String {
    let eighths = |at: Duration| {
        let ratio = at.as_secs_f64() / whole.as_secs_f64().max(f64::MIN_POSITIVE);
        (ratio.min(1.0) * (WIDTH * 8) as f64).round() as usize
    };
    let (from, to) = (eighths(begins).min(WIDTH * 8 - 1), eighths(ends));
    let (space, length) = (from / 8, to.saturating_sub(from / 8 * 8).max(1));
    let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][length % 8];
    format!("{}{}{part}", " ".repeat(space), "█".repeat(length / 8))
}

fn beside(out: &mut impl io::Write, leg: &Leg, insecure: bool, style: Style) -> io::Result<()> {
    if let Some(dns) = &leg.dns {
        let addresses = match dns.addresses.len() {
            1 => "1 address".to_owned(),
            count => format!("{count} addresses"),
        };
        let resolvers: Vec<String> = dns.resolvers.iter().map(ToString::to_string).collect();
        let by = match (dns.source, dns.answered_by) {
            (Source::Given, _) => "given by --resolve".to_owned(),
            (Source::Hosts, _) => "from /etc/hosts".to_owned(),
            (Source::Cache, _) => "known from an earlier answer".to_owned(),
            (Source::Resolvers, Some(one)) => {
                format!("from {} over {}", one.address, transport(one.transport))
            }
            (Source::Resolvers, None) if resolvers.is_empty() => "from this host's resolver".to_owned(),
            (Source::Resolvers, None) => format!("from {}", resolvers.join(" or ")),
        };
        label(out, style, "name", &format!("{}: {addresses} {by}", escape(&dns.name)))?;
        for one in dns.services.iter().flatten() {
            label(out, style, "service", &service(one))?;
        }
    }
    if let Some(http3) = &leg.http3 {
        label(out, style, "http/3", &decision(http3))?;
    }
    if leg.attempts.len() > 1 {
        for one in &leg.attempts {
            label(out, style, "attempt", &attempt(one))?;
        }
    }
    if let Some(tls) = &leg.tls {
        session(out, tls, insecure, style)?;
    }
    label(out, style, "sizes", &sizes(leg))?;
    if let Some(tcp) = &leg.tcp {
        let rtt = tcp.rtt.map_or_else(|| ABSENT.to_owned(), span);
        let again = counted(tcp.retransmits.into(), "retransmission");
        let text = format!("rtt {rtt}, {again}, mss {}, cwnd {}", tcp.mss_bytes, tcp.cwnd);
        label(out, style, "tcp", &text)?;
    }
    for timing in &leg.server_timing {
        let took = timing.duration.map_or_else(String::new, |took| format!(" {}", span(took)));
        let what =
            timing.description.as_ref().map_or_else(String::new, |what| format!(" ({})", escape(what)));
        label(out, style, "server", &format!("{}{took}{what}", escape(&timing.name)))?;
    }
    if let Some(cache) = &leg.cache {
        let age = cache.age_s.map(|age| format!("{age} s old"));
        let words = [age, cache.x_cache.clone(), cache.control.clone()];
        let words: Vec<String> = words.into_iter().flatten().map(|word| escape(&word).into_owned()).collect();
        label(out, style, "cache", &words.join(", "))?;
    }
    if let Some(other) = &leg.alt_svc {
        label(out, style, "alt-svc", &escape(other))?;
    }
    Ok(())
}

const fn transport(one: DnsTransport) -> &'static str {
    match one {
        DnsTransport::Udp => "udp",
        DnsTransport::Tcp => "tcp",
    }
}

/// What an HTTPS record offers.
fn service(one: &Service) -> String {
    let target = one.target.as_deref().map_or("itself".into(), escape);
    let port = one.port.map(|port| format!(", port {port}")).unwrap_or_default();
    let alpn = one.alpn.iter().map(|name| escape(name)).collect::<Vec<_>>().join(" ");
    let alpn = if alpn.is_empty() { String::new() } else { format!(", {alpn}") };
    format!("{} {target}{port}{alpn}{}", one.priority, if one.ech { ", ech" } else { "" })
}

fn decision(one: &Http3) -> String {
    let by = match one.by {
        DecidedBy::Option => "as nothing is known of it",
        DecidedBy::HttpsRecord => "by the name's https record",
        DecidedBy::AltSvc => "by alt-svc of an earlier answer",
    };
    let tried = if one.tried { "tried" } else { "not tried" };
    format!("{tried} at {}, port {}, {by}", escape(&one.host), one.port)
}

fn attempt(one: &Attempt) -> String {
    let came = match (&one.error, one.won, one.took) {
        (Some(error), ..) => escape(error).into_owned(),
        (None, true, _) => "used".to_owned(),
        (None, false, Some(_)) => "stood too late".to_owned(),
        (None, false, None) => "given up".to_owned(),
    };
    let took = one.took.map_or_else(String::new, |took| format!(" for {}", span(took)));
    format!("{} {} after {}{took}: {came}", escape(&one.proto), one.address, span(one.start))
}

fn session(out: &mut impl io::Write, tls: &TlsSession, insecure: bool, style: Style) -> io::Result<()> {
    let known = [Some(tls.version.clone()), tls.suite.clone(), tls.group.clone(), tls.alpn.clone()];
    let mut words: Vec<String> = known.into_iter().flatten().map(|word| escape(&word).into_owned()).collect();
    if tls.resumed {
        words.push("resumed".to_owned());
    }
    label(out, style, "tls", &words.join(", "))?;
    if let Some(own) = &tls.certificate {
        let known = |text: &Option<String>| text.as_deref().map_or(ABSENT.into(), escape).into_owned();
        let expires = tls.expires_in_s.map(|left| match (left / 86_400.0).floor() {
            days if left < 0.0 => format!(", expired {} d ago", -days),
            days => format!(", expires in {days} d"),
        });
        let text = format!(
            "{}, {}, signed by {}{}",
            known(&own.subject),
            known(&own.key),
            known(&own.issuer),
            expires.unwrap_or_default()
        );
        label(out, style, "certificate", &text)?;
    }
    if tls.verdict != Some(Verdict::Ok) || insecure {
        let why = tls.why.as_ref().map_or_else(String::new, |why| format!(": {}", escape(why)));
        let text = match tls.verdict {
            Some(Verdict::Ok) => "believed; -k would have accepted any".to_owned(),
            _ => format!("NOT believed, accepted because of -k{why}"),
        };
        label(out, style, "verdict", &style.red_if(tls.verdict != Some(Verdict::Ok), &text))?;
    }
    Ok(())
}

fn sizes(leg: &Leg) -> String {
    let sizes = &leg.sizes;
    let decoded =
        sizes.decoded_bytes.map_or_else(String::new, |size| format!(" ({} decoded)", bytes(size as f64)));
    let seconds = leg.phases.transfer.map_or(0.0, |time| time.as_secs_f64());
    let speed = if sizes.body_bytes > 0 && seconds > 0.0 {
        format!(", {}", rate(sizes.body_bytes as f64 * 8.0 / seconds))
    } else {
        String::new()
    };
    format!(
        "head {}, body {}{decoded}{speed}; on the wire {} out, {} in",
        bytes(sizes.head_bytes as f64),
        bytes(sizes.body_bytes as f64),
        bytes(sizes.wire_sent_bytes as f64),
        bytes(sizes.wire_received_bytes as f64)
    )
}

/// A table of the phases of all repeats.
fn repeats(out: &mut impl io::Write, report: &Report, style: Style) -> io::Result<()> {
    let Some(repeats) = &report.repeats else { return Ok(()) };
    let kind =
        if repeats.keepalive { "over one connection while it is kept" } else { "each over a new connection" };
    writeln!(out, "\n{} of {} answered, {kind}", repeats.answered, counted(repeats.sent, "request"))?;
    if repeats.resumed > 0 {
        let medians = [("resumed", repeats.tls_resumed), ("whole", repeats.tls_full)];
        let medians =
            medians.into_iter().filter_map(|(how, time)| Some(format!(", {how} in {}", span(time?))));
        let resumed =
            format!("{} of {} resumed", repeats.resumed, counted(repeats.connections, "connection"));
        writeln!(out, "{resumed}{}", medians.collect::<String>())?;
    }
    writeln!(
        out,
        "{}",
        style.dim(&format!("{:<10} {:>9} {:>9} {:>9} {:>9}", "ms", "min", "p50", "p95", "max"))
    )?;
    let of = |phases: &Phases| phases.parts().map(|(_, time)| time);
    let (min, p50) = (of(&repeats.min), of(&report.phases));
    let (p95, max) = (of(&repeats.p95), of(&repeats.max));
    let row = |out: &mut dyn io::Write, name: &str, times: [Option<Duration>; 4]| {
        let [a, b, c, d] = times.map(|time| time.map_or_else(|| ABSENT.to_owned(), millis));
        writeln!(out, "{} {a:>9} {b:>9} {c:>9} {d:>9}", style.dim(&format!("{name:<10}")))
    };
    for (n, (name, time)) in report.phases.parts().into_iter().enumerate() {
        if time.is_some() {
            row(out, name, [min[n], p50[n], p95[n], max[n]])?;
        }
    }
    let totals = [repeats.min.total, report.phases.total, repeats.p95.total, repeats.max.total];
    row(out, "total", totals.map(Some))?;
    for failure in &repeats.failures {
        writeln!(out, "{}", style.red(&format!("{}: {}", failure.class, escape(&failure.detail))))?;
    }
    Ok(())
}

fn files(out: &mut impl io::Write, asked: &HttpTrace, style: Style) -> io::Result<()> {
    let shown = |path: &std::path::Path| escape(&path.display().to_string()).into_owned();
    if let Some(file) = asked.output.as_deref().filter(|file| *file != std::path::Path::new("-")) {
        label(out, style, "body", &shown(file))?;
    }
    if let Some(file) = &asked.har {
        label(out, style, "har", &shown(file))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_begin_and_end_where_their_phase_does() {
        let ms = Duration::from_millis;
        assert_eq!(bar(ms(0), ms(100), ms(400)), "█".repeat(10));
        assert_eq!(bar(ms(200), ms(400), ms(400)), format!("{}{}", " ".repeat(20), "█".repeat(20)));
        assert_eq!(bar(ms(100), ms(100), ms(400)), format!("{}▏", " ".repeat(10)));
        assert_eq!(bar(ms(400), ms(400), ms(400)).chars().count(), WIDTH);
        assert_eq!(bar(ms(0), ms(0), ms(0)), "▏");
    }
}
