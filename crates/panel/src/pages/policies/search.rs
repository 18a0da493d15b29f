//! Searches of the policy editor: for identities and for actions.

use gatewright_iam::{Action, Catalogue, Context};

use super::tree::category_name;
use crate::error::{PageError, none_if_forbidden};
use crate::pages::choices::Choice;
use crate::request::RequestContext;

/// Maximum number of actions that a search displays.
const MAX_ACTIONS: usize = 200;

/// Maximum number of identities that a search displays.
const MAX_IDENTITIES: usize = 50;

/// Action that a search found.
pub(super) struct FoundAction {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) category: &'static str,
}

/// Finds identities by their URN or name, as far as the reader has permissions for them.
pub(super) async fn find_identities(
    request: &RequestContext,
    context: &Context,
    search: &str,
) -> Result<Vec<Choice>, PageError> {
    let search = search.to_lowercase();
    let mut choices = identities(request, context).await?;
    choices.retain(|one| {
        one.urn.to_lowercase().contains(&search) || one.label.to_lowercase().contains(&search)
    });
    choices.truncate(MAX_IDENTITIES);
    Ok(choices)
}

async fn identities(request: &RequestContext, context: &Context) -> Result<Vec<Choice>, PageError> {
    let (iam, texts) = (&request.iam, &request.texts);
    let clients = none_if_forbidden(iam.clients(context).await)?.unwrap_or_default();
    let users = none_if_forbidden(iam.users(context).await)?.unwrap_or_default();
    let groups = none_if_forbidden(iam.groups(context).await)?.unwrap_or_default();
    let clients = clients.into_iter().filter_map(|one| {
        let label = texts.name("choice-client", &one.name);
        one.identity.map(|urn| Choice { urn, label })
    });
    let users = users.into_iter().map(|one| {
        let label = texts.name("choice-user", one.login.as_str());
        Choice { urn: one.urn, label }
    });
    let groups = groups.into_iter().map(|one| {
        let label = texts.name("choice-group", one.name.as_str());
        Choice { urn: one.urn, label }
    });
    Ok(clients.chain(users).chain(groups).collect())
}

/// Finds the actions whose name or description contains all words of a search.
pub(super) fn find_actions(catalogue: &Catalogue, search: &str) -> Vec<FoundAction> {
    let words: Vec<&str> = search.split_whitespace().collect();
    if words.is_empty() {
        return Vec::new();
    }
    let matches = |action: &&Action| {
        let (name, text) = (action.name.to_lowercase(), action.description.to_lowercase());
        words.iter().all(|word| name.contains(word) || text.contains(word))
    };
    let found = catalogue.actions(None).into_iter().filter(matches).take(MAX_ACTIONS);
    let found = found.map(|action| FoundAction {
        name: action.name.to_string(),
        description: action.description.clone(),
        category: category_name(action),
    });
    found.collect()
}
