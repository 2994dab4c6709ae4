//! `bandwidth`: how much goes through to a host and back, by iperf3's protocol, and what limits it.
//!
//! [`talk`] leads the conversation with the server, [`streams`] opens what carries the data, `net::bulk` moves it, [`course`]
//! writes down what was moved when, [`both`] makes a report of what both ends tell (the server's, too), and [`limit`] says, without
//! I/O, what kept it from being more. [`search`] holds many tests of other rates to find the highest that loses no more than is
//! allowed.

mod amount;
mod both;
mod busy;
mod check;
mod course;
mod latency;
mod limit;
mod login;
mod looks;
mod manual;
mod options;
mod params;
mod report;
mod run;
mod search;
mod seen;
mod streams;
mod talk;
mod told;
mod trace;
mod words;

pub use amount::{Rate, Share, Size};
pub(crate) use both::Both;
pub use latency::{By, Latency};
pub use limit::{Factor, Limit};
pub use login::Login;
pub use options::Bandwidth;
pub use report::{
    Bins, Cpu, Datagrams, Flow, Interval, Moved, Part, Processor, Report, RoundTrips, Stalls, Tally,
};
pub use search::{Bound, Search, SearchEnd, Trial, Verdict};
pub use trace::{DatagramCounts, Ends, Kernel, Snapshot, Total, Trace};
pub use words::{Affinity, KeepAlive, RateUnit, Wording};

use std::path::Path;

use super::{Ctx, Findings, Found, Measure, Scalar, Target, Traffic};
use crate::failure::Fault;

impl Measure for Bandwidth {
    type Report = Report;

    fn target(&self) -> &Target {
        &self.target
    }

    fn target_mut(&mut self) -> &mut Target {
        &mut self.target
    }

    fn is_foreign(&self) -> bool {
        self.iperf3_json || self.json_stream
    }

    fn is_streamed(&self) -> bool {
        self.json_stream
    }

    fn check(&self) -> Result<(), Fault> {
        self.check_all()
    }

    fn logfile(&self) -> Option<&Path> {
        self.logfile.as_deref()
    }

    fn inputs(&self) -> Vec<&Path> {
        self.login.inputs().collect()
    }

    fn traffic(&self) -> Traffic {
        let (sends, receives) = self.ways();
        let ways = u64::from(sends) + u64::from(receives);
        let seconds = match self.find_max {
            true => self.longest_search().as_secs_f64(),
            false => (self.time.0 + self.omit.0).as_secs_f64(),
        };
        // Where nothing says how much: what a fast link carries.
        let rate = match if self.find_max { self.ceiling() } else { self.rate().bps } {
            0 => 10e9,
            bps => bps as f64 * f64::from(self.parallel),
        };
        let limited = self
            .bytes
            .map(|bytes| bytes.0)
            .or_else(|| self.blocks.map(|blocks| blocks.0.saturating_mul(self.length_over(1448).into())));
        let octets = limited.map_or(rate * seconds / 8.0, |octets| octets as f64) * ways as f64;
        Traffic {
            packets: (octets / 1400.0) as u64 + 40,
            bytes: (octets * 1.05) as u64 + 10_000,
            packets_per_second: rate / 8.0 / 1400.0 * ways as f64,
        }
    }

    fn unmeasured(&self) -> Vec<Scalar> {
        Report::scalars_of(None)
    }

    fn is_whole(&self, report: &Report) -> bool {
        report.ended.is_none()
    }

    fn is_broken(&self, report: &Report) -> bool {
        report.ended.is_some()
    }

    fn exit_code(&self, report: &Report) -> u8 {
        u8::from(!report.replied() || report.ended.is_some())
    }

    async fn run(&self, ctx: &Ctx) -> Found<Report> {
        self.measure(ctx).await
    }
}
