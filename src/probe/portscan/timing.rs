//! nmap's -T templates in our words: how fast, how patient, how stubborn.

use std::time::Duration;

use super::engine::Tuning;
use super::fleet::Ceiling;
use super::report::State;
use super::{PortScan, Scan};

/// Questions per second to hosts of others, where nobody asks for more (probes.md §9).
pub(super) const POLITE: f64 = 1000.0;
/// What a scan may send at once when it is behind its rate; at [`POLITE`], what it may send before that holds.
const BURSTS: [Duration; 2] = [ms(2), ms(1000)];
/// Questions per second that a scan reaches at most without being told: what this host can send.
pub(super) const MOST_RATE: f64 = 200_000.0;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Whether `asked` says how fast it wants hosts of others to be asked.
pub(super) const fn is_hasty(asked: &PortScan) -> bool {
    asked.min_rate.is_some() || asked.max_rate.is_some() || asked.timing > 3
}

/// Whether the rate is bounded for the sake of others: `own` hosts are none.
pub(super) const fn is_polite(asked: &PortScan, own: bool) -> bool {
    !own && !is_hasty(asked) && asked.timing == 3
}

/// How many questions per second `asked` wants at most, of all hosts together. `own`: they are all this host.
pub(super) fn ceiling(asked: &PortScan, own: bool) -> Ceiling {
    let polite = is_polite(asked, own);
    let rate = match asked.timing {
        0 => 1.0 / 300.0,
        1 => 1.0 / 15.0,
        2 => 2.5,
        _ if polite => POLITE,
        _ => f64::INFINITY,
    };
    let rate = asked.max_rate.map_or(rate, |most| rate.min(f64::from(most)));
    Ceiling { rate, burst: BURSTS[usize::from(polite)] }
}

/// How `asked` wants ports to be asked in this way, no faster than `ceiling`; sockets of a connect scan are limited by
/// `descriptors`.
pub(super) fn tuning(asked: &PortScan, scan: Scan, descriptors: u64, ceiling: Ceiling) -> Tuning {
    // Window, patience: before an answer came, at least, at most.
    let (window, patience) = match asked.timing {
        0 | 1 => (1, [ms(5000), ms(1000), ms(10_000)]),
        2 => (4, [ms(1000), ms(500), ms(3000)]),
        3 => (64, [ms(1000), ms(100), ms(1500)]),
        4 => (128, [ms(500), ms(100), ms(1250)]),
        _ => (256, [ms(250), ms(50), ms(300)]),
    };
    let spare = u32::try_from(descriptors.saturating_sub(64)).unwrap_or(u32::MAX).max(16);
    let most = match scan {
        Scan::Connect => spare.min(4096),
        Scan::Syn => 16_384,
        Scan::Udp => 512,
    };
    // A window that is full of silence lets so many through all the same: a filter must not cost hours.
    let floor = asked.min_rate.map_or(1000.0, f64::from).min(ceiling.rate);
    let udp = scan == Scan::Udp;
    let [first, least, longest] = patience;
    Tuning {
        window,
        most,
        floor,
        // A service may have to think or to ask others, where a kernel has not.
        patience: [first, if udp { least * 3 } else { least }, longest],
        retries: asked.max_retries.unwrap_or(10),
        insists: asked.max_retries.is_none(),
        deadline: asked.deadline.0,
        // Linux lets one ICMP error a second go to each peer (icmp(7), icmp_ratelimit).
        breath: if udp { ms(1100) } else { Duration::ZERO },
        silence: if udp { State::OpenFiltered } else { State::Filtered },
    }
}
