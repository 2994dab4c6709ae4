//! A search for the highest rate over UDP: a line for each trial, and what came of all.

use std::io;

use super::super::packets::label;
use super::super::{ABSENT, Style, counted, percent, rate, span};
use crate::probe::bandwidth::{Search, SearchEnd, Trial, Verdict};

/// `32 Mbit/s: 19.2 Mbit/s came, 2190 of 5525 datagrams lost (40 %): too much is lost`
pub fn trial(trial: &Trial) -> String {
    let mut text = format!("{}: ", rate(trial.rate_bps));
    if trial.verdict == Verdict::Short
        && let Some(sent) = trial.sent_bps
    {
        text += &format!("{} sent, ", rate(sent));
    }
    if let Some(came) = trial.received_bps {
        text += &format!("{} came, ", rate(came));
    }
    if let (Some(lost), Some(seen)) = (trial.lost, trial.seen) {
        let share = trial.loss_ratio.map_or_else(|| ABSENT.to_owned(), percent);
        text += &format!("{lost} of {} lost ({share})", counted(seen, "datagram"));
        let here = trial.dropped_here.filter(|&here| here > 0);
        text += &here.map_or_else(String::new, |here| format!(", {here} of them by this host's socket"));
        if trial.verdict == Verdict::Late {
            text += &trial.late.map_or_else(String::new, |late| format!(", the last {} late", span(late)));
        }
        text += ": ";
    }
    text += trial.verdict.words();
    text
}

/// What came of a search.
pub(super) fn summary(out: &mut impl io::Write, search: &Search, style: Style) -> io::Result<()> {
    let allowed = percent(search.allowed_loss_ratio);
    let found = match search.found_bps {
        Some(found) => {
            let how = if search.confirmed { "confirmed" } else { "not confirmed" };
            format!("{} with at most {allowed} lost, {how}", style.bold(&rate(found)))
        }
        None => style.red(&format!("no rate was found of which at most {allowed} is lost")),
    };
    label(out, style, "found", &found)?;
    if let Some(bound) = search.bound {
        let above =
            search.above_bps.map_or_else(String::new, |above| format!(": {} is too much", rate(above)));
        label(out, style, "limit", &format!("{}{above}", style.bold(bound.words())))?;
    }
    let why = match search.ended {
        SearchEnd::Found | SearchEnd::Interrupted | SearchEnd::Deadline | SearchEnd::Broken => "",
        SearchEnd::Unsteady => "; what passed for a short time did not for the longer one",
        SearchEnd::Nothing => "; not even the lowest rate passed",
    };
    let trials = counted(search.trials.len() as u64, "trial");
    label(out, style, "search", &format!("{trials} in {}{why}", span(search.elapsed)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::bandwidth::Bound;
    use std::time::Duration;

    fn a_trial(verdict: Verdict) -> Trial {
        Trial {
            rate_bps: 32e6,
            time: Duration::from_secs(2),
            sent_bps: Some(30e6),
            received_bps: Some(19.2e6),
            seen: Some(5525),
            lost: Some(2190),
            loss_ratio: Some(0.3964),
            dropped_here: Some(12),
            late: Some(Duration::from_millis(120)),
            verdict,
            failure: None,
        }
    }

    #[test]
    fn a_trial_is_a_line_and_a_search_three() {
        let refused =
            Trial { sent_bps: None, received_bps: None, seen: None, lost: None, ..a_trial(Verdict::Refused) };
        let mut search = Search {
            allowed_loss_ratio: 0.001,
            found_bps: Some(19.4e6),
            confirmed: true,
            above_bps: Some(19.8e6),
            bound: Some(Bound::Network),
            ended: SearchEnd::Found,
            elapsed: Duration::from_secs(41),
            trials: vec![a_trial(Verdict::Passed); 14],
        };
        let mut out = Vec::new();
        summary(&mut out, &search, Style::default()).expect("written");
        search = Search { found_bps: None, bound: None, ended: SearchEnd::Nothing, ..search };
        summary(&mut out, &search, Style::default()).expect("written");
        let lines = [Verdict::Lost, Verdict::Late, Verdict::Short].map(|verdict| trial(&a_trial(verdict)));
        let text = format!("{}\n{}\n{}", lines.join("\n"), trial(&refused), String::from_utf8_lossy(&out));
        insta::assert_snapshot!(text, @r"
        32 Mbit/s: 19.2 Mbit/s came, 2190 of 5525 datagrams lost (39.6 %), 12 of them by this host's socket: too much is lost
        32 Mbit/s: 19.2 Mbit/s came, 2190 of 5525 datagrams lost (39.6 %), 12 of them by this host's socket, the last 120.0 ms late: a queue grows
        32 Mbit/s: 30 Mbit/s sent, 19.2 Mbit/s came, 2190 of 5525 datagrams lost (39.6 %), 12 of them by this host's socket: the sender is too slow
        32 Mbit/s: refused by the server
        found      19.4 Mbit/s with at most 0.1 % lost, confirmed
        limit      the network: 19.8 Mbit/s is too much
        search     14 trials in 41.00 s
        found      no rate was found of which at most 0.1 % is lost
        search     14 trials in 41.00 s; not even the lowest rate passed
        ");
    }
}
