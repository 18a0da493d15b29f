//! The first page: what a person wants to see first.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use gatewright_iam::{Context, HourlyCounts, Instant, PolicyId};

use super::service_accounts::UNUSED;
use super::{allowed, format_minute};
use crate::chart::Chart;
use crate::error::PageError;
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

/// So many of each kind are named.
const NAMED: usize = 5;

#[derive(Template)]
#[template(path = "overview.html")]
struct OverviewPage {
    layout: Layout,
    days: bool,
    /// None where the reader may not know.
    activity: Option<Activity>,
    unused: Option<Warning>,
    /// None where the reader may not know.
    policies: Option<Vec<Warning>>,
}

/// Tokens and decisions of the last day or the last 30 days.
struct Activity {
    tokens: i64,
    allowed: i64,
    refused: i64,
    token_chart: String,
    decision_chart: String,
    rows: Vec<(String, i64, i64, i64)>,
}

/// Something to look at.
struct Warning {
    /// The key of the text that says what it is about, with a number.
    text: &'static str,
    count: usize,
    /// Some of them: where they are shown, and what they are called.
    some: Vec<(String, String)>,
}

pub(crate) async fn show(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let days = request.query.get("of") == "days";
    let hours = if days { 30 * 24 - 1 } else { 23 };
    let hour = Instant::from_hours(request.now.hours());
    let since = hour.saturating_sub(Duration::from_hours(hours));
    let hourly_counts = allowed(request.iam.hourly_counts(&context, since).await)?;
    let unused = match allowed(
        request.iam.unused_clients(&context, request.now.saturating_sub(UNUSED)).await,
    )? {
        None => None,
        Some(clients) => Some(unused(&request, &context, &clients).await?),
    };
    PageResponse::render(&OverviewPage {
        layout: request.layout_with_flash(Section::Overview),
        days,
        activity: hourly_counts.map(|hourly_counts| activity(since, days, &hourly_counts)),
        unused,
        policies: policies(&request, &context).await?,
    })
}

fn activity(since: Instant, days: bool, hourly_counts: &[HourlyCounts]) -> Activity {
    let (step, columns) = if days { (24, 30) } else { (1, 24) };
    let column_of = |hour: Instant| {
        let hours = hour.since(since)?.as_secs() / 3_600;
        usize::try_from(hours / step).ok()
    };
    let mut counts = vec![HourlyCounts::default(); columns];
    for hour in hourly_counts {
        if let Some(sum) = column_of(hour.hour).and_then(|column| counts.get_mut(column)) {
            sum.tokens += hour.tokens;
            sum.allowed += hour.allowed;
            sum.refused += hour.refused;
        }
    }
    let name = |column: usize| {
        let hours = step * u64::try_from(column).unwrap_or_default();
        let text = since.saturating_add(Duration::from_hours(hours)).to_string();
        let part = if days { text.get(5..10) } else { text.get(11..16) };
        part.unwrap_or_default().to_owned()
    };
    let names: Vec<String> = (0..columns).map(name).collect();
    let tokens: Vec<[i64; 2]> = counts.iter().map(|one| [one.tokens, 0]).collect();
    let decisions: Vec<[i64; 2]> = counts.iter().map(|one| [one.allowed, one.refused]).collect();
    let chart = |counts: &[[i64; 2]]| Chart { columns: &names, counts }.svg();
    let rows = names.iter().zip(&counts);
    Activity {
        tokens: counts.iter().map(|one| one.tokens).sum(),
        allowed: counts.iter().map(|one| one.allowed).sum(),
        refused: counts.iter().map(|one| one.refused).sum(),
        token_chart: chart(&tokens),
        decision_chart: chart(&decisions),
        rows: rows
            .map(|(name, one)| (name.clone(), one.tokens, one.allowed, one.refused))
            .collect(),
    }
}

/// The service accounts that nobody has used, or not for long.
async fn unused(
    request: &RequestContext,
    context: &Context,
    clients: &[(String, Option<Instant>)],
) -> Result<Warning, PageError> {
    let mut some = Vec::new();
    for (id, used) in clients.iter().take(NAMED) {
        let last = used.map_or_else(
            || request.texts.say("never-used"),
            |used| request.texts.name("used-at", &format_minute(used)),
        );
        let client = request.iam.client(context, id).await?;
        some.push((format!("/service-accounts/{id}"), format!("{} ({last})", client.name)));
    }
    Ok(Warning { text: "overview-unused", count: clients.len(), some })
}

/// The policies that somebody should look at.
async fn policies(
    request: &RequestContext,
    context: &Context,
) -> Result<Option<Vec<Warning>>, PageError> {
    let Some(findings) = allowed(request.iam.findings(context).await)? else { return Ok(None) };
    let expiring: Vec<PolicyId> = findings.expiring.into_iter().map(|(_, id)| id).collect();
    let kinds = [
        ("overview-everything", findings.everything),
        ("overview-gone", findings.gone),
        ("overview-nobody", findings.nobody),
        ("overview-expiring", expiring),
        ("overview-expired", findings.expired),
    ];
    let mut warnings = Vec::new();
    for (text, ids) in kinds {
        let mut some = Vec::new();
        for id in ids.iter().take(NAMED) {
            let policy = request.iam.policy(context, Ok(*id)).await?;
            some.push((format!("/policies/{id}"), policy.name));
        }
        if !ids.is_empty() {
            warnings.push(Warning { text, count: ids.len(), some });
        }
    }
    Ok(Some(warnings))
}
