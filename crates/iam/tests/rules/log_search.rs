//! Logs are searched by time and by exact values.

use std::collections::BTreeSet;
use std::time::Duration;

use fastrand::Rng;
use gatewright_iam::{
    Call, Context, Fault, Iam, IamError, Instant, Line, LineFilter, LogFilter, LogKind, Outcome,
    PageRequest,
};

use crate::installation::{ACCOUNT, INSTANT, Installation, REBOOT, VPS, fault, texts};

const STATUSES: [u16; 4] = [200, 204, 403, 500];

/// Records the calls of some callers at two nodes, in pages of all sizes; returns their number.
async fn record_calls(installation: &Installation, nodes: [&Iam; 2], rng: &mut Rng) -> usize {
    let mut callers = vec![installation.owner()];
    for _ in 0..3 {
        callers.push(installation.stranger().await.context);
    }
    let mut count = 0;
    for _ in 0..60 {
        let node = nodes[rng.usize(..2)];
        let burst = if rng.u8(..3) == 0 { rng.usize(100..200) } else { rng.usize(1..10) };
        for _ in 0..burst {
            installation.pass(INSTANT * rng.u32(1..2_000_000));
            let caller = callers[rng.usize(..4)].clone();
            let (query_id, now) = (node.new_query_id(), installation.now());
            let context = Context { query_id, now, ..caller };
            let method = ["GET", "POST", "DELETE"][rng.usize(..3)];
            let what = format!("{method} /v1/shop/{}", rng.u8(..40));
            let route = ["/shop/{number}", "/shop", "/v1"][rng.usize(..3)];
            let status = STATUSES[rng.usize(..4)];
            let user_agent = "m".repeat(200);
            node.record(&context, Call { what, route, status, user_agent: Some(&user_agent) });
        }
        count += burst;
        if rng.bool() {
            read_all(installation, node).await;
        }
        if rng.u8(..10) == 0 {
            installation.pass(Duration::from_mins(90));
        }
    }
    count
}

/// Reads the whole log at a node, which writes what it has recorded first.
async fn read_all(installation: &Installation, node: &Iam) -> Vec<Line> {
    let (owner, all) = (installation.owner(), LogFilter::default());
    node.log(&owner, LogKind::Call, &all, (Instant::MAX, 100_000)).await.unwrap().lines
}

fn page(size: usize, cursor: Option<&str>) -> Result<PageRequest, IamError> {
    PageRequest::new(Some(size), cursor, "calls")
}

/// Reads all pages of what a filter finds.
async fn find(iam: &Iam, context: &Context, filter: &LineFilter, size: usize) -> Vec<Line> {
    let (mut found, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = page(size, cursor.as_deref());
        let page = iam.find_lines(context, LogKind::Call, Ok(filter.clone()), page).await.unwrap();
        assert!(page.items.len() <= size);
        found.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

/// Tells whether a line is what a filter says, without the terms of pages.
fn is_found(filter: &LineFilter, line: &Line) -> bool {
    let is_or_has = |text: &str, wanted: &Option<String>| {
        let is = |wanted: &String| text == wanted || text.split(' ').any(|word| word == wanted);
        wanted.as_ref().is_none_or(is)
    };
    filter.from.is_none_or(|from| from <= line.at)
        && filter.to.is_none_or(|to| line.at < to)
        && filter.actor.as_ref().is_none_or(|actor| *actor == line.who)
        && is_or_has(&line.what, &filter.action)
        && is_or_has(line.on.as_deref().unwrap(), &filter.resource)
        && filter.query_id.as_ref().is_none_or(|id| *id == line.query_id)
        && match filter.outcome {
            None => true,
            Some(Outcome::Allowed) => line.allowed,
            Some(Outcome::Denied) => !line.allowed,
            Some(Outcome::Status(status)) => line.status == Some(status),
        }
}

/// Draws a filter of values that lines have, and of some that none has.
fn draw_filter(rng: &mut Rng, lines: &[Line]) -> LineFilter {
    let mut filter = LineFilter::default();
    let line = &lines[rng.usize(..lines.len())];
    for _ in 0..rng.usize(1..4) {
        let line = if rng.u8(..8) == 0 { &lines[rng.usize(..lines.len())] } else { line };
        let words: Vec<&str> = line.what.split(' ').collect();
        match rng.u8(..12) {
            0 => filter.from = Some(line.at),
            1 => filter.to = Some(line.at),
            2 => filter.actor = Some(line.who.clone()),
            3 => filter.action = Some(line.what.clone()),
            4 => filter.action = Some(words[rng.usize(..2)].to_owned()),
            5 => filter.resource.clone_from(&line.on),
            6 => filter.outcome = Some(Outcome::Allowed),
            7 => filter.outcome = Some(Outcome::Denied),
            8 => filter.outcome = line.status.map(Outcome::Status),
            9 => filter.query_id = Some(line.query_id.clone()),
            10 => filter.query_id = Some(line.query_id.replace("EU", "CA")),
            _ => filter.action = Some(words[1][..words[1].len() - 1].to_owned()),
        }
    }
    // Such a span is refused.
    if filter.from.zip(filter.to).is_some_and(|(from, to)| from >= to) {
        filter.to = None;
    }
    filter
}

#[tokio::test]
async fn each_filter_finds_what_reading_every_line_finds() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let mut rng = Rng::with_seed(7);
    let elsewhere = installation.elsewhere().await;
    let count = record_calls(&installation, [iam, &elsewhere], &mut rng).await;
    read_all(&installation, &elsewhere).await;
    let lines = read_all(&installation, iam).await;
    assert_eq!(lines.len(), count);
    assert!(lines.is_sorted_by(|a, b| a.at > b.at));
    assert_eq!(find(iam, &owner, &LineFilter::default(), 97).await, lines);
    for _ in 0..400 {
        let filter = draw_filter(&mut rng, &lines);
        let expected: Vec<&Line> = lines.iter().filter(|line| is_found(&filter, line)).collect();
        let found = find(iam, &owner, &filter, rng.usize(1..60)).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{filter:?}");
    }
}

#[tokio::test]
async fn a_line_about_many_decisions_is_found_by_those_that_it_names() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let caller = installation.stranger().await;
    let urns = (0..20).map(|number| format!("urn:v1:eu:resource:vps:r{number}")).collect();
    iam.check(&caller.context, urns, Ok(texts(&[REBOOT]))).await.unwrap();
    assert!(!installation.may(&caller.context, REBOOT, VPS).await);
    let count = async |filter: LineFilter| {
        let found = iam.find_lines(&owner, LogKind::Decision, Ok(filter), page(10, None)).await;
        found.unwrap().items.len()
    };
    let action = Some(REBOOT.to_owned());
    assert_eq!(count(LineFilter { action, ..LineFilter::default() }).await, 2);
    for (urn, lines) in [(VPS, 1), ("urn:v1:eu:resource:vps:r1", 1), ("urn:v1:eu:resource", 0)] {
        let resource = Some(urn.to_owned());
        assert_eq!(count(LineFilter { resource, ..LineFilter::default() }).await, lines, "{urn}");
    }
    let query_id = Some(caller.context.query_id.to_string());
    assert_eq!(count(LineFilter { query_id, ..LineFilter::default() }).await, 2);
}

#[tokio::test]
async fn the_last_lines_of_a_service_account_are_its_own() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let caller = installation.stranger().await;
    let last = async |urn: &str| {
        let lines = iam.last_lines(&owner, LogKind::Token, urn, 10).await.unwrap();
        lines.into_iter().map(|line| line.who).collect::<BTreeSet<_>>()
    };
    assert_eq!(last(&caller.urn()).await, BTreeSet::from([caller.urn()]));
    let beginning = format!("urn:v1:eu:identity:credential:{ACCOUNT}");
    assert!(last(&beginning).await.is_empty(), "a part of a URN is another");
}

#[tokio::test]
async fn a_filter_that_no_line_can_fit_is_refused() {
    let installation = Installation::new().await;
    let (iam, owner) = (&installation.iam, installation.owner());
    let now = Some(installation.now());
    let filter = LineFilter { from: now, to: now, ..LineFilter::default() };
    let refused = iam.find_lines(&owner, LogKind::Call, Ok(filter), page(10, None)).await;
    assert_eq!(fault(refused), Fault::Parameter);
}
