//! The numbers of a watch: two short tables that fit any terminal, and one line for each run.

use std::io;
use std::time::Duration;

use super::{Passed, State};
use crate::probe::{Findings, Outcome, Scalars};
use crate::report::text::{ABSENT, Style, amount, counted, millis, percent, scalar};

/// A table of one row.
pub(super) struct Row {
    pub(super) heads: String,
    pub(super) values: String,
}

/// Packets, then times. The directions have their columns once a run could tell them apart: not every reflector, and
/// not every kind of probe, lets it.
pub(super) fn rows(state: &State) -> [Row; 2] {
    state.passed.mean().map_or_else(|| answers(state), |mean| traffic(&state.passed, mean))
}

/// What passed, then how fast.
fn traffic(passed: &Passed, mean: [f64; 2]) -> [Row; 2] {
    let speeds = |of: usize| [("now", passed.now[of]), ("mean", mean[of]), ("max", passed.max[of])];
    let mut packets = vec![("seen", passed.packets.to_string()), ("dropped", passed.dropped.to_string())];
    packets.extend(speeds(0).map(|(head, value)| (head, format!("{value:.0}/s"))));
    let rates = speeds(1).map(|(head, value)| (head, amount(value)));
    [row("packets", &packets), row("Mbit/s", &rates)]
}

fn answers(state: &State) -> [Row; 2] {
    let time = |value: Option<Duration>| value.map_or(ABSENT.to_owned(), millis);
    let ratio = |value: Option<f64>| value.map_or(ABSENT.to_owned(), percent);
    // Of a target that rations its answers nothing is lost.
    let proves = state.lost == 0 || state.loss_ratio().is_some();
    let mut packets = vec![
        ("sent", (state.received + state.lost).to_string()),
        ("received", state.received.to_string()),
        ("lost", if proves { state.lost.to_string() } else { ABSENT.to_owned() }),
        ("loss", ratio(state.loss_ratio())),
    ];
    if state.up.ratio().is_some() {
        packets.extend([("up", ratio(state.up.ratio())), ("down", ratio(state.down.ratio()))]);
    }
    let times = [
        ("min", time(state.min)),
        ("mean", time(state.mean())),
        ("p50", time(state.quantile(0.50))),
        ("p95", time(state.quantile(0.95))),
        ("p99", time(state.quantile(0.99))),
        ("max", time(state.max)),
    ];
    [row("packets", &packets), row("rtt ms", &times)]
}

fn row(name: &str, cells: &[(&str, String)]) -> Row {
    let heads: String = cells.iter().map(|(head, _)| format!("{head:>10}")).collect();
    let values: String = cells.iter().map(|(_, value)| format!("{value:>10}")).collect();
    Row { heads: format!("{name:<8}{heads}"), values: format!("{:<8}{values}", "") }
}

/// `run 7: 10 sent, 0.0 % lost (up 0.0 %, down 0.0 %), rtt p50 0.052 ms, jitter 0.012 ms`; `None` before the first
/// run has ended, and for one that found nothing.
pub fn latest(state: &State) -> Option<String> {
    let Outcome::Report(report) = &state.last.as_ref()?.outcome else {
        return None;
    };
    let scalars = report.scalars();
    let known = |name| scalars.iter().find(|number| number.name == name && number.value.is_some());
    let value = |name| known(name).map_or(ABSENT.to_owned(), scalar);
    let found = match report.packets() {
        Some(packets) => {
            let ways = known("up_loss_ratio").map_or(String::new(), |up| {
                format!(" (up {}, down {})", scalar(up), value("down_loss_ratio"))
            });
            let [loss, rtt, jitter] = ["loss_ratio", "rtt_p50", "jitter"].map(value);
            format!("{} sent, {loss} lost{ways}, rtt p50 {rtt}, jitter {jitter}", packets.sent)
        }
        None => scalars
            .iter()
            .map(|number| format!("{} {}", number.name, scalar(number)))
            .collect::<Vec<_>>()
            .join(", "),
    };
    Some(format!("run {}: {found}", state.runs))
}

/// Writes what the whole watch has shown.
///
/// # Errors
/// Those of `out`.
pub fn totals(out: &mut impl io::Write, state: &State, style: Style) -> io::Result<()> {
    writeln!(out, "{}", style.bold(&format!("--- {}: {} ---", state.title, counted(state.runs, "run"))))?;
    for row in rows(state) {
        writeln!(out, "{}\n{}", style.dim(&row.heads), row.values)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    /// The heads of the first table and the line of the latest run, after one that lost `lost` of 4 packets.
    fn shown(lost: &[u64]) -> (String, String) {
        let mut state = State::new("r.example");
        state.end_run(sample::udpping(4, lost));
        let [packets, _] = rows(&state);
        (packets.heads, latest(&state).expect("a line"))
    }

    #[test]
    fn directions_are_shown_only_where_a_run_could_tell_them_apart() {
        let (heads, line) = shown(&[2]);
        assert_eq!(heads, "packets       sent  received      lost      loss        up      down");
        assert_eq!(
            line,
            "run 1: 4 sent, 25.0 % lost (up 25.0 %, down 0.0 %), rtt p50 10.04 ms, jitter 0.007 ms"
        );
        let (heads, line) = shown(&[0, 1, 2, 3]);
        assert_eq!(heads, "packets       sent  received      lost      loss");
        assert_eq!(line, "run 1: 4 sent, 100.0 % lost, rtt p50 –, jitter –");
    }
}
