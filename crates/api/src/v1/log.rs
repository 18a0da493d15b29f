//! `/me/api/logs` and `/me/logs/audit`: what was called, and what was changed.

use gatewright_iam::{Context, Fault, IamError, LogFilter, LogKind};

use super::identity::list;
use crate::error::ApiError;
use crate::request::Request;
use crate::response::Response;
use crate::wire::{AuditLog, Log};

/// A list shows so many of the last calls or changes.
const MOST: usize = 10_000;

pub(crate) async fn calls(context: Context, request: Request) -> Result<Response, ApiError> {
    let last = (i64::MAX, MOST);
    let found = request.iam.log(&context, LogKind::Call, &LogFilter::default(), last).await?;
    let account = context.account();
    list(&request, found.lines.into_iter().map(|line| Log::of(account, line)), "logId")
}

pub(crate) async fn call(context: Context, request: Request) -> Result<Response, ApiError> {
    let text = request.parameter(0);
    let id = text.parse::<i64>().ok().filter(|id| (0..i64::MAX).contains(id));
    let filter = LogFilter::default();
    let place = (id.map_or(0, |id| id + 1), 1);
    let found = request.iam.log(&context, LogKind::Call, &filter, place).await?;
    let id = id.ok_or_else(|| {
        let message = format!("\"{text}\" in the path must be a whole number");
        IamError::invalid(Fault::Format, message)
    })?;
    let line = found.lines.into_iter().find(|line| line.at == id).ok_or(IamError::NotFound)?;
    Ok(Response::json(&Log::of(context.account(), line)))
}

pub(crate) async fn calls_on_services(
    context: Context,
    request: Request,
) -> Result<Response, ApiError> {
    let calls = request.iam.calls_on_services(&context).await?;
    let account = context.account();
    list(&request, calls.into_iter().map(|line| Log::of(account, line)), "logId")
}

pub(crate) async fn call_on_services(
    context: Context,
    request: Request,
) -> Result<Response, ApiError> {
    let calls = request.iam.calls_on_services(&context).await?;
    let line = calls.into_iter().find(|line| line.at.to_string() == request.parameter(0));
    Ok(Response::json(&Log::of(context.account(), line.ok_or(IamError::NotFound)?)))
}

pub(crate) async fn audit(context: Context, request: Request) -> Result<Response, ApiError> {
    let last = (i64::MAX, MOST);
    let found = request.iam.audit(&context, &LogFilter::default(), last).await?;
    let logs: Vec<AuditLog> = found.events.iter().filter_map(AuditLog::of).collect();
    Ok(Response::json(&logs))
}
