//! `tls` for people: what is wrong first, then what was agreed upon, who it is, and what else it offers.

use std::io;

use super::findings::findings;
use super::packets::label;
use super::{ABSENT, Style, Summary, counted, escape, span};
use crate::net::tls::{Certificate, Verdict};
use crate::probe::Measurement;
use crate::probe::tls::{Offered, Report, Resumption, Revocation, Scan, Staple, TimestampWay, Transparency};
use crate::units::Timestamp;

/// Names of a certificate that are shown.
const NAMES: usize = 6;
/// Timestamps of certificate logs that are shown.
const LOGS: usize = 6;

impl Summary for Report {
    fn write(&self, out: &mut impl io::Write, _: &Measurement, style: Style) -> io::Result<()> {
        let found = self.findings.iter().map(|one| (one.severity, one.text.as_str()));
        findings(out, style, found)?;
        label(out, style, "verify", &style.red_if(self.verify != Verdict::Ok, &verdict(self)))?;
        label(out, style, "handshake", &agreed(self))?;
        label(out, style, "phases", &phases(self))?;
        for (n, one) in self.chain.iter().enumerate() {
            label(out, style, &format!("cert {n}"), &certificate(one))?;
        }
        if let Some(anchor) = self.built.path.last().filter(|last| last.sent.is_none()) {
            label(out, style, "authority", &format!("{}, known here", escape(&anchor.subject)))?;
        }
        if let Some(names) = self.chain.first().map(names) {
            label(out, style, "names", &names)?;
        }
        if self.ocsp.stapled {
            label(out, style, "staple", &staple(&self.ocsp))?;
        }
        for (n, line) in transparency(&self.transparency).iter().enumerate() {
            label(out, style, if n == 0 { "logs" } else { "" }, line)?;
        }
        if let Some(resumption) = &self.resumption {
            label(out, style, "resumption", &resumed(resumption))?;
        }
        if let Some(skew) = self.http.and_then(|http| http.clock_skew_ms) {
            label(out, style, "clock", &format!("{:+.1} s beside this host's (±0.5 s)", skew / 1000.0))?;
        } else if let Some(why) = self.http_error.as_deref().filter(|_| self.handshake_error.is_none()) {
            label(out, style, "clock", &format!("{ABSENT} ({})", escape(why)))?;
        }
        if let Some(scan) = &self.scan {
            offers(out, scan, style)?;
        }
        Ok(())
    }
}

/// What a scan has found.
fn offers(out: &mut impl io::Write, scan: &Scan, style: Style) -> io::Result<()> {
    let named = scan.versions.named();
    let of = |is: Option<bool>| -> Vec<&str> {
        named.iter().filter(|(_, offered)| *offered == is).map(|(name, _)| *name).collect()
    };
    let unknown = of(None);
    let unknown =
        if unknown.is_empty() { String::new() } else { format!("; unknown {}", unknown.join(", ")) };
    let offered = of(Some(true));
    let offered = if offered.is_empty() { ABSENT.to_owned() } else { offered.join(", ") };
    label(out, style, "versions", &format!("{offered}{unknown}"))?;
    for (name, _) in named {
        let suites: Vec<&Offered> = scan.suites.iter().filter(|suite| suite.version == name).collect();
        for (n, suite) in suites.iter().enumerate() {
            label(out, style, if n == 0 { name } else { "" }, &offer(suite))?;
        }
    }
    let list = |names: Vec<String>| if names.is_empty() { ABSENT.to_owned() } else { names.join(", ") };
    let groups = scan.groups.iter().map(|group| escape(&group.group).into_owned()).collect();
    label(out, style, "groups", &list(groups))?;
    let newer = scan.newer_signatures.as_deref().unwrap_or_default();
    for (version, signatures) in [("TLSv1.3", newer), ("TLSv1.2", &scan.signatures)] {
        if !signatures.is_empty() {
            let names = signatures.iter().map(|name| escape(name).into_owned()).collect();
            label(out, style, "signatures", &format!("{version} {}", list(names)))?;
        }
    }
    let word =
        |name, is: Option<bool>| format!("{name} {}", is.map_or(ABSENT, |is| if is { "yes" } else { "no" }));
    let others = [
        word("server's order", scan.server_order),
        word("safe renegotiation", scan.secure_renegotiation),
        word("fallback refused", scan.fallback_scsv),
        word("compression", scan.compression),
        word("heartbeat", scan.heartbeat),
    ];
    label(out, style, "others", &others.join(", "))?;
    if let Some(why) = &scan.incomplete {
        writeln!(out, "{}", style.red(&format!("the scan is incomplete: {}", escape(why))))?;
    }
    let unanswered = if scan.unanswered > 0 {
        format!(", {} without an answer", counted(scan.unanswered, "question"))
    } else {
        String::new()
    };
    let total = format!("{}{unanswered} in {}", counted(scan.questions, "connection"), span(scan.lasted));
    writeln!(out, "{}", style.dim(&total))
}

fn offer(suite: &Offered) -> String {
    let group = suite.group.as_deref().map(|group| format!(", {}", escape(group))).unwrap_or_default();
    let prime = suite.dh_bits.map(|bits| format!(", DH {bits} bits")).unwrap_or_default();
    format!("{} ({} bits{group}{prime})", escape(&suite.suite), suite.bits)
}

fn known(text: Option<&str>) -> String {
    text.map_or_else(|| ABSENT.to_owned(), |text| escape(text).into_owned())
}

/// What a strict client would say, in a word or two.
fn verdict(report: &Report) -> String {
    let word = match report.verify {
        Verdict::Ok => "ok",
        Verdict::Expired => "expired",
        Verdict::NotYet => "not valid yet",
        Verdict::Name => "for another name",
        Verdict::Untrusted => "not trusted",
        Verdict::Revoked => "revoked",
        Verdict::Other => "cannot be believed",
    };
    let left = report.expires_in_s.filter(|left| *left >= 0.0);
    let days = left.map(|seconds| format!(", {} days left", (seconds / 86_400.0).floor()));
    format!("{word}{}", days.unwrap_or_default())
}

fn agreed(report: &Report) -> String {
    let group = report.group.as_deref().map(|group| format!(", {}", escape(group))).unwrap_or_default();
    let alpn = report.alpn.as_deref().map(|alpn| format!(", alpn {}", escape(alpn))).unwrap_or_default();
    format!("{}, {}{group}{alpn}", known(report.version.as_deref()), known(report.suite.as_deref()))
}

fn phases(report: &Report) -> String {
    let phases = &report.phases;
    let parts = [
        ("dns", phases.dns),
        ("connect", phases.connect),
        ("starttls", phases.starttls),
        ("tls", phases.tls),
        ("total", phases.total),
    ];
    let told: Vec<String> =
        parts.iter().filter_map(|(name, time)| Some(format!("{name} {}", span((*time)?)))).collect();
    told.join(", ")
}

fn certificate(one: &Certificate) -> String {
    let Some(subject) = one.subject.as_deref() else {
        return format!("unreadable, {} octets", one.size_bytes);
    };
    let until = one.not_after.map_or_else(|| ABSENT.to_owned(), day);
    let scts = one.scts.filter(|count| *count > 0).map(|count| format!(", {count} SCTs")).unwrap_or_default();
    let (subject, issuer) = (escape(subject), known(one.issuer.as_deref()));
    let by = if Some(subject.as_ref()) == one.issuer.as_deref() { "itself".to_owned() } else { issuer };
    format!(
        "{subject}, {}, until {until}, by {by} ({}){scts}",
        known(one.key.as_deref()),
        known(one.signature.as_deref())
    )
}

fn names(one: &Certificate) -> String {
    let shown: Vec<_> = one.sans.iter().take(NAMES).map(|name| escape(name)).collect();
    let more = one.sans_count.saturating_sub(shown.len() as u64);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    if shown.is_empty() { ABSENT.to_owned() } else { shown.join(", ") + &more }
}

fn staple(staple: &Staple) -> String {
    let status = match staple.status {
        Some(Revocation::Good) => "good",
        Some(Revocation::Revoked) => "revoked",
        Some(Revocation::Unknown) => "unknown",
        None => "says nothing",
    };
    let until = staple.next_update.map(|until| format!(", until {}", day(until))).unwrap_or_default();
    format!("{status}{until}")
}

/// Timestamps of certificate logs: how many come which way, then each.
fn transparency(all: &Transparency) -> Vec<String> {
    if all.timestamps.is_empty() {
        return Vec::new();
    }
    let ways = [
        (all.in_certificate, "in the certificate"),
        (all.by_tls, "in the handshake"),
        (all.in_staple, "in the staple"),
    ];
    let counts: Vec<String> = ways
        .iter()
        .filter_map(|(count, way)| Some(format!("{} {way}", count.filter(|count| *count > 0)?)))
        .collect();
    let mut lines =
        vec![format!("{}: {}", counted(all.timestamps.len() as u64, "timestamp"), counts.join(", "))];
    for one in all.timestamps.iter().take(LOGS) {
        let at = one.at.map_or_else(|| ABSENT.to_owned(), day);
        let from = match one.from {
            TimestampWay::Certificate => "certificate",
            TimestampWay::Tls => "handshake",
            TimestampWay::Staple => "staple",
        };
        lines.push(format!("{at} {} ({from})", escape(&one.log_id)));
    }
    let left = all.timestamps.len().saturating_sub(LOGS);
    lines.extend((left > 0).then(|| format!("… and {left} more")));
    lines
}

fn resumed(resumption: &Resumption) -> String {
    let by = match (resumption.ticket, resumption.session_id) {
        (true, _) => "ticket",
        (false, Some(true)) => "session number",
        (false, _) => return "not offered".to_owned(),
    };
    let how = match (resumption.resumed, resumption.tls) {
        (Some(true), Some(time)) => format!("resumed in {}", span(time)),
        (Some(true), None) => "resumed".to_owned(),
        (Some(false), _) => "not resumed".to_owned(),
        (None, _) => "not tried".to_owned(),
    };
    let early = match resumption.early_data {
        Some(true) => ", early data",
        Some(false) => ", no early data",
        None => "",
    };
    format!("{by}, {how}{early}")
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::tls::Tls;
    use crate::probe::{Outcome, Probe, Target};
    use crate::report::sample;
    use crate::report::text::summary;

    #[test]
    fn what_is_wrong_comes_first_and_nothing_is_raw() {
        let report = serde_json::json!({
            "port": 443, "server_name": "h.example", "injected_bytes": null,
            "phases": {"dns_ms": 1.5, "connect_ms": 10.0, "starttls_ms": null, "tls_ms": 20.0, "total_ms": 31.5},
            "version": "TLSv1.2", "suite": "TLS_X", "group": "x25519", "alpn": "h2\u{1b}[2J",
            "verify": "expired", "verify_path": "expired", "name_match": true,
            "chain": [{
                "subject": "CN=h\u{202e}", "issuer": "CN=Root", "not_after": "2026-01-01T00:00:00Z", "key": "P-256",
                "signature": "ecdsa-with-SHA256", "sans": ["h.example"], "sans_count": 9, "scts": 2, "sha256": "00",
                "size_bytes": 5,
            }, {"sans": [], "sans_count": 0, "sha256": "00", "size_bytes": 7}],
            "chain_count": 2,
            "built": {"path": [{"subject": "CN=h", "sent": 0}, {"subject": "CN=Root"}], "superfluous": [1], "in_order": true},
            "expires_in_s": -100.0,
            "ocsp": {"stapled": true, "status": "good", "next_update": "2026-02-01T00:00:00Z"},
            "transparency": {
                "in_certificate": 1, "by_tls": 1, "in_staple": null,
                "timestamps": [
                    {"from": "certificate", "log_id": "AAA=", "at": "2025-12-01T00:00:00Z", "signature": "ecdsa-sha256"},
                    {"from": "tls", "log_id": "BBB=\u{1b}", "at": null, "signature": "rsa-sha256"},
                ],
            },
            "resumption": {"ticket": false, "session_id": true, "resumed": true, "tls_ms": 5.0},
            "http": {"status": 200, "clock_skew_ms": -61000.0},
            "scan": {
                "versions": {"tlsv1_2": true, "sslv2": false},
                "suites": [{"version": "TLSv1.2", "suite": "TLS_X", "code": 1, "bits": 128, "dh_bits": 1024}],
                "groups": [{"group": "x25519", "versions": ["TLSv1.2"]}], "signatures": [], "server_order": true,
                "questions": 9, "unanswered": 1, "incomplete": "interrupted", "lasted_ms": 250.0,
            },
            "findings": [{"id": "cert_expirationStatus", "severity": "critical", "text": "it has expired\u{9b}"}],
        });
        let report: Report = serde_json::from_value(report).expect("a report");
        let mut measurement = sample::portscan();
        measurement.probe = Probe::Tls(Tls { target: Target::from("h.example"), ..Tls::default() });
        measurement.outcome = Outcome::Report(report.into());
        let mut out = Vec::new();
        summary(&mut out, &measurement, Style::PLAIN).expect("written");
        insta::assert_snapshot!(String::from_utf8(out).expect("text"), @r"
        --- h.example (192.0.2.1) tls ---
        critical it has expired\u{9b}

        verify     expired
        handshake  TLSv1.2, TLS_X, x25519, alpn h2\u{1b}[2J
        phases     dns 1.500 ms, connect 10.00 ms, tls 20.00 ms, total 31.50 ms
        cert 0     CN=h\u{202e}, P-256, until 2026-01-01, by CN=Root (ecdsa-with-SHA256), 2 SCTs
        cert 1     unreadable, 7 octets
        authority  CN=Root, known here
        names      h.example and 8 more
        staple     good, until 2026-02-01
        logs       2 timestamps: 1 in the certificate, 1 in the handshake
                   2025-12-01 AAA= (certificate)
                   – BBB=\u{1b} (handshake)
        resumption session number, resumed in 5.000 ms
        clock      -61.0 s beside this host's (±0.5 s)
        versions   TLSv1.2; unknown TLSv1.3, TLSv1.1, TLSv1.0, SSLv3
        TLSv1.2    TLS_X (128 bits, DH 1024 bits)
        groups     x25519
        others     server's order yes, safe renegotiation –, fallback refused –, compression –, heartbeat –
        the scan is incomplete: interrupted
        9 connections, 1 question without an answer in 250.0 ms
        ");
    }
}
