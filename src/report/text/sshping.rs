//! `sshping` for people: who the server is, each step, the echoes, what goes through.

use std::io;

use super::packets::{label, round_trips};
use super::{ABSENT, Style, Summary, bytes, counted, escape, rate, span};
use crate::probe::sshping::{Report, Transfer, Trust};
use crate::probe::{Measurement, Probe};

impl Summary for Report {
    fn write(&self, out: &mut impl io::Write, of: &Measurement, style: Style) -> io::Result<()> {
        label(out, style, "server", &server(self))?;
        let steps = self
            .phases
            .named()
            .into_iter()
            .filter_map(|(name, took)| Some(format!("{name} {}", span(took?))));
        let steps: Vec<String> = steps.collect();
        label(out, style, "steps", &format!("{}; {} in all", steps.join(", "), span(self.phases.total())))?;
        if let Some(login) = &self.login {
            label(out, style, "login", &format!("{} by {}", escape(&login.user), login.method))?;
        }
        if let Some(echo) = &self.echo {
            let by = if echo.by == "tty" { "a terminal" } else { "a program" };
            let text =
                format!("{} of {} came back from {by}", echo.received, counted(echo.sent, "character"));
            label(out, style, "echo", &text)?;
            round_trips(out, style, echo.rtt.as_ref())?;
        }
        for (name, transfer) in [("upload", &self.upload), ("download", &self.download)] {
            if let Some(transfer) = transfer {
                label(out, style, name, &moved(transfer))?;
            }
        }
        if let Some(tcp) = self.tcp {
            let rtt = tcp.rtt.map_or_else(|| ABSENT.to_owned(), span);
            let text = format!(
                "rtt {rtt}, {} sent again, mss {}",
                counted(tcp.retransmits.into(), "segment"),
                tcp.mss_bytes
            );
            label(out, style, "tcp", &text)?;
        }
        for failure in &self.failures {
            label(out, style, "failed", &style.red(&escape(&failure.detail)))?;
        }
        if let Probe::SshPing(asked) = &of.probe
            && asked.pingsummary
            && let Some(rtt) = self.echo.as_ref().and_then(|echo| echo.rtt)
        {
            let ms = |span: std::time::Duration| format!("{:.3}", span.as_secs_f64() * 1e3);
            let all = [rtt.min, rtt.mean, rtt.max, rtt.stddev].map(ms).join("/");
            writeln!(out, "rtt min/avg/max/mdev = {all} ms")?;
        }
        Ok(())
    }
}

fn server(report: &Report) -> String {
    let banner =
        report.banner.as_deref().map_or_else(|| ABSENT.to_owned(), |banner| escape(banner).into_owned());
    let trust = match report.host_key.trust {
        Trust::Known => "known",
        Trust::Given => "as given",
        Trust::Accepted => "new, and let in",
        Trust::Unchecked => "not looked at",
    };
    let kex = report.algorithms.kex.as_deref().unwrap_or(ABSENT);
    let cipher = report.algorithms.cipher_up.as_deref().unwrap_or(ABSENT);
    format!("{banner}, {} {trust}, {}, {}", escape(&report.host_key.kind), escape(kex), escape(cipher))
}

fn moved(transfer: &Transfer) -> String {
    let speed = transfer.throughput_bps.map_or_else(|| ABSENT.to_owned(), rate);
    format!("{} in {}, {speed}", bytes(transfer.bytes as f64), span(transfer.elapsed))
}
