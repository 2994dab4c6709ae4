//! What a server staples to its certificate (OCSP, RFC 6066 §8).

use super::report::{Revocation, Staple};
use crate::net::tls::Certificate;
use crate::units::Timestamp;
use crate::wire::ocsp::{Ocsp, Status};

/// What a stapled response says; `own` is the server's own certificate.
pub(super) fn staple(der: &[u8], own: Option<&Certificate>) -> Staple {
    let moment = |seconds: i64| Timestamp::from_second(seconds).ok();
    let Some(told) = Ocsp::parse(der) else {
        return Staple { stapled: !der.is_empty(), ..Staple::default() };
    };
    let serial = own.and_then(|own| own.serial.as_deref());
    Staple {
        stapled: true,
        status: told.status.map(|status| match status {
            Status::Good => Revocation::Good,
            Status::Revoked => Revocation::Revoked,
            Status::Unknown => Revocation::Unknown,
        }),
        this_update: told.this_update.and_then(moment),
        next_update: told.next_update.and_then(moment),
        matches: told.status.map(|_| Some(told.serial.as_str()) == serial),
    }
}
