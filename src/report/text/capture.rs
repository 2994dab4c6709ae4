//! `capture` for people: sums, then tables as `tshark -z conv` and capinfos print them.

use std::io;
use std::net::{IpAddr, SocketAddr};

use super::packets::label;
use super::{ABSENT, Style, Summary, bytes, counted, escape, percent, rate, span};
use crate::probe::Measurement;
use crate::probe::capture::{Conversation, Ended, Report, Tcp, Volume, kept};

impl Summary for Report {
    fn write(&self, out: &mut impl io::Write, of: &Measurement, style: Style) -> io::Result<()> {
        writeln!(out, "{}", sums(self))?;
        writeln!(out, "{}", account(self, of, style))?;
        if let Some(filter) = &self.filter {
            label(out, style, "filter", &escape(filter))?;
        }
        if !self.protocols.is_empty() {
            label(out, style, "protocols", &protocols(self))?;
        }
        if self.tcp.segments > 0 {
            label(out, style, "tcp", &tcp(&self.tcp, style))?;
            if let Some(text) = handshakes(&self.tcp) {
                label(out, style, "handshake", &text)?;
            }
        }
        talkers(out, self, style)?;
        conversations(out, self, style)?;
        for note in notes(self) {
            label(out, style, "note", &note)?;
        }
        for kept in &self.files {
            let (file, packets, size) =
                (kept.file.display().to_string(), counted(kept.packets, "packet"), bytes(kept.bytes as f64));
            label(
                out,
                style,
                "file",
                &format!("{}, {packets}, {size}, sha256 {}", escape(&file), kept.sha256),
            )?;
        }
        Ok(())
    }
}

/// `1204 packets, 1.15 MiB in 12.04 s (802 kbit/s), until the time was over`
fn sums(report: &Report) -> String {
    let size = bytes(report.bytes as f64);
    let lasted = report.time().map_or_else(String::new, |lasted| format!(" in {}", span(lasted)));
    let speed = report.throughput().map_or_else(String::new, |speed| format!(" ({})", rate(speed)));
    let until = match report.ended {
        Ended::Count => "as many as were asked for",
        Ended::Duration => "until the time was over",
        Ended::Size => "until the file had its size",
        Ended::Interface => "until the interface went down",
        Ended::Reader => "until nobody read them any more",
        Ended::Interrupted => "until told to stop",
        Ended::End => "to the end of the file",
    };
    format!("{}, {size}{lasted}{speed}, {until}", counted(report.packets, "packet"))
}

/// Where they come from, and those that are not among them.
fn account(report: &Report, of: &Measurement, style: Style) -> String {
    let mut parts = Vec::new();
    if let Some(interface) = &report.interface {
        parts.push(format!("on {}", escape(interface)));
    }
    parts.extend(report.link.as_ref().map(|link| format!("link {}", escape(link))));
    parts.extend(report.snaplen_bytes.map(kept));
    parts.extend(report.received.map(|count| format!("{count} received by filter")));
    parts.extend(
        report.dropped_kernel.map(|count| style.red_if(count > 0, &format!("{count} dropped by kernel"))),
    );
    if report.dropped_limit > 0 {
        parts.push(format!("{} beyond the limit", report.dropped_limit));
    }
    if report.filtered > 0 {
        parts.push(format!("{} others", report.filtered));
    }
    if parts.is_empty() {
        parts.push(format!("took {}", span(of.elapsed)));
    }
    parts.join(", ")
}

fn protocols(report: &Report) -> String {
    let mut sorted: Vec<_> = report.protocols.iter().collect();
    sorted.sort_by_key(|(name, volume)| (std::cmp::Reverse(volume.packets), (*name).clone()));
    let one = |(name, volume): &(&String, &Volume)| format!("{} {}", escape(name), volume.packets);
    let shown: Vec<_> = sorted.iter().take(12).map(one).collect();
    shown.join(", ")
}

fn tcp(tcp: &Tcp, style: Style) -> String {
    let ratio = tcp.retransmit_ratio.map_or_else(String::new, |ratio| format!(" ({})", percent(ratio)));
    let retransmits = style.red_if(tcp.retransmits > 0, &format!("{} retransmitted{ratio}", tcp.retransmits));
    let zero = style.red_if(tcp.zero_windows > 0, &counted(tcp.zero_windows, "zero window"));
    let mut parts =
        vec![counted(tcp.connections, "connection"), counted(tcp.segments, "segment"), retransmits];
    parts.push(format!("{} out of order", tcp.out_of_order));
    parts.push(counted(tcp.duplicate_acks, "duplicate ack"));
    parts.push(zero);
    parts.push(counted(tcp.resets, "reset"));
    if tcp.gaps > 0 {
        parts.push(format!("{} gaps in the capture", tcp.gaps));
    }
    parts.join(", ")
}

fn handshakes(tcp: &Tcp) -> Option<String> {
    let times = tcp.handshakes?;
    let [min, p50, p95, max] = [times.min, times.p50, times.p95, times.max].map(span);
    Some(format!("{} timed, RTT min {min}, p50 {p50}, p95 {p95}, max {max}", times.count))
}

fn talkers(out: &mut impl io::Write, report: &Report, style: Style) -> io::Result<()> {
    if report.talkers.is_empty() {
        return Ok(());
    }
    let width =
        report.talkers.iter().map(|talker| talker.address.to_string().len()).max().unwrap_or(0).max(7);
    let head =
        format!("{:<width$} {:>10} {:>10} {:>10} {:>10}", "talker", "sent", "octets", "received", "octets");
    writeln!(out, "\n{}", style.dim(&head))?;
    for talker in &report.talkers {
        let (sent, received) = (volume(&talker.sent), volume(&talker.received));
        writeln!(out, "{:<width$} {sent} {received}", talker.address.to_string())?;
    }
    Ok(())
}

fn conversations(out: &mut impl io::Write, report: &Report, style: Style) -> io::Result<()> {
    let top = &report.conversations.top;
    if top.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = top.iter().map(name).collect();
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(12);
    let heads = ["-> packets", "octets", "<- packets", "octets", "lasted", "rtt ms", "retrans"]
        .map(|head| format!(" {head:>10}"));
    writeln!(out, "\n{}", style.dim(&format!("{:<width$}{}", "conversation", heads.concat())))?;
    for (name, talk) in names.iter().zip(top) {
        let rtt = talk.handshake.map_or(ABSENT.to_owned(), super::millis);
        let repeated = talk.retransmits.map_or(ABSENT.to_owned(), |count| count.to_string());
        let (sent, received, lasted) = (volume(&talk.sent), volume(&talk.received), span(talk.lasted));
        writeln!(out, "{name:<width$} {sent} {received} {lasted:>10} {rtt:>10} {repeated:>10}")?;
    }
    writeln!(out)
}

/// `tcp 10.0.0.1:40000 -> 10.0.0.2:80`
fn name(talk: &Conversation) -> String {
    let end = |address: IpAddr, port: Option<u16>| {
        port.map_or_else(|| address.to_string(), |port| SocketAddr::new(address, port).to_string())
    };
    let (from, to) = (end(talk.source, talk.source_port), end(talk.destination, talk.destination_port));
    format!("{} {from} -> {to}", escape(&talk.protocol))
}

fn volume(volume: &Volume) -> String {
    format!("{:>10} {:>10}", volume.packets, bytes(volume.bytes as f64))
}

fn notes(report: &Report) -> Vec<String> {
    let mut notes = Vec::new();
    if report.packets == 0 && report.interface.is_some() {
        notes.push(
            "no packet passed: is it the right interface (--list-interfaces), and the right filter?"
                .to_owned(),
        );
    }
    if report.conversations.count > report.conversations.top.len() as u64 {
        notes.push(format!("{} in all", counted(report.conversations.count, "conversation")));
    }
    if report.conversations.uncounted.packets > 0 {
        let others = counted(report.conversations.uncounted.packets, "packet");
        notes.push(format!("{others} of conversations beyond these, which were only counted"));
    }
    if report.dropped_kernel.is_some_and(|dropped| dropped > 0) {
        notes.push(
            "the kernel dropped packets: what is missing here may have passed; -B makes the ring larger"
                .to_owned(),
        );
    }
    if report.cut {
        notes.push("the file ends in the middle of a packet".to_owned());
    }
    notes
}
