//! `resolvertime` for people: a table of servers, then what they said and what is odd. `--short` is dig's `+short`.

use std::io;
use std::time::Duration;

use super::packets::label;
use super::{ABSENT, Style, Summary, bytes, counted, escape, millis, percent, span};
use crate::net::tls::Verdict;
use crate::probe::resolvertime::{
    Cookies, Dnssec, FindingId, LoadReport, Phases, RecordText, Report, Server, Sizes, Times, Tls, Trace,
    Transport,
};
use crate::probe::{Clock, Measurement, Probe, Rtt};

/// Records of one answer that are shown.
const SHOWN: usize = 20;
/// Letters of a server's name that are shown.
const WIDEST: usize = 40;

impl Summary for Report {
    fn write(&self, out: &mut impl io::Write, _: &Measurement, style: Style) -> io::Result<()> {
        if let Some(trace) = &self.trace {
            traced(out, trace, style)?;
        }
        if let Some(load) = &self.load {
            borne(out, load, style)?;
        }
        if !self.servers.is_empty() {
            table(out, &self.servers, style)?;
            for server in &self.servers {
                particulars(out, server, self.servers.len() > 1, style)?;
            }
            said(out, self, style)?;
        }
        if let Some(agreement) = self.agreement.filter(|agreement| *agreement) {
            label(out, style, "agreement", if agreement { "all give the same answer" } else { "" })?;
        }
        for finding in &self.findings {
            let whose =
                finding.server.as_ref().map_or_else(String::new, |server| format!("{}: ", escape(server)));
            let text = format!("{whose}{}", escape(&finding.text));
            let is_bad = finding.id < FindingId::SignatureExpires;
            label(out, style, if is_bad { "warning" } else { "note" }, &style.red_if(is_bad, &text))?;
        }
        Ok(())
    }

    fn write_foreign(&self, out: &mut impl io::Write, of: &Measurement) -> io::Result<bool> {
        let Probe::ResolverTime(asked) = &of.probe else { return Ok(false) };
        if !asked.short || self.load.is_some() {
            return Ok(false);
        }
        let answered =
            self.servers.iter().find(|server| server.rcode.is_some()).map(|server| &server.answers);
        let answers = answered.or(self.trace.as_ref().map(|trace| &trace.answers));
        for record in answers.into_iter().flatten() {
            writeln!(out, "{}", escape(&record.data))?;
        }
        Ok(true)
    }
}

fn table(out: &mut impl io::Write, servers: &[Server], style: Style) -> io::Result<()> {
    let name = |server: &Server| -> String { escape(&server.server).chars().take(WIDEST).collect() };
    let wide = servers.iter().map(|server| name(server).chars().count()).max().unwrap_or(0).max(6);
    let head = format!(
        "{:<wide$}  {:<6} {:>5} {:>8} {:>8} {:>8} {:>8} {:>8}  {}",
        "server", "via", "sent", "loss", "min", "p50", "p95", "max ms", "rank"
    );
    writeln!(out, "{}", style.dim(&head))?;
    for server in servers {
        let of =
            |part: fn(&Rtt) -> Duration| server.query.as_ref().map(part).map_or(ABSENT.to_owned(), millis);
        let loss = server.loss_ratio.map_or(ABSENT.to_owned(), percent);
        let loss = style.red_if(server.loss_ratio > Some(0.0), &format!("{loss:>8}"));
        writeln!(
            out,
            "{:<wide$}  {:<6} {:>5} {loss} {:>8} {:>8} {:>8} {:>8}  {}",
            name(server),
            server.transport.word(),
            server.counts.sent,
            of(|rtt| rtt.min),
            of(|rtt| rtt.p50),
            of(|rtt| rtt.p95),
            of(|rtt| rtt.max),
            rank(server)
        )?;
    }
    writeln!(out)
}

/// `1`, `2 slower (p 0.003)`, `2 perhaps (p 0.4)`.
fn rank(server: &Server) -> String {
    let Some(rank) = server.rank else { return ABSENT.to_owned() };
    match (server.p_value, server.significant) {
        (Some(p), Some(true)) if p < 0.001 => format!("{rank}, slower (p < 0.001)"),
        (Some(p), Some(true)) => format!("{rank}, slower (p {p:.3})"),
        (Some(p), _) => format!("{rank}, no proven difference (p {p:.2})"),
        _ => rank.to_string(),
    }
}

/// What is known of one server beyond its times.
fn particulars(out: &mut impl io::Write, server: &Server, several: bool, style: Style) -> io::Result<()> {
    let name = if several { format!("{}: ", escape(&server.server)) } else { String::new() };
    let mut say = |word: &str, text: &str| label(out, style, word, &format!("{name}{text}"));
    if let Some(failure) = &server.failure {
        say("failure", &style.red(&escape(&failure.detail)))?;
    }
    if server.counts.received > 0 {
        say("answer", &answer(server))?;
    }
    if let Some(first) = &server.first {
        say("phases", &phases(first, server))?;
    }
    if let Some(session) = &server.tls_session {
        say("tls", &tls(session))?;
    }
    if let Some(truncated) = &server.truncated {
        say(
            "truncated",
            &format!(
                "{} over udp ({}), then over tcp",
                counted(truncated.count, "answer"),
                median(truncated)
            ),
        )?;
    }
    if let Some(cold) = server.cold {
        let warm = server.warm.as_ref().map_or_else(String::new, |warm| format!(", warm {}", median(warm)));
        say("cache", &format!("cold {}{warm}", span(cold)))?;
    }
    if let Some(dnssec) = server.dnssec {
        let text = match dnssec {
            Dnssec::Secure => "secure: the server has validated it",
            Dnssec::Insecure => "insecure: the name is not signed; the server validates",
            Dnssec::Bogus => "bogus: the server refuses it, and gives it unchecked",
            Dnssec::Unsupported => "unsupported: the server does not validate",
        };
        say("dnssec", &style.red_if(dnssec == Dnssec::Bogus, text))?;
    }
    if let Some(absent) = &server.absent {
        let what = absent.rcode.as_deref().unwrap_or("no answer");
        say("absent", &format!("{what} for {}", escape(&absent.name)))?;
    }
    if let Some(sizes) = &server.sizes {
        say("sizes", &through(sizes))?;
    }
    for error in &server.ede {
        let meaning = error.meaning.as_deref().unwrap_or("not registered");
        let text = error.text.as_deref().map_or_else(String::new, |text| format!(": {}", escape(text)));
        say("ede", &format!("{} ({meaning}){text}", error.code))?;
    }
    Ok(())
}

/// `NOERROR, 2 records, 56 B, ra ad; nsid abc; kernel timestamps`
fn answer(server: &Server) -> String {
    let mut parts: Vec<String> = server
        .rcodes
        .iter()
        .map(|(code, count)| match server.rcodes.len() {
            1 => code.clone(),
            _ => format!("{code} {count}"),
        })
        .collect();
    parts.extend(server.answers_total.map(|count| counted(count, "record")));
    parts.extend(server.response_bytes.map(|size| bytes(size as f64)));
    if let Some(flags) = server.flags {
        let set = [(flags.aa, "aa"), (flags.tc, "tc"), (flags.ra, "ra"), (flags.ad, "ad"), (flags.cd, "cd")];
        let set: Vec<&str> = set.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
        parts.extend((!set.is_empty()).then(|| set.join(" ")));
    }
    parts.extend(server.nsid.as_ref().map(|nsid| format!("nsid {}", escape(nsid))));
    parts.extend(server.cookies.as_ref().map(cookies));
    let clock = if server.clock == Clock::Kernel { "kernel timestamps" } else { "process timestamps" };
    parts.extend((server.transport == Transport::Udp).then(|| clock.to_owned()));
    parts.join(", ")
}

/// `cookies`, `no cookies`, `cookies in 3 of 10`.
fn cookies(cookies: &Cookies) -> String {
    match (cookies.right, cookies.missing) {
        (0, _) if cookies.echoed > 0 => "cookies echoed, not understood".to_owned(),
        (0, _) => "no cookies".to_owned(),
        (_, 0) => "cookies right".to_owned(),
        (right, missing) => format!("cookies in {right} of {}", right + missing),
    }
}

/// `queries up to 4096 octets; answers up to 1400, 3000 lost, cut from 2000`.
fn through(sizes: &Sizes) -> String {
    let up_to = |passes: Option<u64>| passes.map_or(ABSENT.to_owned(), |passes| format!("up to {passes}"));
    let lost = |lost: Option<u64>| lost.map_or_else(String::new, |lost| format!(", {lost} lost"));
    let (there, back) = (up_to(sizes.query_bytes), up_to(sizes.answer_bytes));
    let cut = sizes.answer_cut_bytes.map_or_else(String::new, |cut| format!(", {cut} cut by the server"));
    let (lost_there, lost_back) = (lost(sizes.query_lost_bytes), lost(sizes.answer_lost_bytes));
    if sizes.answers.is_empty() {
        return format!("queries {there} octets{lost_there}; no answer was found that is longer than 512");
    }
    format!("queries {there} octets{lost_there}; answers {back}{lost_back}{cut}")
}

fn phases(first: &Phases, server: &Server) -> String {
    let mut parts = Vec::new();
    parts.extend(first.connect.map(|time| format!("connect {}", span(time))));
    parts.extend(first.tls.map(|time| format!("tls {}", span(time))));
    parts.push(format!("query {}", span(first.query)));
    let reused =
        server.reused.as_ref().map_or_else(String::new, |times| format!("; then query {}", median(times)));
    format!("first {}{reused}", parts.join(", "))
}

fn tls(session: &Tls) -> String {
    let known = [&session.version, &session.suite, &session.group, &session.alpn];
    let mut parts: Vec<String> = known.into_iter().flatten().map(|text| escape(text).into_owned()).collect();
    parts.push(match session.verify {
        Verdict::Ok => format!("verified as {}", escape(&session.name)),
        _ => format!("NOT verified as {}", escape(&session.name)),
    });
    parts.join(", ")
}

fn median(times: &Times) -> String {
    format!("{} (p50 of {})", span(times.p50), times.count)
}

/// The records: once where all agree, else of each server.
fn said(out: &mut impl io::Write, report: &Report, style: Style) -> io::Result<()> {
    let agree = report.agreement != Some(false);
    let answered = report.servers.iter().filter(|server| !server.answers.is_empty());
    for server in answered.take(if agree { 1 } else { usize::MAX }) {
        writeln!(out)?;
        if !agree {
            writeln!(out, "{}", style.dim(&escape(&server.server)))?;
        }
        records(out, &server.answers, server.answers_total.unwrap_or(0))?;
    }
    writeln!(out)
}

fn records(out: &mut impl io::Write, records: &[RecordText], total: u64) -> io::Result<()> {
    for record in records.iter().take(SHOWN) {
        let ttl = record.ttl_s.map_or(ABSENT.to_owned(), |ttl| ttl.to_string());
        let RecordText { name, kind, data, .. } = record;
        writeln!(out, "{}  {ttl:>6} {:<6} {}", escape(name), escape(kind), escape(data))?;
    }
    let left = total.saturating_sub(records.len().min(SHOWN) as u64);
    if left > 0 {
        writeln!(out, "… and {left} more")?;
    }
    Ok(())
}

fn traced(out: &mut impl io::Write, trace: &Trace, style: Style) -> io::Result<()> {
    for step in &trace.steps {
        let server = step.server.as_ref().map_or_else(String::new, |server| format!("{} ", escape(server)));
        let came = match (&step.refers_to, &step.why, &step.rcode) {
            (_, Some(why), _) => style.red(&escape(why)),
            _ if step.lame => style.red("lame: it does not know this zone"),
            (Some(zone), ..) => format!("refers to {}", escape(zone)),
            (None, None, code) => format!("answers {}", code.as_deref().unwrap_or(ABSENT)),
        };
        let time = step.rtt.map_or(ABSENT.to_owned(), span);
        writeln!(out, "{:<20} {:>10}  {server}({}) {came}", escape(&step.zone), time, step.address)?;
    }
    writeln!(out)?;
    records(out, &trace.answers, trace.answers.len() as u64)?;
    let steps = counted(trace.steps.len() as u64, "question");
    label(out, style, "trace", &format!("{steps}, {} in all", span(trace.total)))?;
    match &trace.ended {
        Some(why) => label(out, style, "ended", &style.red(&escape(why))),
        None => Ok(()),
    }
}

fn borne(out: &mut impl io::Write, load: &LoadReport, style: Style) -> io::Result<()> {
    let rate = load.qps.map_or(ABSENT.to_owned(), |qps| format!("{qps:.0}"));
    writeln!(
        out,
        "{}",
        style.bold(&format!(
            "{rate} answers/s of {} over {} in {}",
            escape(&load.server),
            load.transport.word(),
            span(load.duration)
        ))
    )?;
    if load.connections > 0 {
        let times = [("connect", &load.connect), ("tls", &load.tls)];
        let times =
            times.iter().filter_map(|(name, times)| Some(format!(", {name} {}", median(times.as_ref()?))));
        let made = format!("{} made{}", counted(load.connections, "connection"), times.collect::<String>());
        label(out, style, "tcp", &made)?;
    }
    if let Some(session) = &load.tls_session {
        label(out, style, "tls", &tls(session))?;
    }
    let loss = load.loss_ratio.map_or(ABSENT.to_owned(), percent);
    let lost = style
        .red_if(load.timeouts + load.broken > 0, &format!("{} lost ({loss})", load.timeouts + load.broken));
    let counts = format!("{} sent, {} answered, {lost}", load.sent, load.completed);
    label(
        out,
        style,
        "queries",
        &format!("{counts}, of {} in the file", counted(load.questions, "question")),
    )?;
    if let Some(latency) = &load.latency {
        let Times { min, p50, p95, max, .. } = latency;
        let [min, p50, p95, max] = [min, p50, p95, max].map(|time| span(*time));
        label(out, style, "latency", &format!("min {min}, p50 {p50}, p95 {p95}, max {max}"))?;
    }
    let codes: Vec<String> = load.rcodes.iter().map(|(code, count)| format!("{code} {count}")).collect();
    label(out, style, "rcodes", &codes.join(", "))?;
    if load.completed > 0 {
        let size = bytes(load.response_bytes as f64 / load.completed as f64);
        label(out, style, "size", &format!("{size} an answer"))?;
    }
    for (count, what) in [
        (load.broken, "queries were lost with a connection that the server ended"),
        (load.mismatched, "answers were late, or to no query of ours"),
        (load.send_errors, "queries were not sent by this host"),
        (load.receive_overflow, "answers were dropped in this host's receive queue"),
        (load.pending, "queries were on their way when the run was interrupted"),
    ] {
        if count > 0 {
            label(out, style, "note", &format!("{count} {what}"))?;
        }
    }
    Ok(())
}
