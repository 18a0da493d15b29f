//! Authenticates the caller of an operation.

use std::sync::Arc;

use axum::http::HeaderMap;
use gatewright_iam::{AccountRevision, Iam, IamError, Principal};

use crate::edge::{MINIMUM_REVISION, bearer, may_wait, wait_for_revision};
use crate::request::RequestContext;

/// Authenticates the caller, by the minimum revision that the request demands; returns its principal, and
/// the revision of its account by then. A token that is refused counts for the network that it came from.
pub(crate) async fn authenticate(
    iam: &Iam,
    headers: &HeaderMap,
    RequestContext { ip, now, .. }: &RequestContext,
) -> Result<(Arc<Principal>, AccountRevision), IamError> {
    let token = match bearer(headers) {
        Ok(token) => token,
        Err(error) => {
            iam.admit_anonymous(*ip)?;
            return Err(error);
        }
    };
    let token = token.reveal();
    let first = match iam.authenticate(token, *now).await {
        Err(IamError::BadCredential) => {
            iam.count_refused_token(token, *ip).await?;
            Err(IamError::BadCredential)
        }
        authenticated => authenticated,
    };
    if !headers.contains_key(MINIMUM_REVISION) || !may_wait(iam, token, &first).await {
        return first;
    }
    let waited = wait_for_revision(iam, headers).await;
    let second = iam.authenticate(token, *now).await?;
    waited.map(|()| second)
}
