//! A line of values over time as one line of text.

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// `points` (milliseconds, value; by time) in `width` columns from the first to the last: the greatest of each
/// column between the least and the greatest of all. A column without a value is a space.
pub(super) fn line(points: &[(u64, f64)], width: usize) -> String {
    let (Some(&(first, _)), Some(&(last, _))) = (points.first(), points.last()) else {
        return String::new();
    };
    let mut columns: Vec<Option<f64>> = vec![None; width.max(1)];
    let span = u128::from(last.saturating_sub(first)) + 1;
    for &(at, value) in points.iter().filter(|(_, value)| value.is_finite()) {
        let column = u128::from(at.saturating_sub(first)) * columns.len() as u128 / span;
        if let Some(held) = usize::try_from(column).ok().and_then(|column| columns.get_mut(column)) {
            *held = Some(held.map_or(value, |held| held.max(value)));
        }
    }
    let known = || columns.iter().flatten().copied();
    let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
    columns.iter().map(|value| value.map_or(' ', |value| bar(value, low, high))).collect()
}

fn bar(value: f64, low: f64, high: f64) -> char {
    let part = if high > low { (value - low) / (high - low) } else { 0.0 };
    BARS[((part * 7.0).round() as usize).min(7)]
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn gaps_are_spaces_and_the_greatest_is_full() {
        for (points, width, expected) in [
            (&[][..], 4, ""),
            (&[(5, 1.0)], 4, "▁   "),
            (&[(0, 0.0), (10, 7.0)], 2, "▁█"),
            (&[(0, 0.0), (1, 1.0), (3, 7.0)], 4, "▁▂ █"),
            (&[(0, 0.0), (1, f64::NAN), (3, 7.0)], 4, "▁  █"),
        ] {
            assert_eq!(line(points, width), expected, "{points:?}");
        }
    }
}
