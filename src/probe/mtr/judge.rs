//! What the numbers of the hops mean: loss, or a router that rations its answers.

use crate::probe::counts::ratio;

/// The chance below which an answer ratio is no accident.
const ACCIDENT: f64 = 0.01;

/// What is said of a hop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// It answers fewer probes than pass it.
    pub rate_limited: bool,
    /// Loss on the way there and back, 0–1; `None` where the hop's silence proves none.
    pub loss_ratio: Option<f64>,
}

/// Judges hops by (sent, received), in the order of the path. What a hop does not answer and a later one does has passed:
/// loss begins at a hop and goes on to the end. `check` is what became of the echo requests beside the probes; the last
/// hop is the target when it was `reached`.
pub fn judge(hops: &[(u64, u64)], check: Option<(u64, u64)>, reached: bool) -> Vec<Verdict> {
    let all: Vec<(u64, u64)> = hops.iter().copied().chain(check).collect();
    let mut verdicts: Vec<Verdict> = (0..hops.len()).map(|at| judge_one(all[at], &all[at + 1..])).collect();
    if let (Some(verdict), Some(&counts), Some(check)) = (verdicts.last_mut(), hops.last(), check)
        && reached
    {
        confirm(verdict, counts, check);
    }
    verdicts
}

/// Loss at the target counts only if what went beside the probes was lost too: hosts ration port-unreachables.
fn confirm(verdict: &mut Verdict, counts: (u64, u64), check: (u64, u64)) {
    let lost = verdict.loss_ratio.is_some_and(|loss| loss > 0.0);
    let confirmed = check.1 < check.0 && !is_less(counts, check) && (check.1 > 0 || counts.1 == 0);
    if lost && !confirmed {
        verdict.loss_ratio = None;
    }
}

fn judge_one((sent, received): (u64, u64), later: &[(u64, u64)]) -> Verdict {
    let ratio_of = |&(sent, received): &(u64, u64)| ratio(received, sent).unwrap_or(0.0);
    let best = later.iter().max_by(|a, b| ratio_of(a).total_cmp(&ratio_of(b)));
    let answers_less = best.is_some_and(|&best| is_less((sent, received), best));
    let passes = best.is_some_and(|&(_, received)| received > 0);
    // Who has lost nothing at all of as many probes (one may still be under way) shows that they pass.
    let is_clean_beyond = best.is_some_and(|&(far, answered)| answered == far && far + 1 >= sent && far > 0);
    Verdict {
        rate_limited: answers_less && received > 0,
        // Of a hop that never speaks nothing is known but what those beyond tell.
        loss_ratio: ratio(sent.saturating_sub(received), sent)
            .filter(|_| !answers_less && (received > 0 || !passes))
            .filter(|loss| *loss <= 0.0 || !is_clean_beyond),
    }
}

/// Whether (sent, received) is less than the ratio of `best` explains: one-sided, exact binomial, with the rule of
/// succession (Laplace) for what `best` has shown.
pub(super) fn is_less((sent, received): (u64, u64), best: (u64, u64)) -> bool {
    let expected = (best.1 + 1) as f64 / (best.0 + 2) as f64;
    let margin = ratio(received, sent).zip(ratio(best.1, best.0)).is_some_and(|(ours, best)| ours < best);
    margin && at_most(received, sent, expected) < ACCIDENT
}

/// P(X ≤ k) for X binomial with n trials of probability p.
pub(super) fn at_most(k: u64, n: u64, p: f64) -> f64 {
    if k >= n || p <= 0.0 {
        return 1.0;
    }
    if p >= 1.0 {
        return 0.0;
    }
    let odds = (p / (1.0 - p)).ln();
    let mut term = n as f64 * (1.0 - p).ln();
    let mut sum = term.exp();
    for i in 1..=k {
        term += ((n - i + 1) as f64 / i as f64).ln() + odds;
        sum += term.exp();
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binomial_is_exact() {
        for (k, n, p, expected) in
            [(0, 10, 0.5, 1.0 / 1024.0), (5, 10, 0.5, 638.0 / 1024.0), (9, 10, 0.9, 1.0 - 0.9f64.powi(10))]
        {
            assert!((at_most(k, n, p) - expected).abs() < 1e-12, "{k} {n} {p}");
        }
        assert_eq!([at_most(3, 3, 0.1), at_most(0, 3, 1.0), at_most(0, 3, 0.0)], [1.0, 0.0, 1.0]);
        assert!((at_most(50_000, 100_000, 0.5) - 0.501_26).abs() < 1e-4, "no underflow");
    }

    #[test]
    fn a_hop_that_rations_its_answers_loses_nothing() {
        let verdicts = judge(&[(10, 3), (10, 10), (10, 10)], None, true);
        assert_eq!(verdicts[0], Verdict { rate_limited: true, loss_ratio: None });
        assert_eq!(verdicts[2], Verdict { rate_limited: false, loss_ratio: Some(0.0) });
    }

    #[test]
    fn a_missing_answer_is_no_loss_while_all_beyond_answer_everything() {
        for (hops, loss) in [
            (&[(11, 10), (11, 11), (11, 11)][..], None),
            (&[(12, 11), (11, 11)], None),
            (&[(11, 10), (11, 10)], Some(1.0 / 11.0)),
            (&[(11, 10), (3, 3)], Some(1.0 / 11.0)),
            (&[(11, 10), (11, 0)], Some(1.0 / 11.0)),
            (&[(11, 11), (11, 11)], Some(0.0)),
        ] {
            assert_eq!(judge(hops, None, false)[0].loss_ratio, loss, "{hops:?}");
        }
    }

    #[test]
    fn loss_that_goes_on_is_loss() {
        let verdicts = judge(&[(100, 100), (100, 80), (100, 82), (100, 79)], None, true);
        let loss: Vec<Option<f64>> = verdicts.iter().map(|verdict| verdict.loss_ratio).collect();
        assert_eq!(loss, [Some(0.0), Some(0.2), Some(0.18), Some(0.21)]);
        assert!(verdicts.iter().all(|verdict| !verdict.rate_limited));
    }

    #[test]
    fn loss_at_the_target_needs_a_second_witness() {
        let judged = |counts: (u64, u64), check: (u64, u64)| judge(&[counts], Some(check), true)[0];
        let limited = judged((10, 3), (10, 10));
        assert_eq!((limited.rate_limited, limited.loss_ratio), (true, None));
        assert_eq!(judged((10, 9), (10, 10)).loss_ratio, None, "nothing confirms it");
        assert_eq!(judged((10, 8), (10, 7)).loss_ratio, Some(0.2));
        assert_eq!(judged((10, 8), (10, 0)).loss_ratio, None, "that method is not answered at all");
        assert_eq!(judged((10, 0), (10, 0)).loss_ratio, Some(1.0));
        assert_eq!(judged((10, 10), (10, 3)).loss_ratio, Some(0.0));
    }

    #[test]
    fn a_silent_hop_is_neither_lossy_nor_rationing() {
        let verdicts = judge(&[(10, 10), (10, 0), (10, 10)], None, true);
        assert_eq!(verdicts[1], Verdict { rate_limited: false, loss_ratio: None });
        assert_eq!(
            judge(&[(10, 10), (10, 0)], None, false)[1].loss_ratio,
            Some(1.0),
            "nothing beyond answers"
        );
    }
}
