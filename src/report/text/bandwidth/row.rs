//! A line for each interval, in iperf3's columns.

use std::time::Duration;

use crate::probe::bandwidth::{RateUnit, Tally};
use crate::report::text::{ABSENT, bytes, millis, rate};

/// A rate, in `unit` where one was asked for.
pub(super) fn speed(bits_per_second: f64, unit: Option<RateUnit>) -> String {
    let Some(unit) = unit else { return rate(bits_per_second) };
    let (scale, name) = unit.scale();
    let value = bits_per_second / scale;
    let decimals = match value {
        _ if value >= 999.95 => 0,
        _ if value >= 99.995 => 1,
        _ if value >= 9.9995 => 2,
        _ => 3,
    };
    format!("{value:.decimals$} {name}")
}

/// The columns that every line has.
const HEAD: &str = "[ ID] Interval           Transfer      Bitrate";

/// The columns above lines like that of `tally`.
pub(in crate::report::text) fn head(tally: &Tally, both: bool) -> String {
    let more = match tally {
        Tally { jitter: Some(_), .. } => "        Jitter     Lost/Total",
        Tally { datagrams: Some(_), .. } => "        Datagrams",
        Tally { retransmits: Some(_), .. } => "        Retr  Cwnd",
        _ => "",
    };
    let role = if both { HEAD.replace("[ ID]", "[ ID] Way ") } else { HEAD.to_owned() };
    format!("{role}{more}")
}

/// `[  1]   0.00-1.00   sec    745 MiB    6.24 Gbit/s    49   767 KiB`
pub(in crate::report::text) fn interval(
    stream: Option<u32>,
    way: Option<bool>,
    (start, end): (Duration, Duration),
    tally: &Tally,
    omitted: bool,
    unit: Option<RateUnit>,
) -> String {
    let id = stream.map_or_else(|| "SUM".to_owned(), |id| format!("{id:>3}"));
    let way = way.map_or("", |up| if up { " up  " } else { " down" });
    let time = format!("{:>6.2}-{:<6.2}", start.as_secs_f64(), end.as_secs_f64());
    let speed = tally.throughput_bps.map_or_else(|| ABSENT.to_owned(), |bps| speed(bps, unit));
    let cwnd = || tally.cwnd_bytes.map_or_else(|| ABSENT.to_owned(), |cwnd| bytes(cwnd as f64));
    let more = match *tally {
        Tally { jitter: Some(jitter), datagrams: Some(all), lost: Some(lost), .. } => {
            let share = 100.0 * lost as f64 / all.max(1) as f64;
            format!("  {:>8} ms  {lost}/{all} ({share:.2} %)", millis(jitter))
        }
        Tally { datagrams: Some(all), .. } => format!("  {all:>8}"),
        Tally { retransmits: Some(again), .. } => format!("  {again:>6}  {:>9}", cwnd()),
        _ => String::new(),
    };
    let omitted = if omitted { "  (omitted)" } else { "" };
    format!("[{id}]{way} {time} sec  {:>9}  {speed:>12}{more}{omitted}", bytes(tally.bytes as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stand_below_their_heads() {
        let tcp = Tally {
            bytes: 781_189_120,
            throughput_bps: Some(6.24e9),
            retransmits: Some(49),
            cwnd_bytes: Some(785_408),
            ..Tally::default()
        };
        let udp = Tally {
            bytes: 6_000_000,
            throughput_bps: Some(48e6),
            datagrams: Some(5000),
            lost: Some(12),
            jitter: Some(Duration::from_micros(36)),
            ..Tally::default()
        };
        let span = (Duration::ZERO, Duration::from_secs(1));
        let lines = [
            head(&tcp, false),
            interval(Some(1), None, span, &tcp, true, None),
            interval(None, None, span, &tcp, false, "m".parse().ok()),
            head(&udp, true),
            interval(Some(3), Some(false), span, &udp, false, "K".parse().ok()),
        ];
        insta::assert_snapshot!(lines.join("\n"), @r"
        [ ID] Interval           Transfer      Bitrate        Retr  Cwnd
        [  1]   0.00-1.00   sec    745 MiB   6.24 Gbit/s      49    767 KiB  (omitted)
        [SUM]   0.00-1.00   sec    745 MiB   6240 Mbit/s      49    767 KiB
        [ ID] Way  Interval           Transfer      Bitrate        Jitter     Lost/Total
        [  3] down   0.00-1.00   sec   5.72 MiB    5859 KiB/s     0.036 ms  12/5000 (0.24 %)
        ");
    }
}
