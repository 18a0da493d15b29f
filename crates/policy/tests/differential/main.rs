//! Compares the engine with a slow and obvious evaluator, on a million random decisions, half of
//! which are allowed.
#![allow(clippy::disallowed_methods, reason = "a run is chosen by its environment, or by chance")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod obvious;
mod world;

use std::thread;

use gatewright_policy::{decide, explain};

/// The number of decisions of each kind, allowed and denied.
const WANTED: usize = 500_000;
const QUESTIONS_PER_WORLD: usize = 100;

#[derive(Default)]
struct Count {
    allowed: usize,
    refused: usize,
}

/// Compares random worlds until both kinds of decisions are frequent enough.
fn compare(seed: u64, wanted: usize) -> Count {
    let mut dice = fastrand::Rng::with_seed(seed);
    let mut count = Count::default();
    while count.allowed < wanted || count.refused < wanted {
        let world = world::World::roll(&mut dice);
        let owner = world.owner.compile();
        let home = world.home.compile();
        for _ in 0..QUESTIONS_PER_WORLD {
            let ask = world::Ask::roll(&mut dice);
            let expected = obvious::may(&world, &ask);
            let caller = ask.caller();
            let request = ask.request(&caller);
            let decision = decide(&request, &owner, Some(&home));
            assert_eq!(
                decision.is_allowed(),
                expected,
                "seed {seed}: {decision:?} for {ask:#?}\nin {world:#?}"
            );
            if expected {
                count.allowed += 1;
            } else {
                count.refused += 1;
            }
        }
        let ask = world::Ask::roll(&mut dice);
        let caller = ask.caller();
        let request = ask.request(&caller);
        let explanation = explain(&request, &owner, Some(&home));
        assert_eq!(explanation.decision, decide(&request, &owner, Some(&home)));
    }
    count
}

#[test]
fn a_million_random_decisions_are_the_obvious_ones() {
    let first = std::env::var("GATEWRIGHT_TEST_SEED")
        .map_or_else(|_| fastrand::u64(0..u64::MAX / 2), |seed| seed.parse().unwrap());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let each = WANTED.div_ceil(threads);
    println!("seeds from {first}: repeat with GATEWRIGHT_TEST_SEED={first}");
    let counts: Vec<Count> = thread::scope(|scope| {
        let running: Vec<_> =
            (first..).take(threads).map(|seed| scope.spawn(move || compare(seed, each))).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let allowed: usize = counts.iter().map(|count| count.allowed).sum();
    let refused: usize = counts.iter().map(|count| count.refused).sum();
    println!("{allowed} allowed, {refused} refused");
    assert!(allowed >= WANTED && refused >= WANTED);
}
