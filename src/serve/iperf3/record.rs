//! What is told and kept of each test: who, from where, what came of it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::end::End;
use super::running::Outcome;
use super::session::Session;
use super::tally::Moved as Counted;
use crate::probe::bandwidth::{Bandwidth, Cpu, Datagrams, Flow, Moved, Part, Processor, Rate, Report, Size};
use crate::probe::{Ctx, Measurement, Outcome as Found, Probe, Report as Any, Target, new_id};
use crate::sys::clock;
use crate::units::{Now, Span};
use crate::wire::iperf3::{self, Params, Results, Transport};

/// A test has run; `end` is why it did not end as it should.
pub(super) fn ran(session: &Session, outcome: &Outcome, end: Option<&End>) {
    let moved = |sends| {
        let streams = outcome.moved.iter().filter(move |moved| moved.sends == sends);
        streams.map(|moved| moved.octets).sum::<u64>()
    };
    let (received, sent) = (moved(false), moved(true));
    let lost: u64 = outcome.moved.iter().map(|moved| moved.lost()).sum();
    let ended = end.map_or_else(|| "whole".to_owned(), End::to_string);
    tracing::info!(
        peer = %session.peer,
        user = session.user.as_deref(),
        test = %asked(&session.params),
        version = session.params.version.as_deref(),
        title = session.params.title.as_deref(),
        seconds = outcome.time.as_secs_f64(),
        received,
        sent,
        lost,
        "iperf3: {ended}"
    );
}

/// What should have become a test has not run, or its client did not wait for its results.
pub(super) fn ended(session: &Session, end: &End) {
    // Whoever connects may cause this: it is told once a minute of each, else only to who looks for it.
    let is_refused = matches!(end, End::Busy | End::Refused(_));
    if is_refused && session.shared.denied.add(session.peer.ip(), clock::now().mono) == 1 {
        tracing::info!(peer = %session.peer, version = session.params.version.as_deref(), "iperf3: {end}");
        if let Some(screen) = session.shared.screen.as_ref().filter(|_| !session.has_run()) {
            screen.refuse(session.peer, end);
        }
        return;
    }
    tracing::debug!(peer = %session.peer, version = session.params.version.as_deref(), "iperf3: {end}");
}

/// The record of a test that has run: as the client's own would be, from the other end. The label `role` says so.
pub(super) fn measurement(
    session: &Session,
    began: Now,
    outcome: &Outcome,
    told: &Result<Results, End>,
    ctx: &Ctx,
) -> Measurement {
    let copied = session.shared.settings.copies(&session.params);
    let peer = session.peer.ip().to_canonical();
    let place = ctx.geo.current().place(peer);
    let mut labels: BTreeMap<String, String> = ctx.labels.clone();
    labels.insert("role".to_owned(), "server".to_owned());
    let about = [
        ("client_version", session.params.version.clone()),
        ("user", session.user.clone()),
        ("country", place.country),
        ("asn", place.asn.map(|asn| asn.to_string())),
    ];
    labels.extend(about.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    let at = began.timestamp();
    Measurement {
        v: Measurement::VERSION,
        id: new_id(at),
        at,
        elapsed: clock::now().mono.saturating_duration_since(began.mono),
        clock_step_ms: None,
        agent: (*ctx.agent).clone(),
        probe: Probe::Bandwidth(Bandwidth {
            rx_copy: copied,
            ..probe(&session.params, Target::from(peer.to_string().as_str()))
        }),
        address: Some(peer),
        labels,
        partial: told.is_err(),
        outcome: Found::Report(Any::Bandwidth(Box::new(Report {
            copied,
            ..report(&session.params, outcome, told)
        }))),
    }
}

/// What was asked for, as our own client would have been asked.
pub(super) fn probe(params: &Params, target: Target) -> Bandwidth {
    let size = |octets: u64| (octets > 0).then_some(Size(octets));
    Bandwidth {
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
        zerocopy: params.zero_copy,
        repeating_payload: params.repeats,
        dont_fragment: params.dont_fragment,
        gso: params.gso,
        get_server_output: params.wants_output,
        title: params.title.clone(),
        extra_data: params.extra.clone(),
        ..Bandwidth::default()
    }
}

fn report(params: &Params, outcome: &Outcome, told: &Result<Results, End>) -> Report {
    let processor = |cpu: iperf3::Cpu| Processor {
        total_ratio: cpu.total / 100.0,
        user_ratio: cpu.user / 100.0,
        system_ratio: cpu.system / 100.0,
    };
    let theirs = told.as_ref().ok();
    Report {
        protocol: if params.transport == Transport::Udp { "udp" } else { "tcp" }.to_owned(),
        streams: u16::try_from(params.parallel).unwrap_or(u16::MAX),
        length_bytes: params.length,
        omitted: Duration::from_secs(params.omit.into()),
        up: flow(params, outcome, theirs, true),
        down: flow(params, outcome, theirs, false),
        cpu: Cpu { local: Some(processor(outcome.cpu)), remote: theirs.map(|theirs| processor(theirs.cpu)) },
        ended: told.as_ref().err().map(End::to_string),
        ..Report::default()
    }
}

/// One direction: `up` is from the client to us, as the client sees it.
fn flow(params: &Params, outcome: &Outcome, theirs: Option<&Results>, up: bool) -> Option<Flow> {
    let ours: Vec<&Counted> = outcome.moved.iter().filter(|moved| moved.sends != up).collect();
    if ours.is_empty() {
        return None;
    }
    let other = |of: &Counted| theirs?.streams.iter().find(|stream| stream.id == of.id);
    let elapsed = |of: &iperf3::Stream| of.elapsed.unwrap_or(outcome.time);
    let near = Moved { bytes: ours.iter().map(|of| of.octets).sum(), elapsed: outcome.time };
    let all: Option<Vec<&iperf3::Stream>> = ours.iter().map(|of| other(of)).collect();
    let far = all.as_ref().map(|all| Moved {
        bytes: all.iter().map(|of| of.bytes).sum(),
        elapsed: all.iter().map(|of| elapsed(of)).max().unwrap_or(outcome.time),
    });
    let (sent, received) = if up { (far, Some(near)) } else { (Some(near), far) };
    let is_udp = params.transport == Transport::Udp;
    let again = |of: &Counted| if up { other(of)?.retransmits } else { of.retransmits };
    let part = |of: &&Counted| {
        let (near, far) = (Some(of.octets), other(of).map(|of| of.bytes));
        let (sent, received) = if up { (far, near) } else { (near, far) };
        let span = if up { Some(outcome.time) } else { other(of).map(elapsed) };
        let udp = is_udp.then(|| datagrams(&[*of], all.as_ref().and(theirs), up));
        Part {
            id: of.id,
            sent_bytes: sent,
            received_bytes: received,
            throughput_bps: received.zip(span).and_then(|(bytes, elapsed)| Moved { bytes, elapsed }.rate()),
            retransmits: again(of).filter(|_| !is_udp),
            seen: udp.and_then(|udp| udp.seen),
            lost: udp.and_then(|udp| udp.lost),
            loss_ratio: udp.and_then(|udp| udp.loss_ratio),
            jitter: udp.and_then(|udp| udp.jitter),
        }
    };
    Some(Flow {
        throughput_bps: received.and_then(|moved| moved.rate()),
        sent,
        received,
        retransmits: ours.iter().map(|of| again(of)).sum::<Option<u64>>().filter(|_| !is_udp),
        congestion: if up {
            theirs.and_then(|theirs| theirs.congestion.clone())
        } else {
            outcome.congestion.clone()
        },
        udp: is_udp.then(|| datagrams(&ours, theirs, up)),
        parts: ours.iter().map(part).collect(),
        ..Flow::default()
    })
}

/// Datagrams of some streams of a direction.
fn datagrams(ours: &[&Counted], theirs: Option<&Results>, up: bool) -> Datagrams {
    let other = |of: &Counted| theirs?.streams.iter().find(|stream| stream.id == of.id);
    let far: Option<Vec<&iperf3::Stream>> = ours.iter().map(|of| other(of)).collect();
    let packets = ours.iter().map(|of| of.counted()).sum();
    let told = far.as_ref().map(|far| far.iter().map(|of| of.counted()).sum::<u64>());
    let count = u32::try_from(ours.len()).unwrap_or(u32::MAX).max(1);
    let (sent, seen, lost, jitter) = if up {
        let jitter = ours.iter().map(|of| of.jitter).sum::<Duration>() / count;
        (told, Some(packets), Some(ours.iter().map(|of| of.lost()).sum()), Some(jitter))
    } else {
        let jitter = far.as_ref().and_then(|far| far.iter().map(|of| of.jitter).sum::<Option<Duration>>());
        let jitter = jitter.map(|all| all / count);
        (Some(packets), told, far.as_ref().map(|far| far.iter().map(|of| of.lost()).sum::<u64>()), jitter)
    };
    Datagrams::of(sent, seen, lost, jitter)
}

/// What was asked for, in iperf3's letters.
fn asked(params: &Params) -> String {
    let mut words = vec![if params.transport == Transport::Udp { "udp" } else { "tcp" }.to_owned()];
    words.extend(params.reverse.then(|| "-R".to_owned()));
    words.extend(params.bidirectional.then(|| "--bidir".to_owned()));
    words.push(format!("-P {}", params.parallel));
    words.push(format!("-l {}", params.length));
    words.extend((params.rate > 0).then(|| format!("-b {}", params.rate)));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_for_is_told_in_letters() {
        assert_eq!(asked(&Params::default()), "tcp -P 1 -l 131072");
        let params = Params {
            transport: Transport::Udp,
            reverse: true,
            parallel: 4,
            length: 1000,
            rate: 7,
            ..Params::default()
        };
        assert_eq!(asked(&params), "udp -R -P 4 -l 1000 -b 7");
    }
}
