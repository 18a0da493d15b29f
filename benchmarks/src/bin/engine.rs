//! Measures the cost of a decision and of a change: the minimum of many rounds, which other load on
//! the machine affects least.

use std::hint::black_box;
use std::time::{Duration, Instant};

use gatewright_benchmarks::{Prepared, asks, compiled, plain_index, policy, rules};
use gatewright_policy::Region;

const ROUNDS: usize = 60;
const QUESTIONS: usize = 10_000;

fn least(mut round: impl FnMut()) -> Duration {
    (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            round();
            started.elapsed()
        })
        .min()
        .unwrap_or_default()
}

fn main() {
    for count in [10, 1_000, 10_000, 100_000] {
        let rules = rules(count);
        let prepared: Vec<Prepared> = asks(&rules, QUESTIONS).iter().map(Prepared::new).collect();
        let set = compiled(&rules);
        let decision = least(|| {
            for one in &prepared {
                black_box(one.is_allowed(&set));
            }
        });
        let index = plain_index(&rules);
        let plain = least(|| {
            for one in &prepared {
                black_box(one.is_allowed_by(&index));
            }
        });
        let changed = policy(&rules[0]).compile(Region::Eu).expect("a policy");
        let change = least(|| {
            for _ in 0..100 {
                // As in the server: readers keep the old set.
                let mut next = set.clone();
                next.insert(changed.clone());
                black_box(next);
            }
        });
        println!(
            "{count} policies: a decision {:.0} ns, of a plain index {:.0} ns, a change {:.1} µs",
            decision.as_secs_f64() * 1e9 / QUESTIONS as f64,
            plain.as_secs_f64() * 1e9 / QUESTIONS as f64,
            change.as_secs_f64() * 1e6 / 100.0,
        );
    }
}
