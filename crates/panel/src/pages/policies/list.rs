//! Table of the policies.

use std::sync::Arc;

use askama::Template;
use gatewright_iam::{Context, IamError, PageRequest, Policy, PolicyFilter, PolicyId};

use crate::fields::encoded;
use crate::form::InputError;
use crate::format::minute;
use crate::layout::{Banner, Layout, Section};
use crate::request::RequestContext;
use crate::response::{HandlerResult, PageResponse};
use crate::table::{TablePage, TableQuery};
use crate::text::Texts;

const COLUMNS: [&str; 2] = ["name", "created"];

#[derive(Template)]
#[template(path = "policies/list.html")]
struct ListPage {
    layout: Layout,
    table: TablePage<Row>,
    filter: Filter,
    /// Filter, for the query of links to other pages of the table.
    filter_query: String,
}

struct Row {
    id: PolicyId,
    name: String,
    description: String,
    identities: usize,
    resources: usize,
    actions: String,
    created: String,
}

impl Row {
    fn of(policy: Policy, texts: &Texts) -> Self {
        let rule = policy.rule;
        Self {
            id: rule.id,
            actions: actions(rule.permissions.allow.len(), rule.permissions_groups.len(), texts),
            name: policy.name,
            description: policy.description.unwrap_or_default(),
            identities: rule.identities.len(),
            resources: rule.resources.len(),
            created: minute(policy.created_at),
        }
    }
}

/// Describes the allowed actions: the number that are listed, and that of permissions groups.
fn actions(listed: usize, groups: usize, texts: &Texts) -> String {
    match (listed, groups) {
        (_, 0) => listed.to_string(),
        (0, _) => texts.count("policy-groups", groups),
        _ => format!("{listed} + {}", texts.count("policy-groups", groups)),
    }
}

/// Filter of the table: names in the policies, and their owner.
struct Filter {
    /// `true` for the policies of the server.
    of_server: bool,
    identity: String,
    resource: String,
    action: String,
}

impl Filter {
    fn read(request: &RequestContext) -> Self {
        let text = |name| request.query.get(name).to_owned();
        Self {
            of_server: request.query.get("of") == "server",
            identity: text("identity"),
            resource: text("resource"),
            action: text("action"),
        }
    }

    fn input(&self) -> PolicyFilter {
        let list = |text: &String| {
            Some(text.clone()).filter(|text| !text.is_empty()).into_iter().collect()
        };
        PolicyFilter {
            identities: list(&self.identity),
            resources: list(&self.resource),
            actions: list(&self.action),
            read_only: Some(self.of_server),
        }
    }

    fn query(&self) -> String {
        let of = if self.of_server { "&of=server" } else { "" };
        let [identity, action, resource] =
            [&self.identity, &self.action, &self.resource].map(|text| encoded(text));
        format!("&identity={identity}&action={action}&resource={resource}{of}")
    }
}

/// Returns all policies that the filter matches.
async fn filtered_policies(
    request: &RequestContext,
    context: &Context,
    filter: &Filter,
) -> Result<Vec<Policy>, IamError> {
    let mut policies = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = PageRequest::new(Some(PageRequest::MAX_SIZE), cursor.as_deref(), "policies")?;
        let page = request.iam.policies(context, Ok(filter.input()), Ok(page)).await?;
        policies.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            return Ok(policies);
        }
    }
}

pub(super) async fn show(request: Arc<RequestContext>) -> HandlerResult {
    let context = request.context()?;
    let filter = Filter::read(&request);
    let query = TableQuery::parse(&request.query, &COLUMNS);
    let mut layout = request.layout_with_flash(Section::Policies);
    // A malformed filter finds nothing, and the page says why.
    let mut policies = match filtered_policies(&request, &context, &filter).await {
        Ok(policies) => policies,
        Err(error) => {
            layout = layout.with(Banner::danger(InputError::of(error)?.message));
            Vec::new()
        }
    };
    policies
        .retain(|one| query.matches(&[&one.name, one.description.as_deref().unwrap_or_default()]));
    if query.sort == "name" {
        policies.sort_by_cached_key(|one| one.name.to_lowercase());
    }
    let table = query.paginate(policies).map(|policy| Row::of(policy, &request.texts));
    let filter_query = filter.query();
    PageResponse::render(&ListPage { layout, table, filter, filter_query })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Catalogues;

    #[test]
    fn a_policy_that_names_permissions_groups_does_not_look_empty() {
        let texts = Catalogues::load().unwrap().choose("en");
        let shown = |listed, groups| actions(listed, groups, &texts);
        assert_eq!(shown(0, 0), "0");
        assert_eq!(shown(3, 0), "3");
        assert_eq!(shown(0, 1), "One permissions group");
        assert_eq!(shown(2, 4), "2 + 4 permissions groups");
    }
}
