//! iperf3's table: a head, and below it a row for each stream and for the sum of a direction's, of an interval or of the whole.
//!
//! Columns, signs and precision are those of iperf 3.12 (`src/iperf_locale.c`, `src/units.c`), whoever names the units.

use std::time::Duration;

use crate::probe::bandwidth::{RateUnit, Wording};

/// What stands between intervals of several streams, and above the sum of all.
pub const RULE: &str = "- - - - - - - - - - - - - - - - - - - - - - - - -";

/// The columns that every row has.
const HEAD: &str = " Interval           Transfer     Bitrate";

/// How a table's numbers are written.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Table {
    /// The unit of rates; `None` is what fits.
    pub unit: Option<RateUnit>,
    /// In whose words units are named.
    pub wording: Wording,
    /// Rows say who sends: there are both directions.
    pub has_roles: bool,
}

/// The columns that only some rows have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// None.
    Plain,
    /// Segments sent again, and the congestion window.
    Window,
    /// Segments sent again.
    Again,
    /// Datagrams that were sent.
    Datagrams,
    /// Jitter and loss.
    Jitter,
}

/// A row.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The stream; `None` of all that a direction has.
    pub stream: Option<u32>,
    /// Who sends: `[TX-C]`.
    pub role: &'a str,
    /// Its beginning and its end.
    pub span: (Duration, Duration),
    /// Octets.
    pub bytes: u64,
    /// Bits per second.
    pub bps: f64,
    /// What it has besides.
    pub detail: Detail,
    /// The last word: `(omitted)`, `sender`.
    pub note: &'a str,
}

/// What a row has besides octets and rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Detail {
    /// Nothing.
    Plain,
    /// Segments sent again, as far as that is known, and the congestion window in octets.
    Again(Option<u64>, Option<u64>),
    /// Datagrams that were sent.
    Datagrams(u64),
    /// Jitter, datagrams lost, and of how many.
    Jitter(Duration, i64, u64),
}

impl Table {
    /// One in iperf3's words.
    pub const fn iperf3s(unit: Option<RateUnit>, has_roles: bool) -> Self {
        Self { unit, wording: Wording::Iperf3, has_roles }
    }

    /// The names of the columns.
    pub fn head(&self, columns: Columns) -> String {
        let more = match columns {
            Columns::Plain => "",
            Columns::Window => "         Retr  Cwnd",
            Columns::Again => "         Retr",
            Columns::Datagrams => "         Total Datagrams",
            Columns::Jitter => "         Jitter    Lost/Total Datagrams",
        };
        let role = if self.has_roles { "[Role]" } else { "" };
        format!("[ ID]{role}{HEAD}{more}")
    }

    /// `[  5]   0.00-1.00   sec  6.00 MBytes  50.3 Mbits/sec    0   1.12 MBytes       (omitted)`
    pub fn row(&self, row: &Row<'_>) -> String {
        let detail = match row.detail {
            Detail::Plain => " ".repeat(18),
            Detail::Again(again, window) => {
                let again = again.map_or_else(String::new, |again| again.to_string());
                match window {
                    Some(window) => format!("  {again:>3}   {:<11}       ", self.octets(window as f64)),
                    None => format!("  {again:>3}             "),
                }
            }
            // Below the jitter of the other direction there is nothing.
            Detail::Datagrams(count) if self.has_roles => format!("            {count}  "),
            Detail::Datagrams(count) => format!("  {count}  "),
            Detail::Jitter(jitter, lost, all) => {
                let (jitter, share) = (jitter.as_secs_f64() * 1e3, share(lost, all));
                format!("  {jitter:5.3} ms  {lost}/{all} ({share}%)  ")
            }
        };
        let id = row.stream.map_or_else(|| "SUM".to_owned(), |stream| format!("{stream:>3}"));
        let (from, to) = (row.span.0.as_secs_f64(), row.span.1.as_secs_f64());
        let role = if self.has_roles { row.role } else { "" };
        let (octets, rate) = (self.octets(row.bytes as f64), self.rate(row.bps));
        let line =
            format!("[{id}]{role} {from:>6.2}-{to:<6.2} sec  {octets:<11}  {rate:<14}{detail}{}", row.note);
        line.trim_end().to_owned()
    }

    /// The row of a stream of which one end has told nothing.
    pub fn unknown(&self, stream: Option<u32>, role: &str, end: &str) -> String {
        let id = stream.map_or_else(|| "SUM".to_owned(), |stream| format!("{stream:>3}"));
        let role = if self.has_roles { role } else { "" };
        format!("[{id}]{role} ({end} statistics not available)")
    }

    fn octets(&self, count: f64) -> String {
        scaled(
            count,
            1024.0,
            match self.wording {
                Wording::Waddleperf => ["B", "KiB", "MiB", "GiB", "TiB"],
                Wording::Iperf3 => ["Bytes", "KBytes", "MBytes", "GBytes", "TBytes"],
            },
        )
    }

    fn rate(&self, bps: f64) -> String {
        if let Some(unit) = self.unit {
            let (scale, name) = unit.scale();
            let name = if self.wording == Wording::Iperf3 { unit.spelled() } else { name };
            return written(bps / scale, name);
        }
        scaled(
            bps,
            1000.0,
            match self.wording {
                Wording::Waddleperf => ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"],
                Wording::Iperf3 => ["bits/sec", "Kbits/sec", "Mbits/sec", "Gbits/sec", "Tbits/sec"],
            },
        )
    }
}

/// Datagrams that are lost, in percent, with two digits that count.
fn share(lost: i64, all: u64) -> String {
    let percent = 100.0 * lost as f64 / all.max(1) as f64;
    if percent == 0.0 {
        return "0".to_owned();
    }
    let decimals = (1.0 - percent.abs().log10().floor()).clamp(0.0, 9.0) as usize;
    let text = format!("{percent:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn scaled(mut number: f64, by: f64, units: [&str; 5]) -> String {
    let mut unit = 0;
    while number >= by && unit + 1 < units.len() {
        number /= by;
        unit += 1;
    }
    written(number, units[unit])
}

/// A number of four characters and its unit.
fn written(number: f64, unit: &str) -> String {
    let places = match number {
        ..9.995 => 2,
        ..99.95 => 1,
        _ => 0,
    };
    format!("{number:>4.places$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: Row<'static> = Row {
        stream: Some(5),
        role: "[TX-C]",
        span: (Duration::ZERO, Duration::from_secs(1)),
        bytes: 6_291_456,
        bps: 50.3e6,
        detail: Detail::Plain,
        note: "",
    };

    #[test]
    fn rows_are_iperf3s_to_the_letter() {
        let table = Table { wording: Wording::Iperf3, ..Table::default() };
        let both = Table { has_roles: true, ..table };
        let detail = |detail| Row { detail, ..ROW };
        let jitter = Detail::Jitter(Duration::from_micros(48), 12, 5000);
        let rows = [
            table.head(Columns::Window),
            table.row(&Row { note: "(omitted)", ..detail(Detail::Again(Some(0), Some(1_174_405))) }),
            table.row(&Row {
                stream: None,
                bytes: 655_360,
                bps: 786e3,
                ..detail(Detail::Again(Some(12), None))
            }),
            table.head(Columns::Again),
            table.row(&Row { note: "sender", ..detail(Detail::Again(Some(0), None)) }),
            table.row(&Row { note: "receiver", ..ROW }),
            table.unknown(Some(5), "", "sender"),
            table.head(Columns::Datagrams),
            table.row(&detail(Detail::Datagrams(191))),
            both.head(Columns::Jitter),
            both.row(&detail(Detail::Datagrams(20))),
            both.row(&Row { note: "receiver", role: "[RX-C]", ..detail(jitter) }),
        ];
        insta::assert_snapshot!(rows.join("\n"), @r"
        [ ID] Interval           Transfer     Bitrate         Retr  Cwnd
        [  5]   0.00-1.00   sec  6.00 MBytes  50.3 Mbits/sec    0   1.12 MBytes       (omitted)
        [SUM]   0.00-1.00   sec   640 KBytes   786 Kbits/sec   12
        [ ID] Interval           Transfer     Bitrate         Retr
        [  5]   0.00-1.00   sec  6.00 MBytes  50.3 Mbits/sec    0             sender
        [  5]   0.00-1.00   sec  6.00 MBytes  50.3 Mbits/sec                  receiver
        [  5] (sender statistics not available)
        [ ID] Interval           Transfer     Bitrate         Total Datagrams
        [  5]   0.00-1.00   sec  6.00 MBytes  50.3 Mbits/sec  191
        [ ID][Role] Interval           Transfer     Bitrate         Jitter    Lost/Total Datagrams
        [  5][TX-C]   0.00-1.00   sec  6.00 MBytes  50.3 Mbits/sec            20
        [  5][RX-C]   0.00-1.00   sec  6.00 MBytes  50.3 Mbits/sec  0.048 ms  12/5000 (0.24%)  receiver
        ");
    }

    #[test]
    fn our_own_words_stand_in_the_same_columns() {
        let table = Table::default();
        let kibs = Table { unit: "K".parse().ok(), ..table };
        let iperf3s = Table { wording: Wording::Iperf3, ..kibs };
        let again = Row { detail: Detail::Again(Some(49), Some(785_408)), ..ROW };
        let rows = [table.head(Columns::Window), table.row(&again), kibs.row(&again), iperf3s.row(&again)];
        insta::assert_snapshot!(rows.join("\n"), @r"
        [ ID] Interval           Transfer     Bitrate         Retr  Cwnd
        [  5]   0.00-1.00   sec  6.00 MiB     50.3 Mbit/s      49    767 KiB
        [  5]   0.00-1.00   sec  6.00 MiB     6140 KiB/s       49    767 KiB
        [  5]   0.00-1.00   sec  6.00 MBytes  6140 KBytes/sec   49    767 KBytes
        ");
    }

    #[test]
    fn numbers_have_the_digits_that_iperf3_gives_them() {
        let table = Table { wording: Wording::Iperf3, ..Table::default() };
        let octets = [0.0, 1_310_720.0, 11_534_336.0].map(|count| table.octets(count));
        assert_eq!(octets, ["0.00 Bytes", "1.25 MBytes", "11.0 MBytes"]);
        assert_eq!([10_485_760.0, 999e3].map(|bps| table.rate(bps)), ["10.5 Mbits/sec", " 999 Kbits/sec"]);
        let shares = [(0, 8), (12, 5000), (1, 8), (1, 1), (1, 20), (123, 10_000_000), (-1, 50)];
        let expected = ["0", "0.24", "12", "100", "5", "0.0012", "-2"];
        assert_eq!(shares.map(|(lost, all)| share(lost, all)), expected);
    }
}
