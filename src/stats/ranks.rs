//! Whether two samples differ by more than chance, whatever their distributions.

use std::cmp::Ordering;

/// Samples of each side below which the normal approximation says nothing.
const LEAST: usize = 8;

/// The two-sided p-value of the Mann-Whitney U test (Ann. Math. Statist. 18 (1947) 50): how likely samples that differ as
/// much as `a` and `b` are where there is no difference. Normal approximation, corrected for ties and for continuity;
/// `None` with fewer than 8 samples on a side.
pub fn mann_whitney(a: &[f64], b: &[f64]) -> Option<f64> {
    if a.len() < LEAST || b.len() < LEAST {
        return None;
    }
    let mut all: Vec<(f64, bool)> =
        a.iter().map(|value| (*value, true)).chain(b.iter().map(|value| (*value, false))).collect();
    all.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (n, m) = (a.len() as f64, b.len() as f64);
    let total = n + m;
    let (mut ranks, mut ties, mut before) = (0.0, 0.0, 0.0);
    for same in all.chunk_by(|one, other| one.0.total_cmp(&other.0) == Ordering::Equal) {
        let count = same.len() as f64;
        let mine = same.iter().filter(|(_, is_a)| *is_a).count() as f64;
        // Equal values share the mean of their ranks.
        ranks += mine * (before + (count + 1.0) / 2.0);
        ties += count.powi(3) - count;
        before += count;
    }
    let u = ranks - n * (n + 1.0) / 2.0;
    let variance = n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)));
    if variance <= 0.0 {
        return Some(1.0);
    }
    let distance = ((u - n * m / 2.0).abs() - 0.5).max(0.0);
    Some(erfc(distance / variance.sqrt() / std::f64::consts::SQRT_2).min(1.0))
}

/// `p`-values of several tests made at once, each raised so that all together err as seldom as one alone (Holm, Scand. J.
/// Statist. 6 (1979) 65). In the order given.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|one, other| p[*one].total_cmp(&p[*other]));
    let (mut adjusted, mut least) = (vec![1.0; p.len()], 0.0f64);
    for (n, at) in order.into_iter().enumerate() {
        least = least.max((p[at] * (p.len() - n) as f64).min(1.0));
        adjusted[at] = least;
    }
    adjusted
}

/// The complementary error function, to 1.2e-7 of its value: a Chebyshev fit (Press et al., Numerical Recipes §6.2).
fn erfc(x: f64) -> f64 {
    const TERMS: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let t = 1.0 / (1.0 + 0.5 * x.abs());
    let sum = TERMS.iter().rev().fold(0.0, |sum, term| sum * t + term);
    let value = t * (-x * x + sum).exp();
    if x >= 0.0 { value } else { 2.0 - value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn near(value: Option<f64>, expected: f64) {
        let value = value.expect("enough samples");
        assert!((value - expected).abs() < 1e-4 * expected.max(0.01), "{value} for {expected}");
    }

    /// Worked out from the definition, with the erfc of C's mathematics.
    #[test]
    fn p_values_are_the_known_ones() {
        let numbers = |range: std::ops::Range<i32>| range.map(f64::from).collect::<Vec<_>>();
        near(mann_whitney(&numbers(0..10), &numbers(10..20)), 0.000_182_671);
        near(mann_whitney(&numbers(0..10), &numbers(5..15)), 0.005_075_392);
        near(
            mann_whitney(
                &[1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0],
                &[2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 5.0, 5.0],
            ),
            0.146_399_1,
        );
        assert_eq!(mann_whitney(&[1.0; 8], &[1.0; 8]), Some(1.0));
        assert_eq!(mann_whitney(&[1.0; 7], &[2.0; 100]), None);
    }

    #[test]
    fn several_tests_at_once_are_judged_more_strictly() {
        assert_eq!(holm(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
        assert_eq!(holm(&[0.9, 0.9]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn sides_are_alike_and_p_is_a_probability(
            a in prop::collection::vec(0.0f64..9.0, 8..40), b in prop::collection::vec(0.0f64..9.0, 8..40),
        ) {
            let (one, other) = (mann_whitney(&a, &b).expect("enough"), mann_whitney(&b, &a).expect("enough"));
            prop_assert!((one - other).abs() < 1e-9 && (0.0..=1.0).contains(&one), "{one} {other}");
        }
    }
}
