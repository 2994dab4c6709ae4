//! What both ends say of a test, put together: at the client, and at the server from the other end.

use std::time::Duration;

use super::Bandwidth;
use super::report::{Cpu, Datagrams, Flow, Moved, Part, Processor, Report};
use super::trace::{DatagramCounts, Total};
use crate::net::bulk::Pace;
use crate::wire::iperf3::{self, Results, Stream, stream_id};

/// What this end and the other say of a test.
pub(crate) struct Both<'a> {
    /// What was asked for.
    pub(crate) asked: &'a Bandwidth,
    /// This end is the client, else the server.
    pub(crate) is_client: bool,
    /// This end's results.
    pub(crate) ours: &'a Results,
    /// The other's, where it has told them.
    pub(crate) theirs: Option<&'a Results>,
}

/// A stream as its sender and its receiver have seen it; `None` of who has not told.
#[derive(Clone, Copy, Debug)]
struct Sides {
    id: u32,
    sender: Option<Stream>,
    receiver: Option<Stream>,
}

impl Both<'_> {
    /// The report of a test with writes or datagrams of `length` octets.
    pub(crate) fn report(&self, length: u32) -> Report {
        Report {
            protocol: if self.asked.udp { "udp" } else { "tcp" }.to_owned(),
            streams: self.asked.parallel,
            length_bytes: length,
            copied: self.asked.rx_copy,
            lent: self.lends(length),
            omitted: self.asked.omit.0,
            up: self.flow(true),
            down: self.flow(false),
            cpu: Cpu {
                local: Some(processor(self.ours.cpu)),
                remote: self.theirs.map(|theirs| processor(theirs.cpu)),
            },
            ..Report::default()
        }
    }

    /// Whether this end lends what it sends, in writes of `length` octets.
    fn lends(&self, length: u32) -> bool {
        let rate = self.asked.rate();
        let pace = Pace { rate: rate.bps, burst: rate.burst };
        let sends = self.ours.streams.iter().any(|ours| self.sends(ours.id));
        sends && !self.asked.udp && !self.asked.tx_copy && pace.may_lend(length as usize)
    }

    /// A stream, of which `ours` is what this end has seen.
    fn sides(&self, ours: &Stream) -> Sides {
        let told = self.theirs.and_then(|theirs| theirs.streams.iter().find(|stream| stream.id == ours.id));
        // Who does not say how long it took has taken as long.
        let theirs = told.map(|told| Stream { elapsed: told.elapsed.or(ours.elapsed), ..*told });
        let (sender, receiver) = match self.sends(ours.id) {
            true => (Some(*ours), theirs),
            false => (theirs, Some(*ours)),
        };
        Sides { id: ours.id, sender, receiver }
    }

    /// What iperf3's form tells of a stream, of which `ours` is what this end has seen.
    pub(crate) fn total(&self, ours: &Stream) -> Total {
        let sides = self.sides(ours);
        let span = |moved: Moved| (moved.bytes, moved.elapsed);
        let (sender, receiver) = (sides.sender.as_ref(), sides.receiver.as_ref());
        Total {
            sent: sides.sent().map(span),
            received: sides.received().map(span),
            retransmits: sender.and_then(|sender| sender.retransmits),
            datagrams: DatagramCounts {
                sent: sender.unwrap_or(ours).counted(),
                seen: receiver.map_or(0, Stream::counted),
                lost: receiver.map_or(0, |receiver| receiver.lost() as i64),
                disordered: 0,
            },
            jitter: receiver.and_then(|receiver| receiver.jitter).unwrap_or_default(),
            ..Total::default()
        }
    }

    /// Bits per second that were received, both ways together.
    pub(super) fn moved(&self) -> Option<f64> {
        self.ours.streams.iter().map(|ours| self.sides(ours).received()?.rate()).sum()
    }

    /// Whether this end sends a stream: of two directions those come first through which the client sends.
    fn sends(&self, id: u32) -> bool {
        let is_up = match (self.asked.reverse, self.asked.bidir) {
            (true, _) => false,
            (false, true) => id < stream_id(self.asked.parallel.into()),
            (false, false) => true,
        };
        is_up == self.is_client
    }

    /// One direction, `up` from the client to the server; what one end alone knows of it is left open.
    fn flow(&self, up: bool) -> Option<Flow> {
        let sends = up == self.is_client;
        let ours = self.ours.streams.iter().filter(|ours| self.sends(ours.id) == sends);
        let all: Vec<Sides> = ours.map(|ours| self.sides(ours)).collect();
        let (sent, received) = (sum(&all, Sides::sent), sum(&all, Sides::received));
        let is_udp = self.asked.udp;
        let sender = if sends { Some(self.ours) } else { self.theirs };
        let parts: Vec<Part> = all.iter().map(|sides| sides.part(is_udp)).collect();
        (!all.is_empty()).then(|| Flow {
            throughput_bps: received.and_then(|moved| moved.rate()),
            sent,
            received,
            retransmits: parts.iter().map(|part| part.retransmits).sum(),
            congestion: sender.and_then(|of| of.congestion.clone()).filter(|_| !is_udp),
            udp: is_udp.then(|| Datagrams {
                dropped_here: Some(self.ours).filter(|_| !sends).and_then(dropped),
                dropped_there: self.theirs.filter(|_| sends).and_then(dropped),
                ..datagrams(&all)
            }),
            parts,
            ..Flow::default()
        })
    }
}

impl Sides {
    /// What the sender's kernel took, and how long that was.
    fn sent(&self) -> Option<Moved> {
        self.sender.map(moved)
    }

    /// What the receiver read, and how long that was.
    fn received(&self) -> Option<Moved> {
        self.receiver.map(moved)
    }

    fn part(&self, is_udp: bool) -> Part {
        let (sent, received) = (self.sent(), self.received());
        let udp = is_udp.then(|| datagrams(&[*self]));
        Part {
            id: self.id,
            sent_bytes: sent.map(|moved| moved.bytes),
            received_bytes: received.map(|moved| moved.bytes),
            throughput_bps: received.and_then(|moved| moved.rate()),
            retransmits: self.sender.and_then(|sender| sender.retransmits).filter(|_| !is_udp),
            seen: udp.and_then(|udp| udp.seen),
            lost: udp.and_then(|udp| udp.lost),
            loss_ratio: udp.and_then(|udp| udp.loss_ratio),
            jitter: udp.and_then(|udp| udp.jitter),
        }
    }
}

fn moved(stream: Stream) -> Moved {
    Moved { bytes: stream.bytes, elapsed: stream.elapsed.unwrap_or_default() }
}

/// What all streams have moved, once it is known of each; they took as long as the longest.
fn sum(all: &[Sides], of: fn(&Sides) -> Option<Moved>) -> Option<Moved> {
    let each: Vec<Moved> = all.iter().map(of).collect::<Option<_>>()?;
    let elapsed = each.iter().map(|moved| moved.elapsed).max()?;
    Some(Moved { bytes: each.iter().map(|moved| moved.bytes).sum(), elapsed })
}

/// Datagrams of some streams of a direction.
fn datagrams(all: &[Sides]) -> Datagrams {
    let senders: Option<Vec<Stream>> = all.iter().map(|sides| sides.sender).collect();
    let receivers: Option<Vec<Stream>> = all.iter().map(|sides| sides.receiver).collect();
    let count =
        |of: &Option<Vec<Stream>>, each: fn(&Stream) -> u64| Some(of.as_ref()?.iter().map(each).sum());
    let any =
        |of: &Option<Vec<Stream>>, is: fn(&Stream) -> bool| of.as_ref().is_some_and(|of| of.iter().any(is));
    // An old receiver does not say what it omitted: then nothing is.
    let with_omitted = any(&receivers, |receiver| receiver.omitted.is_none())
        && any(&senders, |sender| sender.omitted.is_some_and(|(_, packets)| packets > 0));
    let sent = count(&senders, if with_omitted { |sender| sender.packets } else { Stream::counted });
    let jitters = receivers.as_ref().and_then(|of| of.iter().map(|of| of.jitter).sum::<Option<Duration>>());
    let jitter = jitters.map(|sum| sum / all.len().max(1) as u32);
    let (seen, lost) = (count(&receivers, Stream::counted), count(&receivers, Stream::lost));
    Datagrams { with_omitted, ..Datagrams::of(sent, seen, lost, jitter) }
}

/// Datagrams that an end's own sockets had no room for, where it tells.
fn dropped(of: &Results) -> Option<u64> {
    of.inside.and_then(|inside| inside.dropped)
}

/// Percent as shares.
fn processor(cpu: iperf3::Cpu) -> Processor {
    Processor {
        total_ratio: cpu.total / 100.0,
        user_ratio: cpu.user / 100.0,
        system_ratio: cpu.system / 100.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn results(streams: &[Stream]) -> Results {
        Results { congestion: Some("cubic".to_owned()), streams: streams.to_vec(), ..Results::default() }
    }

    /// What client and server each make of the same results.
    fn reports(asked: &Bandwidth, client: &Results, server: &Results) -> [Report; 2] {
        [(true, client, server), (false, server, client)].map(|(is_client, ours, theirs)| {
            Both { asked, is_client, ours, theirs: Some(theirs) }.report(1000)
        })
    }

    #[test]
    fn client_and_server_tell_the_same_of_both_directions() {
        let asked = Bandwidth { bidir: true, parallel: 2, ..Bandwidth::default() };
        let stream = |id, bytes, retransmits| Stream {
            id,
            bytes,
            retransmits,
            elapsed: Some(SECOND),
            ..Stream::default()
        };
        let client = results(&[
            stream(1, 1000, Some(1)),
            stream(3, 2000, Some(2)),
            stream(4, 30, None),
            stream(5, 40, None),
        ]);
        let server = results(&[
            stream(1, 900, None),
            stream(3, 1900, None),
            stream(4, 50, Some(4)),
            stream(5, 60, None),
        ]);
        let [of_client, of_server] = reports(&asked, &client, &server);
        assert_eq!((&of_client.up, &of_client.down), (&of_server.up, &of_server.down));
        let (up, down) = of_client.up.zip(of_client.down).expect("both directions");
        assert_eq!(up.sent, Some(Moved { bytes: 3000, elapsed: SECOND }));
        assert_eq!((up.throughput_bps, up.retransmits), (Some(2800.0 * 8.0), Some(3)));
        assert_eq!(
            (down.throughput_bps, down.retransmits),
            (Some(70.0 * 8.0), None),
            "one sender does not know"
        );
        assert_eq!(down.parts.iter().map(|part| part.id).collect::<Vec<_>>(), [4, 5]);
    }

    #[test]
    fn of_datagrams_the_receiver_tells_what_was_lost() {
        let asked = Bandwidth { udp: true, ..Bandwidth::default() };
        let sender = Stream {
            id: 1,
            bytes: 9,
            packets: 1100,
            omitted: Some((0, 100)),
            elapsed: Some(SECOND),
            ..Stream::default()
        };
        let (jitter, omitted) = (Some(Duration::from_millis(3)), Some((2, 90)));
        let receiver =
            Stream { id: 1, bytes: 8, jitter, errors: 12, packets: 1080, omitted, ..Stream::default() };
        let of = |receiver: Stream| {
            let [of_client, of_server] = reports(&asked, &results(&[sender]), &results(&[receiver]));
            let up = of_client.up.expect("a direction");
            assert_eq!((up.udp, &up.congestion), (of_server.up.expect("a direction").udp, &None));
            assert_eq!(up.received, Some(Moved { bytes: 8, elapsed: SECOND }), "as long as the sender");
            up.udp.expect("datagrams")
        };
        let told = of(receiver);
        assert_eq!((told.sent, told.seen, told.lost, told.jitter), (Some(1000), Some(990), Some(10), jitter));
        let old = of(Stream { omitted: None, ..receiver });
        assert_eq!(
            (old.with_omitted, old.sent, old.seen, old.lost),
            (true, Some(1100), Some(1080), Some(12))
        );
    }

    #[test]
    fn of_who_has_not_told_nothing_is_known() {
        let asked = Bandwidth { reverse: true, ..Bandwidth::default() };
        let ours = results(&[Stream { id: 1, bytes: 5, elapsed: Some(SECOND), ..Stream::default() }]);
        let report = |is_client| Both { asked: &asked, is_client, ours: &ours, theirs: None }.report(1000);
        let down = report(true).down.expect("a direction");
        assert_eq!((down.sent, down.throughput_bps, down.congestion), (None, Some(40.0), None));
        let down = report(false).down.expect("a direction");
        assert_eq!((down.received, down.throughput_bps), (None, None));
        assert_eq!(down.congestion.as_deref(), Some("cubic"));
    }
}
