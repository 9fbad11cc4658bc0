//! A series as one line of blocks.

/// From nothing to everything.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// `values` as at most `width` blocks between their least and their greatest; where there are more
/// values than blocks, a block is the greatest of its share. What is not a number is a gap.
pub fn spark(values: &[f64], width: usize) -> String {
    let finite = || values.iter().copied().filter(|it| it.is_finite());
    let least = finite().fold(f64::INFINITY, f64::min);
    let most = finite().fold(f64::NEG_INFINITY, f64::max);
    let share = values.len().div_ceil(width.max(1)).max(1);
    let block = |some: &[f64]| {
        let value = some.iter().copied().filter(|it| it.is_finite());
        let value = value.fold(f64::NEG_INFINITY, f64::max);
        if !value.is_finite() {
            return ' ';
        }
        let height = match most - least {
            0.0 => 0.0,
            span => (value - least) / span,
        };
        BLOCKS[((height * BLOCKS.len() as f64) as usize).min(BLOCKS.len() - 1)]
    };
    values.chunks(share).map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::spark;

    #[test]
    fn blocks_reach_from_the_least_to_the_greatest() {
        let values: Vec<f64> = (0..8).map(f64::from).collect();
        assert_eq!(spark(&values, 8), "▁▂▃▄▅▆▇█");
        assert_eq!(spark(&[5.0, 5.0], 8), "▁▁");
        assert_eq!(spark(&[1.0, f64::NAN, 2.0], 8), "▁ █");
        assert_eq!(spark(&[], 8), "");
    }

    #[test]
    fn a_peak_stays_when_there_is_little_room() {
        let mut values = vec![0.0; 100];
        values[37] = 9.0;
        assert_eq!(spark(&values, 10), "▁▁▁█▁▁▁▁▁▁");
    }
}
