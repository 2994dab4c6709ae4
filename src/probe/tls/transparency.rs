//! Timestamps of certificate logs (RFC 6962), whichever way they came.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::report::{Logged, Transparency, Way};
use crate::units::Timestamp;
use crate::wire::ocsp::Ocsp;
use crate::wire::sct::Sct;

/// The promises of logs: in the server's `own` certificate, in the list that came `by_tls`, and in the stapled response.
pub(super) fn transparency(own: Option<&[Sct]>, by_tls: Option<&[u8]>, staple: &[u8]) -> Transparency {
    let none = |list: &[u8]| list.is_empty().then(Vec::new);
    let all = [
        (Way::Certificate, own.map(<[Sct]>::to_vec)),
        (Way::Tls, by_tls.and_then(|list| none(list).or_else(|| Sct::list(list)))),
        (Way::Staple, Ocsp::parse(staple).map(|told| told.scts)),
    ];
    let logged = |from: Way, sct: &Sct| Logged {
        from,
        log_id: STANDARD.encode(sct.log),
        at: i64::try_from(sct.at_ms).ok().and_then(|at| Timestamp::from_millisecond(at).ok()),
        signature: sct.signature_name(),
    };
    let count = |n: usize| all[n].1.as_ref().map(|list| list.len() as u64);
    let timestamps =
        all.iter().flat_map(|(from, list)| list.iter().flatten().map(move |sct| logged(*from, sct)));
    Transparency {
        in_certificate: count(0),
        by_tls: count(1),
        in_staple: count(2),
        timestamps: timestamps.collect(),
    }
}
