//! `/iam/activity`: the logs of token requests, decisions and calls, by time and by exact values.

use gatewright_iam::{
    Context, Fault, IamError, Input, Instant, LineFilter, LogKind, Outcome, rights,
};

use crate::error::ApiError;
use crate::operation::{Operation, Parameter};
use crate::request::Request;
use crate::respond::JsonPage;
use crate::wire::ActivityLine;

const FILTER: &[Parameter] = &[
    Parameter::text("action"),
    Parameter::text("actor"),
    Parameter::text("from"),
    Parameter::text("outcome"),
    Parameter::text("queryId"),
    Parameter::text("resource"),
    Parameter::text("to"),
];

/// Declares the operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/iam/activity/call", "Find lines of the log of calls")
            .requires(&[rights::CALLS_GET])
            .query(FILTER)
            .extension()
            .handle(calls),
        Operation::get("/iam/activity/decision", "Find lines of the log of decisions")
            .requires(&[rights::DECISIONS_READ])
            .query(FILTER)
            .extension()
            .handle(decisions),
        Operation::get("/iam/activity/token", "Find lines of the log of token requests")
            .requires(&[rights::CLIENT_GET])
            .query(FILTER)
            .extension()
            .handle(tokens),
    ]
}

/// Reads an instant.
fn instant(request: &Request, name: &str) -> Input<Option<Instant>> {
    let Some(text) = request.query.text(name)? else { return Ok(None) };
    Instant::parse(text).map(Some).ok_or_else(|| {
        let message = format!("\"{name}\" must be a time as in RFC 3339, 2026-05-12T09:30:00Z");
        IamError::invalid(Fault::Format, message)
    })
}

fn outcome(request: &Request) -> Input<Option<Outcome>> {
    let Some(text) = request.query.text("outcome")? else { return Ok(None) };
    Outcome::parse(text).map(Some).ok_or_else(|| {
        let message = "\"outcome\" must be allowed, denied or an HTTP status";
        IamError::invalid(Fault::Format, message)
    })
}

/// Reads the filter of a request. A parameter that is unknown or there twice is refused: the lines
/// that are found would not be those that were meant.
fn filter(request: &Request) -> Input<LineFilter> {
    let names: Vec<&str> = FILTER.iter().map(|parameter| parameter.name).collect();
    request.query.check_names(&names)?;
    let text = |name| Ok::<_, IamError>(request.query.text(name)?.map(str::to_owned));
    Ok(LineFilter {
        from: instant(request, "from")?,
        to: instant(request, "to")?,
        actor: text("actor")?,
        action: text("action")?,
        resource: text("resource")?,
        outcome: outcome(request)?,
        query_id: text("queryId")?,
    })
}

async fn find(
    context: &Context,
    request: &Request,
    (kind, list): (LogKind, &str),
) -> Result<JsonPage<ActivityLine>, ApiError> {
    let page = request.page(list);
    let found = request.iam.find_lines(context, kind, filter(request), page).await?;
    Ok(JsonPage::of(found, ActivityLine::of))
}

async fn calls(context: Context, request: Request) -> Result<JsonPage<ActivityLine>, ApiError> {
    find(&context, &request, (LogKind::Call, "calls")).await
}

async fn decisions(context: Context, request: Request) -> Result<JsonPage<ActivityLine>, ApiError> {
    find(&context, &request, (LogKind::Decision, "decisions")).await
}

async fn tokens(context: Context, request: Request) -> Result<JsonPage<ActivityLine>, ApiError> {
    find(&context, &request, (LogKind::Token, "tokens")).await
}
