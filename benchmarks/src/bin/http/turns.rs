//! Alternating measurements of two servers.

use std::fmt;

/// Requests per second to Gatewright, and right after to a bare server, so that other load on the
/// machine affects both.
#[derive(Default)]
pub(crate) struct Turns(Vec<(f64, f64)>);

impl Turns {
    pub(crate) fn add(&mut self, mine: f64, bare: f64) {
        self.0.push((mine, bare));
    }
}

impl fmt::Display for Turns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let middle = |of: fn(&(f64, f64)) -> f64| median(self.0.iter().map(of).collect());
        let (mine, bare) = (middle(|turn| turn.0), middle(|turn| turn.1));
        let share = middle(|(mine, bare)| 100.0 * mine / bare);
        write!(f, "{mine:.0}/s, bare server {bare:.0}/s: {share:.0} %, of {} turns", self.0.len())
    }
}

/// Returns the median.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
