//! Benchmarks decisions in process, beside cedar-policy and casbin with the same policies and equal
//! answers.

use std::alloc::System;
use std::collections::HashMap;
use std::hint::black_box;

use casbin::{CoreApi, DefaultModel, Enforcer, MemoryAdapter, MgmtApi};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityUid, PolicyId, PolicySet as Cedar, Request,
};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use gatewright_benchmarks::{Ask, Prepared, Rule, action, asks, compiled, plain_index, rules};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const QUESTIONS: usize = 10_000;

fn cedar_text(rule: &Rule) -> String {
    let effect = if rule.deny { "forbid" } else { "permit" };
    let actions: Vec<String> =
        rule.verbs.iter().map(|verb| format!("Action::\"{}\"", action(rule.kind, verb))).collect();
    let resource = match rule.resource {
        Some(number) => format!("resource == {}::\"r{number}\"", rule.kind),
        None => format!("resource is {}", rule.kind),
    };
    format!(
        "{effect}(principal == User::\"{}\", action in [{}], {resource});",
        rule.identity,
        actions.join(", ")
    )
}

fn cedar<'r>(rules: impl Iterator<Item = &'r Rule>) -> Cedar {
    let mut set = Cedar::new();
    for (number, rule) in rules.enumerate() {
        let id = PolicyId::new(format!("p{number}"));
        set.add(cedar_policy::Policy::parse(Some(id), cedar_text(rule)).expect("a policy"))
            .expect("new");
    }
    set
}

fn cedar_request(ask: &Ask) -> Request {
    let uid = |text: String| text.parse::<EntityUid>().expect("an entity");
    Request::new(
        uid(format!("User::\"{}\"", ask.identity)),
        uid(format!("Action::\"{}\"", action(ask.kind, ask.verb))),
        uid(format!("{}::\"r{}\"", ask.kind, ask.resource)),
        Context::empty(),
        None,
    )
    .expect("a request")
}

const CASBIN: &str = "
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.sub == p.sub && r.act == p.act && keyMatch(r.obj, p.obj)
";

fn casbin(rules: &[Rule]) -> Enforcer {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let model = DefaultModel::from_str(CASBIN).await.expect("a model");
        let mut enforcer =
            Enforcer::new(model, MemoryAdapter::default()).await.expect("an enforcer");
        let lines = rules.iter().flat_map(|rule| {
            rule.verbs.iter().map(|verb| {
                let resource = rule.resource.map_or("*".to_owned(), |number| format!("r{number}"));
                vec![
                    rule.identity.to_string(),
                    format!("{}:{resource}", rule.kind),
                    action(rule.kind, verb),
                    if rule.deny { "deny" } else { "allow" }.to_owned(),
                ]
            })
        });
        let mut lines: Vec<Vec<String>> = lines.collect();
        lines.sort();
        lines.dedup();
        enforcer.add_policies(lines).await.expect("policies");
        enforcer
    })
}

fn casbin_request(ask: &Ask) -> (String, String, String) {
    (
        ask.identity.to_string(),
        format!("{}:r{}", ask.kind, ask.resource),
        action(ask.kind, ask.verb),
    )
}

fn decisions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decision");
    for count in [10, 1_000, 10_000, 100_000] {
        let rules = rules(count);
        let asks = asks(&rules, QUESTIONS);
        let set = compiled(&rules);
        let prepared: Vec<Prepared> = asks.iter().map(Prepared::new).collect();
        let answers: Vec<bool> = prepared.iter().map(|one| one.is_allowed(&set)).collect();
        let allowed = answers.iter().filter(|allowed| **allowed).count();
        println!("{count} policies: {allowed} of {QUESTIONS} allowed");

        let region = Region::new(ALLOCATOR);
        for one in &prepared {
            black_box(one.is_allowed(&set));
        }
        assert_eq!(region.change().allocations, 0, "a decision allocates");

        let mut next = (0..QUESTIONS).cycle();
        group.bench_function(BenchmarkId::new("gatewright", count), |bencher| {
            bencher.iter(|| prepared[next.next().unwrap_or_default()].is_allowed(&set));
        });

        let index = plain_index(&rules);
        for (request, answer) in prepared.iter().zip(&answers) {
            assert_eq!(request.is_allowed_by(&index), *answer);
        }
        group.bench_function(BenchmarkId::new("plain index", count), |bencher| {
            bencher.iter(|| prepared[next.next().unwrap_or_default()].is_allowed_by(&index));
        });

        if count <= 10_000 {
            let mut by_identity: HashMap<usize, Vec<&Rule>> = HashMap::new();
            for rule in &rules {
                by_identity.entry(rule.identity).or_default().push(rule);
            }
            let slices: HashMap<usize, Cedar> = by_identity
                .iter()
                .map(|(identity, rules)| (*identity, cedar(rules.iter().copied())))
                .collect();
            let (authorizer, entities, none) = (Authorizer::new(), Entities::empty(), Cedar::new());
            let requests: Vec<Request> = asks.iter().map(cedar_request).collect();
            let ask = |number: usize| {
                let slice = slices.get(&asks[number].identity).unwrap_or(&none);
                authorizer.is_authorized(&requests[number], slice, &entities).decision()
            };
            for (number, answer) in answers.iter().enumerate() {
                assert_eq!(ask(number) == Decision::Allow, *answer, "{:?}", asks[number]);
            }
            group.bench_function(BenchmarkId::new("cedar, caller's policies", count), |bencher| {
                bencher.iter(|| ask(next.next().unwrap_or_default()));
            });
            if count <= 1_000 {
                let whole = cedar(rules.iter());
                let ask = |number: usize| {
                    authorizer.is_authorized(&requests[number], &whole, &entities).decision()
                };
                for (number, answer) in answers.iter().enumerate().take(200) {
                    assert_eq!(ask(number) == Decision::Allow, *answer, "{:?}", asks[number]);
                }
                group.bench_function(BenchmarkId::new("cedar, all policies", count), |bencher| {
                    bencher.iter(|| ask(next.next().unwrap_or_default()));
                });
                let enforcer = casbin(&rules);
                let requests: Vec<_> = asks.iter().map(casbin_request).collect();
                let ask =
                    |number: usize| enforcer.enforce(requests[number].clone()).expect("an answer");
                for (number, answer) in answers.iter().enumerate().take(200) {
                    assert_eq!(ask(number), *answer, "{:?}", asks[number]);
                }
                group.bench_function(BenchmarkId::new("casbin, all policies", count), |bencher| {
                    bencher.iter(|| ask(next.next().unwrap_or_default()));
                });
            }
        }
    }
    group.finish();
}

criterion_group!(benches, decisions);
criterion_main!(benches);
