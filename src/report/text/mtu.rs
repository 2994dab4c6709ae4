//! `mtu` for people: the answer first, then who is to blame, what to set, and what was seen on the way.

use std::io;
use std::net::IpAddr;

use super::packets::times;
use super::{ABSENT, Style, Summary, counted, escape, millis, span};
use crate::probe::mtu::{Advice, BlackHole, Bound, CarriedBy, Report, TooBig, Way};
use crate::probe::{Measurement, Probe};

impl Summary for Report {
    fn write(&self, out: &mut impl io::Write, of: &Measurement, style: Style) -> io::Result<()> {
        writeln!(out, "{}", answer(self, of, style))?;
        for line in blame(self, style) {
            writeln!(out, "{line}")?;
        }
        if let Some(advice) = &self.advice {
            writeln!(out, "{}", style.bold(&set(self, advice)))?;
        }
        writeln!(out)?;
        facts(out, self, of, style)?;
        hops(out, self, style)
    }
}

/// `path MTU 1400 bytes, black hole after hop 2 (10.0.0.1)`
fn answer(report: &Report, of: &Measurement, style: Style) -> String {
    let Some(pmtu) = report.pmtu_bytes else {
        let tried: Vec<&str> = report.tried.iter().map(|by| by.words()).collect();
        let text = "no answer to packets of any size: nothing is known of the path MTU";
        return style.red(&format!("{text} (tried {})", tried.join(", ")));
    };
    let least = if report.exact { "" } else { "at least " };
    let hole = report.black_hole.as_ref().map(|hole| match hole.direction {
        Way::Reverse => ", black hole on the way back".to_owned(),
        Way::Forward | Way::Unknown => format!(", black hole{}", place(hole, report)),
    });
    let back = report.reverse_pmtu_bytes.filter(|&back| back < pmtu && hole.is_none());
    let fine = match (&hole, &report.advice, back) {
        (_, _, Some(back)) => format!(", the way back takes {back}"),
        // Short answers tell nothing of the way back.
        (None, None, _) if report.bounded_by.is_some() && report.reverse_pmtu_bytes.is_none() => {
            ", nothing is in the way there".to_owned()
        }
        (None, None, _) if report.bounded_by.is_some() => ", nothing is in the way".to_owned(),
        (None, Some(_), _) => ", routers say so".to_owned(),
        _ => String::new(),
    };
    let elapsed = span(of.elapsed);
    let text = format!("path MTU {least}{pmtu} bytes{}{fine}", hole.as_deref().unwrap_or_default());
    let text = if hole.is_some() { style.red(&text) } else { style.bold(&text) };
    format!("{text} ({}, {elapsed})", counted(report.counts.sent, "packet"))
}

/// ` between hop 2 (10.0.0.1) and hop 4 (10.0.0.9)`
fn place(hole: &BlackHole, report: &Report) -> String {
    let at = |hop: u8, address: Option<IpAddr>| match (hop, address) {
        (0, _) => "this host".to_owned(),
        (hop, Some(address)) => format!("hop {hop} ({})", known(address, name_of(report, address))),
        (hop, None) => format!("hop {hop}"),
    };
    match (hole.after_hop, hole.before_hop) {
        (Some(after), Some(before)) if before > after + 1 => {
            format!(" between {} and {}", at(after, hole.after), at(before, hole.before))
        }
        (Some(after), _) => format!(" after {}", at(after, hole.after)),
        (None, Some(before)) => format!(" before {}", at(before, hole.before)),
        (None, None) => String::new(),
    }
}

fn name_of(report: &Report, address: IpAddr) -> Option<&str> {
    report.hops.iter().find(|hop| hop.address == Some(address))?.name.as_deref()
}

/// `core.example 192.0.2.2`, or the address alone.
fn known(address: IpAddr, name: Option<&str>) -> String {
    name.map_or_else(|| address.to_string(), |name| format!("{} {address}", escape(name)))
}

/// What is wrong, a line each.
fn blame(report: &Report, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(hole) = &report.black_hole {
        let from = hole.from_bytes;
        lines.push(match hole.direction {
            Way::Forward => format!("packets of {from} bytes and more vanish on the way there, and nobody says so (no ICMP \"too big\")"),
            Way::Reverse => format!("packets of {from} bytes and more arrive there, but do not come back, and nobody says so"),
            Way::Unknown => format!("packets of {from} bytes and more get no answer, and nobody says why: they vanish on the way there or back"),
        });
    }
    lines.extend(report.too_big.iter().map(|one| refusal(one, style)));
    lines
}

fn refusal(one: &TooBig, style: Style) -> String {
    let from = one.from.map_or_else(|| "a router".to_owned(), |from| known(from, one.name.as_deref()));
    let hop = one.hop.map_or_else(String::new, |hop| format!(" (hop {hop})"));
    let says = one.mtu_bytes.map_or_else(
        || "does not say how large packets may be".to_owned(),
        |mtu| format!("says that its next link takes {mtu}"),
    );
    if one.wrong {
        return style.red(&format!("{from}{hop} {says}, but larger packets pass"));
    }
    format!("{from}{hop} {says}")
}

/// What to set.
fn set(report: &Report, advice: &Advice) -> String {
    let clamp = advice.mss_clamp_bytes;
    let mtu = advice.mtu_bytes;
    let rest = match (report.black_hole.is_some(), advice.tcp_fits) {
        (_, Some(true)) => " (TCP already keeps to it)",
        (true, _) => "; let ICMP \"too big\" through where it is filtered",
        (false, _) => "",
    };
    format!(
        "set MSS clamp {clamp} (nft: tcp flags syn tcp option maxseg size set {clamp}) or MTU {mtu} on the tunnel or interface{rest}"
    )
}

fn facts(out: &mut impl io::Write, report: &Report, of: &Measurement, style: Style) -> io::Result<()> {
    let octets = |size: Option<u16>| size.map_or_else(|| ABSENT.to_owned(), |size| size.to_string());
    let mut label = |name: &str, text: String| writeln!(out, "{} {text}", style.dim(&format!("{name:<12}")));
    let by = report.carrier.map_or_else(String::new, |by| format!(", by {}", by.words()));
    // The guess is about the narrower way.
    let is_back = report.reverse_pmtu_bytes.is_some() && report.reverse_pmtu_bytes < report.pmtu_bytes;
    let guess = |here: bool| {
        let guess = report.overhead_guess.as_deref().filter(|_| here);
        guess.map_or_else(String::new, |guess| format!(": that looks like {guess}"))
    };
    let least = if report.exact || report.pmtu_bytes.is_none() { "" } else { "at least " };
    let all = report.bounded_by.map_or_else(String::new, |bound| format!(" ({})", all(bound)));
    label("forward", format!("{least}{}{by}{all}{}", octets(report.pmtu_bytes), guess(!is_back)))?;
    label("reverse", reverse(report, &guess(is_back)))?;
    label(
        "routers say",
        report.icmp_pmtu_bytes.map_or_else(|| "nothing".to_owned(), |size| size.to_string()),
    )?;
    let interface =
        report.interface.as_deref().map_or_else(String::new, |name| format!(" ({})", escape(name)));
    label("interface", format!("{}{interface}", octets(report.local_mtu_bytes)))?;
    if report.route_mtu_bytes != report.local_mtu_bytes {
        label(
            "this kernel",
            format!("{}: what it has learnt of the path, and TCP uses", octets(report.route_mtu_bytes)),
        )?;
    }
    let port = report.tcp_port.map_or_else(String::new, |port| format!(" (port {port})"));
    label("TCP MSS", format!("{}{port}", octets(report.tcp_mss_bytes)))?;
    let rtt = report.rtt.as_ref().map(|rtt| (millis(rtt.min), millis(rtt.p50), millis(rtt.max)));
    label(
        "rtt",
        rtt.map_or_else(|| ABSENT.to_owned(), |(min, p50, max)| format!("min/p50/max {min}/{p50}/{max} ms")),
    )?;
    for note in notes(report, of) {
        label("note", note)?;
    }
    Ok(())
}

/// What is known of the way back, and why not more.
fn reverse(report: &Report, guess: &str) -> String {
    let Some(back) = report.reverse_pmtu_bytes else {
        return match (report.pmtu_bytes, report.carrier) {
            (Some(_), Some(CarriedBy::Udp | CarriedBy::Tcp)) => {
                "unknown: the answers are short; ICMP echo or `waddleperf serve` on the target would tell"
            }
            _ => "unknown: `waddleperf serve` on the target would tell",
        }
        .to_owned();
    };
    if report.reverse_exact {
        return format!("{back}{guess}");
    }
    let why = match (Some(back) < report.pmtu_bytes, report.exact) {
        (true, _) => "the run ended before the next larger size was settled",
        (false, true) => "no larger packet arrives there, and an answer is no longer",
        (false, false) => "no larger packet was sent",
    };
    format!("at least {back} ({why})")
}

/// Why nothing larger was tried.
const fn all(bound: Bound) -> &'static str {
    match bound {
        Bound::Interface => "the interface sends nothing larger",
        Bound::Asked => "--max lets nothing larger be tried",
        Bound::Limit => "nothing larger is tried",
        Bound::Reflector => "the reflector takes nothing larger",
    }
}

fn notes(report: &Report, of: &Measurement) -> Vec<String> {
    let mut notes = Vec::new();
    let v6 = of.address.is_some_and(|address| address.is_ipv6());
    let ordinary = if v6 { 1280 } else { 576 };
    if report.pmtu_bytes.is_some_and(|pmtu| pmtu < ordinary) {
        notes.push(format!("less than {ordinary} bytes: many hosts and tunnels do not cope with so little"));
    }
    if let Probe::Mtu(asked) = &of.probe
        && let (Some(max), Some(local)) = (asked.max, report.local_mtu_bytes)
        && max > local
    {
        notes.push(format!("--max {max}: the interface sends at most {local}"));
    }
    if !report.exact && report.bounded_by.is_none() && report.pmtu_bytes.is_some() {
        notes.push("the run ended before the next larger size was settled".to_owned());
    }
    if report.ignored > 0 {
        notes.push(format!(
            "{} not believed: nothing of ours is quoted, or the MTU is impossible",
            counted(report.ignored, "ICMP error")
        ));
    }
    notes.extend(report.notes.iter().map(|note| escape(note).into_owned()));
    notes.extend(report.errors.iter().map(|error| {
        let from = error.from.map_or("an unknown sender".to_owned(), |from| from.to_string());
        format!("ICMP type {} code {} from {from}, {}", error.kind, error.code, times(error.count))
    }));
    notes
}

/// The way, as tracepath shows it.
fn hops(out: &mut impl io::Write, report: &Report, style: Style) -> io::Result<()> {
    if report.hops.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    for hop in &report.hops {
        let address = hop.address.map_or_else(
            || if hop.target { "the target".to_owned() } else { "no reply".to_owned() },
            |address| known(address, hop.name.as_deref()),
        );
        let size = hop.size_bytes;
        let fate = match (hop.large, hop.small) {
            (true, _) => format!("{size} bytes come here"),
            (false, true) if hop.target => style.red(&format!("{size} bytes are not answered")),
            (false, true) => style.red(&format!("{size} bytes do not come here")),
            (false, false) => String::new(),
        };
        writeln!(out, "{:>3}  {address:<40} {fate}", hop.ttl)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::summary;
    use super::*;
    use crate::report::sample;

    fn shown(of: &Measurement) -> String {
        let mut out = Vec::new();
        summary(&mut out, of, Style::PLAIN).expect("memory takes everything");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn a_black_hole_is_said_first_with_what_to_set() {
        insta::assert_snapshot!(shown(&sample::mtu(1400, Some(2), false)), @r#"
        --- server.example (192.0.2.4) mtu ---
        path MTU 1400 bytes, black hole after hop 2 (core.example 192.0.2.2) (43 packets, 740.0 ms)
        packets of 1401 bytes and more vanish on the way there, and nobody says so (no ICMP "too big")
        set MSS clamp 1360 (nft: tcp flags syn tcp option maxseg size set 1360) or MTU 1400 on the tunnel or interface; let ICMP "too big" through where it is filtered

        forward      1400, by ICMP echo: that looks like IPsec
        reverse      unknown: `waddleperf serve` on the target would tell
        routers say  nothing
        interface    1500 (eth0)
        TCP MSS      1460 (port 443)
        rtt          min/p50/max 0.900/0.940/0.980 ms

          1  192.0.2.1                                1401 bytes come here
          2  core.example 192.0.2.2                   1401 bytes come here
          3  192.0.2.3                                1401 bytes do not come here
          4  192.0.2.4                                1401 bytes are not answered
        "#);
    }

    #[test]
    fn a_router_that_speaks_is_named() {
        insta::assert_snapshot!(shown(&sample::mtu(1400, None, true)), @"
        --- server.example (192.0.2.4) mtu ---
        path MTU 1400 bytes, routers say so (43 packets, 740.0 ms)
        core.example 192.0.2.2 (hop 2) says that its next link takes 1400
        set MSS clamp 1360 (nft: tcp flags syn tcp option maxseg size set 1360) or MTU 1400 on the tunnel or interface

        forward      1400, by ICMP echo: that looks like IPsec
        reverse      at least 1400 (no larger packet arrives there, and an answer is no longer)
        routers say  1400
        interface    1500 (eth0)
        TCP MSS      1460 (port 443)
        rtt          min/p50/max 0.900/0.940/0.980 ms

          1  192.0.2.1                                1401 bytes come here
          2  core.example 192.0.2.2                   1401 bytes come here
          3  192.0.2.3                                1401 bytes do not come here
          4  192.0.2.4                                1401 bytes are not answered
        ");
    }

    #[test]
    fn of_a_way_back_that_nothing_tells_of_nothing_is_said() {
        let mut of = sample::mtu(1500, None, false);
        if let crate::probe::Outcome::Report(crate::probe::Report::Mtu(report)) = &mut of.outcome {
            (report.reverse_pmtu_bytes, report.carrier) = (None, Some(CarriedBy::Udp));
        }
        let text = shown(&of);
        assert!(text.contains("path MTU at least 1500 bytes, nothing is in the way there ("), "{text}");
        assert!(text.contains("reverse      unknown: the answers are short; ICMP echo or"), "{text}");
    }

    #[test]
    fn a_dead_host_says_what_was_tried() {
        let mut of = sample::mtu(1500, None, false);
        if let crate::probe::Outcome::Report(crate::probe::Report::Mtu(report)) = &mut of.outcome {
            (report.pmtu_bytes, report.exact, report.rtt) = (None, false, None);
            report.tried = vec![crate::probe::mtu::CarriedBy::Icmp, crate::probe::mtu::CarriedBy::Udp];
        }
        let first = shown(&of).lines().nth(1).map(str::to_owned);
        let expected = "no answer to packets of any size: nothing is known of the path MTU \
                        (tried ICMP echo, UDP to closed ports)";
        assert_eq!(first.as_deref(), Some(expected));
    }

    #[test]
    fn a_clean_way_is_short() {
        insta::assert_snapshot!(shown(&sample::mtu(1500, None, false)), @"
        --- server.example (192.0.2.4) mtu ---
        path MTU at least 1500 bytes, nothing is in the way (43 packets, 740.0 ms)

        forward      at least 1500, by ICMP echo (the interface sends nothing larger)
        reverse      at least 1500 (no larger packet was sent)
        routers say  nothing
        interface    1500 (eth0)
        TCP MSS      1460 (port 443)
        rtt          min/p50/max 0.900/0.940/0.980 ms
        ");
    }
}
