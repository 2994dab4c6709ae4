//! `portscan` for people, in the form of nmap's reports.

use std::io;
use std::net::IpAddr;

use super::{Style, Summary, counted, escape, span};
use crate::probe::portscan::{Host, Port, PortScan, Report, State};
use crate::probe::{Measurement, Probe};

impl Summary for Report {
    fn write(&self, out: &mut impl io::Write, of: &Measurement, style: Style) -> io::Result<()> {
        let Probe::PortScan(asked) = &of.probe else { return Ok(()) };
        for (n, host) in self.hosts.iter().enumerate() {
            if n > 0 {
                writeln!(out)?;
            }
            if self.hosts.len() > 1 {
                writeln!(out, "{}", style.bold(&host.address.to_string()))?;
            }
            ports(out, self, host, asked, style)?;
        }
        if self.hosts.len() > 1 {
            writeln!(out)?;
        }
        for one in &self.unmeasured {
            writeln!(
                out,
                "{}",
                style.red(&format!("{}: {}", escape(&one.target), escape(&one.failure.detail)))
            )?;
        }
        if let Some(failure) = &self.broken_off {
            let why = escape(&failure.detail);
            writeln!(out, "{}", style.red(&format!("broken off, and known only in part: {why}")))?;
        }
        writeln!(out, "{}", style.dim(&total(self, of)))
    }
}

/// `3 open, 990 closed, 7 filtered; 1007 questions in 200.0 ms`
fn total(report: &Report, of: &Measurement) -> String {
    let counts = &report.counts;
    let known = [
        (counts.open, "open"),
        (counts.closed, "closed"),
        (counts.filtered, "filtered"),
        (counts.open_filtered, "open|filtered"),
        (counts.unasked, "not asked"),
    ];
    let known: Vec<String> = (known.iter().enumerate())
        .filter(|(n, (count, _))| *n == 0 || *count > 0)
        .map(|(_, (count, word))| format!("{count} {word}"))
        .collect();
    // No rate: the first questions go at once, so it would contradict the one that was asked for.
    let questions = counted(report.sent, "question");
    format!("{}; {questions} in {}", known.join(", "), span(of.elapsed))
}

fn ports(
    out: &mut impl io::Write,
    report: &Report,
    host: &Host,
    asked: &PortScan,
    style: Style,
) -> io::Result<()> {
    let mut listed: Vec<&Port> = report.ports_of(host.address).collect();
    if asked.open {
        listed.retain(|port| matches!(port.state, State::Open | State::OpenFiltered));
    }
    if !asked.open {
        for hidden in &host.hidden {
            let (state, reason) = (hidden.state.word(), hidden.reason.words());
            let ports = counted(hidden.count, &format!("{state} {} port", hidden.proto.word()));
            writeln!(out, "Not shown: {ports} ({reason})")?;
        }
    }
    if let Some(rate) = host.answers_per_second {
        let note = format!(
            "note: answers are rationed to about {rate:.0} a second, here or on the way; silent ports are less certain"
        );
        writeln!(out, "{}", style.dim(&note))?;
    }
    if listed.is_empty() {
        return Ok(());
    }
    let rows: Vec<[String; 5]> = listed.iter().map(|port| row(port, asked.reason)).collect();
    let heads = ["PORT", "STATE", "SERVICE", if asked.reason { "REASON" } else { "" }, ""].map(str::to_owned);
    let wide = |column: usize| {
        let cells = rows.iter().chain([&heads]).map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths = [wide(0), wide(1), wide(2), wide(3)];
    writeln!(out, "{}", style.dim(&line(&heads, widths)))?;
    for (row, port) in rows.iter().zip(&listed) {
        let line = line(row, widths);
        writeln!(out, "{}", if port.state == State::Open { style.bold(&line) } else { line })?;
    }
    Ok(())
}

fn line(cells: &[String; 5], widths: [usize; 4]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        line += &format!("{cell:<width$} ");
    }
    line += &cells[4];
    line.trim_end().to_owned()
}

fn row(port: &Port, reasons: bool) -> [String; 5] {
    let from = |from: IpAddr| format!(" from {from}");
    let reason = format!("{}{}", port.reason.words(), port.from.map(from).unwrap_or_default());
    let said = [&port.tls, &port.banner].into_iter().flatten().map(|text| escape(text).into_owned());
    [
        format!("{}/{}", port.port, port.proto.word()),
        port.state.word().to_owned(),
        port.service.as_deref().map_or("unknown".to_owned(), |name| escape(name).into_owned()),
        if reasons { reason } else { String::new() },
        said.collect::<Vec<_>>().join("  "),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;
    use crate::report::text::summary;

    fn shown(change: impl FnOnce(&mut PortScan)) -> String {
        let mut measurement = sample::portscan();
        let Probe::PortScan(asked) = &mut measurement.probe else { panic!("a scan") };
        change(asked);
        let mut out = Vec::new();
        summary(&mut out, &measurement, Style::PLAIN).expect("written");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_report_looks_like_nmaps() {
        insta::assert_snapshot!(shown(|asked| asked.reason = true), @r"
        --- host.example (192.0.2.1) portscan ---
        Not shown: 996 closed tcp ports (reset)
        PORT     STATE    SERVICE REASON
        22/tcp   open     ssh     syn-ack                           SSH-2.0-x\u{1b}[2J
        443/tcp  open     https   syn-ack                           TLS 1.3, alpn h2
        1001/tcp filtered unknown admin-prohibited from 192.0.2.254
        2 open, 996 closed, 1 filtered; 1001 questions in 200.0 ms
        ");
    }

    #[test]
    fn a_scan_that_broke_off_says_why() {
        let mut measurement = sample::portscan();
        let crate::probe::Outcome::Report(crate::probe::Report::PortScan(report)) = &mut measurement.outcome
        else {
            panic!("a report")
        };
        let why = "connect to 192.0.2.1:7: network is unreachable";
        (report.broken_off, report.counts.unasked) =
            (Some(crate::failure::Class::Unreachable.because(why)), 7);
        let mut out = Vec::new();
        summary(&mut out, &measurement, Style::PLAIN).expect("written");
        let text = String::from_utf8(out).expect("text");
        assert!(text.contains(&format!("broken off, and known only in part: {why}\n")), "{text}");
        assert!(text.contains("2 open, 996 closed, 1 filtered, 7 not asked; "), "{text}");
    }

    #[test]
    fn only_open_ports_are_shown_when_asked() {
        insta::assert_snapshot!(shown(|asked| asked.open = true), @r"
        --- host.example (192.0.2.1) portscan ---
        PORT    STATE SERVICE
        22/tcp  open  ssh      SSH-2.0-x\u{1b}[2J
        443/tcp open  https    TLS 1.3, alpn h2
        2 open, 996 closed, 1 filtered; 1001 questions in 200.0 ms
        ");
    }
}
