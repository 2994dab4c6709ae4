//! What is told and kept of each test: who, from where, what came of it.

use std::collections::BTreeMap;

use super::end::End;
use super::running::Outcome;
use super::session::Session;
use super::streams::Line;
use super::tally;
use crate::probe::bandwidth::{Bandwidth, Both, Report};
use crate::probe::{Ctx, Measurement, Outcome as Found, Probe, Report as Any, Target, new_id};
use crate::sys::{bulk, clock};
use crate::units::Now;
use crate::wire::iperf3::{Params, Results, Transport};

/// What the client has asked for and does not get, though its test runs: a congestion control that is not here, a window that is
/// too large.
pub(super) fn differs(session: &Session, lines: &[Line]) {
    let Some(first) = lines.first() else { return };
    let (peer, wanted) = (session.peer, &session.params);
    if let Some((name, used)) = wanted.congestion.as_ref().zip(first.congestion())
        && *name != used
    {
        tracing::warn!(%peer, "iperf3: no congestion control {name:?} here; {used} is used");
        if let Some(screen) = &session.shared.screen {
            screen.warn(&format!("no congestion control {name:?} here; {used} is used"));
        }
    }
    if let Some(buffer) = first.buffers().map(|(send, receive)| send.min(receive))
        && let given = bulk::usable(buffer)
        && given < wanted.window as usize
    {
        tracing::info!(%peer, "iperf3: a window of {} octets is cut to {given}", wanted.window);
    }
}

/// A test has run; `end` is why it did not end as it should.
pub(super) fn ran(session: &Session, outcome: &Outcome, end: Option<&End>) {
    let moved = |sends| {
        let streams = outcome.moved.iter().filter(move |moved| moved.sends == sends);
        streams.map(|moved| moved.seen.bytes).sum::<u64>()
    };
    let (received, sent) = (moved(false), moved(true));
    let lost: u64 = outcome.moved.iter().map(|moved| moved.seen.lost()).sum();
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
        if let Some(screen) = session.shared.screen.as_ref().filter(|_| !session.has_run) {
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
    let peer = session.peer.ip().to_canonical();
    let settings = &session.shared.settings;
    let asked = Bandwidth {
        rx_copy: settings.copies(&session.params),
        tx_copy: !settings.lends(&session.params),
        ..Bandwidth::of(&session.params, Target::from(peer.to_string().as_str()))
    };
    let theirs = told.as_ref().ok();
    let ours = Results { inside: Some(outcome.inside), ..tally::results(&session.params, outcome, theirs) };
    let both = Both { asked: &asked, is_client: false, ours: &ours, theirs };
    let report =
        Report { ended: told.as_ref().err().map(End::to_string), ..both.report(session.params.length) };
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
        probe: Probe::Bandwidth(asked),
        address: Some(peer),
        labels,
        partial: told.is_err(),
        outcome: Found::Report(Any::Bandwidth(Box::new(report))),
    }
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
