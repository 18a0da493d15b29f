//! `/me/api/logs` and `/me/logs/audit`: the API log and the audit log.

use gatewright_iam::{Context, Fault, IamError, Instant, LogFilter, LogKind, Revision, rights};

use crate::error::ApiError;
use crate::expand::Expandable;
use crate::operation::Operation;
use crate::request::Request;
use crate::respond::{Json, JsonList};
use crate::wire::{AuditLog, Log};

/// The maximum number of the latest entries in a list.
const MOST: usize = 10_000;

/// Declares the operations.
pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/me/api/logs/self", "List recent API calls")
            .requires(&[rights::CALLS_GET])
            .handle(calls),
        Operation::get("/me/api/logs/self/{logId}", "Read an API call")
            .requires(&[rights::CALLS_GET])
            .handle(call),
        Operation::get(
            "/me/api/logs/services",
            "List recent API calls of other accounts on your resources",
        )
        .requires(&[rights::CALLS_ON_SERVICES_GET])
        .handle(calls_on_services),
        Operation::get(
            "/me/api/logs/services/{logId}",
            "Read an API call of another account on your resources",
        )
        .requires(&[rights::CALLS_ON_SERVICES_GET])
        .handle(call_on_services),
        Operation::get("/me/logs/audit", "Read the audit log")
            .requires(&[rights::AUDIT_GET])
            .handle(audit),
    ]
}

async fn calls(context: Context, request: Request) -> Result<Expandable<Log>, ApiError> {
    let last = (Instant::MAX, MOST);
    let found = request.iam.log(&context, LogKind::Call, &LogFilter::default(), last).await?;
    let account = context.account();
    Expandable::of(&request, found.lines.into_iter().map(|line| Log::of(account, line)))
}

async fn call(context: Context, request: Request) -> Result<Json<Log>, ApiError> {
    let text = request.parameter(0)?;
    let id = text.parse::<i64>().ok().filter(|id| (0..i64::MAX).contains(id));
    let filter = LogFilter::default();
    let after = id.map_or(Instant::EPOCH, |id| Instant::from_micros(id + 1));
    let place = (after, 1);
    let found = request.iam.log(&context, LogKind::Call, &filter, place).await?;
    let id = id.ok_or_else(|| {
        let message = format!("\"{text}\" in the path must be a whole number");
        IamError::invalid(Fault::Format, message)
    })?;
    let line =
        found.lines.into_iter().find(|line| line.at.micros() == id).ok_or(IamError::NotFound)?;
    Ok(Json(Log::of(context.account(), line)))
}

async fn calls_on_services(
    context: Context,
    request: Request,
) -> Result<Expandable<Log>, ApiError> {
    let calls = request.iam.calls_on_services(&context).await?;
    let account = context.account();
    Expandable::of(&request, calls.into_iter().map(|line| Log::of(account, line)))
}

async fn call_on_services(context: Context, request: Request) -> Result<Json<Log>, ApiError> {
    let calls = request.iam.calls_on_services(&context).await?;
    let id = request.parameter(0)?;
    let line = calls.into_iter().find(|line| line.at.micros().to_string() == id);
    Ok(Json(Log::of(context.account(), line.ok_or(IamError::NotFound)?)))
}

async fn audit(context: Context, request: Request) -> Result<JsonList<AuditLog>, ApiError> {
    let last = (Revision::MAX, MOST);
    let found = request.iam.audit(&context, &LogFilter::default(), last).await?;
    Ok(JsonList(found.events.iter().filter_map(AuditLog::of).collect()))
}
