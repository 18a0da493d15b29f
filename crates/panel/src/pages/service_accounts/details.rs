//! Page of a service account: policies, effective permissions, recent activity.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{
    Client, ClientId, Context, EffectivePermissions, Line, LogKind, PageRequest, PolicyFilter,
};

use super::naming::{NamingPolicies, PolicyRow, naming_policies};
use crate::error::{PageError, none_if_forbidden};
use crate::format::{minute, minute_or_none, second};
use crate::layout::{Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};

/// Maximum number of policies that are offered to attach.
const MAX_POLICIES: usize = 200;

/// Maximum number of lines of each log.
const MAX_LINES: usize = 10;

#[derive(Template)]
#[template(path = "service_accounts/details.html")]
struct DetailsPage {
    layout: Layout,
    client: Client,
    created: String,
    used: String,
    policies: NamingPolicies,
    /// Policies that can be attached to it.
    others: Vec<PolicyRow>,
    activity: Activity,
    public_url: String,
}

/// Effective permissions and recent activity of a service account.
#[derive(Default)]
struct Activity {
    /// Effective permissions; none if the reader has no permission.
    permissions: Option<EffectivePermissions>,
    /// Its last token requests.
    tokens: Vec<LineRow>,
    /// The last decisions for it; none if the reader has no permission.
    decisions: Option<Vec<LineRow>>,
}

/// Line of a log.
struct LineRow {
    at: String,
    what: String,
    on: String,
    allowed: bool,
    ip: String,
}

impl From<Line> for LineRow {
    fn from(line: Line) -> Self {
        Self {
            at: second(line.at),
            what: line.what,
            on: line.on.unwrap_or_default(),
            allowed: line.allowed,
            ip: line.ip.unwrap_or_default(),
        }
    }
}

pub(super) async fn show(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let client = request.iam.client(&context, &ClientId::new(request.parameter("id")?)).await?;
    let policies = naming_policies(&request, &context, &client).await?;
    let others = match (&client.identity, &policies) {
        (Some(_), Some(policies)) => other_policies(&request, &context, policies).await?,
        _ => Vec::new(),
    };
    let activity = match &client.identity {
        Some(identity) => activity(&request, &context, identity).await?,
        None => Activity::default(),
    };
    let used = request.iam.clients_used(&context).await?;
    PageResponse::render(&DetailsPage {
        layout: request.layout_with_flash(Section::ServiceAccounts),
        created: minute(client.created_at),
        used: minute_or_none(used.get(client.id.as_str()).copied()),
        client,
        policies,
        others,
        activity,
        public_url: request.iam.settings().public_url.clone(),
    })
}

/// Returns policies that do not name the service account yet.
async fn other_policies(
    request: &RequestContext,
    context: &Context,
    naming: &[PolicyRow],
) -> Result<Vec<PolicyRow>, PageError> {
    let filter = PolicyFilter { read_only: Some(false), ..PolicyFilter::default() };
    let page = PageRequest::new(Some(MAX_POLICIES), None, "attach")?;
    let all = request.iam.policies(context, Ok(filter), Ok(page)).await?;
    let is_naming = |id| naming.iter().any(|one| one.id == id);
    let others = all.items.into_iter().filter(|one| !is_naming(one.rule.id));
    Ok(others.map(Into::into).collect())
}

async fn activity(
    request: &RequestContext,
    context: &Context,
    identity: &str,
) -> Result<Activity, PageError> {
    let iam = &request.iam;
    let last = async |kind| iam.last_lines(context, kind, identity, MAX_LINES).await;
    let rows = |lines: Vec<Line>| lines.into_iter().map(LineRow::from).collect();
    Ok(Activity {
        permissions: none_if_forbidden(iam.effective_permissions(context, identity).await)?,
        tokens: rows(last(LogKind::Token).await?),
        decisions: none_if_forbidden(last(LogKind::Decision).await)?.map(rows),
    })
}
