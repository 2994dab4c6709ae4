//! What is asked for and refused before anything moves.

use std::time::Duration;

use super::Iperf3Settings;
use crate::wire::iperf3::{Code, Params, Refusal, Transport};

/// How long a test may go on after its time.
const GRACE: Duration = Duration::from_secs(40);

/// Refuses what `settings` do not allow.
///
/// # Errors
/// iperf3's number for it.
pub(super) fn check(settings: &Iperf3Settings, params: &Params) -> Result<(), Refusal> {
    if settings.streams > 0 && params.parallel > settings.streams {
        let (asked, most) = (params.parallel, settings.streams);
        return Err(Refusal::new(Code::PARALLEL, format_args!("{asked} streams, where {most} are allowed")));
    }
    if settings.length > 0 && params.length > settings.length {
        let code = match params.transport {
            Transport::Tcp => Code::BLOCK_SIZE,
            Transport::Udp => Code::UDP_SIZE,
        };
        let (asked, most) = (params.length, settings.length);
        return Err(Refusal::new(code, format_args!("{asked} octets at once, where {most} are allowed")));
    }
    let (longest, total) = (settings.time.0, Duration::from_secs((params.omit + params.time).into()));
    let is_endless = params.time == 0 && params.bytes == 0 && params.blocks == 0;
    if !longest.is_zero() && (total > longest || is_endless) {
        let asked = if is_endless { "no limit".to_owned() } else { format!("{} s", total.as_secs()) };
        return Err(Refusal::new(
            too_long(params),
            format_args!("{asked}, where {} are allowed", settings.time),
        ));
    }
    let (asked, most) = (params.rate.saturating_mul(params.streams() as u64), ceiling(settings, params));
    if most > 0 && asked > most {
        return Err(Refusal::new(Code::RATE, format_args!("{asked} bit/s, where {most} are allowed")));
    }
    let asked = params.bytes.max(params.blocks.saturating_mul(params.length.into()));
    if settings.bytes > 0 && asked > settings.bytes {
        return Err(Refusal::new(
            Code::RATE,
            format_args!("{asked} octets, where {} are allowed", settings.bytes),
        ));
    }
    Ok(())
}

/// Bits per second of a test at most; 0 is no limit.
pub(super) const fn ceiling(settings: &Iperf3Settings, params: &Params) -> u64 {
    match params.transport {
        Transport::Tcp => settings.rate,
        Transport::Udp => settings.udp_rate,
    }
}

/// How long a test may run, and iperf3's number for one that runs for longer. `None` is for ever.
pub(super) fn longest(settings: &Iperf3Settings, params: &Params) -> Option<(Duration, Code)> {
    let omit = Duration::from_secs(params.omit.into());
    match (params.time, settings.time.0) {
        (0, Duration::ZERO) => None,
        (0, longest) => Some((omit.max(longest), too_long(params))),
        (time, _) => Some((omit + Duration::from_secs(time.into()) + GRACE, Code::EXPIRED)),
    }
}

/// The number for a test that is too long; versions before 3.20 do not know the newer one.
fn too_long(params: &Params) -> Code {
    let version = params.version.as_deref().unwrap_or_default();
    let mut numbers =
        version.split(|letter: char| !letter.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    let version: (u32, u32) = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if version >= (3, 20) { Code::TIME_LIMIT } else { Code::DURATION }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(params: Params) -> Option<i32> {
        check(&Iperf3Settings::default(), &params).err().map(|refusal| refusal.code.0)
    }

    #[test]
    fn what_is_over_a_limit_is_refused_by_its_number() {
        let params = Params::default;
        let udp = || Params { transport: Transport::Udp, length: 1000, ..params() };
        let newer = || Some("3.21+waddleperf".to_owned());
        for (expected, params) in [
            (None, params()),
            (None, Params { time: 30, parallel: 16, rate: 62_500_000, ..params() }),
            (None, Params { time: 0, bytes: 5_000_000_000, ..params() }),
            (Some(6), Params { parallel: 17, ..params() }),
            (Some(5), Params { time: 31, ..params() }),
            (Some(5), Params { omit: 1, time: 30, version: Some("3.12".to_owned()), ..params() }),
            (Some(37), Params { time: 31, version: newer(), ..params() }),
            (Some(37), Params { time: 0, version: newer(), ..params() }),
            (Some(27), Params { rate: 1_000_000_001, ..params() }),
            (Some(27), Params { parallel: 2, bidirectional: true, rate: 250_000_001, ..params() }),
            (Some(27), Params { rate: u64::MAX, parallel: 2, ..params() }),
            (Some(27), Params { bytes: 5_000_000_001, ..params() }),
            (Some(27), Params { blocks: u64::MAX, ..params() }),
            (None, Params { rate: 100_000_000, ..udp() }),
            (Some(27), Params { rate: 100_000_001, ..udp() }),
        ] {
            assert_eq!(refused(params.clone()), expected, "{params:?}");
        }
    }

    #[test]
    fn a_write_and_a_datagram_have_numbers_of_their_own() {
        let settings = Iperf3Settings { length: 1000, ..Iperf3Settings::default() };
        let refused = |transport, length| {
            let params = Params { transport, length, ..Params::default() };
            check(&settings, &params).err().map(|refusal| refusal.code)
        };
        assert_eq!(refused(Transport::Tcp, 1001), Some(Code::BLOCK_SIZE));
        assert_eq!(refused(Transport::Udp, 1001), Some(Code::UDP_SIZE));
        assert_eq!(refused(Transport::Tcp, 1000), None);
    }

    #[test]
    fn without_limits_nothing_is_refused_and_time_is_the_clients() {
        let settings = Iperf3Settings {
            streams: 0,
            time: crate::units::Span::secs(0),
            rate: 0,
            bytes: 0,
            ..Iperf3Settings::default()
        };
        let all =
            Params { time: 86_400, parallel: 128, rate: u64::MAX, bytes: u64::MAX, ..Params::default() };
        assert_eq!(check(&settings, &all), Ok(()));
        assert_eq!(longest(&settings, &Params { time: 0, ..Params::default() }), None);
        let timed = Params { time: 10, omit: 2, ..Params::default() };
        assert_eq!(longest(&settings, &timed), Some((Duration::from_secs(52), Code::EXPIRED)));
        let counted = Params { time: 0, bytes: 1, ..Params::default() };
        let limited = longest(&Iperf3Settings::default(), &counted);
        assert_eq!(limited, Some((Duration::from_secs(30), Code::DURATION)));
    }
}
