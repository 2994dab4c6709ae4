//! Load: the questions of a file to one server, at a rate or as fast as they are answered; dnsperf's job.
//!
//! A few sockets, each with a table of what waits for an answer; one thread. Over UDP many datagrams go by one system call
//! ([`datagrams`]); over TCP and TLS many queries go one after the other, and are answered in any order ([`stream`]).

mod datagrams;
mod questions;
mod run;
mod stream;
mod table;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

use super::ResolverTime;
use super::client::{self, Asking, Made};
use super::report::{Times, Tls};
use super::server::{Spec, Transport};
use crate::failure::{Class, Failure};
use crate::probe::own_thread::on_own_thread;
use crate::probe::{Ctx, input};
use crate::stats::Sketch;
use crate::sys::clock;
use crate::sys::datagram::Batch;
use crate::units::{Span, ms};
use questions::Questions;
use run::{Carrier, Client, Plan, Run, Sum};
use stream::{Dialer, Line};
use table::Table;

/// How long, where nobody says.
pub(super) const DURATION: Span = Span::secs(10);
/// Queries per second that are planned for, where there is no limit.
pub(super) const MOST_RATE: f64 = 300_000.0;
/// Octets of a file of questions.
const MOST_FILE: u64 = 64 << 20;
/// Queries that are sent, and datagrams that are received, at once.
const BATCH: usize = 64;
/// Room for an answer over UDP: what is longer is counted, and not looked at.
const SLOT: usize = 4096;

/// What came of many questions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ResolverLoad")]
pub struct LoadReport {
    /// The server, as it was named.
    pub server: String,
    /// How queries travelled: by UDP, TCP, or TLS.
    #[serde(default)]
    pub transport: Transport,
    /// Questions in the file.
    pub questions: u64,
    /// Queries sent whose fate is known.
    pub sent: u64,
    /// Answered in time.
    pub completed: u64,
    /// Not answered in time.
    pub timeouts: u64,
    /// Not answered because the server ended the connection; they are not sent again.
    #[serde(default)]
    pub broken: u64,
    /// `timeouts` and `broken` of `sent`; null when nothing was sent.
    pub loss_ratio: Option<f64>,
    /// Answers after their time, or to no query of ours.
    pub mismatched: u64,
    /// Datagrams that this host did not send.
    pub send_errors: u64,
    /// On their way when the run was interrupted.
    pub pending: u64,
    /// Answers that were dropped in this process's own socket queues (`SO_RXQ_OVFL`).
    pub receive_overflow: u64,
    /// Connections that were made, those in place of ended ones included; 0 over UDP.
    #[serde(default)]
    pub connections: u64,
    /// From SYN to SYN-ACK, of all connections.
    pub connect: Option<Times>,
    /// Their handshakes of TLS.
    pub tls: Option<Times>,
    /// The session that was agreed upon.
    pub tls_session: Option<Tls>,
    /// From the first query to the last answer.
    #[serde(rename = "duration_ms", with = "ms")]
    #[schemars(with = "f64")]
    pub duration: Duration,
    /// Answers per second.
    pub qps: Option<f64>,
    /// How often each response code came.
    pub rcodes: BTreeMap<String, u64>,
    /// Octets of all answers.
    pub response_bytes: u64,
    /// From a query to its answer, within 1 %.
    pub latency: Option<Times>,
}

impl LoadReport {
    /// Queries that were sent and not answered.
    pub(super) fn lost(&self) -> u64 {
        self.timeouts + self.broken
    }

    /// Adds how connections were made.
    fn connected(&mut self, made: Vec<Made>) {
        self.connections = made.len() as u64;
        self.connect = Times::of(made.iter().filter_map(|made| made.connect).collect());
        self.tls = Times::of(made.iter().filter_map(|made| made.tls).collect());
        self.tls_session = made.into_iter().next_back().and_then(|made| made.session);
    }
}

impl ResolverTime {
    /// Bears down on the server of `spec` at `peer`.
    pub(super) async fn bear(
        &self,
        ctx: &Ctx,
        peer: SocketAddr,
        spec: &Spec,
    ) -> Result<(LoadReport, Sketch), Failure> {
        let file = self.load.as_deref().ok_or_else(|| Class::Internal.because("no file of questions"))?;
        ctx.policy.check_flag("--load")?;
        let octets = input::whole(ctx, "load", file, MOST_FILE).await?;
        let questions = Questions::parse(&String::from_utf8_lossy(&octets), self)
            .map_err(|why| Class::Usage.because(format_args!("load {}: {why}", file.display())))?;
        drop(octets);
        let count = questions.count() as u64;
        let most = self.count.map(|times| times.saturating_mul(count));
        let plan = Plan {
            rate: self.qps.map(f64::from),
            duration: match (self.duration, most) {
                (Some(Span(time)), _) => time,
                (None, Some(_)) => Duration::MAX / 4,
                (None, None) => DURATION.0,
            },
            most,
            timeout: self.timeout.0,
        };
        let dialing = TaskTracker::new();
        let run = Run {
            clients: self.clients(ctx, peer, spec, &dialing).await?,
            questions,
            next: 0,
            turn: 0,
            plan,
            sum: Sum::default(),
            batch: Batch::new(BATCH, SLOT),
            events: ctx.events.clone(),
        };
        let ended = on_own_thread("resolvertime", ctx, move |stop| run.go(stop)).await;
        // What was still dialled when all was over has nobody who waits for it, and ends in time.
        dialing.close();
        dialing.wait().await;
        let (mut report, made, sketch) = ended??;
        report.connected(made);
        (report.server, report.transport) = (spec.text.clone(), spec.transport);
        Ok((report, sketch))
    }

    /// The sockets, over TCP and TLS with their connections.
    async fn clients(
        &self,
        ctx: &Ctx,
        peer: SocketAddr,
        spec: &Spec,
        dialing: &TaskTracker,
    ) -> Result<Vec<Client>, Failure> {
        let each = self.outstanding.div_ceil(self.clients.into()).max(1);
        if spec.transport == Transport::Udp {
            let client = |_| {
                let carrier = Carrier::Datagrams(datagrams::socket(self, peer)?, 0);
                Ok(Client { table: Table::new(each)?, carrier })
            };
            return (0..self.clients).map(client).collect();
        }
        let asking = Arc::new(Asking::new(self, std::slice::from_ref(spec), ctx).await?);
        let client = || client::Client::new(Arc::new(spec.clone()), peer, Arc::clone(&asking));
        let dialer = Dialer::new(client(), dialing.clone(), self.timeout.0);
        let mut under_way = JoinSet::new();
        let deadline = clock::now().mono + self.timeout.0;
        for _ in 0..self.clients {
            let client = client();
            under_way.spawn(async move { client.bare(deadline).await });
        }
        let mut clients = Vec::new();
        while let Some(made) = under_way.join_next().await {
            let made = made.map_err(|error| Class::Internal.because(error))?;
            let bare = made.map_err(|why| {
                let silent =
                    || Class::Timeout.because(format_args!("connect to {peer}: nothing came in time"));
                why.failure(peer.is_ipv6()).unwrap_or_else(silent)
            })?;
            let carrier = Carrier::Line(Box::new(Line::new(bare, dialer.clone())));
            clients.push(Client { table: Table::new(each)?, carrier });
        }
        Ok(clients)
    }
}
