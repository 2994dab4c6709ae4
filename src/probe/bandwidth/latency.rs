//! Latency under load: packets that go there and back before the bulk, and while it runs.

use std::net::SocketAddr;
use std::time::Duration;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Bandwidth;
use crate::failure::Failure;
use crate::probe::ping::{Mode, Ping};
use crate::probe::udpping::UdpPing;
use crate::probe::{Ctx, Events, Measure, Rtt, Target};
use crate::units::{Span, ms};

/// Packets before the bulk, and the time between any two: 50 a second, which a reflector answers without a key.
const IDLE: u64 = 50;
const INTERVAL: Duration = Duration::from_millis(20);

/// What goes beside the bulk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "BandwidthLatencyBy")]
pub enum By {
    /// ICMP echoes.
    Icmp,
    /// Packets to a waddleperf reflector (UDP 2000).
    Udp,
    /// TCP connections to another port of the server (--latency-port); a refusal is an answer, too.
    Tcp,
}

/// Round trips without load and under load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "BandwidthLatency")]
pub struct Latency {
    /// What went there and back.
    pub by: By,
    /// Before the bulk; null without a reply.
    pub idle: Option<Rtt>,
    /// Loss before the bulk, 0–1.
    pub idle_loss_ratio: Option<f64>,
    /// While it ran, after what was omitted; null without a reply.
    pub loaded: Option<Rtt>,
    /// Loss meanwhile, 0–1.
    pub loaded_loss_ratio: Option<f64>,
    /// By how much the median grew: what the queues on the way hold (bufferbloat). Null where either is not known.
    pub increase_ms: Option<f64>,
    /// Why there is less than there should be.
    pub failure: Option<Failure>,
}

/// Round trips and their loss.
type Found = (Option<Rtt>, Option<f64>);

/// Packets beside a test.
pub(super) struct Beside {
    by: By,
    peer: SocketAddr,
    asked: Bandwidth,
}

impl Beside {
    /// Packets to `peer`, where they are asked for.
    pub(super) fn of(asked: &Bandwidth, peer: SocketAddr) -> Option<Self> {
        asked.latency.map(|by| Self { by, peer, asked: asked.clone() })
    }

    /// Round trips before the bulk.
    pub(super) async fn idle(&self, ctx: &Ctx) -> Result<Found, Failure> {
        self.measure(&Ctx { events: Events::none(), ..ctx.clone() }, IDLE).await
    }

    /// Round trips once the bulk has `begun`, and after what is omitted, until it is `over`.
    pub(super) async fn loaded(
        &self,
        ctx: &Ctx,
        begun: &CancellationToken,
        over: &CancellationToken,
    ) -> Result<Found, Failure> {
        let under_load = async {
            begun.cancelled().await;
            sleep(self.asked.omit.0).await;
        };
        tokio::select! {
            () = over.cancelled() => return Ok((None, None)),
            () = under_load => {}
        }
        self.measure(
            &Ctx { events: Events::none(), cancel: over.clone(), ..ctx.clone() },
            u64::from(u32::MAX),
        )
        .await
    }

    async fn measure(&self, ctx: &Ctx, count: u64) -> Result<Found, Failure> {
        let target = Target::from(self.peer.ip().to_string().as_str());
        let egress = self.asked.egress.clone();
        let (mode, port) = match self.by {
            By::Icmp => (Mode::Icmp, None),
            By::Tcp => (Mode::Tcp, self.asked.latency_port),
            By::Udp => {
                let ping = UdpPing { target, count, interval: Span(INTERVAL), egress, ..UdpPing::default() };
                return ping.run(ctx).await.result.map(|report| (report.rtt, report.loss_ratio));
            }
        };
        let (mode, interval) = (Some(mode), Some(Span(INTERVAL)));
        let ping = Ping { target, mode, port, count, interval, egress, ..Ping::default() };
        ping.run(ctx).await.result.map(|report| (report.rtt, report.loss_ratio))
    }

    /// What both have found.
    pub(super) fn latency(self, idle: Result<Found, Failure>, loaded: Result<Found, Failure>) -> Latency {
        let failure = idle.as_ref().err().or(loaded.as_ref().err()).cloned();
        let ((idle, idle_loss_ratio), (loaded, loaded_loss_ratio)) =
            (idle.unwrap_or_default(), loaded.unwrap_or_default());
        let median = |rtt: &Option<Rtt>| rtt.as_ref().map(|rtt| ms::of(rtt.p50));
        let increase_ms = median(&loaded).zip(median(&idle)).map(|(loaded, idle)| loaded - idle);
        Latency { by: self.by, idle, idle_loss_ratio, loaded, loaded_loss_ratio, increase_ms, failure }
    }
}
