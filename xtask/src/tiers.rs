//! The three tiers of tests: a list of steps, each with its needs and its tiers.

mod checkout;
mod figures;
mod fuzz;
mod measured;
mod old_data;
mod random;
mod reproducible;
mod server;
mod step;
mod steps;
mod times;

use std::time::Instant;

use figures::Figures;
use step::Step;
pub(crate) use step::{Selection, Tier};
use times::{Outcome, Times};

use crate::needs::{self, Need};
use crate::process::Failure;

/// Runs the steps of a tier: the long one whole, the others to the first failure.
pub(crate) fn test(selection: &Selection) -> Result<(), Failure> {
    let steps = choose(steps::STEPS, selection)?;
    if selection.list {
        for step in &steps {
            println!("{}", step.name);
        }
        return Ok(());
    }
    let needs: Vec<Need> = steps.iter().flat_map(|step| step.needs).copied().collect();
    let mut times = Times::default();
    let started = Instant::now();
    match selection.tier {
        Tier::Quick => needs::require(&needs)?,
        Tier::Whole | Tier::Long => needs::provide(&needs)?,
    }
    times.add("what is needed", Outcome::Passed, started.elapsed());
    let mut figures = Figures::default();
    let after_failure = match selection.tier {
        Tier::Quick | Tier::Whole => AfterFailure::Skip,
        Tier::Long => AfterFailure::GoOn,
    };
    let failures = run(&steps, after_failure, &mut times, &mut figures);
    print!("{figures}{times}");
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n")) }
}

/// The treatment of the steps after one that failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum AfterFailure {
    /// They are skipped: the failure is to be mended first.
    Skip,
    /// They run: each takes long, and finds what others do not.
    GoOn,
}

/// Runs steps, and returns the failures.
fn run(
    steps: &[&Step],
    after_failure: AfterFailure,
    times: &mut Times,
    figures: &mut Figures,
) -> Vec<Failure> {
    let mut failures = Vec::new();
    for step in steps {
        if !failures.is_empty() && after_failure == AfterFailure::Skip {
            times.add(step.name, Outcome::Skipped, std::time::Duration::ZERO);
            continue;
        }
        eprintln!("\n== {} ==", step.name);
        figures.begin(step.name);
        let started = Instant::now();
        let result = (step.run)(figures);
        let outcome = if result.is_ok() { Outcome::Passed } else { Outcome::Failed };
        times.add(step.name, outcome, started.elapsed());
        failures.extend(result.err().map(|reason| format!("{}: {reason}", step.name)));
    }
    failures
}

fn choose<'a>(steps: &'a [Step], selection: &Selection) -> Result<Vec<&'a Step>, Failure> {
    let of_tier: Vec<&Step> =
        steps.iter().filter(|step| step.tiers.contains(&selection.tier)).collect();
    for name in &selection.only {
        if !of_tier.iter().any(|step| step.name == name) {
            let names: Vec<&str> = of_tier.iter().map(|step| step.name).collect();
            return Err(format!("this tier has no step '{name}', but {}", names.join(", ")));
        }
    }
    let is_wanted = |step: &&Step| {
        selection.only.is_empty() || selection.only.iter().any(|name| name == step.name)
    };
    Ok(of_tier.into_iter().filter(is_wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "every step can fail")]
    fn passes(_: &mut Figures) -> Result<(), Failure> {
        Ok(())
    }

    fn fails(_: &mut Figures) -> Result<(), Failure> {
        Err("broken".into())
    }

    const BOTH: &[Tier] = &[Tier::Quick, Tier::Whole];
    const WHOLE: &[Tier] = &[Tier::Whole];
    const STEPS: &[Step] = &[
        Step::new("one", BOTH, &[], passes),
        Step::new("two", WHOLE, &[], fails),
        Step::new("three", WHOLE, &[], passes),
    ];

    fn chosen(tier: Tier, only: &[&str]) -> Result<Vec<&'static str>, Failure> {
        let only = only.iter().map(|name| (*name).to_owned()).collect();
        let steps = choose(STEPS, &Selection { tier, only, list: false })?;
        Ok(steps.into_iter().map(|step| step.name).collect())
    }

    #[test]
    fn a_tier_has_its_steps_in_order() {
        assert_eq!(chosen(Tier::Whole, &[]), Ok(vec!["one", "two", "three"]));
        assert_eq!(chosen(Tier::Quick, &[]), Ok(vec!["one"]));
        assert_eq!(chosen(Tier::Whole, &["three", "one"]), Ok(vec!["one", "three"]));
    }

    #[test]
    fn a_step_of_another_tier_is_no_step() {
        assert!(chosen(Tier::Quick, &["two"]).unwrap_err().ends_with("but one"));
    }

    #[test]
    fn the_steps_after_a_failure_are_skipped() {
        let steps: Vec<&Step> = STEPS.iter().collect();
        let mut times = Times::default();
        let failures = run(&steps, AfterFailure::Skip, &mut times, &mut Figures::default());
        assert_eq!(failures, ["two: broken"]);
        assert!(times.to_string().ends_with("steps: 1 passed, 1 failed, 1 skipped\n"));
    }

    #[test]
    fn the_long_tier_goes_on_after_a_failure_and_names_each() {
        let steps: Vec<&Step> = STEPS.iter().chain(&STEPS[1..2]).collect();
        let mut times = Times::default();
        let failures = run(&steps, AfterFailure::GoOn, &mut times, &mut Figures::default());
        assert_eq!(failures, ["two: broken", "two: broken"]);
        assert!(times.to_string().ends_with("steps: 2 passed, 2 failed\n"));
    }

    #[test]
    fn names_of_steps_are_unique() {
        let mut names: Vec<&str> = steps::STEPS.iter().map(|step| step.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), steps::STEPS.len());
    }

    #[test]
    fn the_quick_tier_needs_a_compiler_and_no_more() {
        let quick = steps::STEPS.iter().filter(|step| step.tiers.contains(&Tier::Quick));
        for need in quick.flat_map(|step| step.needs) {
            assert!(Need::OF_EVERY_BUILD.contains(need), "{need}");
        }
    }
}
