//! What the log is told of each test: who, from where, what came of it.

use super::end::End;
use super::running::Outcome;
use super::session::Session;
use crate::wire::iperf3::{Params, Transport};

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
    // Whoever connects may cause this: it is told only to who looks for it.
    tracing::debug!(peer = %session.peer, version = session.params.version.as_deref(), "iperf3: {end}");
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
