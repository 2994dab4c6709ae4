//! What a server is asked for: options as iperf3's parameters, and back.

use std::time::Duration;

use super::{Bandwidth, Rate, Size};
use crate::probe::Target;
use crate::units::Span;
use crate::wire::iperf3::{Params, Transport};

/// What a stock client sends over UDP where nobody says how much: bits per second.
const UDP_RATE: u64 = 1 << 20;
/// What a packet carries where they are longer than elsewhere (9,000 octets).
const JUMBO: u32 = 8948;

/// What a server sends, at most, between its own end of what is omitted and this host's: 5 ms at 100 Gbit/s, 500 ms at 1 Gbit/s.
const AHEAD: u64 = 64 << 20;

impl Bandwidth {
    /// Octets that a server is to send beyond those that count. It omits by a clock of its own, stops once it has sent so many
    /// since then, and what was on its way before this host's clock was there does not count here. This host ends the test.
    fn ahead(&self) -> u64 {
        if self.reverse && !self.omit.0.is_zero() { AHEAD } else { 0 }
    }

    /// What a server is asked for; `length` is what a write or datagram has where nothing was said.
    pub(super) fn params(&self, length: u32) -> Params {
        let whole = |span: Span| u32::try_from(span.0.as_secs()).unwrap_or(u32::MAX);
        let is_limited = self.bytes.is_some() || self.blocks.is_some();
        Params {
            transport: if self.udp { Transport::Udp } else { Transport::Tcp },
            omit: whole(Span(self.omit.0 + Duration::from_millis(999))),
            // A server ends a test after its time: a second is not cut.
            time: if is_limited { 0 } else { whole(Span(self.time.0 + Duration::from_millis(999))) },
            bytes: self.bytes.map_or(0, |size| size.0.saturating_add(self.ahead())),
            blocks: self
                .blocks
                .map_or(0, |count| count.0.saturating_add(self.ahead().div_ceil(length.max(1).into()))),
            length,
            parallel: self.parallel.into(),
            reverse: self.reverse,
            bidirectional: self.bidir,
            rate: self.rate().bps,
            burst: if self.rate().burst > 1 { self.rate().burst } else { 0 },
            window: self.window.map_or(0, |size| size.0 as u32),
            mss: self.mss.unwrap_or(0),
            no_delay: self.no_delay,
            tos: self.type_of_service().unwrap_or(0),
            flow_label: self.flowlabel.unwrap_or(0),
            fq_rate: self.fq_rate.map_or(0, |rate| rate.bps),
            server_affinity: self.affinity.and_then(|of| of.server).map(u32::from),
            congestion: self.congestion.clone(),
            is_wide: self.udp,
            repeats: self.repeating_payload,
            multipath: self.mptcp,
            zero_copy: self.zerocopy,
            dont_fragment: self.dont_fragment,
            gso: self.udp && self.gso,
            gro: self.udp && self.gso,
            wants_output: self.get_server_output,
            title: self.title.clone(),
            extra: self.extra_data.clone(),
            skip_copy: !self.udp && !self.rx_copy,
            tx_copy: self.tx_copy,
            version: Some(Params::VERSION.to_owned()),
            ..Params::default()
        }
    }

    /// The options of a client that asks for `params`, whose address is `target`.
    pub(crate) fn of(params: &Params, target: Target) -> Self {
        let size = |octets: u64| (octets > 0).then_some(Size(octets));
        Self {
            target,
            udp: params.transport == Transport::Udp,
            time: Span::secs(params.time.into()),
            bytes: size(params.bytes),
            blocks: size(params.blocks),
            omit: Span::secs(params.omit.into()),
            parallel: u16::try_from(params.parallel).unwrap_or(u16::MAX),
            reverse: params.reverse,
            bidir: params.bidirectional,
            bitrate: Some(Rate { bps: params.rate, burst: params.burst.max(1) }),
            length: size(params.length.into()),
            window: size(params.window.into()),
            mss: Some(params.mss).filter(|&mss| mss > 0),
            no_delay: params.no_delay,
            tos: Some(params.tos).filter(|&tos| tos > 0),
            flowlabel: Some(params.flow_label).filter(|&label| label > 0),
            fq_rate: Some(params.fq_rate).filter(|&rate| rate > 0).map(|bps| Rate { bps, burst: 1 }),
            congestion: params.congestion.clone(),
            mptcp: params.multipath,
            zerocopy: params.zero_copy,
            repeating_payload: params.repeats,
            dont_fragment: params.dont_fragment,
            gso: params.gso,
            get_server_output: params.wants_output,
            title: params.title.clone(),
            extra_data: params.extra.clone(),
            ..Self::default()
        }
    }

    /// The rate of a stream.
    pub fn rate(&self) -> Rate {
        let default = Rate { bps: if self.udp { UDP_RATE } else { 0 }, burst: 1 };
        self.bitrate.unwrap_or(default)
    }

    /// The type of service of what both ends send, if it is not the system's default.
    pub fn type_of_service(&self) -> Option<u8> {
        self.tos.or_else(|| self.egress.tos())
    }

    /// Whether this host sends, and whether it receives.
    pub(super) const fn ways(&self) -> (bool, bool) {
        (!self.reverse, self.reverse || self.bidir)
    }

    /// Octets of one write or datagram where they are not asked for, over a control connection whose segments carry `payload`.
    pub(super) fn length_over(&self, payload: u32) -> u32 {
        match self.length {
            Some(length) => length.0 as u32,
            None if !self.udp => 128 << 10,
            // What a segment of TCP carries, a datagram does: their headers differ, and options are as long again.
            // The loopback interface takes so much in one packet that a short trial would have but a few.
            None if payload >= 88 && self.find_max => payload.min(JUMBO),
            None if payload >= 88 => payload.min(Params::lengths(Transport::Udp).1),
            None => 1460,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_asks_for_is_what_its_options_say() {
        let tcp = Bandwidth {
            time: Span::secs(7),
            omit: Span::secs(2),
            parallel: 3,
            bidir: true,
            bitrate: Some(Rate { bps: 20_000_000, burst: 10 }),
            length: Some(Size(1400)),
            window: Some(Size(1 << 20)),
            mss: Some(1000),
            no_delay: true,
            tos: Some(8),
            congestion: Some("reno".to_owned()),
            mptcp: true,
            title: Some("a title".to_owned()),
            ..Bandwidth::default()
        };
        let udp = Bandwidth {
            udp: true,
            reverse: true,
            time: Span::secs(0),
            blocks: Some(Size(5000)),
            bitrate: Some(Rate { bps: 1, burst: 1 }),
            fq_rate: Some(Rate { bps: 9, burst: 1 }),
            flowlabel: Some(7),
            length: Some(Size(1400)),
            dont_fragment: true,
            gso: true,
            get_server_output: true,
            ..Bandwidth::default()
        };
        for asked in [tcp, udp] {
            assert_eq!(Bandwidth::of(&asked.params(1400), Target::default()), asked);
        }
    }
}
