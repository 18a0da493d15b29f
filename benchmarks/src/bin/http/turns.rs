//! Alternating measurements of two servers.

use std::fmt;
use std::time::Duration;

/// The number of rounds for each server, alternating with the other.
pub(crate) const ROUNDS: usize = 7;

/// The figures of one load: requests per second, and how long they took.
pub(crate) struct Round {
    rate: f64,
    /// The times at 50, 90 and 99 % of the requests, in microseconds.
    times: [f64; 3],
}

impl Round {
    /// Computes what a load measured from the times of its requests.
    pub(crate) fn of(mut times: Vec<u32>, duration: Duration) -> Self {
        times.sort_unstable();
        let at = |percent: usize| {
            times.get(times.len() * percent / 100).copied().map_or(f64::NAN, f64::from)
        };
        let rate = times.len() as f64 / duration.as_secs_f64();
        Self { rate, times: [at(50), at(90), at(99)] }
    }
}

/// Measurements of Gatewright, each followed by one of another server, so that other load on the
/// machine affects both.
pub(crate) struct Turns {
    other: &'static str,
    rounds: Vec<(Round, Round)>,
}

impl Turns {
    /// Begins measurements beside another server, of this name.
    pub(crate) fn beside(other: &'static str) -> Self {
        Self { other, rounds: Vec::new() }
    }

    pub(crate) fn add(&mut self, mine: Round, other: Round) {
        self.rounds.push((mine, other));
    }

    /// Returns the medians of a figure: Gatewright's, the other server's, and their ratio.
    fn medians(&self, of: impl Fn(&Round) -> f64) -> (f64, f64, f64) {
        let middle =
            |of: &dyn Fn(&(Round, Round)) -> f64| median(self.rounds.iter().map(of).collect());
        let ratio = middle(&|(mine, other)| of(mine) / of(other));
        (middle(&|(mine, _)| of(mine)), middle(&|(_, other)| of(other)), ratio)
    }
}

impl fmt::Display for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { other: name, rounds } = self;
        let (mine, other, ratio) = self.medians(|round| round.rate);
        let share = 100.0 * ratio;
        write!(f, "{mine:.0}/s, {name} {other:.0}/s: {share:.1} %, of {} turns", rounds.len())?;
        for (index, name) in ["p50", "p90", "p99"].iter().enumerate() {
            let (mine, other, ratio) = self.medians(|round| round.times[index]);
            write!(f, "; {name} {mine:.0} and {other:.0} µs: {ratio:.2} times")?;
        }
        Ok(())
    }
}

/// Returns the median.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
